//! Server-side copies: the bytes never come here.

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::gateway::Gateway;
use crate::ops::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CopyObject, CopySource, CreateMultipartUpload,
    HeadObject, ObjectAttributes, UploadPartCopy,
};
use crate::{Error, ErrorKind, Result};

/// CopyObject takes objects of up to 5 GiB (S3 API; `rgw_max_put_size` on Radosgw).
const LARGEST_COPY: u64 = 5 << 30;
/// Part size beyond that: 10,000 of them hold the largest object.
const PART: u64 = 1 << 30;
/// Part copies under way at the same time.
const PARTS_AT_ONCE: usize = 8;

/// Copies an object of `length` bytes within a bucket, keeping its metadata. On Radosgw a copy lands in STANDARD
/// unless the storage class is named, so that of the source is passed on.
///
/// # Errors
/// `NotFound` where the source is gone, and the gateway's.
pub(crate) async fn copy_object(
    gateway: &Gateway,
    bucket: &str,
    from: &str,
    to: &str,
    length: u64,
    storage_class: Option<&str>,
) -> Result<()> {
    if length > LARGEST_COPY {
        if from.contains('%') {
            return Err(decoded_twice(from).at(bucket, from));
        }
        return copy_in_parts(gateway, bucket, from, to, length, storage_class).await;
    }
    let mut copy = CopyObject::new(bucket, from, bucket, to);
    copy.storage_class = storage_class.map(str::to_owned);
    gateway.run(copy).await.map(|_| ())
}

/// Radosgw before 20.2 decodes the source of UploadPartCopy twice, and so would copy another object, or none. The other
/// object could be there: Spark writes `t=00%3A00` for a partition value with a colon.
fn decoded_twice(key: &str) -> Error {
    let message = format!(
        "an object of more than 5 GiB is copied in parts, and Radosgw before 20.2 reads another source key than {key} \
         there, since it has a percent sign: write it anew under the new name instead"
    );
    Error::new(ErrorKind::Unsupported, message)
}

async fn copy_in_parts(
    gateway: &Gateway,
    bucket: &str,
    from: &str,
    to: &str,
    length: u64,
    storage_class: Option<&str>,
) -> Result<()> {
    // Unlike CopyObject, an upload starts without the source's attributes.
    let source = gateway.run(HeadObject::new(bucket, from)).await?;
    let mut create = CreateMultipartUpload::new(bucket, to);
    create.attributes = ObjectAttributes {
        content_type: source.content_type,
        storage_class: storage_class.map(str::to_owned),
        metadata: source.metadata,
    };
    let id = gateway.run(create).await?;
    let ranges = (0..length).step_by(PART as usize).map(|start| start..length.min(start + PART));
    let copies = (1_u32..).zip(ranges).map(|(number, range)| {
        let copy = UploadPartCopy {
            bucket: bucket.to_owned(),
            key: to.to_owned(),
            upload_id: id.clone(),
            part_number: number,
            source: CopySource { bucket: bucket.to_owned(), key: from.to_owned(), if_match: source.etag.clone() },
            range: Some(range),
        };
        async move { Ok::<_, Error>(CompletedPart { number, etag: gateway.run(copy).await?.etag }) }
    });
    let copied = async {
        let mut parts: Vec<_> = stream::iter(copies).buffer_unordered(PARTS_AT_ONCE).try_collect().await?;
        parts.sort_unstable_by_key(|part: &CompletedPart| part.number);
        gateway.run(CompleteMultipartUpload::new(bucket, to, &id, parts, length)).await.map(|_| ())
    };
    let outcome = copied.await;
    if outcome.is_err()
        && let Err(failure) = gateway.run(AbortMultipartUpload::new(bucket, to, &id)).await
    {
        tracing::warn!(%failure, "a copy failed and its upload could not be removed; it stays pending, invisible");
    }
    outcome
}
