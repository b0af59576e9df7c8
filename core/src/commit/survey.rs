//! Which uploads are pending below a path, and of which jobs: for people who clean up after jobs that were killed, and
//! for the commit of the next job.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::Result;
use crate::fs::{FileSystem, keys};
use crate::ops::{ListObjectsV2, MultipartUpload};
use crate::transfer::pending::UploadName;

use super::job::{Directory, unless_gone};
use super::{JOB_DIRECTORY, Job, uploads, uuid_of};

/// Directories that are listed at the same time.
const LISTINGS_AT_ONCE: usize = 16;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Jobs that have state, by destination and id.
    pub jobs: Vec<JobState>,
    /// Uploads of which nobody knows whose they are.
    pub unattributed: Vec<MultipartUpload>,
}

/// A job that has neither been committed nor aborted: it is under way, or was killed.
#[derive(Debug, Clone)]
pub struct JobState {
    /// The job.
    pub job: Job,
    /// Number of its committed tasks.
    pub committed_tasks: usize,
    /// Number of the files of its committed tasks, which completing the job makes visible.
    pub committed_files: usize,
    /// Those of them that are uploads; the others are in pending sets.
    pub committed: Vec<MultipartUpload>,
    /// Uploads of attempts that are under way or were killed.
    pub uncommitted: Vec<MultipartUpload>,
    /// When something of its state was last written.
    pub last_written: Option<SystemTime>,
}

/// Where jobs are looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// At the path itself, and where pending uploads below it say that there may be some: a few requests.
    Uploads,
    /// In every directory below it as well that is no partition (`name=value`): a request for each.
    Tree,
}

/// Looks at the directory `path` and what is below it.
///
/// # Errors
/// The gateway's.
pub async fn survey(files: &FileSystem, path: &str, scope: Scope) -> Result<Survey> {
    let pending = uploads::all_below(files, &keys::directory(path)).await?;
    let (found, _) = look_below(files, path, scope, pending, |_| true).await?;
    Ok(found)
}

/// Finds the jobs of `pending`, which are the uploads below `path`: of those that are `doubtful` also jobs whose
/// destination is above `path`, or a partition. Returns the uncommitted uploads of jobs above beside.
async fn look_below(
    files: &FileSystem,
    path: &str,
    scope: Scope,
    pending: Vec<MultipartUpload>,
    is_doubtful: impl Fn(&MultipartUpload) -> bool,
) -> Result<(Survey, Vec<MultipartUpload>)> {
    let mut by_id: HashMap<_, _> = pending.into_iter().map(|upload| (upload.upload_id.clone(), upload)).collect();
    let mut known = BTreeSet::from([path.to_owned()]);
    if scope == Scope::Tree {
        known.extend(directories_below(files, path).await?);
    }
    let (mut jobs, mut above) = (Vec::new(), Vec::new());
    let mut destinations = known.clone();
    while !destinations.is_empty() {
        for job in jobs_at_all(files, destinations).await? {
            let state = look_at(files, job, &mut by_id).await?;
            let destination = keys::directory(state.job.destination());
            if destination.starts_with(&keys::directory(path)) {
                jobs.push(state);
            } else {
                above.extend(state.uncommitted);
            }
        }
        let doubtful = by_id.values().filter(|upload| is_doubtful(upload));
        destinations = doubtful.flat_map(|upload| directories_above(&upload.key)).map(str::to_owned).collect();
        destinations.retain(|directory| !known.contains(directory));
        known.extend(destinations.iter().cloned());
    }
    let mut unattributed: Vec<_> = by_id.into_values().collect();
    unattributed.sort_unstable_by(|one, other| one.key.cmp(&other.key));
    Ok((Survey { jobs, unattributed }, above))
}

/// Every directory above the file `key`, the root included.
fn directories_above(key: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(keys::parent(key), |directory| keys::parent(directory))
}

async fn jobs_at_all(files: &FileSystem, destinations: BTreeSet<String>) -> Result<Vec<Job>> {
    let listings: Vec<_> =
        destinations.into_iter().map(|path| async move { jobs_at(files, &path).await }.boxed()).collect();
    let found: Vec<Vec<Job>> = stream::iter(listings).buffered(LISTINGS_AT_ONCE).try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Every directory below `path`, at any depth, that is neither a partition nor a job's state.
async fn directories_below(files: &FileSystem, path: &str) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut level = vec![path.to_owned()];
    while !level.is_empty() {
        let listings: Vec<_> = level.iter().map(|directory| subdirectories(files, directory).boxed()).collect();
        let inner: Vec<Vec<String>> = stream::iter(listings).buffer_unordered(LISTINGS_AT_ONCE).try_collect().await?;
        level = inner.into_iter().flatten().collect();
        found.extend_from_slice(&level);
    }
    Ok(found)
}

async fn subdirectories(files: &FileSystem, directory: &str) -> Result<Vec<String>> {
    let prefixes = prefixes_of(files, &keys::directory(directory)).await?;
    let paths = prefixes.iter().filter_map(|prefix| prefix.strip_suffix('/'));
    let wanted = |path: &&str| {
        let name = keys::name(path);
        !name.is_empty() && !name.contains('=') && !name.starts_with(JOB_DIRECTORY)
    };
    Ok(paths.filter(wanted).map(str::to_owned).collect())
}

