//! A job: set up once, then committed or aborted.

mod directory;

use std::collections::HashSet;
use std::pin::pin;
use std::time::SystemTime;

use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::concurrent::run_all;
use crate::fs::{FileSystem, keys};
use crate::http::Payload;
use crate::ops::{CompleteMultipartUpload, ListedObject, ObjectAttributes, PutObject, WriteCondition, WriteId};
use crate::{Error, ErrorKind, Result};

use super::attempt::end_and_abort;
use super::conflict::{self, Conflict};
use super::pending_set::{SetContent, SetFile, completed_parts};
use super::survey::{Scope, purge};
use super::{JOB_DIRECTORY, JOB_MARKER, JobMarker, VERSION, check_name, internal, uploads, uuid_of};
pub(super) use directory::Directory;
use directory::LoadedSet;

/// Name of the empty object that says that a dataset is complete (Hadoop's `FileOutputCommitter`).
const SUCCESS: &str = "_SUCCESS";

/// A job that writes to a destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    destination: String,
    id: String,
}

/// How a job is committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommitOptions {
    /// Whether `_SUCCESS` is put when all files are visible.
    pub mark_success: bool,
    /// What becomes of earlier files.
    pub conflict: Conflict,
}

impl Default for CommitOptions {
    fn default() -> Self {
        Self { mark_success: true, conflict: Conflict::Append }
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
    pub async fn set_up(&self, files: &FileSystem, again: bool, conflict: Conflict) -> Result<()> {
        if !keys::is_root(&self.destination)
            && files.entry_at(&self.destination).await?.is_some_and(|status| !status.is_directory)
        {
            let message = "the destination of the job is a file";
            return Err(Error::new(ErrorKind::NotADirectory, message).at(files.bucket(), &self.destination));
        }
        conflict.check_before_the_job(files, self).await?;
        let marker = JobMarker { version: VERSION, job: self.id.clone(), destination: self.destination.clone() };
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

    /// Makes visible what the job's committed tasks have written, then removes the job's state. It can be tried again
    /// while the state is there.
    ///
    /// # Errors
    /// `NotFound` where the job's state is gone, so that nobody knows what it has written. Where a file cannot be made
    /// visible, those that were and whose names are the job's own are removed again.
    pub async fn commit(&self, files: &FileSystem, options: CommitOptions) -> Result<CommittedJob> {
        let directory = Directory::list(files, self).await?;
        if !directory.is_set_up {
            let message = format!(
                "the state of the job {} is gone: it was never set up, was committed or aborted before, or somebody \
                 removed it; nothing was committed",
                self.id
            );
            return Err(Error::new(ErrorKind::NotFound, message).at(files.bucket(), &self.directory()));
        }
        let sets: Vec<_> = directory.load_sets(files).try_collect().await?;
        let paths = || sets.iter().flat_map(|set| &set.set.files).map(|file| file.path.as_str());
        let earlier = options.conflict.earlier_files(files, self, paths()).await?;
        let committed = self.make_visible(files, &directory, &sets).await?;
        // New before old: after a crash in between both are there, and never neither.
        conflict::remove(files, earlier, paths().map(|path| self.final_key(path))).await?;
        if options.mark_success {
            let marker = PutObject::new(files.bucket(), &self.final_key(SUCCESS), Payload::empty());
            files.gateway().run(marker).await?;
        } else if committed.files == 0 && !keys::is_root(&self.destination) {
            files.put_marker(&self.destination).await?;
        }
        // The job is committed: what cannot be removed now is only in the way.
        self.clean_up("uploads", self.abort_left_behind(files, &sets).await);
        self.end_attempts(files).await;
        self.clean_up("state", directory.remove(files).await);
        Ok(committed)
    }

    async fn make_visible(
        &self,
        files: &FileSystem,
        directory: &Directory,
        sets: &[LoadedSet],
    ) -> Result<CommittedJob> {
        let at_once = files.commit_settings().concurrency;
        let mut done = Vec::new();
        let mut outcome;
        let mut known = Vec::new();
        for LoadedSet { set, bodies, .. } in sets {
            let ready = set.files.iter().filter(|file| bodies.is_some() || file.upload_id().is_some());
            known.extend(ready.map(|file| self.make_file_visible(files, file, bodies.as_ref()).boxed()));
        }
        (done, outcome) = merge(done, run_all(known, at_once).await);
        for loaded in sets.iter().filter(|loaded| loaded.bodies.is_none()) {
            if outcome.is_err() {
                break;
            }
            match loaded.read_again(files).await {
                Ok((bodies, _memory)) => {
                    let kept = loaded.set.files.iter().filter(|file| file.upload_id().is_none());
                    let kept = kept.map(|file| self.make_file_visible(files, file, Some(&bodies)).boxed()).collect();
                    (done, outcome) = merge(done, run_all(kept, at_once).await);
                }
                Err(failure) => outcome = Err(failure),
            }
        }
        if outcome.is_ok() {
            (done, outcome) = merge(done, self.move_ordinary_objects(files, directory, sets).await);
        }
        if let Err(failure) = outcome {
            self.take_back(files, &done).await;
            return Err(failure);
        }
        Ok(CommittedJob { files: done.len() as u64, bytes: done.iter().map(|(_, length)| length).sum() })
    }

    /// Moves what stands below the work paths of committed attempts besides pending files.
    async fn move_ordinary_objects(&self, files: &FileSystem, directory: &Directory, sets: &[LoadedSet]) -> Outcome {
        let attempts: HashSet<&str> = sets.iter().map(|set| set.set.attempt.as_str()).collect();
        let written = |path: &str| sets.iter().flat_map(|set| &set.set.files).any(|file| file.path.starts_with(path));
        let (directories, objects): (Vec<_>, Vec<_>) =
            directory.ordinary_objects(&attempts).partition(|(_, path)| path.ends_with('/'));
        // A directory with files needs no marker.
        let empty = directories.into_iter().filter(|(_, path)| !written(path));
        let markers = empty.map(|(_, path)| {
            let directory = self.final_key(path.trim_end_matches('/'));
            async move { files.put_marker(&directory).await }.boxed()
        });
        let (_, outcome) = run_all(markers.collect(), files.commit_settings().concurrency).await;
        if outcome.is_err() {
            return (Vec::new(), outcome);
        }
        let copies = objects.into_iter().map(|(object, path)| self.copy_object(files, object, path).boxed());
        run_all(copies.collect(), files.commit_settings().concurrency).await
    }

    async fn copy_object(&self, files: &FileSystem, object: &ListedObject, path: &str) -> Result<(String, u64)> {
        let (to, class) = (self.final_key(path), object.storage_class.as_deref());
        files.copy(&object.key, &to, object.length, class).await?;
        Ok((path.to_owned(), object.length))
    }

    /// Makes one file visible; returns its path below the destination and its length.
    async fn make_file_visible(
        &self,
        files: &FileSystem,
        file: &SetFile,
        bodies: Option<&Bytes>,
    ) -> Result<(String, u64)> {
        let key = self.final_key(&file.path);
        match &file.content {
            SetContent::Upload { id, parts } => {
                let parts = completed_parts(parts);
                let complete = CompleteMultipartUpload::new(files.bucket(), &key, id, parts, file.length);
                files.gateway().run(complete).await?;
            }
            SetContent::Body { offset, attributes } => {
                let range = usize::try_from(*offset)..usize::try_from(offset + file.length);
                let body = match (range.start, range.end, bodies) {
                    (Ok(start), Ok(end), Some(bodies)) if start <= end && end <= bodies.len() => {
                        bodies.slice(start..end)
                    }
                    _ => {
                        let message = format!("the pending set does not hold the bytes of {}", file.path);
                        return Err(Error::new(ErrorKind::Corrupted, message).at(files.bucket(), &key));
                    }
                };
                let mut put = PutObject::new(files.bucket(), &key, body);
                put.attributes = ObjectAttributes::from(attributes);
                files.gateway().run(put).await?;
            }
        }
        Ok((file.path.clone(), file.length))
    }

    /// Aborts what killed attempts of this job have uploaded, and what others have left here long ago.
    async fn abort_left_behind(&self, files: &FileSystem, sets: &[LoadedSet]) -> Result<()> {
        let pending = uploads::all_below(files, &self.destination_prefix()).await?;
        let uuids = uploads::uuids_of(sets.iter().map(|loaded| &loaded.set));
        let others = uploads::abort_left_behind(files, pending, &uuids).await;
        let now = files.gateway().environment().clock.wall();
        let most = files.commit_settings().keep_uncommitted;
        let is_old = |begun: SystemTime| now.duration_since(begun).is_ok_and(|age| age > most);
        if others.iter().filter_map(|upload| upload.initiated).any(is_old) {
            purge(files, &self.destination, Scope::Uploads).await?;
        }
        Ok(())
    }

    /// Removes files of a commit that failed, so that the job can run again without its rows being there twice: those
    /// with a UUID in their names, which no earlier file can have had. Others may have replaced something.
    async fn take_back(&self, files: &FileSystem, done: &[(String, u64)]) {
        let own = done.iter().filter(|(path, _)| uuid_of(path).is_some()).map(|(path, _)| Ok(self.final_key(path)));
        let removed = files.delete_keys(stream::iter(own.collect::<Vec<_>>())).await;
        let others = done.iter().filter(|(path, _)| uuid_of(path).is_none()).count();
        if let Err(failure) = removed {
            tracing::warn!(%failure, job = self.id, "some files of a commit that failed stay visible");
        }
        if others > 0 {
            tracing::warn!(
                others,
                job = self.id,
                "files of a commit that failed stay visible: they may have replaced some"
            );
        }
    }

    /// Aborts the job: nothing of it becomes visible, and its state goes.
    ///
    /// # Errors
    /// The gateway's. What stays behind is invisible.
    pub async fn abort(&self, files: &FileSystem) -> Result<()> {
        self.end_attempts(files).await;
        let directory = Directory::list(files, self).await?;
        let mut uuids: HashSet<String> = directory.uuids_of_marked_attempts(files).await?;
        let mut sets = pin!(directory.load_sets(files));
        while let Some(loaded) = sets.next().await {
            match loaded {
                Ok(LoadedSet { set, .. }) => {
                    uploads::abort(files, uploads::of_set(&set, self)).await;
                    uuids.extend(uploads::uuids_of(std::iter::once(&set)));
                }
                Err(failure) => tracing::warn!(%failure, "the uploads of a pending set stay pending, invisible"),
            }
        }
        if !uuids.is_empty() {
            let pending = uploads::all_below(files, &self.destination_prefix()).await?;
            uploads::abort_left_behind(files, pending, &uuids).await;
        }
        directory.remove(files).await
    }

    /// Ends the attempts of the job that this process has set up and that were not ended: nobody waits for them.
    async fn end_attempts(&self, files: &FileSystem) {
        for work in files.work_paths_below(&self.directory()) {
            end_and_abort(files, &work).await;
        }
    }

    fn clean_up(&self, what: &str, outcome: Result<()>) {
        if let Err(failure) = outcome {
            tracing::warn!(%failure, job = self.id, "the job is committed, but some of its {what} could not be removed");
        }
    }
}

type Outcome = (Vec<(String, u64)>, Result<()>);

fn merge(mut before: Vec<(String, u64)>, (mut done, outcome): Outcome) -> Outcome {
    before.append(&mut done);
    (before, outcome)
}
