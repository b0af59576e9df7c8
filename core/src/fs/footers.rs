//! Footers of columnar files that were read a moment ago.
//!
//! Parquet's readers ask for a file's status and its footer, close it, and ask for both again before they read a column
//! (Spark 3.5: `ParquetFooterReader`, then `SpecificParquetRecordReaderBase`): four requests where one would do. So the
//! first question is asked as a read of the footer, and its answer serves the next three, for a second at most. What is
//! changed through the same file system is forgotten at once. What others change may be seen a second late, and never
//! in part: all reads name the ETag that came with the footer.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;

use crate::Result;
use crate::gateway::Watcher;
use crate::transfer::budget::{Holder, MemoryBudget};
use crate::transfer::reader::Tail;

use super::FileStatus;

/// How long an answer serves.
const LIFETIME: Duration = Duration::from_secs(1);
/// How long a file that this process wrote is expected to be asked for its length rather than to be read: Spark's
/// `BasicWriteTaskStatsTracker` does so after each file.
const JUST_WRITTEN: Duration = Duration::from_secs(10);
/// Files that are remembered: more than the threads of an executor open within a second.
const MOST: usize = 64;
/// Share of the memory budget that their last bytes may hold.
const SHARE: u64 = 8;

/// How many of a file's last bytes are read with its status: twice Parquet's usual footer of some ten columns and row
/// groups.
const TAIL: u64 = 64 << 10;
/// Where the file before was no longer than this, its neighbour probably is not either, and is read whole: its columns
/// would be the second request.
const WHOLE: u64 = 1 << 20;

/// A columnar file as it was found.
pub(super) struct Footer {
    pub(super) status: FileStatus,
    pub(super) tail: Arc<Tail>,
}

/// What is remembered of the files of one bucket.
pub(super) struct Footers {
    entries: Mutex<VecDeque<Entry>>,
    /// Length of the file that was looked at last; 0 where none was.
    last_length: AtomicU64,
    /// Most bytes that are held.
    limit: u64,
}

struct Entry {
    path: String,
    at: Instant,
    /// `None` where the file was changed by this process.
    footer: Option<Arc<Footer>>,
}

impl Entry {
    fn bytes(&self) -> u64 {
        self.footer.as_ref().map_or(0, |footer| footer.tail.bytes.len() as u64)
    }
}

impl Footers {
    pub(super) fn new(budget: &MemoryBudget) -> Arc<Self> {
        let limit = budget.limit() / SHARE;
        let new = Arc::new(Self { entries: Mutex::default(), last_length: AtomicU64::new(0), limit });
        let holder: Weak<Self> = Arc::downgrade(&new);
        budget.register(holder);
        new
    }

    /// The footer of the file, where it was read less than a second before `now`.
    pub(super) fn find(&self, path: &str, now: Instant) -> Option<Arc<Footer>> {
        let entries = self.lock(now);
        entries.iter().find(|entry| entry.path == path)?.footer.clone()
    }

    /// Whether this process has written the file a moment before `now`.
    pub(super) fn was_just_written(&self, path: &str, now: Instant) -> bool {
        self.lock(now).iter().any(|entry| entry.path == path && entry.footer.is_none())
    }

    /// How many of the next file's last bytes to read.
    pub(super) fn tail(&self) -> u64 {
        match self.last_length.load(Ordering::Relaxed) {
            1..=WHOLE => WHOLE,
            _ => TAIL,
        }
    }

    /// Remembers a footer whose read began at `began`, unless the file was changed since.
    pub(super) fn keep(&self, footer: Arc<Footer>, began: Instant, now: Instant) {
        self.last_length.store(footer.status.length, Ordering::Relaxed);
        let mut entries = self.lock(now);
        let path = footer.status.path.clone();
        if entries.iter().any(|entry| entry.path == path && entry.footer.is_none() && entry.at >= began) {
            return;
        }
        put(&mut entries, Entry { path, at: began, footer: Some(footer) });
        let mut held: u64 = entries.iter().map(Entry::bytes).sum();
        while held > self.limit
            && let Some(oldest) = entries.iter().position(|entry| entry.footer.is_some())
        {
            held -= entries.remove(oldest).map_or(0, |entry| entry.bytes());
        }
    }

