//! What reading one object has brought, and what of it for nothing.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts of one reader, as they grow.
#[derive(Debug, Default)]
pub(crate) struct ReadCounts {
    pub(super) requests: AtomicU64,
    pub(super) ended: AtomicU64,
    pub(super) replaced: AtomicU64,
    pub(super) given_up: AtomicU64,
    pub(super) bytes_given_up: AtomicU64,
    pub(super) received: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) discarded: AtomicU64,
}

/// The counts of one reader at one moment. What came with the opening of the object is not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadCountsSnapshot {
    /// Ranges that were asked for.
    pub requests: u64,
    /// Of them those whose answer has ended, with success or not.
    pub ended: u64,
    /// Of them those that found another object than was opened.
    pub replaced: u64,
    /// Of them those that were given up with their connection, since their caller went elsewhere.
    pub given_up: u64,
    /// Bytes that were asked for by those and never came.
    pub bytes_given_up: u64,
    /// Bytes that have arrived.
    pub received: u64,
    /// Of them those that a caller passed over.
    pub skipped: u64,
    /// Of them those that were read ahead in vain, or lay between two ranges.
    pub discarded: u64,
}

impl ReadCounts {
    pub(super) fn snapshot(&self) -> ReadCountsSnapshot {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        ReadCountsSnapshot {
            requests: read(&self.requests),
            ended: read(&self.ended),
            replaced: read(&self.replaced),
            given_up: read(&self.given_up),
            bytes_given_up: read(&self.bytes_given_up),
            received: read(&self.received),
            skipped: read(&self.skipped),
            discarded: read(&self.discarded),
        }
    }
}

/// Adds to one of the counts.
pub(super) fn add(count: &AtomicU64, number: u64) {
    count.fetch_add(number, Ordering::Relaxed);
}
