//! The memory budget: every buffer of a process is reserved here before it is filled.
//!
//! When the budget is short, a holder gives memory back rather than that anybody waits for ever: the fullest upload
//! part goes out early, an idle writer spills to disk, an idle reader drops what it read ahead. So any number of open
//! files makes progress with any budget that holds a few [`SMALLEST`] pieces.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::Result;

/// Reservations are made in steps of at least this many bytes.
pub const SMALLEST: u64 = 64 * 1024;

/// How long a full disk is waited for when nothing else gives memory back.
const DISK_PATIENCE: Duration = Duration::from_secs(5);

/// Bytes that all buffers of a process may hold together. Cheap to clone; clones are the same budget.
#[derive(Clone)]
pub struct MemoryBudget {
    shared: Arc<Shared>,
}

struct Shared {
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
    /// Bytes of `used` that come back by themselves, since a request that is under way holds them.
    in_flight: AtomicU64,
    returned: Notify,
    holders: Mutex<Vec<Weak<dyn Holder>>>,
}

/// Somebody who holds memory and can give it back when asked.
pub(crate) trait Holder: Send + Sync {
    /// Bytes that [`Holder::give_back`] would free soon; 0 while the holder is busy.
    fn holds(&self) -> u64;

    /// Whether giving back is cheap (a part that is large enough goes out now, read-ahead is dropped) rather than a
    /// spill to disk.
    fn is_cheap(&self) -> bool;

    /// Gives memory back, now or when a request that this starts has ended. False where there was nothing to give.
    fn give_back(self: Arc<Self>) -> BoxFuture<'static, Result<bool>>;
}

impl MemoryBudget {
    /// A budget of `limit` bytes, of at least 16 times [`SMALLEST`].
    pub fn new(limit: u64) -> Self {
        Self {
            shared: Arc::new(Shared {
                limit: limit.max(16 * SMALLEST),
                used: AtomicU64::new(0),
                peak: AtomicU64::new(0),
                in_flight: AtomicU64::new(0),
                returned: Notify::new(),
                holders: Mutex::new(Vec::new()),
            }),
        }
    }

    /// The budget that suits this process: a third of what the container's limit leaves beside a heap of
    /// `heap` bytes (Spark's `memoryOverhead` is that remainder), at most 256 MiB, at least 64 MiB.
    pub fn suitable(container: Option<u64>, heap: u64) -> u64 {
        const MOST: u64 = 256 << 20;
        const LEAST: u64 = 64 << 20;
        container.map_or(MOST, |container| (container.saturating_sub(heap) / 3).clamp(LEAST, MOST))
    }

    /// The limit in bytes.
    pub fn limit(&self) -> u64 {
        self.shared.limit
    }

    /// Bytes that are reserved now.
    pub fn used(&self) -> u64 {
        self.shared.used.load(Ordering::Relaxed)
    }

    /// Most bytes that were ever reserved at the same time.
    pub fn peak(&self) -> u64 {
        self.shared.peak.load(Ordering::Relaxed)
    }

    /// Reserves `bytes` if they are free.
    pub(crate) fn try_reserve(&self, bytes: u64) -> Option<Reservation> {
        let shared = &self.shared;
        let used = shared
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                let next = used + bytes;
                (next <= shared.limit).then_some(next)
            })
            .ok()?;
        shared.peak.fetch_max(used + bytes, Ordering::Relaxed);
        Some(Reservation { budget: self.clone(), bytes, in_flight: false })
    }

    /// Reserves `bytes` (at most the limit), making others give back where the budget is short.
    ///
    /// # Errors
    /// `LocalDisk` where a writer has to spill and could not for [`DISK_PATIENCE`], while nothing else came back.
    pub(crate) async fn reserve(&self, bytes: u64) -> Result<Reservation> {
        let bytes = bytes.min(self.shared.limit);
        let mut disk_refused: Option<Instant> = None;
        loop {
            let returned = self.shared.returned.notified();
            tokio::pin!(returned);
            returned.as_mut().enable();
            if let Some(reservation) = self.try_reserve(bytes) {
                return Ok(reservation);
            }
            // Whoever is busy now is idle a moment later: look again even where nothing is returned meanwhile.
            let mut pause = Duration::from_millis(20);
            match self.make_room().await {
                Ok(true) => continue,
                Ok(false) => disk_refused = None,
                // The writer that was to spill is none the worse, and others may end before the disk has room.
                Err(failure) if disk_refused.get_or_insert_with(Instant::now).elapsed() >= DISK_PATIENCE => {
                    return Err(failure);
                }
                Err(_) => pause = DISK_PATIENCE / 10,
            }
            let _ = tokio::time::timeout(pause, returned).await;
        }
    }

    /// Makes one holder give back. False where waiting is all that is left to do.
    async fn make_room(&self) -> Result<bool> {
        if let Some(holder) = self.fullest(|holder| holder.is_cheap()) {
            return holder.give_back().await;
        }
        // Requests under way return their memory sooner than a disk is written.
        if self.shared.in_flight.load(Ordering::Relaxed) > 0 {
            return Ok(false);
        }
        match self.fullest(|_| true) {
            Some(holder) => holder.give_back().await,
            None => Ok(false),
        }
    }

    fn fullest(&self, wanted: impl Fn(&dyn Holder) -> bool) -> Option<Arc<dyn Holder>> {
        let mut holders = self.shared.holders.lock().unwrap_or_else(PoisonError::into_inner);
        holders.retain(|holder| holder.strong_count() > 0);
        let candidates = holders.iter().filter_map(Weak::upgrade).filter(|holder| wanted(holder.as_ref()));
        let (held, holder) = candidates.map(|holder| (holder.holds(), holder)).max_by_key(|(held, _)| *held)?;
        (held > 0).then_some(holder)
    }

    pub(crate) fn register(&self, holder: Weak<dyn Holder>) {
        self.shared.holders.lock().unwrap_or_else(PoisonError::into_inner).push(holder);
    }
}

