//! Uploads that a run aborts, written down before they are touched, and what came of them: documents beside the journal of its
//! units, named after the lease of their writer and their place among its documents.

use serde::{Deserialize, Serialize};

use crate::plan::line::PlannedUpload;

use super::bucket::Bucket;
use super::error::StateError;
use super::keys;

/// Most uploads of a document.
pub const BATCH: usize = 1000;

/// Which upload.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UploadId {
    /// The key that it would be completed at.
    pub key: String,
    /// Its id.
    pub upload: String,
}

impl UploadId {
    /// Of an upload in a plan.
    pub fn of(planned: &PlannedUpload) -> Self {
        Self { key: planned.key.clone(), upload: planned.upload.clone() }
    }
}

/// What is written down of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadEntry {
    /// Which one.
    #[serde(flatten)]
    pub id: UploadId,
    /// What came of it; None before it is touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<UploadOutcome>,
}

/// What came of an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UploadOutcome {
    /// It is gone.
    Gone,
    /// A part was sent after the plan was made: somebody works on it.
    AtWork,
    /// It was left.
    Left {
        /// Why.
        reason: String,
    },
}

#[derive(Debug, Serialize, Deserialize)]
struct Document {
    uploads: Vec<UploadEntry>,
}

/// Writes the documents of a run under one lease.
pub struct UploadJournal {
    bucket: Bucket,
    run: String,
    lease: u64,
    /// Sequence of the next document.
    next: u64,
}

impl UploadJournal {
    /// Goes on under the lease with this number.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn open(bucket: &Bucket, run: &str, lease: u64) -> Result<Self, StateError> {
        let written = bucket.keys(&keys::uploads_of_lease(run, lease)).await?;
        Ok(Self { bucket: bucket.clone(), run: run.to_owned(), lease, next: written.len() as u64 + 1 })
    }

    /// Writes down what is about to be done, or what came of it. Nothing is touched before this has returned.
    ///
    /// # Errors
    /// `AlreadyExists` where another process writes under the same lease, and the gateway's.
    pub async fn write(&mut self, uploads: Vec<UploadEntry>) -> Result<(), StateError> {
        let key = keys::uploads(&self.run, self.lease, self.next);
        self.bucket.create_json(&key, &Document { uploads }).await?;
        self.next += 1;
        Ok(())
    }
}

/// Shows all that a run has written down of uploads, the oldest first, with the key of the document. In memory is one of them.
///
/// # Errors
/// `Malformed`, and the gateway's.
pub async fn each(bucket: &Bucket, run: &str, mut see: impl FnMut(&str, UploadEntry)) -> Result<(), StateError> {
    for key in bucket.keys(&keys::all_uploads(run)).await? {
        let document = bucket.get_json::<Document>(&key).await?;
        let (Document { uploads }, _) = document.ok_or_else(|| bucket.malformed(&key, "it was removed meanwhile"))?;
        uploads.into_iter().for_each(|entry| see(&key, entry));
    }
    Ok(())
}
