//! Work paths: directories of task attempts, whose files lie elsewhere once their job is committed.
//!
//! A committer registers the work path of an attempt together with the destination, so that the final key of a file is
//! known when the file is created. The file is uploaded to that key, and its upload stays pending until the job is
//! committed. In this process the file stands at its path meanwhile: it has a status, it is listed, it can be deleted.
//! What comes below a work path in any other way, a directory or the target of a rename, is an ordinary object.

mod file;
mod registry;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::OnceCell;

use crate::gateway::Gateway;
use crate::ops::PutObject;
use crate::transfer::pending::{PendingObject, UploadName};
use crate::{Error, ErrorKind, Result};

use super::{FileStatus, keys};

pub(super) use file::FileSink;
pub(crate) use file::PendingFile;
pub use registry::WorkPaths;

/// How the output of jobs is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitSettings {
    /// Largest file that is kept until its attempt is committed, in bytes, rather than uploaded.
    pub largest_kept: u64,
    /// Files that the commit of a job makes visible at the same time.
    pub concurrency: usize,
    /// How long uploads are kept that were never committed.
    pub keep_uncommitted: Duration,
    /// How long jobs are kept whose tasks were committed and that were not.
    pub keep_committed: Duration,
    /// How old uploads are that the first write removes from the bucket; nothing is removed without an age.
    pub purge_older_than: Option<Duration>,
}

/// Bytes of small files that one attempt keeps until it is committed: they are part of the object that says what it has
/// written.
const MOST_KEPT: u64 = 1 << 20;

/// The work path of one task attempt.
pub(crate) struct WorkPath {
    /// The bucket with its endpoint, as registered.
    place: String,
    bucket: String,
    path: String,
    destination: String,
    marker: Marker,
    marked: OnceCell<()>,
    /// Largest file that is kept rather than uploaded.
    largest_kept: u64,
    state: Mutex<WorkState>,
}

/// The object that tells other processes of an attempt which may have uploads.
pub(crate) struct Marker {
    pub(crate) key: String,
    /// Its content, where the first file that is uploaded has this path.
    pub(crate) content: Box<dyn Fn(&str) -> Bytes + Send + Sync>,
}

#[derive(Default)]
struct WorkState {
    files: BTreeMap<String, PendingFile>,
    /// Bytes of the files that are kept.
    kept: u64,
    /// Uploads of files that were deleted or written anew.
    discarded: Vec<UploadName>,
    end: Option<End>,
}

/// How an attempt has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The job's commit will make its files visible, or has.
    Committed,
    /// It was aborted, or its job has ended without it.
    Aborted,
}