/// Reserved bytes; dropping it returns them.
pub(crate) struct Reservation {
    budget: MemoryBudget,
    bytes: u64,
    in_flight: bool,
}

impl Reservation {
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds another reservation of the same budget.
    pub(crate) fn merge(&mut self, mut other: Self) {
        self.bytes += other.bytes;
        if self.in_flight != other.in_flight {
            other.mark(self.in_flight);
        }
        other.bytes = 0;
    }

    /// Returns `bytes` of it.
    pub(crate) fn release(&mut self, bytes: u64) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let shared = &self.budget.shared;
        if self.in_flight {
            shared.in_flight.fetch_sub(bytes, Ordering::Relaxed);
        }
        if bytes > 0 {
            shared.used.fetch_sub(bytes, Ordering::Relaxed);
            shared.returned.notify_waiters();
        }
    }

    /// Moves all of it into another owner's hands.
    pub(crate) fn take(&mut self) -> Self {
        let all = Self { budget: self.budget.clone(), bytes: self.bytes, in_flight: self.in_flight };
        self.bytes = 0;
        all
    }

    /// Says that a request under way holds it: it comes back by itself.
    pub(crate) fn now_in_flight(mut self) -> Self {
        self.mark(true);
        self
    }

    /// Takes that back.
    pub(crate) fn no_longer_in_flight(mut self) -> Self {
        self.mark(false);
        self
    }

    fn mark(&mut self, in_flight: bool) {
        let shared = &self.budget.shared;
        match (self.in_flight, in_flight) {
            (false, true) => shared.in_flight.fetch_add(self.bytes, Ordering::Relaxed),
            (true, false) => shared.in_flight.fetch_sub(self.bytes, Ordering::Relaxed),
            _ => return,
        };
        self.in_flight = in_flight;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.release(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    #[test]
    fn reservations_come_back_when_dropped() {
        let budget = MemoryBudget::new(2 * MIB);
        let first = budget.try_reserve(MIB).unwrap();
        let second = budget.try_reserve(MIB).unwrap();
        assert!(budget.try_reserve(1).is_none());
        drop(first);
        assert!(budget.try_reserve(MIB).is_some());
        drop(second);
        assert_eq!((budget.used(), budget.peak()), (0, 2 * MIB));
    }

    #[test]
    fn merged_and_released_bytes_are_counted_once() {
        let budget = MemoryBudget::new(2 * MIB);
        let mut all = budget.try_reserve(MIB).unwrap().now_in_flight();
        all.merge(budget.try_reserve(MIB).unwrap());
        all.release(MIB / 2);
        assert_eq!(budget.used(), 2 * MIB - MIB / 2);
        assert_eq!(budget.shared.in_flight.load(Ordering::Relaxed), 2 * MIB - MIB / 2);
        drop(all);
        assert_eq!((budget.used(), budget.shared.in_flight.load(Ordering::Relaxed)), (0, 0));
    }

    #[tokio::test]
    async fn a_waiter_wakes_when_memory_returns() {
        let budget = MemoryBudget::new(MIB);
        let held = budget.try_reserve(MIB).unwrap().now_in_flight();
        let waiter = tokio::spawn({
            let budget = budget.clone();
            async move { budget.reserve(MIB).await.map(|reservation| reservation.bytes()) }
        });
        tokio::task::yield_now().await;
        drop(held);
        assert_eq!(waiter.await.unwrap().unwrap(), MIB);
    }

    #[test]
    fn the_suitable_budget_fits_the_overhead_of_an_executor() {
        // 4 GiB heap, 10 % overhead of at least 384 MiB, as Spark reckons it.
        assert_eq!(MemoryBudget::suitable(Some(4506 * MIB), 4096 * MIB), 410 * MIB / 3);
        assert_eq!(MemoryBudget::suitable(None, 4096 * MIB), 256 * MIB);
        assert_eq!(MemoryBudget::suitable(Some(1024 * MIB), 1024 * MIB), 64 * MIB);
    }
}
