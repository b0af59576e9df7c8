//! Objects that are written but not visible: somebody else decides when, and whether, they become so.

use futures::future::BoxFuture;

use crate::Result;
use crate::http::Payload;
use crate::ops::CompletedPart;

use super::budget::Reservation;

/// Where a writer leaves what it has written instead of making it visible.
pub(crate) trait PendingSink: Send + Sync {
    /// Largest object in bytes that may be left as it is, now. Larger ones are uploaded.
    fn room(&self) -> u64;

    /// Called once before an upload is begun.
    fn before_upload(&self) -> BoxFuture<'_, Result<()>>;

    /// Takes the object, which is complete.
    ///
    /// # Errors
    /// `Closed` where nobody waits for it any more: the writer gives it up.
    fn take(&self, object: PendingObject) -> Result<()>;
}

/// An object that is not visible yet.
pub(crate) enum PendingObject {
    /// All of it is at the gateway.
    Upload(PendingUpload),
    /// All of it is here: an object so small that storing it takes fewer requests than an upload.
    Body(PendingBody),
}

/// A multipart upload with all its parts, which nobody has completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PendingUpload {
    /// The gateway's id.
    pub(crate) upload_id: String,
    /// Every part, by their numbers.
    pub(crate) parts: Vec<CompletedPart>,
    /// Length of the object in bytes.
    pub(crate) length: u64,
}

/// Which upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UploadName {
    pub(crate) key: String,
    pub(crate) id: String,
}

/// An object as it will be sent.
pub(crate) struct PendingBody {
    pub(crate) payload: Payload,
    /// Memory that `payload` stays in.
    pub(crate) _memory: Option<Reservation>,
}

impl PendingObject {
    /// Length in bytes.
    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Upload(upload) => upload.length,
            Self::Body(body) => body.payload.len(),
        }
    }
}
