//! Reads one object: sequentially with read-ahead, by position, or many ranges at once.

mod counts;
mod inbox;
mod ranges;
mod read_ahead;

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use bytes::Bytes;
use futures::future::BoxFuture;

use crate::config::ReadPolicy;
use crate::gateway::Gateway;
use crate::gateway::statistics::StatisticsSnapshot;
use crate::{Error, ErrorKind, Result};

use super::TransferSettings;
use super::budget::{Holder, MemoryBudget, Reservation, SMALLEST};
use read_ahead::{Next, ReadAhead};

pub(crate) use counts::ReadCounts;
pub use counts::ReadCountsSnapshot;
pub use ranges::{Fetched, Ranges};

/// One range request asks for at most this much: two of Radosgw's 4 MiB RADOS reads side by side in each request, and
/// several requests at a time.
const LARGEST_REQUEST: u64 = 8 << 20;

/// An open object. All methods take `&self`: bindings share it between the thread that reads and the one that closes.
pub struct ObjectReader {
    shared: Arc<Shared>,
}

struct Shared {
    source: Arc<Source>,
    budget: MemoryBudget,
    tail: Mutex<Option<Arc<Tail>>>,
    read_ahead: Mutex<ReadAhead>,
}

/// Which object is read, and which version of it.
pub(crate) struct Source {
    pub(crate) gateway: Gateway,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) length: u64,
    /// Where it is not known when the object is opened, that of the first answer.
    pub(crate) etag: OnceLock<String>,
    pub(crate) counts: ReadCounts,
    /// Says why the object is missing, where more is known.
    pub(crate) why_missing: Option<WhyMissing>,
}

/// Takes the failure of a read that found no object; returns it, with the reason where there is one.
pub(crate) type WhyMissing = Arc<dyn Fn(Error) -> BoxFuture<'static, Error> + Send + Sync>;

impl Source {
    async fn explained(&self, failure: Error) -> Error {
        match &self.why_missing {
            Some(why) if failure.kind() == ErrorKind::NotFound => why(failure).await,
            _ => failure,
        }
    }
}

/// The end of the object, where opening it brought that along: the footer of a Parquet or ORC file.
pub(crate) struct Tail {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
    pub(crate) _memory: Reservation,
}

impl ObjectReader {
    pub(crate) fn new(
        source: Source,
        tail: Option<Arc<Tail>>,
        policy: ReadPolicy,
        settings: &TransferSettings,
        budget: MemoryBudget,
    ) -> Self {
        let read_ahead = ReadAhead::new(policy, source.length, settings.read_ahead_limit, settings.random_read);
        let shared = Arc::new(Shared {
            source: Arc::new(source),
            budget,
            tail: Mutex::new(tail),
            read_ahead: Mutex::new(read_ahead),
        });
        let holder: Weak<Shared> = Arc::downgrade(&shared);
        shared.budget.register(holder);
        Self { shared }
    }

    /// Length of the object in bytes.
    pub fn length(&self) -> u64 {
        self.shared.source.length
    }

    /// The version that is read; every request names it, so that no read mixes two.
    pub fn etag(&self) -> Option<&str> {
        self.shared.source.etag.get().map(String::as_str)
    }

    /// What reading it has brought so far.
    pub fn counts(&self) -> ReadCountsSnapshot {
        self.shared.source.counts.snapshot()
    }

    /// Requests of opening and reading it so far, by S3 name of the operation.
    pub fn requests(&self) -> StatisticsSnapshot {
        self.shared.source.gateway.statistics().snapshot()
    }

    /// Bytes at `position` that are in memory already, at most `at_most`; `None` where there are none.
    pub fn try_read(&self, position: u64, at_most: usize) -> Option<Bytes> {
        if let Some(bytes) = self.shared.of_tail(position, at_most) {
            return Some(bytes);
        }
        self.shared.lock().ready(position, at_most)
    }

