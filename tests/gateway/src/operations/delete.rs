//! DeleteObject and DeleteObjects.

use std::sync::Arc;

use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::operations::answers::write_error;
use crate::operations::conditions::{DeleteConditions, unmodified_since};
use crate::operations::{Answer, Operations};
use crate::requests::Touched;
use crate::storage::bucket::Bucket;
use crate::storage::object::Object;

const MAXIMUM_KEYS: usize = 1000;

pub(super) async fn one(gateway: &Operations, request: S3Request<DeleteObjectInput>) -> Answer<DeleteObjectOutput> {
    let (input, headers) = (request.input, request.headers);
    let bucket = gateway.bucket(&input.bucket)?;
    let mut conditions = DeleteConditions::default();
    if gateway.behaviour().conditional_delete {
        conditions.etag = input.if_match;
        conditions.size = input.if_match_size;
        conditions.modified = input.if_match_last_modified_time;
    }
    if gateway.behaviour().delete_if_unmodified_since {
        conditions.unmodified_since = unmodified_since(&headers)?;
    }
    let removed = remove(gateway, &bucket, &input.key, &conditions)?;
    let mut answer = S3Response::with_status(DeleteObjectOutput::default(), http::StatusCode::NO_CONTENT);
    if let Some(removed) = removed {
        answer.extensions.insert(Touched(removed.etag.clone()));
    }
    Ok(answer)
}

pub(super) async fn many(gateway: &Operations, request: S3Request<DeleteObjectsInput>) -> Answer<DeleteObjectsOutput> {
    let input = request.input;
    let bucket = gateway.bucket(&input.bucket)?;
    if input.delete.objects.is_empty() || input.delete.objects.len() > MAXIMUM_KEYS {
        return Err(S3ErrorCode::MalformedXML.into());
    }
    let quiet = input.delete.quiet == Some(true);
    let mut deleted = Vec::new();
    let mut errors = Vec::new();
    for object in input.delete.objects {
        let mut conditions = DeleteConditions::default();
        if gateway.behaviour().conditional_delete {
            conditions.etag = object.e_tag.map(ETagCondition::ETag);
            conditions.size = object.size;
            conditions.modified = object.last_modified_time;
        }
        match remove(gateway, &bucket, &object.key, &conditions) {
            Ok(_) if quiet => {}
            Ok(_) => deleted.push(DeletedObject { key: Some(object.key), ..DeletedObject::default() }),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key),
                message: error.message().map(str::to_owned),
                version_id: None,
            }),
        }
    }
    Ok(S3Response::new(DeleteObjectsOutput { deleted: Some(deleted), errors: Some(errors), request_charged: None }))
}

/// Deleting a key that is not there succeeds.
fn remove(
    gateway: &Operations,
    bucket: &Bucket,
    key: &str,
    conditions: &DeleteConditions,
) -> S3Result<Option<Arc<Object>>> {
    gateway.storage.remove::<S3Error>(bucket, key, |existing| conditions.check(existing)).map_err(write_error)
}
