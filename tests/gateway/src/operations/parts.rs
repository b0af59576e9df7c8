//! UploadPart and ListParts.

use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::operations::answers::{count, length, no_such_upload, owner, plain_write_error, timestamp};
use crate::operations::checksums::set_checksums;
use crate::operations::conditions::etag;
use crate::operations::{Answer, Operations, no_such_key};
use crate::storage::hexadecimal;
use crate::storage::object;

const MAXIMUM_NUMBER: u32 = 10_000;
const DEFAULT_MAX_PARTS: usize = 1000;

pub(super) async fn upload(gateway: &Operations, request: S3Request<UploadPartInput>) -> Answer<UploadPartOutput> {
    let (input, headers) = (request.input, request.headers);
    let bucket = gateway.bucket(&input.bucket)?;
    if bucket.upload(&input.key, &input.upload_id).is_none() {
        return Err(no_such_upload());
    }
    let received = gateway.receive(input.body, &headers, request.trailing_headers).await?;
    let mut output = UploadPartOutput { e_tag: Some(etag(&hexadecimal(&received.md5))), ..UploadPartOutput::default() };
    set_checksums!(output, &received.checksums);
    let part =
        object::Part { md5: received.md5, modified: gateway.now(), checksums: received.checksums, data: received.data };
    store(gateway, &input.bucket, &input.key, &input.upload_id, input.part_number, part)?;
    Ok(S3Response::new(output))
}

pub(super) fn store(
    gateway: &Operations,
    bucket: &str,
    key: &str,
    upload: &str,
    number: i32,
    part: object::Part,
) -> S3Result<()> {
    let number = u32::try_from(number)
        .ok()
        .filter(|number| !gateway.behaviour().checks_part_numbers || (1..=MAXIMUM_NUMBER).contains(number))
        .ok_or_else(|| {
            S3Error::with_message(
                S3ErrorCode::InvalidArgument,
                "Part number must be an integer between 1 and 10000, inclusive",
            )
        })?;
    let bucket = gateway.bucket(bucket)?;
    gateway.storage.put_part(&bucket, key, upload, number, part).map_err(plain_write_error)
}

pub(super) async fn list(gateway: &Operations, request: S3Request<ListPartsInput>) -> Answer<ListPartsOutput> {
    let input = request.input;
    let upload = gateway
        .bucket(&input.bucket)?
        .upload(&input.key, &input.upload_id)
        .ok_or_else(|| if gateway.behaviour().list_parts_no_such_key { no_such_key() } else { no_such_upload() })?;
    let limit = input
        .max_parts
        .and_then(|limit| usize::try_from(limit).ok())
        .map_or(DEFAULT_MAX_PARTS, |limit| limit.min(DEFAULT_MAX_PARTS));
    let after = input.part_number_marker.and_then(|marker| u32::try_from(marker).ok());
    let mut following = upload.parts.range(after.map_or(0, |after| after.saturating_add(1))..);
    let mut parts = Vec::new();
    for (number, part) in following.by_ref().take(limit) {
        let mut listed = Part {
            part_number: i32::try_from(*number).ok(),
            e_tag: Some(etag(&hexadecimal(&part.md5))),
            size: Some(length(part.data.length())),
            last_modified: Some(timestamp(part.modified)),
            ..Part::default()
        };
        set_checksums!(listed, &part.checksums);
        parts.push(listed);
    }
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        is_truncated: Some(following.next().is_some()),
        max_parts: Some(count(limit)),
        part_number_marker: Some(input.part_number_marker.unwrap_or(0)),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        parts: Some(parts),
        owner: Some(owner()),
        storage_class: Some(upload.attributes.storage_class.into()),
        ..ListPartsOutput::default()
    }))
}