async fn jobs_at(files: &FileSystem, destination: &str) -> Result<Vec<Job>> {
    let prefix = keys::join(destination, JOB_DIRECTORY);
    let directories = prefixes_of(files, &prefix).await?;
    let ids = directories.iter().filter_map(|directory| directory.strip_prefix(&prefix)?.strip_suffix('/'));
    ids.map(|id| Job::new(destination, id)).collect()
}

/// What keys that begin with `prefix` have before their next slash.
async fn prefixes_of(files: &FileSystem, prefix: &str) -> Result<Vec<String>> {
    let mut list = ListObjectsV2::new(files.bucket(), prefix);
    list.delimiter = Some("/".to_owned());
    let mut found = Vec::new();
    loop {
        let page = files.gateway().run(list.clone()).await?;
        found.extend(page.common_prefixes);
        match page.next {
            Some(token) => list.continuation_token = Some(token),
            None => return Ok(found),
        }
    }
}

/// Finds out what a job has, and takes its uploads out of `pending`.
async fn look_at(files: &FileSystem, job: Job, pending: &mut HashMap<String, MultipartUpload>) -> Result<JobState> {
    let directory = Directory::list(files, &job).await?;
    // One that is gone since it was listed belongs to a job that has ended meanwhile.
    let sets: Vec<_> = directory.load_sets(files).filter_map(|set| async { unless_gone(set) }).try_collect().await?;
    let named = sets.iter().flat_map(|set| uploads::of_set(&set.set, &job));
    let committed: Vec<_> = named.filter_map(|UploadName { id, .. }| pending.remove(&id)).collect();
    let mut uuids: HashSet<String> = directory.uuids_of_marked_attempts(files).await?;
    uuids.extend(uploads::uuids_of(sets.iter().map(|set| &set.set)));
    let prefix = job.destination_prefix();
    let is_of_job = |upload: &MultipartUpload| {
        upload.key.starts_with(&prefix) && uuid_of(&upload.key).is_some_and(|uuid| uuids.contains(uuid))
    };
    let ids: Vec<_> =
        pending.values().filter(|upload| is_of_job(upload)).map(|upload| upload.upload_id.clone()).collect();
    let uncommitted = ids.iter().filter_map(|id| pending.remove(id)).collect();
    let committed_files = sets.iter().map(|set| set.set.files.len()).sum();
    Ok(JobState {
        committed_tasks: sets.len(),
        committed_files,
        committed,
        uncommitted,
        last_written: directory.last_written,
        job,
    })
}

/// What a purge has removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purged {
    /// Uploads that were aborted, without those of whole jobs.
    pub uploads: usize,
    /// Jobs that were aborted.
    pub jobs: usize,
}

/// Removes below `path` what is older than the file system's settings say.
///
/// # Errors
/// The gateway's. What cannot be aborted stays, and is told in the log.
pub async fn purge(files: &FileSystem, path: &str, scope: Scope) -> Result<Purged> {
    purge_older_than(files, path, scope, files.commit_settings().keep_uncommitted).await
}

/// The same, with another age for uploads that were never committed.
///
/// # Errors
/// Those of [`purge`].
pub(super) async fn purge_older_than(
    files: &FileSystem,
    path: &str,
    scope: Scope,
    keep_uncommitted: Duration,
) -> Result<Purged> {
    let pending = uploads::all_below(files, &keys::directory(path)).await?;
    purge_among(files, path, scope, pending, keep_uncommitted).await
}

/// The same, where `pending` are the uploads below `path`.
///
/// # Errors
/// Those of [`purge`].
pub(super) async fn purge_among(
    files: &FileSystem,
    path: &str,
    scope: Scope,
    pending: Vec<MultipartUpload>,
    keep_uncommitted: Duration,
) -> Result<Purged> {
    let keep_committed = files.commit_settings().keep_committed;
    let now = files.gateway().environment().clock.wall();
    let is_older = |written: Option<SystemTime>, age: Duration| {
        written.is_some_and(|written| now.duration_since(written).is_ok_and(|passed| passed > age))
    };
    let is_stale = |upload: &MultipartUpload| is_older(upload.initiated, keep_uncommitted);
    let (Survey { jobs, unattributed }, above) = look_below(files, path, scope, pending, is_stale).await?;
    let mut purged = Purged::default();
    let mut uncommitted = unattributed;
    uncommitted.extend(above);
    for state in jobs {
        if is_older(state.last_written, keep_committed) {
            state.job.abort(files).await?;
            purged.jobs += 1;
        } else {
            uncommitted.extend(state.uncommitted);
        }
    }
    let stale = uncommitted.into_iter().filter(is_stale);
    let names: Vec<_> = stale.map(|upload| UploadName { key: upload.key, id: upload.upload_id }).collect();
    purged.uploads = names.len();
    uploads::abort(files, names).await;
    Ok(purged)
}
