//! Writes one object: in one PutObject where it is small, as a multipart upload while the writer still writes where it
//! is not. Nothing is visible before [`ObjectWriter::close`].

mod closing;
mod part;
mod sending;
mod sizes;
mod spilling;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::gateway::Gateway;
use crate::gateway::statistics::StatisticsSnapshot;
use crate::ops::{CompletedPart, ObjectAttributes, WriteCondition};
use crate::{Error, ErrorKind, Result};

use super::TransferSettings;
use super::budget::MemoryBudget;
use super::pending::PendingSink;
use super::upload::Upload;
use part::{Appended, PartBuffer};
use sizes::{LARGEST_PART, grown};

/// An object being written. Dropping it unclosed gives it up: nothing becomes visible.
pub struct ObjectWriter {
    shared: Arc<Shared>,
    runtime: Handle,
    written: Option<WrittenObject>,
}

/// What [`ObjectWriter::close`] has made visible, or left pending.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenObject {
    /// ETag without quotes; `None` where the object is pending and will get one.
    pub etag: Option<String>,
    /// Length in bytes.
    pub length: u64,
}

/// The object to be, and how it is put.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) gateway: Gateway,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// What must hold for the object to become visible. Atomic where the object goes out in one request, and where the
    /// gateway knows conditions on completions; on others the key is looked at just before.
    pub(crate) condition: WriteCondition,
    /// Fails with `Unsupported` where the condition would not be atomic.
    pub(crate) for_certain: bool,
    pub(crate) attributes: ObjectAttributes,
    pub(crate) form: Form,
    /// Who takes the object when it is closed; `None` makes it visible then.
    pub(crate) pending: Option<Arc<dyn PendingSink>>,
}

/// In which requests the bytes go out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// In one where they are few, else as a multipart upload.
    Object,
    /// As a multipart upload, also where they are few.
    Upload,
    /// In one, as a part of somebody's upload. Such a part is not cut, however long it is.
    Part { upload_id: String, number: u32 },
}

struct Shared {
    target: Target,
    settings: TransferSettings,
    budget: MemoryBudget,
    state: Mutex<State>,
    changed: Notify,
}

struct State {
    part: PartBuffer,
    /// Bytes in parts that were sealed before `part`.
    sealed: u64,
    upload: Option<Upload>,
    next_part: u32,
    /// Parts that are being sent, their bytes, and the tasks that send them.
    in_flight: usize,
    in_flight_bytes: u64,
    sending: JoinSet<()>,
    completed: Vec<CompletedPart>,
    failure: Option<Error>,
    spilling: bool,
    /// The last part is spoken for.
    closing: bool,
}

impl ObjectWriter {
    /// Begins an object. Nothing is sent yet. Must be called inside a tokio runtime, which sends the parts.
    pub(crate) fn new(target: Target, settings: TransferSettings, budget: MemoryBudget) -> Self {
        let state = State {
            part: PartBuffer::default(),
            sealed: 0,
            upload: None,
            next_part: 1,
            in_flight: 0,
            in_flight_bytes: 0,
            sending: JoinSet::new(),
            completed: Vec::new(),
            failure: None,
            spilling: false,
            closing: false,
        };
        let shared = Arc::new(Shared { target, settings, budget, state: Mutex::new(state), changed: Notify::new() });
        let holder: Weak<Shared> = Arc::downgrade(&shared);
        shared.budget.register(holder);
        Self { shared, runtime: Handle::current(), written: None }
    }

    /// Takes what fits in memory at once and returns how many bytes that were; never waits, never sends.
    pub fn try_write(&mut self, data: &[u8]) -> usize {
        let mut state = self.shared.lock();
        if state.failure.is_some() {
            return 0;
        }
        let size = self.shared.part_size(state.next_part);
        state.part.append(data, size, &self.shared.budget).taken
    }

