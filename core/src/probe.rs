//! Finds out by trying what a gateway honours. Radosgw names no version, and what it does not know it ignores silently,
//! so only an attempt tells.
//!
//! A probe writes: it is for processes that write to the bucket anyway, and for the table in docs/releases.md. It works
//! on keys of its own below `.s3core/probe/` and removes them.

use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::gateway::Gateway;
use crate::gateway::capabilities::Capability;
use crate::ops::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, DeleteObject, PutObject,
    UploadPart, WriteCondition, WriteId,
};
use crate::{ErrorKind, Result};

/// Whether `gateway` has `capability`, tried out in `bucket` unless it is known; the finding is remembered.
///
/// # Errors
/// Whatever keeps the probe from writing and removing its key: missing rights, say.
pub async fn probe(gateway: &Gateway, bucket: &str, capability: Capability) -> Result<bool> {
    if let Some(found) = gateway.capabilities().finding(capability) {
        return Ok(found);
    }
    let key = format!(".s3core/probe/{:032x}", gateway.environment().random.bits());
    let probe = Probe { gateway, bucket, key: &key };
    let etag = probe.put(WriteCondition::Always).await?;
    let outcome = probe.run(capability, &etag).await;
    gateway.run(DeleteObject::new(bucket, &key)).await?;
    let has = outcome?;
    gateway.capabilities().found(capability, has);
    Ok(has)
}

/// A key that exists for the time of one probe.
struct Probe<'a> {
    gateway: &'a Gateway,
    bucket: &'a str,
    key: &'a str,
}

/// No object of a probe has it.
const FOREIGN_ETAG: &str = "00000000000000000000000000000000";

impl Probe<'_> {
    async fn run(&self, capability: Capability, etag: &str) -> Result<bool> {
        match capability {
            Capability::ExclusivePut => is_refused(self.put(WriteCondition::IfAbsent).await, ErrorKind::AlreadyExists),
            Capability::ConditionalPut => {
                let foreign = self.put(WriteCondition::IfMatch(FOREIGN_ETAG.to_owned())).await;
                if !is_refused(foreign, ErrorKind::PreconditionFailed)? {
                    return Ok(false);
                }
                let right = WriteCondition::IfMatch(etag.to_owned());
                is_refused(self.put(right).await, ErrorKind::PreconditionFailed).map(|refused| !refused)
            }
            Capability::QuotedIfMatch => {
                let right = WriteCondition::IfMatch(format!("\"{etag}\""));
                is_refused(self.put(right).await, ErrorKind::PreconditionFailed).map(|refused| !refused)
            }
            Capability::ExclusiveComplete => is_refused(self.complete().await, ErrorKind::AlreadyExists),
            Capability::ConditionalDelete => {
                let delete = DeleteObject {
                    if_match: Some(FOREIGN_ETAG.to_owned()),
                    ..DeleteObject::new(self.bucket, self.key)
                };
                is_refused(self.gateway.run(delete).await, ErrorKind::PreconditionFailed)
            }
            Capability::DeleteIfUnmodifiedSince => {
                let delete = DeleteObject {
                    unmodified_since: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(86_400)),
                    ..DeleteObject::new(self.bucket, self.key)
                };
                is_refused(self.gateway.run(delete).await, ErrorKind::PreconditionFailed)
            }
        }
    }

    async fn put(&self, condition: WriteCondition) -> Result<String> {
        let mut put = PutObject::new(self.bucket, self.key, Bytes::from_static(b"probe"));
        put.condition = condition;
        put.write_id = Some(WriteId::new(self.gateway.environment().random.bits()));
        self.gateway.run(put).await
    }

    async fn complete(&self) -> Result<String> {
        let id = self.gateway.run(CreateMultipartUpload::new(self.bucket, self.key)).await?;
        let part = UploadPart::new(self.bucket, self.key, &id, 1, Bytes::from_static(b"part"));
        let length = part.payload.len();
        let etag = self.gateway.run(part).await?;
        let parts = vec![CompletedPart { number: 1, etag }];
        let mut complete = CompleteMultipartUpload::new(self.bucket, self.key, &id, parts, length);
        complete.condition = WriteCondition::IfAbsent;
        let outcome = self.gateway.run(complete).await;
        if outcome.is_err() {
            self.gateway.run(AbortMultipartUpload::new(self.bucket, self.key, &id)).await?;
        }
        outcome
    }
}

/// True where it failed as `expected`, false where it went through.
fn is_refused<T>(outcome: Result<T>, expected: ErrorKind) -> Result<bool> {
    match outcome {
        Ok(_) => Ok(false),
        Err(failure) if failure.kind() == expected => Ok(true),
        Err(failure) => Err(failure),
    }
}
