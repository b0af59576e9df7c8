//! Writes one object: in one PutObject where it is small, as a multipart upload while the writer still writes where it
//! is not. Nothing is visible before [`ObjectWriter::close`].

mod part;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use futures::future::BoxFuture;
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::{JoinError, JoinSet};

use crate::gateway::Gateway;
use crate::gateway::capabilities::Capability;
use crate::gateway::statistics::StatisticsSnapshot;
use crate::ops::{CompletedPart, HeadObject, ObjectAttributes, PutObject, UploadPart, WriteCondition, WriteId};
use crate::probe::probe;
use crate::{Error, ErrorKind, Result};

use super::TransferSettings;
use super::budget::{Holder, MemoryBudget, Reservation};
use super::pending::{PendingBody, PendingObject, PendingSink, PendingUpload};
use super::upload::Upload;
use part::{Appended, PartBuffer};

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

/// A part of at least this size may go out before it is full; smaller ones would leave too many behind. Two RADOS
/// objects of `rgw_obj_stripe_size`.
const EARLY: u64 = 8 << 20;
/// After so many parts the next ones are twice as large: parts of 8 MiB reach 5 TiB, the largest object there is, with
/// fewer than [`MOST_PARTS`].
const PARTS_PER_SIZE: u32 = 1_000;
/// Most parts of an upload (S3 API).
const MOST_PARTS: u32 = 10_000;
/// Largest part (S3 API).
const LARGEST_PART: u64 = 5 << 30;

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

    /// Sends the part that was being filled and begins the next.
    fn seal(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.part.length() == 0 {
            return;
        }
        if let Form::Part { .. } = self.target.form {
            state.failure.get_or_insert_with(too_large_part);
            return;
        }
        if state.next_part > MOST_PARTS {
            state.failure.get_or_insert_with(too_many_parts);
            return;
        }
        let part = std::mem::take(&mut state.part);
        let number = state.next_part;
        let upload = state.upload.get_or_insert_with(|| self.begin_upload()).clone();
        let length = part.length();
        state.sealed += length;
        state.next_part += 1;
        state.in_flight += 1;
        state.in_flight_bytes += length;
        while state.sending.try_join_next().is_some() {}
        let shared = Arc::clone(self);
        state.sending.spawn(async move {
            let outcome = shared.send(&upload, number, part).await;
            let mut state = shared.lock();
            state.in_flight -= 1;
            state.in_flight_bytes -= length;
            match outcome {
                Ok(completed) => state.completed.push(completed),
                Err(failure) => {
                    state.failure.get_or_insert(failure);
                }
            }
            drop(state);
            shared.changed.notify_waiters();
        });
    }

    fn begin_upload(&self) -> Upload {
        let Target { gateway, bucket, key, attributes, pending, .. } = &self.target;
        let sink = pending.clone();
        let before = async move {
            match sink {
                Some(sink) => sink.before_upload().await,
                None => Ok(()),
            }
        };
        Upload::create(gateway, bucket, key, attributes.clone(), before)
    }

    /// Sends one part; its memory comes back when the gateway has it.
    async fn send(&self, upload: &Upload, number: u32, part: PartBuffer) -> Result<CompletedPart> {
        let (payload, digest, _memory) = part.into_payload();
        let Target { gateway, bucket, key, .. } = &self.target;
        let mut upload_part = UploadPart::new(bucket, key, &upload.id().await?, number, payload);
        upload_part.digest = Some(digest);
        let etag = gateway.run(upload_part).await?;
        Ok(CompletedPart { number, etag })
    }

    async fn finish(self: &Arc<Self>) -> Result<WrittenObject> {
        let whole = {
            let mut state = self.until(|state| !state.spilling).await?;
            state.closing = true;
            let room = match (&self.target.pending, &self.target.form) {
                (Some(sink), _) => sink.room(),
                (None, Form::Upload) => 0,
                (None, _) => u64::MAX,
            };
            if state.upload.is_none() && state.part.length() <= room {
                Some(std::mem::take(&mut state.part))
            } else {
                self.seal(state);
                None
            }
        };
        if let Some(part) = whole {
            return match &self.target.pending {
                Some(sink) => leave_whole(part, sink.as_ref()),
                None => self.put_whole(part).await,
            };
        }
        let (upload, mut parts, length) = {
            let mut state = self.until(|state| state.in_flight == 0).await?;
            (state.upload.clone(), std::mem::take(&mut state.completed), state.sealed)
        };
        let Some(upload) = upload else {
            return Err(Error::new(ErrorKind::Internal, "an upload without parts"));
        };
        parts.sort_unstable_by_key(|part| part.number);
        if let Some(sink) = &self.target.pending {
            let upload_id = upload.id().await?;
            sink.take(PendingObject::Upload(PendingUpload { upload_id, parts, length }))?;
            self.lock().upload = None; // it is the sink's now: dropping the writer must not remove it
            return Ok(WrittenObject { etag: None, length });
        }
        self.check_condition().await?;
        let etag = upload.complete(parts, length, self.target.condition.clone()).await?;
        Ok(WrittenObject { etag: Some(etag), length })
    }

    async fn put_whole(&self, part: PartBuffer) -> Result<WrittenObject> {
        let (payload, digest, _memory) = part.into_payload();
        let length = payload.len();
        if let Form::Part { upload_id, number } = &self.target.form {
            let mut upload_part = UploadPart::new(&self.target.bucket, &self.target.key, upload_id, *number, payload);
            upload_part.digest = Some(digest);
            let etag = self.target.gateway.run(upload_part).await?;
            return Ok(WrittenObject { etag: Some(etag), length });
        }
        let mut put = PutObject::new(&self.target.bucket, &self.target.key, payload);
        put.digest = Some(digest);
        put.attributes = self.target.attributes.clone();
        if self.target.condition != WriteCondition::Always {
            put.condition = self.target.condition.clone();
            put.write_id = Some(WriteId::new(self.target.gateway.environment().random.bits()));
        }
        let etag = self.target.gateway.run(put).await?;
        Ok(WrittenObject { etag: Some(etag), length })
    }

    /// Looks before a completion whether its condition holds, since the gateway may ignore it there.
    async fn check_condition(&self) -> Result<()> {
        let Target { gateway, bucket, key, condition, for_certain, .. } = &self.target;
        if *condition == WriteCondition::Always {
            return Ok(());
        }
        if *for_certain && !probe(gateway, bucket, Capability::ExclusiveComplete).await? {
            return Err(not_for_certain().at(bucket, key));
        }
        let existing = match gateway.run(HeadObject::new(bucket, key)).await {
            Ok(head) => Some(head),
            Err(failure) if failure.kind() == ErrorKind::NotFound => None,
            Err(failure) => return Err(failure),
        };
        let refusal = match (condition, existing) {
            (WriteCondition::IfAbsent, Some(_)) => {
                Error::new(ErrorKind::AlreadyExists, "somebody created it meanwhile")
            }
            (WriteCondition::IfMatch(etag), found)
                if found.as_ref().and_then(|head| head.etag.as_ref()) != Some(etag) =>
            {
                Error::new(ErrorKind::PreconditionFailed, format!("the object no longer has the ETag {etag}"))
            }
            _ => return Ok(()),
        };
        Err(refusal.at(bucket, key))
    }

    async fn abort(&self) -> Result<()> {
        let (upload, mut sending) = {
            let mut state = self.lock();
            state.failure = Some(closed());
            state.part = PartBuffer::default();
            (state.upload.take(), std::mem::take(&mut state.sending))
        };
        self.changed.notify_waiters();
        // A part that arrives after the abort would stay for ever.
        sending.shutdown().await;
        match upload {
            Some(upload) => upload.abort().await,
            None => Ok(()),
        }
    }

    /// Aborts where nobody can be told of a failure to do so.
    async fn give_up(&self) {
        if let Err(failure) = self.abort().await {
            tracing::warn!(%failure, "an upload was given up but could not be removed; it stays pending, invisible");
        }
    }

    /// Writes what the part holds in memory to its file. False where there is nothing to write now.
    async fn spill(self: Arc<Self>) -> Result<bool> {
        let taken = {
            let mut state = self.lock();
            if state.spilling || state.closing {
                return Ok(false);
            }
            let Some(taken) = state.part.take_memory() else {
                return Ok(false);
            };
            state.spilling = true;
            taken
        };
        let directory = self.settings.buffer_directory.clone();
        let spilled = tokio::task::spawn_blocking(move || taken.write(&directory)).await;
        let mut state = self.lock();
        state.spilling = false;
        let outcome = match spilled {
            Ok(Ok(spilled)) => {
                state.part.put_back_file(spilled);
                Ok(true)
            }
            Ok(Err((taken, failure))) => {
                state.part.put_back_memory(taken);
                Err(failure)
            }
            Err(stopped) => {
                // What was taken is lost, so the object cannot be completed any more.
                let failure = spilling_was_stopped(stopped);
                state.failure.get_or_insert_with(|| failure.clone());
                Err(failure)
            }
        };
        drop(state);
        self.changed.notify_waiters();
        outcome
    }

    fn may_go_early(&self, state: &State) -> bool {
        let is_cut = !matches!(self.target.form, Form::Part { .. });
        is_cut && !state.spilling && !state.closing && state.part.length() >= grown(EARLY, state.next_part)
    }
}