impl WorkPath {
    pub(super) fn new(
        place: &str,
        bucket: &str,
        path: &str,
        destination: &str,
        marker: Marker,
        largest_kept: u64,
    ) -> Self {
        Self {
            place: place.to_owned(),
            bucket: bucket.to_owned(),
            path: path.to_owned(),
            destination: destination.to_owned(),
            marker,
            marked: OnceCell::new(),
            largest_kept,
            state: Mutex::default(),
        }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// The path of `path` below this one; empty for the work path itself.
    pub(super) fn relative<'a>(&self, path: &'a str) -> &'a str {
        path.strip_prefix(&self.path).unwrap_or_default().trim_start_matches('/')
    }

    /// The key at which the file `relative` will lie.
    pub(crate) fn final_key(&self, relative: &str) -> String {
        keys::join(&self.destination, relative)
    }

    /// The file `relative`, where it was written and is pending.
    pub(super) fn status(&self, relative: &str) -> Option<FileStatus> {
        let state = self.lock();
        state.files.get(relative).map(|file| self.status_of(relative, file))
    }

    /// Whether a pending file lies in the directory `relative`.
    pub(super) fn has_files_below(&self, relative: &str) -> bool {
        !self.files_below(relative).is_empty()
    }

    /// The pending files at any depth in the directory `relative`.
    pub(super) fn files_below(&self, relative: &str) -> Vec<FileStatus> {
        let prefix = keys::directory(relative);
        let state = self.lock();
        let from = state.files.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded));
        from.take_while(|(path, _)| path.starts_with(&prefix)).map(|(path, file)| self.status_of(path, file)).collect()
    }

    fn status_of(&self, relative: &str, file: &PendingFile) -> FileStatus {
        FileStatus {
            length: file.object.length(),
            modified: file.written,
            storage_class: file.attributes.storage_class.clone(),
            is_directory: false,
            ..FileStatus::directory(&keys::join(&self.path, relative))
        }
    }

    /// Removes the pending file `relative`, and with `recursive` all in the directory of that name. Their uploads are
    /// aborted when the attempt ends. Returns whether there were any.
    pub(super) fn discard(&self, relative: &str, recursive: bool) -> bool {
        let prefix = keys::directory(relative);
        let mut state = self.lock();
        let paths: Vec<_> = state
            .files
            .keys()
            .filter(|path| *path == relative || (recursive && path.starts_with(&prefix)))
            .cloned()
            .collect();
        paths.iter().for_each(|path| self.remove(&mut state, path));
        !paths.is_empty()
    }

    fn remove(&self, state: &mut WorkState, path: &str) {
        let Some(file) = state.files.remove(path) else { return };
        state.kept -= file.kept();
        if let PendingObject::Upload(upload) = file.object {
            state.discarded.push(UploadName { key: self.final_key(path), id: upload.upload_id });
        }
    }

    /// Gives the pending file `from` the path `to`, where it is kept here: an upload has its key from its beginning.
    ///
    /// # Errors
    /// `Unsupported` where it was uploaded.
    pub(super) fn rename(&self, from: &str, to: &str) -> Result<()> {
        let mut state = self.lock();
        match state.files.remove(from) {
            Some(file) if matches!(file.object, PendingObject::Body(_)) => {
                self.remove(&mut state, to);
                state.files.insert(to.to_owned(), file);
                Ok(())
            }
            Some(file) => {
                state.files.insert(from.to_owned(), file);
                Err(pending_cannot_move())
            }
            None => Ok(()),
        }
    }

    fn take(&self, path: &str, file: PendingFile) -> Result<()> {
        let mut state = self.lock();
        if state.end.is_some() {
            return Err(attempt_has_ended());
        }
        self.remove(&mut state, path);
        state.kept += file.kept();
        state.files.insert(path.to_owned(), file);
        Ok(())
    }

    fn room(&self) -> u64 {
        self.largest_kept.min(MOST_KEPT.saturating_sub(self.lock().kept))
    }

    fn has_ended(&self) -> bool {
        self.lock().end.is_some()
    }

    /// # Errors
    /// `Closed` where the attempt has ended.
    pub(super) fn check_open(&self) -> Result<()> {
        if self.has_ended() { Err(attempt_has_ended()) } else { Ok(()) }
    }

    /// Puts the marker, once.
    async fn mark(&self, gateway: &Gateway, first: &str) -> Result<()> {
        let put = || async {
            let marker = PutObject::new(&self.bucket, &self.marker.key, (self.marker.content)(first));
            gateway.run(marker).await.map(|_| ())
        };
        self.marked.get_or_try_init(put).await.map(|_| ())
    }

    /// Whether anything was written and is pending.
    pub(crate) fn has_files(&self) -> bool {
        !self.lock().files.is_empty()
    }

    /// Ends the attempt: nothing is taken any more. Returns what it has written.
    ///
    /// # Errors
    /// How it has ended before.
    pub(crate) fn end(&self, end: End) -> Result<Written, End> {
        let mut state = self.lock();
        if let Some(earlier) = state.end {
            return Err(earlier);
        }
        state.end = Some(end);
        state.kept = 0;
        Ok(Written { files: std::mem::take(&mut state.files), discarded: std::mem::take(&mut state.discarded) })
    }

    /// Takes back what [`WorkPath::end`] gave, so that it can be tried again.
    pub(crate) fn resume(&self, written: Written) {
        let mut state = self.lock();
        state.end = None;
        state.kept = written.files.values().map(PendingFile::kept).sum();
        state.files = written.files;
        state.discarded = written.discarded;
    }

    fn lock(&self) -> MutexGuard<'_, WorkState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an attempt leaves when it ends.
#[derive(Default)]
pub(crate) struct Written {
    /// What it has written, by path below the work path.
    pub(crate) files: BTreeMap<String, PendingFile>,
    /// The uploads of what it has written and deleted again.
    pub(crate) discarded: Vec<UploadName>,
}

fn attempt_has_ended() -> Error {
    let message = "the task attempt that the file belongs to was committed or aborted before the file was closed";
    Error::new(ErrorKind::Closed, message)
}

pub(super) fn pending_cannot_move() -> Error {
    let message = "the file is pending until its job is committed, and cannot be renamed before: write it under its \
                   final name";
    Error::new(ErrorKind::Unsupported, message)
}
