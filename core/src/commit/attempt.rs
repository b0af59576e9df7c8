//! A task attempt: its work path, and what becomes of it.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;

use crate::fs::FileSystem;
use crate::fs::work::{End, Marker, WorkPath, Written};
use crate::ops::{GetObject, HeadObject, PutObject, WriteCondition, WriteId};
use crate::transfer::pending::{PendingObject, UploadName};
use crate::{Error, ErrorKind, Result};

use super::pending_set::PendingSet;
use super::uploads;
use super::{ATTEMPT_MARKER, AttemptMarker, Job, PENDING_SET, VERSION, check_name};

/// One attempt at a task of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskAttempt {
    job: Job,
    task: String,
    attempt: String,
}

impl TaskAttempt {
    /// The attempt of these names: those of Hadoop's `TaskID` and `TaskAttemptID`.
    ///
    /// # Errors
    /// `InvalidPath` for a name with a slash.
    pub fn new(job: Job, task: &str, attempt: &str) -> Result<Self> {
        check_name("task", task)?;
        check_name("task attempt", attempt)?;
        Ok(Self { job, task: task.to_owned(), attempt: attempt.to_owned() })
    }

    /// Where the attempt creates its files.
    pub fn work_path(&self) -> String {
        self.job.work_path(&self.attempt)
    }

    /// Registers the work path in this process. Nothing is sent.
    pub fn set_up(&self, files: &FileSystem) {
        let marker = Marker { key: format!("{}/{ATTEMPT_MARKER}", self.work_path()), content: self.marker_content() };
        files.register_work_path(&self.work_path(), self.job.destination(), marker);
    }

    fn marker_content(&self) -> Box<dyn Fn(&str) -> Bytes + Send + Sync> {
        let attempt = self.clone();
        Box::new(move |first_file| {
            let marker = AttemptMarker {
                version: VERSION,
                job: attempt.job.id().to_owned(),
                task: attempt.task.clone(),
                attempt: attempt.attempt.clone(),
                destination: attempt.job.destination().to_owned(),
                first_file: first_file.to_owned(),
            };
            // Strings and a number: nothing of it can fail.
            serde_json::to_vec(&marker).unwrap_or_default().into()
        })
    }

