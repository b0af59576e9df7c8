//! The bucket as the keeper of state: small documents of JSON that are created, or replaced, under a condition.

mod versions;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use s3core::fs::FileSystem;
use s3core::gateway::Gateway;
use s3core::ops::{
    DeleteObject, GetObject, HeadBucket, ListObjectsV2, ObjectHead, PutObject, Sink, WriteCondition, WriteId,
};
use s3core::{Error, ErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;

use super::error::StateError;

/// Longest document: a record with all that it may report, or a batch of the longest keys, is a tenth of it.
const LONGEST_DOCUMENT: u64 = 64 << 20;

/// A bucket that keeps state. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Bucket {
    files: FileSystem,
    gateway: Gateway,
    /// Whether it keeps versions, once that is known.
    keeps_versions: Arc<OnceCell<bool>>,
}

/// A document as it lies in the bucket.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    /// Its text.
    pub(crate) text: Vec<u8>,
    /// ETag without quotes; the id of the version in a bucket that keeps versions.
    pub(crate) etag: String,
    /// When it was written, by the gateway's clock, in whole seconds.
    pub(crate) written: Option<SystemTime>,
}

impl Bucket {
    /// The bucket that `files` are in.
    pub fn new(files: FileSystem) -> Self {
        let gateway = files.gateway().clone();
        Self { files, gateway, keeps_versions: Arc::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.files.bucket()
    }

    /// How it is reached.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The same bucket as files, for large objects.
    pub fn files(&self) -> &FileSystem {
        &self.files
    }

    /// The gateway's time, in whole seconds.
    ///
    /// # Errors
    /// `NoTime` where its answers do not tell, besides the gateway's.
    pub async fn time(&self) -> Result<Timestamp, StateError> {
        let date = self.gateway.run(HeadBucket::new(self.name())).await?.date;
        let time = date.and_then(|date| Timestamp::try_from(date).ok());
        time.ok_or_else(|| StateError::NoTime { bucket: self.name().to_owned() })
    }

    /// The document at `key` and its ETag; `None` where there is none.
    ///
    /// # Errors
    /// `Malformed` where it is another kind of document, besides the gateway's.
    pub async fn get_json<T: DeserializeOwned>(&self, key: &str) -> Result<Option<(T, String)>, StateError> {
        match self.read(key).await? {
            None => Ok(None),
            Some(stored) => Ok(Some((self.parsed(key, &stored.text)?, stored.etag))),
        }
    }

    /// Writes a document where there is none; returns its ETag.
    ///
    /// # Errors
    /// `AlreadyExists` where there is one, besides the gateway's.
    pub async fn create_json<T: Serialize>(&self, key: &str, document: &T) -> Result<String, StateError> {
        self.create(key, json(document)?).await
    }

    /// Writes a document in the place of the one that has this ETag; returns the new ETag.
    ///
    /// # Errors
    /// `Replaced` where it is another one by now, or gone, besides the gateway's.
    pub async fn replace_json<T: Serialize>(&self, key: &str, document: &T, etag: &str) -> Result<String, StateError> {
        self.put(key, json(document)?, WriteCondition::IfMatch(etag.to_owned())).await
    }

    /// All keys that begin with `prefix`, in order.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn keys(&self, prefix: &str) -> Result<Vec<String>, StateError> {
        let mut list = ListObjectsV2::new(self.name(), prefix);
        let mut keys = Vec::new();
        loop {
            let page = self.gateway.run(list.clone()).await?;
            keys.extend(page.objects.into_iter().map(|object| object.key));
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(keys),
            }
        }
    }

    /// The names of the directories right below `prefix`, in order.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn directories(&self, prefix: &str) -> Result<Vec<String>, StateError> {
        let mut list = ListObjectsV2 { delimiter: Some("/".to_owned()), ..ListObjectsV2::new(self.name(), prefix) };
        let mut names = Vec::new();
        loop {
            let page = self.gateway.run(list.clone()).await?;
            let name = |common: &String| Some(common.strip_prefix(prefix)?.trim_end_matches('/').to_owned());
            names.extend(page.common_prefixes.iter().filter_map(name));
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(names),
            }
        }
    }

    /// The same bucket, whose requests fail sooner: an attempt within `attempt`, an operation within `patience`.
    pub(crate) fn impatient(&self, attempt: Duration, patience: Duration) -> Self {
        let mut settings = self.gateway.settings().clone();
        let limits = &mut settings.limits;
        limits.connect = limits.connect.min(attempt);
        limits.answer = limits.answer.min(attempt);
        limits.idle = limits.idle.min(attempt);
        settings.retry.patience = settings.retry.patience.min(patience);
        settings.retry.first_contact = settings.retry.first_contact.min(patience);
        let gateway = Gateway::new(settings, self.gateway.environment().clone());
        Self { gateway, files: self.files.clone(), keeps_versions: Arc::clone(&self.keeps_versions) }
    }

    pub(crate) async fn read(&self, key: &str) -> Result<Option<Stored>, StateError> {
        if self.keeps_versions().await? {
            return self.read_version(key).await;
        }
        let mut text = Collected(Vec::new());
        let head = match self.gateway.run(GetObject::new(self.name(), key, &mut text)).await {
            Ok(head) => head,
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(None),
            Err(failure) if failure.kind() == ErrorKind::OutOfRange => {
                return Err(self.malformed(key, failure.message()));
            }
            Err(failure) => return Err(failure.into()),
        };
        let etag = head.etag.ok_or_else(|| self.malformed(key, "it has no ETag"))?;
        Ok(Some(Stored { text: text.0, etag, written: head.modified }))
    }

    pub(crate) async fn create(&self, key: &str, text: Vec<u8>) -> Result<String, StateError> {
        self.put(key, text, WriteCondition::IfAbsent).await
    }

    /// Removes a document, if there is one.
    pub(crate) async fn remove(&self, key: &str) -> Result<(), StateError> {
        if self.keeps_versions().await? {
            return self.remove_versions(key).await;
        }
        self.gateway.run(DeleteObject::new(self.name(), key)).await?;
        Ok(())
    }

    pub(crate) fn parsed<T: DeserializeOwned>(&self, key: &str, text: &[u8]) -> Result<T, StateError> {
        serde_json::from_slice(text).map_err(|failure| self.malformed(key, failure.to_string()))
    }

    pub(crate) fn malformed(&self, key: &str, reason: impl Into<String>) -> StateError {
        StateError::Malformed { bucket: self.name().to_owned(), key: key.to_owned(), reason: reason.into() }
    }

    /// Never without a condition: whoever writes state must know what was there.
    async fn put(&self, key: &str, text: Vec<u8>, condition: WriteCondition) -> Result<String, StateError> {
        if text.len() as u64 > LONGEST_DOCUMENT {
            let message = format!("it would have {} bytes, and s3life reads {LONGEST_DOCUMENT} at most", text.len());
            return Err(Error::new(ErrorKind::OutOfRange, message).at(self.name(), key).into());
        }
        let mut put = PutObject::new(self.name(), key, bytes::Bytes::from(text));
        put.attributes.content_type = Some("application/json".to_owned());
        if self.keeps_versions().await? {
            let after = match &condition {
                WriteCondition::IfMatch(version) => Some(version.as_str()),
                _ => None,
            };
            return self.add_version(key, put, after).await;
        }
        put.condition = condition;
        put.write_id = Some(WriteId::new(self.gateway.environment().random.bits()));
        self.gateway.run(put).await.map_err(|failure| {
            let (bucket, key) = (self.name().to_owned(), key.to_owned());
            match failure.kind() {
                ErrorKind::AlreadyExists => StateError::AlreadyExists { bucket, key },
                ErrorKind::PreconditionFailed => StateError::Replaced { bucket, key },
                _ => failure.into(),
            }
        })
    }
}

fn json<T: Serialize>(document: &T) -> Result<Vec<u8>, StateError> {
    serde_json::to_vec(document).map_err(|failure| {
        Error::new(ErrorKind::Internal, "a document that JSON cannot hold").caused_by(failure).into()
    })
}

/// Takes a document in one piece.
struct Collected(Vec<u8>);

impl Sink for Collected {
    fn head(&mut self, head: &ObjectHead) -> s3core::Result<()> {
        if head.length > LONGEST_DOCUMENT {
            let message = format!("it has {} bytes, which no document of s3life's has", head.length);
            return Err(Error::new(ErrorKind::OutOfRange, message));
        }
        Ok(())
    }

    fn frame(&mut self, frame: bytes::Bytes) -> s3core::Result<()> {
        self.0.extend_from_slice(&frame);
        Ok(())
    }
}
