//! Committing a job: everything that its committed tasks have written becomes visible.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use futures::FutureExt;
use futures::stream::TryStreamExt;

use crate::concurrent::run_all;
use crate::fs::{FileSystem, keys};
use crate::http::Payload;
use crate::ops::{CompleteMultipartUpload, ListedObject, ObjectAttributes, PutObject};
use crate::{Error, ErrorKind, Result};

use super::super::conflict;
use super::super::pending_set::{SetContent, SetFile, completed_parts};
use super::super::survey::{Scope, purge_among};
use super::super::uploads;
use super::directory::LoadedSet;
use super::{CommitOptions, CommittedJob, Directory, Job};

/// Name of the empty object that says that a dataset is complete (Hadoop's `FileOutputCommitter`).
const SUCCESS: &str = "_SUCCESS";

impl Job {
    /// Makes visible what the job's committed tasks have written, then removes the job's state. It can be tried again
    /// while the state is there. Run it to its end; [`CommitOptions::stop`] asks it to come to one.
    ///
    /// # Errors
    /// `NotFound` where the job's state is gone, so that nobody knows what it has written; `Interrupted` where it was
    /// asked to stop. Where not all files can be made visible, those that were and whose names are the job's own are
    /// removed again, as the options say.
    pub async fn commit(&self, files: &FileSystem, options: CommitOptions) -> Result<CommittedJob> {
        let mut directory = Directory::list(files, self).await?;
        if !directory.is_set_up {
            let message = format!(
                "the state of the job {} is gone: it was never set up, was committed or aborted before, or somebody \
                 removed it; nothing was committed",
                self.id
            );
            return Err(Error::new(ErrorKind::NotFound, message).at(files.bucket(), &self.directory()));
        }
        let sets: Vec<_> = directory.load_sets(files).try_collect().await?;
        let commit = Commit { job: self, files, options, directory: &directory, sets: &sets, begun: Mutex::default() };
        let committed = commit.run().await?;
        directory.has_commit_record |= commit.needs_record();
        // The job is committed: what cannot be removed now is only in the way.
        let named = uploads::ids_of(sets.iter().map(|loaded| &loaded.set));
        self.end_attempts(files, &named).await;
        self.clean_up("state", directory.remove(files).await);
        files.forget_asked(&self.directory());
        self.clean_up("uploads", self.abort_left_behind(files, &sets, &named).await);
        Ok(committed)
    }

    /// Aborts what attempts of this job have uploaded in vain, and now and then what others have left here long ago.
    async fn abort_left_behind(&self, files: &FileSystem, sets: &[LoadedSet], named: &HashSet<String>) -> Result<()> {
        let replaced = sets.iter().flat_map(|loaded| uploads::replaced_by(&loaded.set, self));
        uploads::abort(files, replaced.filter(|upload| !named.contains(&upload.id)).collect::<Vec<_>>()).await;
        let pending = uploads::all_below(files, &self.destination_prefix()).await?;
        let uuids = uploads::uuids_of(sets.iter().map(|loaded| &loaded.set));
        let mut others = uploads::abort_left_behind(files, pending, &uuids, named).await;
        others.retain(|upload| !named.contains(&upload.upload_id));
        if files.is_to_clean(&self.destination) {
            let keep_uncommitted = files.commit_settings().keep_uncommitted;
            purge_among(files, &self.destination, Scope::Uploads, others, keep_uncommitted).await?;
        }
        Ok(())
    }

    fn clean_up(&self, what: &str, outcome: Result<()>) {
        if let Err(failure) = outcome {
            tracing::warn!(%failure, job = self.id, "the job is committed, but some of its {what} could not be removed");
        }
    }
}

/// One commit under way.
struct Commit<'a> {
    job: &'a Job,
    files: &'a FileSystem,
    options: CommitOptions,
    directory: &'a Directory,
    sets: &'a [LoadedSet],
    begun: Mutex<Begun>,
}

