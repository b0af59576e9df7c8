//! GetObject, HeadObject, GetObjectAttributes.

use std::ops::Range as ByteRange;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use futures::Stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use s3s::dto::*;
use s3s::stream::{ByteStream, RemainingLength};
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result, StdError};

use crate::operations::answers::{count, custom, length, timestamp};
use crate::operations::checksums::{checksum_type, set_checksums};
use crate::operations::conditions::{ReadConditions, Unmet, etag, precondition_failed};
use crate::operations::{Answer, Operations};
use crate::storage::blob::DataReader;
use crate::storage::object::Object;

pub(super) async fn get(gateway: &Operations, request: S3Request<GetObjectInput>) -> Answer<GetObjectOutput> {
    let input = request.input;
    let object = gateway.object(&input.bucket, &input.key)?;
    check(
        &object,
        &ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        },
    )?;
    let selection = Selection::new(gateway, &object, input.range, input.part_number)?;
    let data = object.data.slice(selection.range.clone());
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(StreamingBlob::new(Pieces(data.reader()))),
        content_length: Some(selection.length()),
        content_range: selection.content_range(),
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(timestamp(object.modified)),
        metadata: metadata(&object),
        parts_count: selection.parts_count,
        storage_class: storage_class(&object),
        tag_count: Some(count(object.attributes.tags.len())).filter(|count| *count > 0),
        ..GetObjectOutput::default()
    };
    if shows_checksums(input.checksum_mode.as_ref(), &selection) {
        set_checksums!(output, &object.checksums);
        output.checksum_type = checksum_type(&object.checksums);
    }
    Ok(S3Response::with_headers(output, headers(&object)?))
}

pub(super) async fn head(gateway: &Operations, request: S3Request<HeadObjectInput>) -> Answer<HeadObjectOutput> {
    let input = request.input;
    let object = gateway.object(&input.bucket, &input.key)?;
    check(
        &object,
        &ReadConditions {
            if_match: input.if_match,
            if_none_match: input.if_none_match,
            if_modified_since: input.if_modified_since,
            if_unmodified_since: input.if_unmodified_since,
        },
    )?;
    let selection = Selection::new(gateway, &object, input.range, input.part_number)?;
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        content_length: Some(selection.length()),
        content_range: selection.content_range(),
        e_tag: Some(etag(&object.etag)),
        last_modified: Some(timestamp(object.modified)),
        metadata: metadata(&object),
        parts_count: selection.parts_count,
        storage_class: storage_class(&object),
        ..HeadObjectOutput::default()
    };
    if shows_checksums(input.checksum_mode.as_ref(), &selection) {
        set_checksums!(output, &object.checksums);
        output.checksum_type = checksum_type(&object.checksums);
    }
    let partial = selection.partial;
    let mut response = S3Response::with_headers(output, headers(&object)?);
    // The typed answer to HEAD has no place for it.
    if !object.attributes.tags.is_empty() {
        response.headers.insert("x-amz-tagging-count", object.attributes.tags.len().into());
    }
    response.status = partial.then_some(StatusCode::PARTIAL_CONTENT);
    Ok(response)
}

pub(super) async fn attributes(
    gateway: &Operations,
    request: S3Request<GetObjectAttributesInput>,
) -> Answer<GetObjectAttributesOutput> {
    if !gateway.behaviour().object_attributes {
        return Err(S3ErrorCode::InternalError.into());
    }
    let input = request.input;
    let object = gateway.object(&input.bucket, &input.key)?;
    let asked = |name: &str| input.object_attributes.iter().any(|attribute| attribute.as_str() == name);
    let mut output = GetObjectAttributesOutput {
        last_modified: Some(timestamp(object.modified)),
        ..GetObjectAttributesOutput::default()
    };
    if asked(ObjectAttributes::ETAG) {
        output.e_tag = Some(etag(&object.etag));
    }
    if asked(ObjectAttributes::OBJECT_SIZE) {
        output.object_size = Some(length(object.data.length()));
    }
    if asked(ObjectAttributes::STORAGE_CLASS) {
        output.storage_class = Some(object.attributes.storage_class.clone().into());
    }
    if asked(ObjectAttributes::CHECKSUM) && !object.checksums.is_empty() {
        let mut checksum = Checksum { checksum_type: checksum_type(&object.checksums), ..Checksum::default() };
        set_checksums!(checksum, &object.checksums);
        output.checksum = Some(checksum);
    }
    if asked(ObjectAttributes::OBJECT_PARTS) && !object.parts.is_empty() {
        output.object_parts = Some(GetObjectAttributesParts {
            total_parts_count: Some(count(object.parts.len())),
            ..GetObjectAttributesParts::default()
        });
    }
    Ok(S3Response::new(output))
}