    fn lock(&self, now: Instant) -> MutexGuard<'_, VecDeque<Entry>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|entry| {
            let lifetime = if entry.footer.is_some() { LIFETIME } else { JUST_WRITTEN };
            now.saturating_duration_since(entry.at) < lifetime
        });
        entries
    }
}

fn put(entries: &mut VecDeque<Entry>, entry: Entry) {
    entries.retain(|other| other.path != entry.path);
    if entries.len() >= MOST {
        entries.pop_front();
    }
    entries.push_back(entry);
}

impl Watcher for Footers {
    fn changing(&self, key: &str, now: Instant) {
        let mut entries = self.lock(now);
        if key.is_empty() {
            entries.retain(|entry| entry.footer.is_none());
        } else if is_columnar(key) {
            put(&mut entries, Entry { path: key.to_owned(), at: now, footer: None });
        }
    }
}

impl Holder for Footers {
    fn holds(&self) -> u64 {
        self.entries.try_lock().map_or(0, |entries| entries.iter().map(Entry::bytes).sum())
    }

    fn is_cheap(&self) -> bool {
        true
    }

    fn give_back(self: Arc<Self>) -> BoxFuture<'static, Result<bool>> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let before = entries.len();
        entries.retain(|entry| entry.footer.is_none());
        let gave = entries.len() < before;
        drop(entries);
        Box::pin(async move { Ok(gave) })
    }
}

/// Whether files of that name are read from their end.
pub(super) fn is_columnar(path: &str) -> bool {
    path.ends_with(".parquet") || path.ends_with(".orc")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    fn footer(path: &str, budget: &MemoryBudget) -> Arc<Footer> {
        let status = FileStatus {
            path: path.to_owned(),
            is_directory: false,
            length: 100,
            modified: SystemTime::UNIX_EPOCH,
            etag: None,
            storage_class: None,
        };
        let memory = budget.try_reserve(100).unwrap();
        Arc::new(Footer { status, tail: Arc::new(Tail { start: 0, bytes: vec![0; 100].into(), _memory: memory }) })
    }

    #[test]
    fn a_footer_serves_for_a_second() {
        let (budget, start) = (MemoryBudget::new(1 << 20), Instant::now());
        let footers = Footers::new(&budget);
        footers.keep(footer("a.parquet", &budget), start, start);
        assert!(footers.find("a.parquet", start + LIFETIME / 2).is_some());
        assert!(footers.find("b.parquet", start).is_none());
        assert!(footers.find("a.parquet", start + LIFETIME).is_none());
        assert_eq!(budget.used(), 0);
    }

    #[test]
    fn what_this_process_changes_is_forgotten() {
        let (budget, start) = (MemoryBudget::new(1 << 20), Instant::now());
        let footers = Footers::new(&budget);
        footers.keep(footer("a.parquet", &budget), start, start);
        footers.changing("a.parquet", start);
        assert!(footers.find("a.parquet", start).is_none());
        assert!(footers.was_just_written("a.parquet", start));
        // A read that began before the change may have brought the old file.
        footers.keep(footer("a.parquet", &budget), start, start);
        assert!(footers.find("a.parquet", start).is_none());
        let later = start + Duration::from_millis(1);
        footers.keep(footer("a.parquet", &budget), later, later);
        assert!(footers.find("a.parquet", later).is_some());
        // A request about many keys.
        footers.changing("", later);
        assert!(footers.find("a.parquet", later).is_none());
    }

    #[tokio::test]
    async fn memory_that_others_need_is_given_back() {
        let (budget, start) = (MemoryBudget::new(1 << 20), Instant::now());
        let footers = Footers::new(&budget);
        for number in 0..2 * MOST {
            footers.keep(footer(&format!("{number}.orc"), &budget), start, start);
        }
        assert_eq!((footers.holds(), budget.used()), (100 * MOST as u64, 100 * MOST as u64));
        assert!(Arc::clone(&footers).give_back().await.unwrap());
        assert_eq!(budget.used(), 0);
        assert!(!footers.give_back().await.unwrap());
    }
}
