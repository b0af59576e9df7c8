//! What the requests of all operations have in common.

use bytes::Bytes;
use http::Method;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};

use crate::gateway::OperationRequest;
use crate::http::Payload;
use crate::{Error, ErrorKind, Result};

use super::digest::PayloadDigest;

/// Longest key in bytes, the same on AWS and Radosgw (`rgw_max_obj_name_length` aside).
const LONGEST_KEY: usize = 1024;

/// A request about a bucket, without query, headers and body.
pub(super) fn about_bucket(method: Method, bucket: &str) -> OperationRequest {
    OperationRequest::new(method, bucket, "")
}

/// A request about an object, without query, headers and body.
///
/// # Errors
/// `InvalidPath` for an empty key, which would turn an operation on an object into one on its bucket, and for one that
/// is too long.
pub(super) fn about_object(method: Method, bucket: &str, key: &str) -> Result<OperationRequest> {
    if key.is_empty() {
        return Err(Error::new(ErrorKind::InvalidPath, "the bucket itself is no object: name a key in it"));
    }
    if key.len() > LONGEST_KEY {
        let message = format!("the key has {} bytes, and S3 takes at most {LONGEST_KEY}", key.len());
        return Err(Error::new(ErrorKind::InvalidPath, message));
    }
    Ok(OperationRequest::new(method, bucket, key))
}

/// Sets a header.
///
/// # Errors
/// `InvalidOption` for a value that no header can hold.
pub(super) fn set_header(request: &mut OperationRequest, name: &'static str, value: &str) -> Result<()> {
    insert(request, HeaderName::from_static(name), value)
}

/// Sets a header where there is a value for it.
///
/// # Errors
/// `InvalidOption` for a value that no header can hold.
pub(super) fn set_header_if_some(
    request: &mut OperationRequest,
    name: &'static str,
    value: Option<&str>,
) -> Result<()> {
    value.map_or(Ok(()), |value| set_header(request, name, value))
}

/// Sets a header `x-amz-meta-<name>`.
///
/// # Errors
/// `InvalidOption` for a name or value that no header can hold.
pub(super) fn set_metadata(request: &mut OperationRequest, name: &str, value: &str) -> Result<()> {
    let header = HeaderName::try_from(format!("{METADATA_PREFIX}{name}"))
        .map_err(|_| Error::new(ErrorKind::InvalidOption, format!("{name:?} is no name for user metadata")))?;
    insert(request, header, value)
}

/// Beginning of the headers that hold user metadata.
pub(crate) const METADATA_PREFIX: &str = "x-amz-meta-";

fn insert(request: &mut OperationRequest, name: HeaderName, value: &str) -> Result<()> {
    let value = HeaderValue::try_from(value)
        .map_err(|_| Error::new(ErrorKind::InvalidOption, format!("the header {name} cannot hold {value:?}")))?;
    request.headers.insert(name, value);
    Ok(())
}

/// Sets the body, and what the gateway is to check it against.
///
/// # Errors
/// None that can happen; the type is the one of the other setters.
pub(super) fn set_payload(request: &mut OperationRequest, payload: Payload, digest: &PayloadDigest) -> Result<()> {
    set_header_if_some(request, "content-md5", digest.content_md5().as_deref())?;
    request.payload_hash = digest.payload_hash;
    request.payload = payload;
    Ok(())
}

/// Sets an XML body.
pub(super) fn set_document(request: &mut OperationRequest, document: String) -> Result<()> {
    let payload = Payload::from(Bytes::from(document));
    let digest = PayloadDigest::with_md5(&payload)?;
    request.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    set_payload(request, payload, &digest)
}