fn check(object: &Object, conditions: &ReadConditions) -> S3Result<()> {
    conditions.check(object).map_err(|unmet| match unmet {
        Unmet::PreconditionFailed => precondition_failed(),
        Unmet::NotModified => {
            let mut error = S3Error::new(S3ErrorCode::NotModified);
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&format!("\"{}\"", object.etag)) {
                headers.insert(http::header::ETAG, value);
            }
            error.set_headers(headers);
            error
        }
    })
}

/// Which bytes of an object a read answers with.
struct Selection {
    range: ByteRange<u64>,
    partial: bool,
    whole: u64,
    parts_count: Option<i32>,
}

impl Selection {
    fn new(gateway: &Operations, object: &Object, range: Option<Range>, part: Option<i32>) -> S3Result<Self> {
        let whole = object.data.length();
        let part = part.filter(|_| gateway.behaviour().part_number);
        let (range, partial, parts_count) = match (part, range) {
            (Some(_), Some(_)) => {
                return Err(S3Error::with_message(
                    S3ErrorCode::InvalidRequest,
                    "Cannot specify both Range header and partNumber query parameter",
                ));
            }
            (Some(number), None) => {
                let parts_count = (!object.parts.is_empty()).then(|| count(object.parts.len()));
                (part_range(object, number)?, true, parts_count)
            }
            (None, Some(range)) => {
                let range = range.check(whole).map_err(|_| invalid_range(whole))?;
                (range, true, None)
            }
            (None, None) => (0..whole, false, None),
        };
        Ok(Self { range, partial, whole, parts_count })
    }

    fn length(&self) -> i64 {
        length(self.range.end - self.range.start)
    }

    fn content_range(&self) -> Option<String> {
        let last = self.range.end.checked_sub(1)?;
        self.partial.then(|| format!("bytes {}-{last}/{}", self.range.start, self.whole))
    }
}

fn part_range(object: &Object, number: i32) -> S3Result<ByteRange<u64>> {
    let index = usize::try_from(number).ok().and_then(|number| number.checked_sub(1));
    let whole = 0..object.data.length();
    let mut lengths = object.parts.iter();
    let range = match index {
        Some(0) if object.parts.is_empty() => Some(whole),
        Some(index) => {
            let start: u64 = lengths.by_ref().take(index).sum();
            lengths.next().map(|length| start..start + length)
        }
        None => None,
    };
    range.ok_or_else(|| {
        custom("InvalidPartNumber", StatusCode::RANGE_NOT_SATISFIABLE, "The requested partnumber is not satisfiable")
    })
}

fn invalid_range(whole: u64) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::InvalidRange, "The requested range is not satisfiable");
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(&format!("bytes */{whole}")) {
        headers.insert(http::header::CONTENT_RANGE, value);
    }
    error.set_headers(headers);
    error
}

/// A checksum covers the whole object, so a part of it shows none.
fn shows_checksums(mode: Option<&ChecksumMode>, selection: &Selection) -> bool {
    !selection.partial && mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED)
}

fn metadata(object: &Object) -> Option<Metadata> {
    let metadata = &object.attributes.metadata;
    (!metadata.is_empty()).then(|| metadata.clone().into_iter().collect())
}

/// S3 names the storage class of an object only when it is not STANDARD.
fn storage_class(object: &Object) -> Option<StorageClass> {
    let class = &object.attributes.storage_class;
    (class != "STANDARD").then(|| class.clone().into())
}

fn headers(object: &Arc<Object>) -> S3Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in &object.attributes.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(S3Error::internal_error)?;
        headers.insert(name, HeaderValue::from_str(value).map_err(S3Error::internal_error)?);
    }
    headers.entry(http::header::CONTENT_TYPE).or_insert(HeaderValue::from_static("binary/octet-stream"));
    Ok(headers)
}

/// Streams stored data. A read from disk happens on the connection's thread: the pieces are large
/// and nearly always in the page cache.
struct Pieces(DataReader);

impl Stream for Pieces {
    type Item = Result<Bytes, StdError>;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(self.0.next_piece().map_err(Into::into).transpose())
    }
}

impl ByteStream for Pieces {
    fn remaining_length(&self) -> RemainingLength {
        usize::try_from(self.0.remaining()).map_or_else(|_| RemainingLength::unknown(), RemainingLength::new_exact)
    }
}
