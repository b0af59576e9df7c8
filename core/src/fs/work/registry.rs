//! The work paths of a process, and what its jobs know of each other.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use super::super::keys;
use super::WorkPath;

/// The work paths of a process. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct WorkPaths {
    shared: Arc<RwLock<Registered>>,
}

#[derive(Default)]
struct Registered {
    /// By bucket (with its endpoint), then by path.
    buckets: HashMap<String, HashMap<String, Arc<WorkPath>>>,
    /// Attempts that have ended, oldest first.
    ended: VecDeque<Arc<WorkPath>>,
    /// Bucket and path of directories of jobs with Hadoop's own committer that this process has made.
    job_directories: HashSet<(String, String)>,
    /// Ids of the uploads that commits of jobs which failed have asked to complete, by bucket and job directory.
    asked: HashMap<(String, String), HashSet<String>>,
    /// When it was last looked at a destination for what killed jobs have left there.
    cleaned: HashMap<(String, String), Instant>,
}

/// Attempts that are remembered after their end, so that a writer that outlives its attempt is told.
const MOST_ENDED: usize = 1_000;

impl WorkPaths {
    /// Nothing is registered yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Registers the work path of an attempt. An attempt that is at work already goes on; one that has ended begins anew.
    pub(in crate::fs) fn register(&self, work: WorkPath) {
        let mut shared = self.write();
        let works = shared.buckets.entry(work.place.clone()).or_default();
        if works.get(&work.path).is_none_or(|known| known.has_ended()) {
            works.insert(work.path.clone(), Arc::new(work));
        }
    }

    /// The work path that is `path` or above it.
    pub(in crate::fs) fn above(&self, place: &str, path: &str) -> Option<Arc<WorkPath>> {
        let shared = self.read();
        let works = shared.buckets.get(place)?;
        let mut next = Some(path);
        while let Some(candidate) = next {
            if let Some(work) = works.get(candidate) {
                return Some(Arc::clone(work));
            }
            next = keys::parent(candidate);
        }
        None
    }

    /// Every work path below the directory `path`.
    pub(in crate::fs) fn below(&self, place: &str, path: &str) -> Vec<Arc<WorkPath>> {
        let prefix = keys::directory(path);
        let shared = self.read();
        let works = shared.buckets.get(place).into_iter().flat_map(HashMap::values);
        works.filter(|work| work.path.starts_with(&prefix)).cloned().collect()
    }

    /// Notes that an attempt has ended, or seems to have, and forgets those that did long ago.
    pub(in crate::fs) fn ended(&self, work: &Arc<WorkPath>) {
        let mut shared = self.write();
        shared.ended.push_back(Arc::clone(work));
        if shared.ended.len() <= MOST_ENDED {
            return;
        }
        let Some(oldest) = shared.ended.pop_front() else { return };
        if oldest.has_files() {
            return; // it goes on
        }
        if let Some(works) = shared.buckets.get_mut(&oldest.place)
            && works.get(&oldest.path).is_some_and(|current| Arc::ptr_eq(current, &oldest))
        {
            works.remove(&oldest.path);
        }
    }

    /// Notes that the job in this directory may have completed these uploads.
    pub(in crate::fs) fn note_asked(&self, place: &str, job_directory: &str, uploads: HashSet<String>) {
        self.write().asked.entry((place.to_owned(), job_directory.to_owned())).or_default().extend(uploads);
    }

    /// The uploads that this process has asked to complete for the job in this directory: none where its commit was not
    /// begun here, or was done.
    pub(in crate::fs) fn asked(&self, place: &str, job_directory: &str) -> Option<HashSet<String>> {
        self.read().asked.get(&(place.to_owned(), job_directory.to_owned())).cloned()
    }

    pub(in crate::fs) fn forget_asked(&self, place: &str, job_directory: &str) {
        self.write().asked.remove(&(place.to_owned(), job_directory.to_owned()));
    }

    /// Whether a destination was not looked at for `pause`; `now` is remembered then.
    pub(in crate::fs) fn is_to_clean(&self, place: &str, destination: &str, now: Instant, pause: Duration) -> bool {
        let mut shared = self.write();
        shared.cleaned.retain(|_, looked| now.saturating_duration_since(*looked) < pause);
        let key = (place.to_owned(), destination.to_owned());
        if shared.cleaned.contains_key(&key) {
            return false;
        }
        shared.cleaned.insert(key, now);
        true
    }

    pub(in crate::fs) fn own_job_directory(&self, place: &str, path: &str) {
        self.write().job_directories.insert((place.to_owned(), path.to_owned()));
    }

    pub(in crate::fs) fn is_own_job_directory(&self, place: &str, path: &str) -> bool {
        self.read().job_directories.contains(&(place.to_owned(), path.to_owned()))
    }

    /// Forgets those that are `path` or below it.
    pub(in crate::fs) fn forget_job_directories(&self, place: &str, path: &str) {
        if self.read().job_directories.is_empty() {
            return;
        }
        let prefix = keys::directory(path);
        self.write()
            .job_directories
            .retain(|(bucket, own)| bucket != place || (own != path && !own.starts_with(&prefix)));
    }

    fn read(&self) -> RwLockReadGuard<'_, Registered> {
        self.shared.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Registered> {
        self.shared.write().unwrap_or_else(PoisonError::into_inner)
    }
}
