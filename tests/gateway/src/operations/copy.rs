//! CopyObject and UploadPartCopy. Both share the bytes of the source. A copy has an access control list of its own.

use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::front::summary::percent_decode;
use crate::operations::answers::{timestamp, write_error};
use crate::operations::attributes::text;
use crate::operations::conditions::{ReadConditions, check_write, etag, precondition_failed};
use crate::operations::parts::store;
use crate::operations::{Answer, Operations};
use crate::quirks::CopySourceConditions;
use crate::requests::Touched;
use crate::storage::hexadecimal;
use crate::storage::object::{Object, Part};

/// Larger objects are copied part by part.
const MAXIMUM_LENGTH: u64 = 5 * 1024 * 1024 * 1024;

pub(super) async fn object(gateway: &Operations, request: S3Request<CopyObjectInput>) -> Answer<CopyObjectOutput> {
    let (input, headers) = (request.input, request.headers);
    let target = gateway.bucket(&input.bucket)?;
    let (bucket, key) = source(&input.copy_source)?;
    let from = gateway.object(bucket, key)?;
    source_conditions(gateway, &headers)?.check(&from).map_err(|_| precondition_failed())?;
    if from.data.length() > MAXIMUM_LENGTH {
        return Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source: 5368709120",
        ));
    }

    let replaces = |directive: Option<&str>| directive == Some("REPLACE");
    let mut attributes = gateway.attributes(&headers, input.metadata)?;
    let replaces_metadata = replaces(input.metadata_directive.as_ref().map(MetadataDirective::as_str));
    if !replaces_metadata {
        attributes.headers.clone_from(&from.attributes.headers);
        attributes.metadata.clone_from(&from.attributes.metadata);
    }
    if !replaces(input.tagging_directive.as_ref().map(TaggingDirective::as_str)) {
        attributes.tags.clone_from(&from.attributes.tags);
    }
    if bucket == input.bucket
        && key == input.key
        && !replaces_metadata
        && attributes.storage_class == from.attributes.storage_class
    {
        return Err(S3Error::with_message(
            S3ErrorCode::InvalidRequest,
            "This copy request is illegal because it is trying to copy an object to itself without changing the \
             object's metadata, storage class, website redirect location or encryption attributes.",
        ));
    }

    let behaviour = gateway.behaviour();
    let object = gateway
        .storage
        .put(&target, &input.key, |existing| {
            if behaviour.conditional_copy {
                check_write(&headers, existing, behaviour, true)?;
            }
            Ok(Object {
                key: input.key.clone(),
                etag: from.etag.clone(),
                modified: gateway.now(),
                attributes,
                checksums: from.checksums.clone(),
                parts: from.parts.clone(),
                data: from.data.clone(),
            })
        })
        .map_err(write_error)?;
    let mut answer = S3Response::new(CopyObjectOutput {
        copy_object_result: Some(CopyObjectResult {
            e_tag: Some(etag(&object.etag)),
            last_modified: Some(timestamp(object.modified)),
            ..CopyObjectResult::default()
        }),
        ..CopyObjectOutput::default()
    });
    answer.extensions.insert(Touched(object.etag.clone()));
    Ok(answer)
}

pub(super) async fn part(
    gateway: &Operations,
    request: S3Request<UploadPartCopyInput>,
) -> Answer<UploadPartCopyOutput> {
    let (input, headers) = (request.input, request.headers);
    let (bucket, key) = source(&input.copy_source)?;
    let key = if gateway.behaviour().part_source_decoded_twice { percent_decode(key) } else { key.to_owned() };
    let from = gateway.object(bucket, &key)?;
    source_conditions(gateway, &headers)?.check(&from).map_err(|_| precondition_failed())?;
    let data = match &input.copy_source_range {
        None => from.data.clone(),
        Some(range) => from.data.slice(source_range(range, from.data.length())?),
    };
    let mut md5 = Md5::new();
    let mut reader = data.clone().reader();
    while let Some(piece) = reader.next_piece().map_err(S3Error::internal_error)? {
        md5.update(&piece);
    }
    let part = Part { md5: md5.finalize().into(), modified: gateway.now(), checksums: Vec::new(), data };
    let result = CopyPartResult {
        e_tag: Some(etag(&hexadecimal(&part.md5))),
        last_modified: Some(timestamp(part.modified)),
        ..CopyPartResult::default()
    };
    store(gateway, &input.bucket, &input.key, &input.upload_id, input.part_number, part)?;
    Ok(S3Response::new(UploadPartCopyOutput { copy_part_result: Some(result), ..UploadPartCopyOutput::default() }))
}

fn source(source: &CopySource) -> S3Result<(&str, &str)> {
    match source {
        CopySource::Bucket { bucket, key, .. } => Ok((bucket, key)),
        _ => Err(S3ErrorCode::NotImplemented.into()),
    }
}

/// Both ends must lie in the source, unlike those of a read.
fn source_range(range: &str, length: u64) -> S3Result<std::ops::Range<u64>> {
    let invalid = || {
        S3Error::with_message(
            S3ErrorCode::InvalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the \
             zero-based offsets of the first and last bytes to copy",
        )
    };
    match Range::parse(range) {
        Ok(Range::Int { first, last: Some(last) }) if last < length => Ok(first..last + 1),
        Ok(Range::Int { last: Some(_), .. }) => Err(S3ErrorCode::InvalidRange.into()),
        _ => Err(invalid()),
    }
}

fn source_conditions(gateway: &Operations, headers: &HeaderMap) -> S3Result<ReadConditions> {
    let prefix = match gateway.behaviour().copy_source_conditions {
        CopySourceConditions::Aws => "x-amz-copy-source-if",
        CopySourceConditions::Radosgw => "x-amz-copy-if",
    };
    let invalid = || S3Error::from(S3ErrorCode::InvalidArgument);
    let condition = |name: &str| {
        let value = text(headers, &format!("{prefix}-{name}"));
        value.map(|value| value.parse::<ETagCondition>().map_err(|_| invalid())).transpose()
    };
    let date = |name: &str| {
        let value = text(headers, &format!("{prefix}-{name}"));
        value.map(|value| Timestamp::parse(TimestampFormat::HttpDate, value).map_err(|_| invalid())).transpose()
    };
    Ok(ReadConditions {
        if_match: condition("match")?,
        if_none_match: condition("none-match")?,
        if_modified_since: date("modified-since")?,
        if_unmodified_since: date("unmodified-since")?,
    })
}
