//! CreateMultipartUpload, CompleteMultipartUpload, AbortMultipartUpload, ListMultipartUploads.

use std::hash::{BuildHasher, RandomState};

use md5::{Digest, Md5};
use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::front::rewrite::Replayed;
use crate::operations::answers::{count, no_such_upload, plain_write_error, timestamp, write_error};
use crate::operations::checksums::{checksum_type, of_upload, set_checksums};
use crate::operations::conditions::{check_write, etag};
use crate::operations::listing::encoder;
use crate::operations::{Answer, Operations, now};
use crate::requests::Touched;
use crate::storage::blob::Data;
use crate::storage::object::{ChecksumAlgorithm, Object, Upload};
use crate::storage::{WriteError, hexadecimal};

const DEFAULT_MAX_UPLOADS: usize = 1000;

pub(super) async fn create(
    gateway: &Operations,
    request: S3Request<CreateMultipartUploadInput>,
) -> Answer<CreateMultipartUploadOutput> {
    let (input, headers) = (request.input, request.headers);
    let bucket = gateway.bucket(&input.bucket)?;
    let algorithm = input
        .checksum_algorithm
        .as_ref()
        .filter(|_| gateway.keeps_checksums(&headers))
        .and_then(|algorithm| ChecksumAlgorithm::named(algorithm.as_str()));
    let full_object = match input.checksum_type.as_ref().map(ChecksumType::as_str) {
        Some(name) => name == ChecksumType::FULL_OBJECT,
        None => algorithm == Some(ChecksumAlgorithm::Crc64Nvme),
    };
    let upload = Upload {
        id: upload_id(),
        key: input.key.clone(),
        initiated: gateway.now(),
        attributes: gateway.attributes(&headers, input.metadata)?,
        checksum: algorithm.map(|algorithm| (algorithm, full_object)),
        parts: std::collections::BTreeMap::new(),
    };
    let id = upload.id.clone();
    gateway.storage.create_upload(&bucket, upload).map_err(plain_write_error)?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: algorithm.map(|algorithm| algorithm.name().to_owned().into()),
        checksum_type: algorithm.and(input.checksum_type),
        ..CreateMultipartUploadOutput::default()
    }))
}

/// Never the same twice, and hard to guess.
fn upload_id() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(now()), random.hash_one("upload"))
}

pub(super) async fn complete(
    gateway: &Operations,
    request: S3Request<CompleteMultipartUploadInput>,
) -> Answer<CompleteMultipartUploadOutput> {
    let (input, headers) = (request.input, request.headers);
    let bucket = gateway.bucket(&input.bucket)?;
    let behaviour = gateway.behaviour();
    let parts = claimed_parts(input.multipart_upload, behaviour.complete_takes_all_parts)?;
    let mut replayed = false;
    let completed =
        gateway.storage.complete_upload::<S3Error>(&bucket, &input.key, &input.upload_id, |upload, existing| {
            if behaviour.conditional_complete {
                check_write(&headers, existing, behaviour, true)?;
            }
            assemble(gateway, upload, &parts)
        });
    let object = match completed {
        Err(WriteError::NoSuchUpload) => {
            // A replay is known by what it would have made.
            replayed = true;
            let digests = parts.iter().filter_map(|(_, etag)| binary_digest(etag)).collect::<Vec<_>>();
            bucket
                .object(&input.key)
                .filter(|object| object.etag == etag_of_parts(&digests))
                .ok_or_else(|| unknown_upload(gateway))?
        }
        other => other.map_err(write_error)?,
    };
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: Some(etag(&object.etag)),
        checksum_type: checksum_type(&object.checksums),
        ..CompleteMultipartUploadOutput::default()
    };
    set_checksums!(output, &object.checksums);
    let mut response = S3Response::new(output);
    response.extensions.insert(Touched(object.etag.clone()));
    if replayed {
        response.extensions.insert(Replayed);
    }
    Ok(response)
}

/// Numbers and bare ETags that the client lists.
fn claimed_parts(upload: Option<CompletedMultipartUpload>, sorts: bool) -> S3Result<Vec<(u32, String)>> {
    let listed = upload.and_then(|upload| upload.parts).unwrap_or_default();
    let mut parts: Vec<(u32, String)> = Vec::with_capacity(listed.len());
    for part in listed {
        let number = part.part_number.and_then(|number| u32::try_from(number).ok());
        let (Some(number), Some(etag)) = (number, part.e_tag) else {
            return Err(S3ErrorCode::MalformedXML.into());
        };
        if !sorts && parts.last().is_some_and(|(last, _)| *last >= number) {
            return Err(S3Error::with_message(
                S3ErrorCode::InvalidPartOrder,
                "The list of parts was not in ascending order. Parts must be ordered by part number.",
            ));
        }
        parts.push((number, etag.into_value()));
    }
    if parts.is_empty() {
        return Err(S3ErrorCode::MalformedXML.into());
    }
    parts.sort();
    Ok(parts)
}

