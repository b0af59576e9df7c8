//! GetObjectTagging, PutObjectTagging, DeleteObjectTagging.

use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result};

use crate::operations::answers::write_error;
use crate::operations::attributes::check_tags;
use crate::operations::{Answer, Operations, no_such_key};
use crate::storage::object::Object;

pub(super) async fn get(
    gateway: &Operations,
    request: S3Request<GetObjectTaggingInput>,
) -> Answer<GetObjectTaggingOutput> {
    let object = gateway.object(&request.input.bucket, &request.input.key)?;
    let tag_set =
        object.attributes.tags.iter().map(|(key, value)| Tag { key: Some(key.clone()), value: Some(value.clone()) });
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set: tag_set.collect(), version_id: None }))
}

/// Replaces all tags.
pub(super) async fn put(
    gateway: &Operations,
    request: S3Request<PutObjectTaggingInput>,
) -> Answer<PutObjectTaggingOutput> {
    let input = request.input;
    let tags: Vec<_> = input
        .tagging
        .tag_set
        .into_iter()
        .map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default()))
        .collect();
    check_tags(&tags)?;
    replace(gateway, &input.bucket, &input.key, tags)?;
    Ok(S3Response::new(PutObjectTaggingOutput::default()))
}

pub(super) async fn delete(
    gateway: &Operations,
    request: S3Request<DeleteObjectTaggingInput>,
) -> Answer<DeleteObjectTaggingOutput> {
    replace(gateway, &request.input.bucket, &request.input.key, Vec::new())?;
    Ok(S3Response::with_status(DeleteObjectTaggingOutput::default(), http::StatusCode::NO_CONTENT))
}

fn replace(gateway: &Operations, bucket: &str, key: &str, tags: Vec<(String, String)>) -> S3Result<()> {
    let bucket = gateway.bucket(bucket)?;
    gateway
        .storage
        .put::<S3Error>(&bucket, key, |existing| {
            let mut object: Object = existing.ok_or_else(no_such_key)?.clone();
            object.attributes.tags = tags;
            if gateway.behaviour().tagging_modifies {
                object.modified = gateway.now();
            }
            Ok(object)
        })
        .map_err(write_error)?;
    Ok(())
}
