//! GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration, DeleteBucketLifecycle, and GetBucketVersioning, whose
//! answer is always that no versions are kept.

use std::collections::BTreeSet;
use std::hash::{BuildHasher, RandomState};

use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response};

use crate::operations::answers::plain_write_error;
use crate::operations::{Answer, Operations, now};

pub(super) async fn get(
    gateway: &Operations,
    request: S3Request<GetBucketLifecycleConfigurationInput>,
) -> Answer<GetBucketLifecycleConfigurationOutput> {
    let rules = gateway.bucket(&request.input.bucket)?.lifecycle().ok_or_else(|| {
        S3Error::with_message(S3ErrorCode::NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist")
    })?;
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput { rules: Some(rules), ..Default::default() }))
}

/// Replaces all rules. One without an id gets one.
pub(super) async fn put(
    gateway: &Operations,
    request: S3Request<PutBucketLifecycleConfigurationInput>,
) -> Answer<PutBucketLifecycleConfigurationOutput> {
    let input = request.input;
    let bucket = gateway.bucket(&input.bucket)?;
    let mut rules = input.lifecycle_configuration.map(|configuration| configuration.rules).unwrap_or_default();
    let mut ids = BTreeSet::new();
    for rule in &mut rules {
        let id = rule.id.get_or_insert_with(|| format!("{:016x}", RandomState::new().hash_one(now())));
        if !ids.insert(id.clone()) {
            let message = "Rule ID must be unique. Found same ID for more than one rule";
            return Err(S3Error::with_message(S3ErrorCode::InvalidArgument, message));
        }
    }
    if rules.is_empty() {
        return Err(S3ErrorCode::MalformedXML.into());
    }
    gateway.storage.set_lifecycle(&bucket, Some(rules)).map_err(plain_write_error)?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub(super) async fn delete(
    gateway: &Operations,
    request: S3Request<DeleteBucketLifecycleInput>,
) -> Answer<DeleteBucketLifecycleOutput> {
    let bucket = gateway.bucket(&request.input.bucket)?;
    gateway.storage.set_lifecycle(&bucket, None).map_err(plain_write_error)?;
    Ok(S3Response::with_status(DeleteBucketLifecycleOutput::default(), http::StatusCode::NO_CONTENT))
}

pub(super) async fn versioning(
    gateway: &Operations,
    request: S3Request<GetBucketVersioningInput>,
) -> Answer<GetBucketVersioningOutput> {
    gateway.bucket(&request.input.bucket)?;
    Ok(S3Response::new(GetBucketVersioningOutput::default()))
}