/// What may be visible, whatever was answered.
#[derive(Default)]
struct Begun {
    /// Paths below the destination.
    paths: Vec<String>,
    /// Ids of uploads that were asked to complete, without those that were refused.
    uploads: HashSet<String>,
}

impl Commit<'_> {
    async fn run(&self) -> Result<CommittedJob> {
        let earlier = self.options.conflict.earlier_files(self.files, self.job, self.paths()).await?;
        let replaces = !earlier.is_empty();
        let committed = match self.make_all_visible(!replaces).await {
            Ok(committed) => committed,
            Err(failure) => {
                self.roll_back().await;
                return Err(failure);
            }
        };
        if replaces {
            // New before old: after a crash in between both are there, and never neither. From here on nothing can be
            // taken back.
            conflict::remove(self.files, earlier, self.paths().map(|path| self.job.final_key(path))).await?;
            self.mark_success(&committed).await?;
        }
        Ok(committed)
    }

    fn paths(&self) -> impl Iterator<Item = &str> {
        self.sets.iter().flat_map(|loaded| &loaded.set.files).map(|file| file.path.as_str())
    }

    async fn make_all_visible(&self, marks_success: bool) -> Result<CommittedJob> {
        self.announce().await?;
        let (mut done, outcome) = self.make_pending_visible().await;
        outcome?;
        let (mut moved, outcome) = self.move_ordinary_objects().await;
        outcome?;
        done.append(&mut moved);
        let committed = CommittedJob { files: done.len() as u64, bytes: done.iter().sum() };
        if marks_success {
            self.mark_success(&committed).await?;
        }
        Ok(committed)
    }

    fn needs_record(&self) -> bool {
        let files = self.paths().take(2).count() + self.ordinary_objects().take(2).count();
        files > 1 || self.sets.iter().flat_map(|loaded| &loaded.set.files).any(|file| file.upload_id().is_some())
    }

    /// Says in the job's directory that files become visible from now on: whoever aborts the job after this process has
    /// died must know. A single file that is put is either visible or not.
    async fn announce(&self) -> Result<()> {
        if !self.needs_record() {
            return Ok(());
        }
        self.job.record_commit(self.files, self.options.mark_success).await
    }

    /// Makes what pending sets name visible, the files of sets whose bytes are not in memory one after the other.
    async fn make_pending_visible(&self) -> (Vec<u64>, Result<()>) {
        let at_once = self.files.commit_settings().concurrency;
        let ready = self.sets.iter().flat_map(|LoadedSet { set, bodies, .. }| {
            let is_ready = move |file: &&SetFile| bodies.is_some() || file.upload_id().is_some();
            set.files.iter().filter(is_ready).map(|file| self.make_file_visible(file, bodies.as_ref()).boxed())
        });
        let (mut done, outcome) = run_all(Box::new(ready), at_once).await;
        if outcome.is_err() {
            return (done, outcome);
        }
        let unread = self.sets.iter().filter(|loaded| loaded.bodies.is_none());
        let unread = unread.map(|loaded| self.make_bodies_visible(loaded).boxed());
        let (lengths, outcome) = run_all(Box::new(unread), at_once).await;
        done.extend(lengths.into_iter().flatten());
        (done, outcome)
    }

    async fn make_bodies_visible(&self, loaded: &LoadedSet) -> Result<Vec<u64>> {
        let (bodies, _memory) = loaded.read_again(self.files).await?;
        let mut lengths = Vec::new();
        for file in loaded.set.files.iter().filter(|file| file.upload_id().is_none()) {
            lengths.push(self.make_file_visible(file, Some(&bodies)).await?);
        }
        Ok(lengths)
    }

    /// Makes one file visible; returns its length.
    async fn make_file_visible(&self, file: &SetFile, bodies: Option<&Bytes>) -> Result<u64> {
        self.options.stop.check()?;
        let (bucket, key) = (self.files.bucket(), self.job.final_key(&file.path));
        match &file.content {
            SetContent::Upload { id, parts } => {
                // Of a commit that is tried again, some are done.
                let complete = CompleteMultipartUpload::new(bucket, &key, id, completed_parts(parts), file.length);
                self.begin(&file.path, Some(id));
                let outcome = self.files.gateway().run(complete.perhaps_done()).await;
                if outcome.as_ref().is_err_and(CompleteMultipartUpload::is_refused) {
                    self.begun().uploads.remove(id);
                }
                outcome?;
            }
            SetContent::Body { offset, attributes } => {
                let range = usize::try_from(*offset)..usize::try_from(offset + file.length);
                let body = match (range.start, range.end, bodies) {
                    (Ok(start), Ok(end), Some(bodies)) if start <= end && end <= bodies.len() => {
                        bodies.slice(start..end)
                    }
                    _ => {
                        let message = format!("the pending set does not hold the bytes of {}", file.path);
                        return Err(Error::new(ErrorKind::Corrupted, message).at(bucket, &key));
                    }
                };
                let mut put = PutObject::new(bucket, &key, body);
                put.attributes = ObjectAttributes::from(attributes);
                self.begin(&file.path, None);
                self.files.gateway().run(put).await?;
            }
        }
        Ok(file.length)
    }

    /// What stands below the work paths of committed attempts besides pending files, unless a pending file has been
    /// created over it.
    fn ordinary_objects(&self) -> impl Iterator<Item = (&ListedObject, &str)> {
        let attempts: HashSet<&str> = self.sets.iter().map(|loaded| loaded.set.attempt.as_str()).collect();
        let pending: HashSet<&str> = self.paths().collect();
        self.directory.ordinary_objects(attempts).filter(move |(_, path)| !pending.contains(path))
    }

    async fn move_ordinary_objects(&self) -> (Vec<u64>, Result<()>) {
        let written = |path: &str| self.paths().any(|file| file.starts_with(path));
        let (directories, objects): (Vec<_>, Vec<_>) =
            self.ordinary_objects().partition(|(_, path)| path.ends_with('/'));
        // A directory with files needs no marker.
        let empty = directories.into_iter().filter(|(_, path)| !written(path));
        let markers = empty.map(|(_, path)| {
            let directory = self.job.final_key(path.trim_end_matches('/'));
            async move { self.files.put_marker(&directory).await }.boxed()
        });
        let at_once = self.files.commit_settings().concurrency;
        let (_, outcome) = run_all(Box::new(markers), at_once).await;
        if outcome.is_err() {
            return (Vec::new(), outcome);
        }
        let copies = objects.into_iter().map(|(object, path)| self.copy_object(object, path).boxed());
        run_all(Box::new(copies), at_once).await
    }

    async fn copy_object(&self, object: &ListedObject, path: &str) -> Result<u64> {
        self.options.stop.check()?;
        let (to, class) = (self.job.final_key(path), object.storage_class.as_deref());
        self.begin(path, None);
        self.files.copy(&object.key, &to, object.length, class).await?;
        Ok(object.length)
    }

    async fn mark_success(&self, committed: &CommittedJob) -> Result<()> {
        let destination = self.job.destination();
        if self.options.mark_success {
            let marker = PutObject::new(self.files.bucket(), &self.job.final_key(SUCCESS), Payload::empty());
            self.files.gateway().run(marker).await?;
        } else if committed.files == 0 && !keys::is_root(destination) {
            self.files.put_marker(destination).await?;
        }
        Ok(())
    }

    fn begin(&self, path: &str, upload: Option<&String>) {
        let mut begun = self.begun();
        begun.paths.push(path.to_owned());
        begun.uploads.extend(upload.cloned());
    }

    /// After a commit that failed: removes what may be visible, where the caller wants it, and notes which uploads must
    /// not be aborted.
    async fn roll_back(&self) {
        let Begun { paths, uploads } = std::mem::take(&mut *self.begun());
        self.files.note_asked(&self.job.directory(), uploads);
        if !self.options.roll_back {
            return;
        }
        if let Err(failure) = self.job.remove_visible(self.files, paths.iter().map(String::as_str)).await {
            tracing::warn!(%failure, job = self.job.id, "some files of a commit that failed stay visible");
        }
    }

    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
