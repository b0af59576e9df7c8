//! A multipart upload: created by its first part, completed or removed once.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use crate::gateway::Gateway;
use crate::ops::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, ObjectAttributes,
    WriteCondition,
};
use crate::{Error, ErrorKind, Result};

/// A multipart upload. Clones are the same upload.
#[derive(Clone)]
pub(super) struct Upload {
    gateway: Gateway,
    bucket: String,
    key: String,
    id: Shared<BoxFuture<'static, Result<String>>>,
    completion: Arc<Mutex<Completion>>,
}

/// Whether the object has been asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Completion {
    NotAsked,
    /// And may be there, or come to be, whatever was answered.
    Asked,
    /// And will never be there.
    Refused,
}

impl Upload {
    /// Begins to create the upload after `before`, in a task of its own: so its id becomes known, and the upload can be
    /// removed, even where the part that caused it was given up meanwhile.
    pub(super) fn create(
        gateway: &Gateway,
        bucket: &str,
        key: &str,
        attributes: ObjectAttributes,
        before: impl Future<Output = Result<()>> + Send + 'static,
    ) -> Self {
        let mut create = CreateMultipartUpload::new(bucket, key);
        create.attributes = attributes;
        let creator = gateway.clone();
        let task = tokio::spawn(async move {
            before.await?;
            creator.run(create).await
        });
        let id = async move { task.await.unwrap_or_else(|stopped| Err(was_stopped(stopped))) };
        Self {
            gateway: gateway.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            id: id.boxed().shared(),
            completion: Arc::new(Mutex::new(Completion::NotAsked)),
        }
    }

    /// The upload's id, once it is created.
    ///
    /// # Errors
    /// What its creation failed with.
    pub(super) async fn id(&self) -> Result<String> {
        self.id.clone().await
    }

    /// Makes the object of these parts visible, `length` bytes in all; returns its ETag. Runs to its end also where the
    /// caller does not wait for it: an upload whose completion was begun must not be aborted. (Radosgw then may keep an
    /// object without data: <https://tracker.ceph.com/issues/68982>.)
    ///
    /// # Errors
    /// The gateway's. Where they leave open whether the object is there, they say so.
    pub(super) async fn complete(
        &self,
        parts: Vec<CompletedPart>,
        length: u64,
        condition: WriteCondition,
    ) -> Result<String> {
        let id = self.id().await?;
        let mut complete = CompleteMultipartUpload::new(&self.bucket, &self.key, &id, parts, length);
        complete.condition = condition;
        *self.completion() = Completion::Asked;
        let upload = self.clone();
        let task = tokio::spawn(async move {
            let failure = match upload.gateway.run(complete).await {
                Ok(etag) => return Ok(etag),
                Err(failure) => failure,
            };
            if CompleteMultipartUpload::is_refused(&failure) {
                *upload.completion() = Completion::Refused;
                return Err(failure);
            }
            let message =
                format!("{}; whether the object is there is not known, so its upload {id} stays", failure.message());
            let kind = failure.kind();
            Err(failure.restated(kind, message))
        });
        task.await.unwrap_or_else(|stopped| Err(was_stopped(stopped)))
    }

    /// Removes the upload with its parts, unless it may have become an object.
    ///
    /// # Errors
    /// The gateway's: the upload stays pending, invisible.
    pub(super) async fn abort(&self) -> Result<()> {
        let Ok(id) = self.id().await else {
            return Ok(());
        };
        if *self.completion() == Completion::Asked {
            tracing::warn!(
                bucket = self.bucket,
                key = self.key,
                id,
                "an upload stays, since it may be an object by now"
            );
            return Ok(());
        }
        self.gateway.run(AbortMultipartUpload::new(&self.bucket, &self.key, &id)).await
    }

    fn completion(&self) -> std::sync::MutexGuard<'_, Completion> {
        self.completion.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn was_stopped(stopped: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Closed, "the upload was stopped with the process").caused_by(stopped)
}