fn assemble(gateway: &Operations, upload: &Upload, claimed: &[(u32, String)]) -> S3Result<Object> {
    if gateway.behaviour().complete_takes_all_parts && claimed.len() != upload.parts.len() {
        return Err(S3ErrorCode::InvalidPart.into());
    }
    let mut parts = Vec::with_capacity(claimed.len());
    for (number, etag) in claimed {
        let part = upload.parts.get(number).filter(|part| hexadecimal(&part.md5) == *etag).ok_or_else(|| {
            S3Error::with_message(
                S3ErrorCode::InvalidPart,
                format!("Part {number} was not found, or its ETag is not the one of the part."),
            )
        })?;
        parts.push(part);
    }
    let all_but_last = parts.len().saturating_sub(1);
    if parts.iter().take(all_but_last).any(|part| part.data.length() < gateway.minimum_part_size) {
        return Err(S3Error::with_message(
            S3ErrorCode::EntityTooSmall,
            "Your proposed upload is smaller than the minimum allowed size",
        ));
    }
    let data: Data = parts.iter().map(|part| part.data.clone()).collect();
    let digests: Vec<_> = parts.iter().map(|part| part.md5).collect();
    let checksum = match upload.checksum {
        None => None,
        Some((algorithm, full_object)) => {
            of_upload(algorithm, full_object, &parts, &data).map_err(S3Error::internal_error)?
        }
    };
    Ok(Object {
        key: upload.key.clone(),
        etag: etag_of_parts(&digests),
        modified: gateway.now(),
        attributes: upload.attributes.clone(),
        checksums: checksum.into_iter().collect(),
        parts: parts.iter().map(|part| part.data.length()).collect(),
        data,
    })
}

fn etag_of_parts(digests: &[[u8; 16]]) -> String {
    let mut md5 = Md5::new();
    for digest in digests {
        md5.update(digest);
    }
    format!("{}-{}", hexadecimal(&md5.finalize()), digests.len())
}

fn binary_digest(etag: &str) -> Option<[u8; 16]> {
    let value = u128::from_str_radix(etag, 16).ok().filter(|_| etag.len() == 32)?;
    Some(value.to_be_bytes())
}

fn unknown_upload(gateway: &Operations) -> S3Error {
    if gateway.behaviour().complete_unknown_is_500 {
        S3Error::with_message(S3ErrorCode::InternalError, "This multipart completion is already in progress")
    } else {
        no_such_upload()
    }
}

pub(super) async fn abort(
    gateway: &Operations,
    request: S3Request<AbortMultipartUploadInput>,
) -> Answer<AbortMultipartUploadOutput> {
    let input = request.input;
    let bucket = gateway.bucket(&input.bucket)?;
    gateway.storage.abort_upload(&bucket, &input.key, &input.upload_id).map_err(plain_write_error)?;
    Ok(S3Response::with_status(AbortMultipartUploadOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn list(
    gateway: &Operations,
    request: S3Request<ListMultipartUploadsInput>,
) -> Answer<ListMultipartUploadsOutput> {
    let input = request.input;
    let bucket = gateway.bucket(&input.bucket)?;
    let limit = input
        .max_uploads
        .and_then(|limit| usize::try_from(limit).ok())
        .map_or(DEFAULT_MAX_UPLOADS, |limit| limit.min(DEFAULT_MAX_UPLOADS));
    let prefix = input.prefix.clone().unwrap_or_default();
    let key_marker = input.key_marker.clone().filter(|marker| !marker.is_empty());
    // A key marker without an upload id means: after every upload of that key.
    let after = key_marker.map(|key| {
        let id = input.upload_id_marker.clone().filter(|id| !id.is_empty());
        (key, id.unwrap_or_else(|| char::MAX.to_string()))
    });
    let mut found = bucket.uploads(&prefix, after).into_iter().peekable();
    let encode = encoder(input.encoding_type.as_ref());
    let delimiter = input.delimiter.clone().filter(|delimiter| !delimiter.is_empty());

    let mut uploads = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut last = None;
    while uploads.len() + prefixes.len() < limit {
        let Some(upload) = found.next() else { break };
        last = Some((upload.key.clone(), upload.id.clone()));
        let common = delimiter.as_deref().and_then(|delimiter| {
            let at = upload.key.get(prefix.len()..)?.find(delimiter)?;
            upload.key.get(..prefix.len() + at + delimiter.len())
        });
        if let Some(common) = common {
            // The rest of the group belongs to the same entry.
            while let Some(next) = found.next_if(|next| next.key.starts_with(common)) {
                last = Some((next.key, next.id));
            }
            prefixes.push(common.to_owned());
            continue;
        }
        uploads.push(MultipartUpload {
            key: Some(encode(&upload.key)),
            upload_id: Some(upload.id),
            initiated: Some(timestamp(upload.initiated)),
            storage_class: Some(upload.attributes.storage_class.into()),
            ..MultipartUpload::default()
        });
    }
    let truncated = found.peek().is_some();
    let (next_key_marker, next_upload_id_marker) = last.filter(|_| truncated).unzip();
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: Some(encode(&prefix)),
        delimiter: input.delimiter.map(|delimiter| encode(&delimiter)),
        encoding_type: input.encoding_type,
        key_marker: Some(encode(&input.key_marker.unwrap_or_default())),
        upload_id_marker: Some(input.upload_id_marker.unwrap_or_default()),
        max_uploads: Some(count(limit)),
        is_truncated: Some(truncated),
        next_key_marker: next_key_marker.map(|key| encode(&key)),
        next_upload_id_marker,
        uploads: Some(uploads),
        common_prefixes: Some(prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(encode(prefix)) }).collect()),
        request_charged: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn etag_of_parts_is_the_md5_of_their_md5s() {
        let digests = [b"one", b"two"].map(|part| <[u8; 16]>::from(Md5::digest(part)));
        // echo -n one | md5sum, the same for two, both as binary into md5sum.
        assert_eq!(etag_of_parts(&digests), "1397b7ee3222e3980d0d20f23a871b02-2");
        let hex = hexadecimal(&digests[0]);
        assert_eq!(binary_digest(&hex), Some(digests[0]));
        assert_eq!(binary_digest("xyz"), None);
    }
}