    /// Whether the attempt has written anything. No request where this process has seen it write.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn needs_commit(&self, files: &FileSystem) -> Result<bool> {
        let work = files.work_path(&self.work_path());
        if work.as_ref().is_some_and(|work| work.has_files()) || files.has_keys_below(&self.work_path()).await? {
            return Ok(true);
        }
        // Hadoop neither commits nor aborts it then: nothing else says that it has ended.
        if let Some(work) = work {
            files.remember_end(&work);
        }
        Ok(false)
    }

    /// Commits the attempt: from now on the job's commit makes its files visible, and those of no other attempt of the
    /// task. After an error it can be tried again.
    ///
    /// # Errors
    /// `Internal` where the attempt has uploads of which this process knows nothing: committed like this, it would lose
    /// them.
    pub async fn commit(&self, files: &FileSystem) -> Result<()> {
        let Some(work) = files.work_path(&self.work_path()) else {
            return self.commit_unknown(files).await;
        };
        let mut ending = match work.end(End::Committed) {
            Ok(written) => Ending { work: &work, written: Some(written) },
            Err(End::Committed) => return self.check_committed(files).await,
            Err(End::Aborted) => {
                let message = format!("the attempt {} was aborted, or its job has ended without it", self.attempt);
                return Err(Error::new(ErrorKind::NotFound, message).at(files.bucket(), &self.work_path()));
            }
        };
        if let Some(written) = &ending.written {
            self.put_pending_set(files, written).await?;
        }
        let discarded = ending.written.take().map(|written| written.discarded).unwrap_or_default();
        files.remember_end(&work);
        uploads::abort(files, discarded).await;
        Ok(())
    }

    /// Committing once more what is committed is fine while its job is under way.
    async fn check_committed(&self, files: &FileSystem) -> Result<()> {
        let key = self.pending_set_key();
        match read_pending_set(files, &key).await {
            Err(failure) if failure.kind() == ErrorKind::NotFound => {
                let message = format!("the attempt {} was committed before, and its job has ended", self.attempt);
                Err(failure.restated(ErrorKind::NotFound, message))
            }
            Ok((set, _)) if set.attempt != self.attempt => {
                let message = format!(
                    "the attempt {} was committed before, and {} has taken its place",
                    self.attempt, set.attempt
                );
                Err(Error::new(ErrorKind::NotFound, message).at(files.bucket(), &key))
            }
            outcome => outcome.map(|_| ()),
        }
    }

    fn pending_set_key(&self) -> String {
        format!("{}/{}{PENDING_SET}", self.job.directory(), self.task)
    }

    /// Of an attempt that this process has not set up, ordinary objects can be committed, uploads cannot.
    async fn commit_unknown(&self, files: &FileSystem) -> Result<()> {
        let marker = format!("{}/{ATTEMPT_MARKER}", self.work_path());
        match files.gateway().run(HeadObject::new(files.bucket(), &marker)).await {
            Ok(_) => {
                let message = format!(
                    "the attempt {} has uploaded files of which this process knows nothing, since it was set up in \
                     another one: committing it here would lose them; let the task run again",
                    self.attempt
                );
                Err(Error::new(ErrorKind::Internal, message).at(files.bucket(), &self.work_path()))
            }
            Err(failure) if failure.kind() == ErrorKind::NotFound => {
                self.put_pending_set(files, &Written::default()).await
            }
            Err(failure) => Err(failure),
        }
    }

    async fn put_pending_set(&self, files: &FileSystem, written: &Written) -> Result<()> {
        let mut set = PendingSet::new(self.job.id(), &self.task, &self.attempt);
        let mut bodies = Vec::new();
        let mut offset = 0;
        for (path, file) in &written.files {
            match &file.object {
                PendingObject::Upload(upload) => set.add_upload(path, upload),
                PendingObject::Body(body) => {
                    set.add_body(path, body, &file.attributes, offset);
                    offset += body.payload.len();
                    bodies.push(body.payload.clone());
                }
            }
        }
        let key = self.pending_set_key();
        let mut put = PutObject::new(files.bucket(), &key, set.payload(bodies.clone())?);
        put.condition = WriteCondition::IfAbsent;
        put.write_id = Some(WriteId::new(files.gateway().environment().random.bits()));
        match files.gateway().run(put.clone()).await {
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {}
            outcome => return outcome.map(|_| ()),
        }
        // Another attempt was told to commit before, or this one was and could not tell.
        let (earlier, etag) = read_pending_set(files, &key).await?;
        set.replace(earlier);
        put.payload = set.payload(bodies)?;
        put.condition = WriteCondition::IfMatch(etag);
        files.gateway().run(put).await.map(|_| ())
    }

    /// Aborts the attempt: its uploads and everything below its work path go.
    ///
    /// # Errors
    /// The gateway's. What stays behind is invisible.
    pub async fn abort(&self, files: &FileSystem) -> Result<()> {
        if let Some(work) = files.work_path(&self.work_path()) {
            end_and_abort(files, &work, &HashSet::new()).await;
        }
        files.delete_below(&self.work_path()).await
    }
}

/// What an attempt has written while it is being committed. Where the commit fails, or nobody waits for it any more, the
/// attempt has it again.
struct Ending<'a> {
    work: &'a Arc<WorkPath>,
    written: Option<Written>,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        if let Some(written) = self.written.take() {
            self.work.resume(written);
        }
    }
}

/// Ends an attempt that will not be committed. Uploads in `spared` stay.
pub(super) async fn end_and_abort(files: &FileSystem, work: &Arc<WorkPath>, spared: &HashSet<String>) {
    let Ok(Written { files: written, discarded }) = work.end(End::Aborted) else {
        return;
    };
    files.remember_end(work);
    let written = written.into_iter().filter_map(|(path, file)| match file.object {
        PendingObject::Upload(upload) => Some(UploadName { key: work.final_key(&path), id: upload.upload_id }),
        PendingObject::Body(_) => None,
    });
    let unwanted = discarded.into_iter().chain(written).filter(|upload| !spared.contains(&upload.id));
    uploads::abort(files, unwanted.collect::<Vec<_>>()).await;
}

async fn read_pending_set(files: &FileSystem, key: &str) -> Result<(PendingSet, String)> {
    let mut frames: Vec<Bytes> = Vec::new();
    let head = files.gateway().run(GetObject::new(files.bucket(), key, &mut frames)).await?;
    let etag = head.etag.ok_or_else(|| {
        Error::new(ErrorKind::Corrupted, "the gateway did not name the object's ETag").at(files.bucket(), key)
    })?;
    let (set, _) = PendingSet::read(&frames.concat().into()).map_err(|failure| failure.at(files.bucket(), key))?;
    Ok((set, etag))
}