    /// Takes all of `data`; waits while memory or upload slots are short. After an error, and where it was not waited
    /// for to the end, the object cannot be closed any more.
    ///
    /// # Errors
    /// What a part failed with, now or earlier; `LocalDisk` where spilling failed; `Closed` after close or abort.
    pub async fn write(&mut self, mut data: &[u8]) -> Result<()> {
        let shared = &self.shared;
        let unfinished = Unfinished::new(shared);
        while !data.is_empty() {
            let appended = {
                let mut state = shared.lock();
                state.check()?;
                let size = shared.part_size(state.next_part);
                state.part.append(data, size, &shared.budget)
            };
            data = data.get(appended.taken..).unwrap_or_default();
            match appended {
                Appended { full: true, .. } => {
                    let state = shared.until(|state| !state.spilling && shared.has_turn(state)).await?;
                    shared.seal(state);
                }
                Appended { wants, .. } if wants > 0 => {
                    let reservation = shared.budget.reserve(wants).await?;
                    shared.lock().part.grow(reservation);
                }
                _ => {}
            }
        }
        unfinished.done();
        Ok(())
    }

    /// Requests so far, by S3 name of the operation.
    pub fn requests(&self) -> StatisticsSnapshot {
        self.shared.target.gateway.statistics().snapshot()
    }

    /// Bytes written so far.
    pub fn length(&self) -> u64 {
        let state = self.shared.lock();
        state.sealed + state.part.length()
    }

    /// Sends what is left and makes the object visible. A second call returns what the first did.
    ///
    /// # Errors
    /// `AlreadyExists` where it was to be exclusive and is not; what a part failed with. Nothing is visible then, and
    /// what was uploaded is removed, unless the error says that the object may be there all the same.
    pub async fn close(&mut self) -> Result<WrittenObject> {
        if let Some(written) = &self.written {
            return Ok(written.clone());
        }
        let unfinished = Unfinished::new(&self.shared);
        match self.shared.finish().await {
            Ok(written) => {
                unfinished.done();
                self.shared.lock().failure = Some(closed());
                self.written = Some(written.clone());
                Ok(written)
            }
            Err(failure) => {
                self.shared.give_up().await;
                Err(failure)
            }
        }
    }

    /// Gives the object up: nothing becomes visible, and what was uploaded is removed.
    ///
    /// # Errors
    /// The gateway's, where the upload could not be removed; it is invisible all the same.
    pub async fn abort(&mut self) -> Result<()> {
        if self.written.is_some() { Ok(()) } else { self.shared.abort().await }
    }
}

impl Drop for ObjectWriter {
    fn drop(&mut self) {
        if self.written.is_none() {
            let shared = Arc::clone(&self.shared);
            self.runtime.spawn(async move { shared.give_up().await });
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn part_size(&self, number: u32) -> u64 {
        match self.target.form {
            Form::Part { .. } => LARGEST_PART + 1,
            Form::Object | Form::Upload => grown(self.settings.part_size, number),
        }
    }

    /// Whether one more part may be sent: one writer alone leaves a quarter of the memory to others, with half of it on
    /// its way and a quarter being filled.
    fn has_turn(&self, state: &State) -> bool {
        let bytes = state.in_flight_bytes + state.part.length();
        state.in_flight == 0 || (state.in_flight < self.settings.upload_concurrency && bytes <= self.budget.limit() / 2)
    }

    /// Waits until the state is as `wanted`, and keeps it so.
    async fn until(&self, wanted: impl Fn(&State) -> bool) -> Result<MutexGuard<'_, State>> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            {
                let state = self.lock();
                state.check()?;
                if wanted(&state) {
                    return Ok(state);
                }
            }
            changed.await;
        }
    }
}

impl State {
    fn check(&self) -> Result<()> {
        self.failure.clone().map_or(Ok(()), Err)
    }
}

/// A call that is under way: dropped before it is done, it leaves an object of which nobody knows how much is there.
struct Unfinished<'a>(Option<&'a Shared>);

impl<'a> Unfinished<'a> {
    fn new(shared: &'a Shared) -> Self {
        Self(Some(shared))
    }

    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        if let Some(shared) = self.0 {
            let message = "an earlier write or close of this file ended before it was done: write the file anew";
            shared.lock().failure.get_or_insert_with(|| Error::new(ErrorKind::Closed, message));
        }
    }
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the file was closed or given up before")
}
