//! Files that s3life has removed: whoever misses one is told by which run, and how to bring it back.
//!
//! A few files a second that are missing are looked for one by one. Where a job misses thousands, what was found a moment ago
//! serves the others: which runs have something in the trash, and of which directories, and which delete markers are theirs.

mod hidden;
mod trash;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::ops::ListObjectsV2;
use crate::{Error, ErrorKind};

use super::FileSystem;
use hidden::Batch;
use trash::Places;

/// Below it s3life keeps all that it knows.
const STATE: &str = ".s3core/";

/// How long what was found serves.
const LIFETIME: Duration = Duration::from_secs(1);
/// Looks in that time that nothing found before serves.
const FRESH: u32 = 8;
/// Names that are asked for at a time, where the gateway gives as many.
const PAGE: u32 = 5000;
/// Directories that are remembered.
const DIRECTORIES: usize = 1024;
/// Batches that are remembered: 5,000 delete markers each, at most.
const BATCHES: usize = 8;

/// How a run of s3life has removed a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Removal {
    /// Its copy lies in the trash of this run.
    ToTrash(String),
    /// It lies under a delete marker that this run has put.
    Hidden(String),
    /// The same, and nothing of the run comes back any more, or nothing that it removed there.
    Emptied(String),
    /// A delete marker came upon it when this run had written down that it would go, and not yet what came of that.
    Begun(String),
    /// A delete marker came upon it while this run was at work in the bucket, whose journal is not told.
    MeanwhileOf(String),
}

impl Removal {
    fn message(&self, bucket: &str, path: &str) -> String {
        let known = match self {
            Self::ToTrash(run) => format!(
                "the run {run} of s3life has moved it to its trash; `s3life undo {run} s3a://{bucket}` brings it back"
            ),
            Self::Hidden(run) => format!(
                "the run {run} of s3life has hidden it under a delete marker; `s3life undo {run} s3a://{bucket}` brings it \
                 back"
            ),
            Self::Emptied(run) => format!(
                "the run {run} of s3life has removed it for good or emptied its trash: nothing of that comes back any more"
            ),
            Self::Begun(run) => format!(
                "the run {run} of s3life had begun to remove it, and a delete marker hides it; `s3life undo {run} \
                 s3a://{bucket}` brings back what the run has hidden"
            ),
            Self::MeanwhileOf(run) => format!(
                "it is hidden by a delete marker that was made while the run {run} of s3life was at work in the bucket; \
                 `s3life explain POLICY s3a://{bucket}/{path}` says more"
            ),
        };
        format!("no such file any more: {known}")
    }
}

/// What was found a moment ago.
#[derive(Default)]
pub(super) struct Removed {
    found: Mutex<Found>,
}

#[derive(Default)]
struct Found {
    began: Option<Instant>,
    looks: u32,
    kept: Option<Kept>,
    places: Option<Places>,
    /// The places that hold anything of a directory.
    directories: HashMap<String, Places>,
    /// Batches that had a marker which was looked for.
    batches: Vec<Arc<Batch>>,
}

/// What s3life keeps in the bucket.
#[derive(Debug, Clone, Copy)]
struct Kept {
    trash: bool,
    runs: bool,
}

/// What serves a file that is missed now.
struct Serves {
    /// Whether all is looked for anew.
    is_fresh: bool,
    kept: Option<Kept>,
    places: Option<Places>,
    /// The places that hold anything of the file's directory.
    holding: Option<Places>,
    batches: Vec<Arc<Batch>>,
}

impl Removed {
    /// What serves a file in this directory that is missed at `now`.
    fn serves(&self, directory: &str, now: Instant) -> Serves {
        let mut found = self.lock();
        if found.began.is_none_or(|began| now.saturating_duration_since(began) >= LIFETIME) {
            *found = Found { began: Some(now), ..Found::default() };
        }
        found.looks += 1;
        // Whose marker one is does not change.
        let batches = found.batches.clone();
        if found.looks <= FRESH {
            return Serves { is_fresh: true, kept: None, places: None, holding: None, batches };
        }
        let (places, holding) = (found.places.clone(), found.directories.get(directory).cloned());
        Serves { is_fresh: false, kept: found.kept, places, holding, batches }
    }

    fn keep_places(&self, directory: &str, places: &Places, holding: &Places) {
        let mut found = self.lock();
        found.places = Some(Arc::clone(places));
        if found.directories.len() < DIRECTORIES {
            found.directories.insert(directory.to_owned(), Arc::clone(holding));
        }
    }

    fn keep_batch(&self, batch: Batch) {
        let mut found = self.lock();
        if found.batches.len() < BATCHES {
            found.batches.push(Arc::new(batch));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FileSystem {
    /// The failure of opening or reading a file that is not there. Where a run of s3life has removed it, it names the run and
    /// the command that brings it back. One request where s3life keeps nothing in the bucket.
    pub(super) async fn removed(&self, path: &str, failure: Error) -> Error {
        if failure.kind() != ErrorKind::NotFound {
            return failure;
        }
        match self.removal(path).await {
            Some(removal) => failure.restated(ErrorKind::NotFound, removal.message(self.bucket(), path)),
            None => failure,
        }
    }

    /// What cannot be looked up stays unsaid: the failure to be told is another.
    async fn removal(&self, path: &str) -> Option<Removal> {
        let (directory, _) = path.rsplit_once('/').unwrap_or_default();
        let serves = self.shared.removed.serves(directory, self.now());
        let kept = match serves.kept {
            Some(kept) => kept,
            None => self.kept().await?,
        };
        if kept.trash
            && let Some(run) = self.run_that_moved(path, serves.places, serves.holding).await
        {
            return Some(Removal::ToTrash(run));
        }
        if kept.runs { self.run_that_hid(path, serves.is_fresh, &serves.batches).await } else { None }
    }

    async fn kept(&self) -> Option<Kept> {
        let names = self.names_below(STATE, None).await?;
        let has = |name: &str| names.iter().any(|found| found == name);
        let kept = Kept { trash: has("trash"), runs: has("life") };
        self.shared.removed.lock().kept = Some(kept);
        Some(kept)
    }

    /// The names of the directories right below a prefix, on one page.
    async fn names_below(&self, prefix: &str, after: Option<String>) -> Option<Vec<String>> {
        let start_after = after.map(|name| format!("{prefix}{name}"));
        let delimiter = Some("/".to_owned());
        let max_keys = Some(PAGE);
        let list = ListObjectsV2 { delimiter, start_after, max_keys, ..ListObjectsV2::new(self.bucket(), prefix) };
        let page = self.gateway().run(list).await.ok()?;
        let name = |common: &String| Some(common.strip_prefix(prefix)?.trim_end_matches('/').to_owned());
        Some(page.common_prefixes.iter().filter_map(name).collect())
    }
}
