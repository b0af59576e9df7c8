//! Server-side copies: the bytes never come here.

use std::future::ready;

use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::runtime::Handle;

use crate::gateway::Gateway;
use crate::http::Payload;
use crate::ops::{
    CompletedPart, CopyObject, CopySource, DeleteObject, HeadObject, ObjectAttributes, PutObject, UploadPartCopy,
    WriteCondition,
};
use crate::{Error, ErrorKind, Result};

use super::upload::Upload;

/// Largest part of a copy in parts: 10,000 of them hold the largest object.
const LARGEST_PART: u64 = 1 << 30;
/// Largest object that is copied to see whether the copy is encrypted.
const LARGEST_TRIAL: u64 = 64 << 20;
/// Part copies under way at the same time.
const PARTS_AT_ONCE: usize = 8;

/// A copy within a bucket.
pub(crate) struct Copy<'a> {
    pub(crate) gateway: &'a Gateway,
    pub(crate) bucket: &'a str,
    pub(crate) from: &'a str,
    pub(crate) to: &'a str,
    /// Length of the object in bytes.
    pub(crate) length: u64,
    /// Storage class of the source: on Radosgw a copy lands in STANDARD unless one is named.
    pub(crate) storage_class: Option<&'a str>,
    /// Objects from this length on are copied in parts.
    pub(crate) threshold: u64,
}

impl Copy<'_> {
    /// Copies the object, with its content type and user metadata.
    ///
    /// # Errors
    /// `NotFound` where the source is gone, and the gateway's.
    pub(crate) async fn run(&self) -> Result<()> {
        let mut is_plain = false;
        if self.length < self.threshold && self.can_be_one_request().await {
            match self.gateway.run(self.whole(self.to)).await {
                // Radosgw before 20.2.3 does not copy encrypted objects, and makes parts of them.
                Err(failure) if failure.kind() == ErrorKind::Unsupported => is_plain = is_unencrypted(&failure),
                outcome => return outcome.map(|_| ()),
            }
        }
        let outcome = self.in_parts().await;
        if outcome.is_err() && is_plain {
            self.gateway.encrypting().found_of_copies(false);
            self.gateway.run(DeleteObject::new(self.bucket, self.to)).await?;
        }
        outcome
    }

    fn whole(&self, to: &str) -> CopyObject {
        let mut copy = CopyObject::new(self.bucket, self.from, self.bucket, to);
        copy.storage_class = self.storage_class.map(str::to_owned);
        copy
    }

    /// Whether CopyObject does all that is wanted. Radosgw takes the wish to encrypt and copies the bytes as they are, so
    /// that is tried with a copy that nobody looks for, once an hour. Parts are always encrypted.
    async fn can_be_one_request(&self) -> bool {
        let encrypting = self.gateway.encrypting();
        if !encrypting.is_wanted() {
            return true;
        }
        if let Some(are_encrypted) = encrypting.of_copies() {
            return are_encrypted;
        }
        if self.length > LARGEST_TRIAL && !self.from.contains('%') {
            return false;
        }
        let key = format!(".s3core/probe/{:032x}", self.gateway.environment().random.bits());
        let outcome = self.gateway.run(self.whole(&key)).await;
        if outcome.as_ref().map_or_else(is_unencrypted, |_| true)
            && let Err(failure) = self.gateway.run(DeleteObject::new(self.bucket, &key)).await
        {
            tracing::warn!(%failure, key, "a copy that was made to see whether it is encrypted could not be removed");
        }
        match outcome {
            Ok(_) => encrypting.found_of_copies(true),
            Err(failure) if failure.kind() == ErrorKind::Unsupported => encrypting.found_of_copies(false),
            Err(failure) => tracing::debug!(%failure, "whether copies are encrypted is not known"),
        }
        encrypting.of_copies() == Some(true)
    }

    async fn in_parts(&self) -> Result<()> {
        if self.length > 0 && self.from.contains('%') {
            return Err(decoded_twice(self.from).at(self.bucket, self.from));
        }
        // Unlike CopyObject, an upload starts without the source's attributes.
        let source = self.gateway.run(HeadObject::new(self.bucket, self.from)).await?;
        let mut attributes = ObjectAttributes::of(&source);
        attributes.storage_class = self.storage_class.map(str::to_owned);
        if self.length == 0 {
            let mut put = PutObject::new(self.bucket, self.to, Payload::empty());
            put.attributes = attributes;
            return self.gateway.run(put).await.map(|_| ());
        }
        let mut pending = Pending(Some(Upload::create(self.gateway, self.bucket, self.to, attributes, ready(Ok(())))));
        let outcome = match &pending.0 {
            Some(upload) => self.copy_into(upload, source.etag.as_deref()).await,
            None => Ok(()),
        };
        match pending.0.take() {
            Some(upload) if outcome.is_err() => give_up(upload).await,
            _ => {}
        }
        outcome
    }

    async fn copy_into(&self, upload: &Upload, etag: Option<&str>) -> Result<()> {
        let upload_id = upload.id().await?;
        let size = self.threshold.min(LARGEST_PART);
        let ranges = (0..self.length.div_ceil(size)).map(|part| part * size..self.length.min((part + 1) * size));
        let copies = (1_u32..).zip(ranges).map(|(number, range)| {
            let copy = UploadPartCopy {
                bucket: self.bucket.to_owned(),
                key: self.to.to_owned(),
                upload_id: upload_id.clone(),
                part_number: number,
                source: CopySource {
                    bucket: self.bucket.to_owned(),
                    key: self.from.to_owned(),
                    if_match: etag.map(str::to_owned),
                },
                range: Some(range),
            };
            async move { Ok::<_, Error>(CompletedPart { number, etag: self.gateway.run(copy).await?.etag }) }
        });
        let mut parts: Vec<_> = stream::iter(copies).buffer_unordered(PARTS_AT_ONCE).try_collect().await?;
        parts.sort_unstable_by_key(|part: &CompletedPart| part.number);
        upload.complete(parts, self.length, WriteCondition::Always).await.map(|_| ())
    }
}

/// Whether the copy is there, and not encrypted as was asked for.
fn is_unencrypted(failure: &Error) -> bool {
    failure.kind() == ErrorKind::Unsupported && failure.status().is_some_and(|status| status < 300)
}

/// An upload that is removed when nobody waits for its copy any more.
struct Pending(Option<Upload>);

impl Drop for Pending {
    fn drop(&mut self) {
        if let (Some(upload), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(give_up(upload));
        }
    }
}

async fn give_up(upload: Upload) {
    if let Err(failure) = upload.abort().await {
        tracing::warn!(%failure, "a copy was given up and its upload could not be removed; it stays pending, invisible");
    }
}

/// Radosgw before 20.2 decodes the source of UploadPartCopy twice, and so would copy another object, or none. The other
/// object could be there: Spark writes `t=00%3A00` for a partition value with a colon.
fn decoded_twice(key: &str) -> Error {
    let message = format!(
        "a large or encrypted object is copied in parts, and Radosgw before 20.2 reads another source key than {key} \
         there, since it has a percent sign: write it anew under the new name instead"
    );
    Error::new(ErrorKind::Unsupported, message)
}