    /// At least one byte at `position`, at most `at_most`; empty at and beyond the end. What follows is read ahead
    /// when reads turn out to be sequential.
    ///
    /// # Errors
    /// `Changed` where the object was replaced meanwhile, `NotFound` where it was deleted, and the gateway's.
    pub async fn read(&self, position: u64, at_most: usize) -> Result<Bytes> {
        let shared = &self.shared;
        if at_most == 0 || position >= self.length() {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = shared.of_tail(position, at_most) {
            return Ok(bytes);
        }
        let _busy = Busy::new(shared);
        loop {
            let next = shared.lock().next(position, at_most);
            match next {
                Next::Ready(bytes) => {
                    shared.read_further_ahead();
                    return Ok(bytes);
                }
                Next::Arriving(inbox) => {
                    if let Err(failure) = inbox.wait().await {
                        // A failed request is asked for anew by the next read, not remembered.
                        shared.lock().clear();
                        return Err(shared.source.explained(failure).await);
                    }
                }
                Next::Missing { start, end } => shared.fetch(start, end).await?,
            }
        }
    }

    /// Reads each of `ranges` (position and length) in full, in pieces as they arrive; what [`ObjectReader::read`] has
    /// read ahead stays as it is. Near ranges share a request, and requests run side by side.
    ///
    /// # Errors
    /// `OutOfRange` beyond the end.
    pub fn ranges(&self, ranges: &[(u64, usize)]) -> Result<Ranges> {
        for &(position, length) in ranges {
            if position.checked_add(length as u64).is_none_or(|end| end > self.length()) {
                return Err(self.out_of_range(position, length));
            }
        }
        let tail = self.shared.tail();
        Ok(Ranges::new(Arc::clone(&self.shared.source), self.shared.budget.clone(), tail.as_deref(), ranges))
    }

    /// Exactly `length` bytes at `position`, in the caller's memory rather than the budget's.
    ///
    /// # Errors
    /// `OutOfRange` beyond the end, besides those of `read`.
    pub async fn read_range(&self, position: u64, length: usize) -> Result<Vec<u8>> {
        let mut all = Vec::with_capacity(length);
        let mut ranges = self.ranges(&[(position, length)])?;
        while let Some(fetched) = ranges.next().await? {
            fetched.within(position, length).for_each(|(_, bytes)| all.extend_from_slice(&bytes));
        }
        Ok(all)
    }

    /// Least number of bytes that a random read asks for from now on.
    pub fn set_random_read(&self, bytes: u64) {
        self.shared.lock().set_random_window(bytes);
    }

    /// Gives back the footer, what was read ahead and the connections that read it; later reads go on as before.
    pub fn unbuffer(&self) {
        self.shared.forget_tail();
        self.shared.lock().clear();
    }

    fn out_of_range(&self, position: u64, length: usize) -> Error {
        Error::new(
            ErrorKind::OutOfRange,
            format!("{length} bytes at {position} reach beyond the object's {} bytes", self.length()),
        )
        .at(&self.shared.source.bucket, &self.shared.source.key)
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, ReadAhead> {
        self.read_ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tail(&self) -> Option<Arc<Tail>> {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn forget_tail(&self) -> bool {
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).take().is_some()
    }

    fn of_tail(&self, position: u64, at_most: usize) -> Option<Bytes> {
        let tail = self.tail()?;
        let skip = usize::try_from(position.checked_sub(tail.start)?).ok()?;
        let rest = tail.bytes.len().checked_sub(skip).filter(|rest| *rest > 0)?;
        Some(tail.bytes.slice(skip..skip + rest.min(at_most)))
    }

    /// Requests what a caller waits for, in as much memory as there is.
    async fn fetch(&self, start: u64, end: u64) -> Result<()> {
        let reservation = match self.budget.try_reserve(end - start) {
            Some(reservation) => reservation,
            None => self.budget.reserve((end - start).min(SMALLEST)).await?,
        };
        let end = end.min(start + reservation.bytes());
        self.lock().begin(&self.source, start, end, reservation);
        Ok(())
    }

    /// Requests what a sequential reader will want next, where there is memory to spare.
    fn read_further_ahead(&self) {
        let mut read_ahead = self.lock();
        while let Some((start, end)) = read_ahead.wanted() {
            let Some(reservation) = self.budget.try_reserve(end - start) else {
                return;
            };
            read_ahead.begin(&self.source, start, end, reservation);
        }
    }
}

/// Marks the reader as busy, so that nobody takes the memory that it waits for.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.lock().busy += 1;
        Self(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
    }
}

impl Holder for Shared {
    fn holds(&self) -> u64 {
        let tail = self.tail().map_or(0, |tail| tail.bytes.len() as u64);
        self.read_ahead.try_lock().map_or(0, |read_ahead| read_ahead.idle_bytes(tail))
    }

    fn is_cheap(&self) -> bool {
        true
    }

    fn give_back(self: Arc<Self>) -> BoxFuture<'static, Result<bool>> {
        let mut read_ahead = self.lock();
        let mut gave = read_ahead.idle_bytes(0) > 0;
        if gave {
            read_ahead.clear();
        }
        drop(read_ahead);
        gave |= self.forget_tail();
        Box::pin(async move { Ok(gave) })
    }
}