impl Holder for Shared {
    fn holds(&self) -> u64 {
        self.state.try_lock().map_or(0, |state| if state.spilling || state.closing { 0 } else { state.part.memory() })
    }

    fn is_cheap(&self) -> bool {
        self.state.try_lock().is_ok_and(|state| self.may_go_early(&state))
    }

    fn give_back(self: Arc<Self>) -> BoxFuture<'static, Result<bool>> {
        Box::pin(async move {
            {
                let state = self.lock();
                if self.may_go_early(&state) {
                    self.seal(state);
                    return Ok(true);
                }
            }
            // In a task of its own: who asked for the memory may go away, and must not take the part along.
            let spilling = tokio::spawn(self.spill());
            spilling.await.unwrap_or_else(|stopped| Err(spilling_was_stopped(stopped)))
        })
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

fn leave_whole(part: PartBuffer, sink: &dyn PendingSink) -> Result<WrittenObject> {
    let (payload, _, memory) = part.into_payload();
    let length = payload.len();
    let memory = memory.map(Reservation::no_longer_in_flight);
    sink.take(PendingObject::Body(PendingBody { payload, _memory: memory }))?;
    Ok(WrittenObject { etag: None, length })
}

/// The size of the part of that number, where the first have `size`.
fn grown(size: u64, number: u32) -> u64 {
    size.saturating_mul(1 << (number / PARTS_PER_SIZE).min(16)).min(LARGEST_PART)
}

fn spilling_was_stopped(stopped: JoinError) -> Error {
    Error::new(ErrorKind::Internal, "spilling was stopped").caused_by(stopped)
}

fn not_for_certain() -> Error {
    let message = "this gateway ignores conditions when an upload is completed (Radosgw before 20.2.1), so whether somebody \
                   else was first cannot be told for certain: write less than one part (fs.s3a.multipart.size), or ask for \
                   the condition with opt() rather than must()";
    Error::new(ErrorKind::Unsupported, message)
}

fn too_many_parts() -> Error {
    let message = "the object needs more than 10,000 parts: set fs.s3a.multipart.size to a larger one";
    Error::new(ErrorKind::InvalidOption, message)
}

fn too_large_part() -> Error {
    Error::new(ErrorKind::InvalidOption, "a part of an upload has at most 5 GiB: send more, smaller parts")
}

fn closed() -> Error {
    Error::new(ErrorKind::Closed, "the file was closed or given up before")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_reach_the_largest_object() {
        let total: u64 = (1..=MOST_PARTS).map(|number| grown(EARLY, number)).sum();
        assert!(total >= 5 << 40, "{total}");
        assert_eq!((grown(EARLY, 1), grown(EARLY, 999), grown(EARLY, 1000)), (EARLY, EARLY, 2 * EARLY));
        assert_eq!(grown(5 << 30, 9999), LARGEST_PART);
    }
}
