//! What stood at a path when it was last looked at. It decides only which request asks first: a wrong memory costs one
//! request more and is never an answer.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

/// Paths that are remembered, each in the one place that its hash has.
const PLACES: usize = 1024;

pub(super) struct Kinds {
    state: RandomState,
    /// Hash of a path; the lowest bit says that it is a directory.
    places: Box<[AtomicU64]>,
}

impl Kinds {
    pub(super) fn new() -> Self {
        Self { state: RandomState::new(), places: (0..PLACES).map(|_| AtomicU64::new(0)).collect() }
    }

    /// Whether a directory was found at `path`; `None` where nobody remembers.
    pub(super) fn is_directory(&self, path: &str) -> Option<bool> {
        let hash = self.hash(path);
        let found = self.place(hash)?.load(Ordering::Relaxed);
        (found | 1 == hash | 1).then_some(found & 1 == 1)
    }

    pub(super) fn found(&self, path: &str, is_directory: bool) {
        let hash = self.hash(path);
        if let Some(place) = self.place(hash) {
            place.store((hash & !1) | u64::from(is_directory), Ordering::Relaxed);
        }
    }

    fn hash(&self, path: &str) -> u64 {
        self.state.hash_one(path)
    }

    fn place(&self, hash: u64) -> Option<&AtomicU64> {
        self.places.get((hash >> 1) as usize % PLACES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_finding_is_remembered() {
        let kinds = Kinds::new();
        assert_eq!(kinds.is_directory("a"), None);
        kinds.found("a", true);
        assert_eq!(kinds.is_directory("a"), Some(true));
        kinds.found("a", false);
        assert_eq!((kinds.is_directory("a"), kinds.is_directory("b")), (Some(false), None));
    }
}
