//! The record that says that a job's commit has begun: some of its files may be visible.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::fs::FileSystem;
use crate::ops::{GetObject, PutObject};
use crate::{ErrorKind, Result};

use super::super::{COMMIT_RECORD, VERSION, internal};
use super::Job;

/// Content of the record.
#[derive(Debug, Serialize, Deserialize)]
struct CommitRecord {
    version: u32,
    /// Whether `_SUCCESS` is put at the commit's end.
    mark_success: bool,
}

impl Job {
    /// Puts the record, before the first of several files becomes visible.
    pub(super) async fn record_commit(&self, files: &FileSystem, mark_success: bool) -> Result<()> {
        let record = CommitRecord { version: VERSION, mark_success };
        let content = serde_json::to_vec(&record).map_err(|failure| internal(&failure))?;
        files
            .gateway()
            .run(PutObject::new(files.bucket(), &self.commit_record(), Bytes::from(content)))
            .await
            .map(|_| ())
    }

    /// Whether a commit of the job was begun that would have put `_SUCCESS`: whoever began it knew that all of the job's
    /// tasks were committed.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn owes_success_marker(&self, files: &FileSystem) -> Result<bool> {
        let mut frames: Vec<Bytes> = Vec::new();
        let get = GetObject::new(files.bucket(), &self.commit_record(), &mut frames);
        match files.gateway().run(get).await {
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(false),
            outcome => outcome?,
        };
        // One that cannot be read promises nothing.
        let record: Option<CommitRecord> = serde_json::from_slice(&frames.concat()).ok();
        Ok(record.is_some_and(|record| record.version == VERSION && record.mark_success))
    }

    fn commit_record(&self) -> String {
        format!("{}/{COMMIT_RECORD}", self.directory())
    }
}
