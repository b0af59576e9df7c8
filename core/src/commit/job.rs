//! A job: set up once, then committed or aborted.

mod abort;
mod commit;
mod directory;
mod record;

use std::collections::HashSet;

use bytes::Bytes;
use futures::stream;

use crate::fs::{FileSystem, keys};
use crate::ops::{GetObject, PutObject, WriteCondition, WriteId};
use crate::{Error, ErrorKind, Result, Stop};

use super::attempt::end_and_abort;
use super::conflict::ConflictMode;
use super::{JOB_DIRECTORY, JOB_MARKER, JobMarker, VERSION, check_name, internal, uuid_of};
pub(super) use directory::{Directory, unless_gone};

/// A job that writes to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    destination: String,
    id: String,
}

/// How a job is committed.
#[derive(Debug, Clone)]
pub struct CommitOptions {
    /// Whether `_SUCCESS` is put when all files are visible.
    pub mark_success: bool,
    /// What becomes of earlier files.
    pub conflict: ConflictMode,
    /// Whether files are removed again where not all can be made visible, as a caller wants who aborts the job then. A
    /// caller who will try again keeps them.
    pub roll_back: bool,
    /// Asks to begin no further file. The commit must not be dropped in its middle: files would become visible that
    /// nobody takes back.
    pub stop: Stop,
}

impl Default for CommitOptions {
    fn default() -> Self {
        Self { mark_success: true, conflict: ConflictMode::Append, roll_back: true, stop: Stop::default() }
    }
}

/// What became visible.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommittedJob {
    /// Number of files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl Job {
    /// The job `id` that writes to the directory `destination`, a path.
    ///
    /// # Errors
    /// `InvalidPath` for an id with a slash.
    pub fn new(destination: &str, id: &str) -> Result<Self> {
        check_name("job", id)?;
        Ok(Self { destination: destination.to_owned(), id: id.to_owned() })
    }

    /// Where the job writes.
    pub fn destination(&self) -> &str {
        &self.destination
    }

    /// What tells it from other jobs.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The directory with the job's state.
    pub fn directory(&self) -> String {
        keys::join(&self.destination, &format!("{JOB_DIRECTORY}{}", self.id))
    }

    pub(super) fn work_path(&self, attempt: &str) -> String {
        format!("{}/{attempt}", self.directory())
    }

    /// The key at which the file with this path below the destination will lie.
    pub(super) fn final_key(&self, path: &str) -> String {
        keys::join(&self.destination, path)
    }

    pub(super) fn destination_prefix(&self) -> String {
        keys::directory(&self.destination)
    }

    /// Begins the job. `again` says that an earlier process may have begun it, as a MapReduce application's second
    /// attempt knows.
    ///
    /// # Errors
    /// `AlreadyExists` where a job of this id was begun at this destination, unless `again`, and where `conflict` says
    /// so; `NotADirectory` where the destination is a file.
    pub async fn set_up(&self, files: &FileSystem, again: bool, conflict: ConflictMode) -> Result<()> {
        if !keys::is_root(&self.destination)
            && files.entry_at(&self.destination).await?.is_some_and(|status| !status.is_directory)
        {
            let message = "the destination of the job is a file";
            return Err(Error::new(ErrorKind::NotADirectory, message).at(files.bucket(), &self.destination));
        }
        conflict.check_before_the_job(files, self).await?;
        let marker =
            JobMarker { version: VERSION, job: self.id.clone(), destination: self.destination.clone(), conflict };
        let content = serde_json::to_vec(&marker).map_err(|failure| internal(&failure))?;
        let key = format!("{}/{JOB_MARKER}", self.directory());
        let mut put = PutObject::new(files.bucket(), &key, Bytes::from(content));
        put.condition = WriteCondition::IfAbsent;
        put.write_id = Some(WriteId::new(files.gateway().environment().random.bits()));
        match files.gateway().run(put).await {
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists && again => Ok(()),
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {
                let message = format!(
                    "a job with the id {} writes to this destination, or has left its state here: where none runs, \
                     remove the directory",
                    self.id
                );
                Err(failure.restated(ErrorKind::AlreadyExists, message))
            }
            outcome => outcome.map(|_| ()),
        }
    }

    /// The conflict mode that the job was begun with.
    ///
    /// # Errors
    /// `NotFound` where the job was never begun or has ended, `Unsupported` where a newer version has begun it.
    pub async fn recorded_conflict_mode(&self, files: &FileSystem) -> Result<ConflictMode> {
        let key = format!("{}/{JOB_MARKER}", self.directory());
        let mut frames: Vec<Bytes> = Vec::new();
        files.gateway().run(GetObject::new(files.bucket(), &key, &mut frames)).await?;
        let marker: JobMarker = serde_json::from_slice(&frames.concat()).map_err(|failure| {
            let message = format!("the record of the job {} cannot be read: {failure}", self.id);
            Error::new(ErrorKind::Corrupted, message).at(files.bucket(), &key)
        })?;
        if marker.version != VERSION {
            let message = format!("the job has version {}: use the s3core that began it", marker.version);
            return Err(Error::new(ErrorKind::Unsupported, message).at(files.bucket(), &key));
        }
        Ok(marker.conflict)
    }

    /// Ends the attempts of the job that this process has set up and that were not ended: nobody waits for them. Uploads
    /// in `spared` stay.
    async fn end_attempts(&self, files: &FileSystem, spared: &HashSet<String>) {
        for work in files.work_paths_below(&self.directory()) {
            end_and_abort(files, &work, spared).await;
        }
    }

    /// Removes those of these files, named by their paths below the destination, that no earlier file can have had the
    /// name of: the job's UUID is in it. Others may have replaced something, and stay.
    async fn remove_visible<'a>(&self, files: &FileSystem, paths: impl Iterator<Item = &'a str>) -> Result<()> {
        let (own, others): (Vec<_>, Vec<_>) = paths.partition(|path| uuid_of(path).is_some());
        if !others.is_empty() {
            tracing::warn!(
                others = others.len(),
                job = self.id,
                "files of a commit that failed stay visible: they may have replaced some"
            );
        }
        let keys: Vec<_> = own.into_iter().map(|path| Ok(self.final_key(path))).collect();
        files.delete_keys(stream::iter(keys)).await
    }
}
