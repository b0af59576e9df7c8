//! Taking in the body of an upload: stored, hashed and checked while it arrives.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures::StreamExt;
use http::HeaderMap;
use md5::{Digest, Md5};
use s3s::dto::StreamingBlob;
use s3s::{S3Error, S3ErrorCode, S3Result, StdError, TrailingHeaders};

use crate::operations::Operations;
use crate::operations::answers::custom;
use crate::operations::attributes::text;
use crate::storage::blob::Data;
use crate::storage::object::Checksum;

/// The most bytes that PutObject and UploadPart take.
const MAXIMUM_LENGTH: u64 = 5 * 1024 * 1024 * 1024;

/// A body that has arrived and passed every check its request asked for.
pub(super) struct Received {
    pub(super) data: Data,
    pub(super) md5: [u8; 16],
    pub(super) checksums: Vec<Checksum>,
}

impl Operations {
    pub(super) async fn receive(
        &self,
        body: Option<StreamingBlob>,
        headers: &HeaderMap,
        trailers: Option<TrailingHeaders>,
    ) -> S3Result<Received> {
        let chunked = text(headers, "x-amz-content-sha256").is_some_and(|value| value.starts_with("STREAMING-"));
        let expected = text(headers, if chunked { "x-amz-decoded-content-length" } else { "content-length" })
            .and_then(|length| length.parse().ok());
        if expected.is_some_and(|length: u64| length > MAXIMUM_LENGTH) {
            return Err(S3ErrorCode::EntityTooLarge.into());
        }
        if chunked && expected == Some(0) && self.behaviour().refuses_empty_chunked {
            return Err(sha256_mismatch());
        }

        let mut writer = self.storage.writer(expected).map_err(S3Error::internal_error)?;
        let mut md5 = Md5::new();
        let mut checksum = self.expected_checksum(headers);
        if let Some(mut body) = body {
            while let Some(bytes) = body.next().await {
                let bytes = bytes.map_err(|error| body_error(&error))?;
                md5.update(&bytes);
                if let Some(checksum) = &mut checksum {
                    checksum.update(&bytes);
                }
                writer.write(&bytes).map_err(S3Error::internal_error)?;
            }
        }
        let md5: [u8; 16] = md5.finalize().into();
        if let Some(claimed) = text(headers, "content-md5") {
            let claimed = BASE64_STANDARD.decode(claimed).ok().filter(|digest| digest.len() == 16);
            if claimed.ok_or(S3ErrorCode::InvalidDigest)? != md5 {
                return Err(S3Error::with_message(
                    S3ErrorCode::BadDigest,
                    "The Content-MD5 you specified did not match what we received.",
                ));
            }
        }
        let trailer = trailers.and_then(|trailers| trailers.take());
        let checksum = checksum.map(|checksum| checksum.verify(trailer.as_ref())).transpose()?;
        Ok(Received {
            data: writer.finish().map_err(S3Error::internal_error)?,
            md5,
            checksums: checksum.into_iter().collect(),
        })
    }
}

/// The `s3s` crate checks body hashes in the stream and keeps its error types to itself, so the
/// text is all there is to tell them apart.
fn body_error(error: &StdError) -> S3Error {
    let text = error.to_string();
    if text.contains("Sha256Mismatch") {
        sha256_mismatch()
    } else if text.contains("SignatureMismatch") {
        S3ErrorCode::SignatureDoesNotMatch.into()
    } else {
        S3Error::with_message(S3ErrorCode::IncompleteBody, text)
    }
}

fn sha256_mismatch() -> S3Error {
    custom(
        "XAmzContentSHA256Mismatch",
        http::StatusCode::BAD_REQUEST,
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
    )
}
