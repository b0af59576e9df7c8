//! A multipart upload: created by its first part, completed or removed once.

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use crate::ops::{AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, UploadPart};
use crate::{Error, ErrorKind, Result};

use super::Target;
use super::part::PartBuffer;

/// A multipart upload. Clones are the same upload.
#[derive(Clone)]
pub(super) struct Upload {
    target: Target,
    id: Shared<BoxFuture<'static, Result<String>>>,
}

impl Upload {
    /// Begins to create the upload, in a task of its own: so its id becomes known, and the upload can be removed, even
    /// where the part that caused it was given up meanwhile.
    pub(super) fn create(target: &Target) -> Self {
        let mut create = CreateMultipartUpload::new(&target.bucket, &target.key);
        create.attributes = target.attributes.clone();
        let gateway = target.gateway.clone();
        let task = tokio::spawn(async move { gateway.run(create).await });
        let id = async move {
            task.await.unwrap_or_else(|stopped| {
                Err(Error::new(ErrorKind::Closed, "the upload's creation was stopped").caused_by(stopped))
            })
        };
        Self { target: target.clone(), id: id.boxed().shared() }
    }

    /// Sends one part; its memory comes back when the gateway has it.
    pub(super) async fn send(&self, number: u32, part: PartBuffer) -> Result<CompletedPart> {
        let (payload, digest, _memory) = part.into_payload();
        let id = self.id.clone().await?;
        let mut upload_part = UploadPart::new(&self.target.bucket, &self.target.key, &id, number, payload);
        upload_part.digest = Some(digest);
        let etag = self.target.gateway.run(upload_part).await?;
        Ok(CompletedPart { number, etag })
    }

    /// Makes the object visible; returns its ETag.
    pub(super) async fn complete(&self, parts: Vec<CompletedPart>, length: u64) -> Result<String> {
        let id = self.id.clone().await?;
        let complete = CompleteMultipartUpload::new(&self.target.bucket, &self.target.key, &id, parts, length);
        self.target.gateway.run(complete).await
    }

    /// Removes the upload with its parts.
    pub(super) async fn abort(&self) -> Result<()> {
        let Ok(id) = self.id.clone().await else {
            return Ok(());
        };
        let abort = AbortMultipartUpload::new(&self.target.bucket, &self.target.key, &id);
        self.target.gateway.run(abort).await.map(|_| ())
    }
}
