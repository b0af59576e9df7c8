//! ListBuckets, CreateBucket, DeleteBucket, HeadBucket, GetBucketLocation.

use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response};

use crate::operations::answers::{owner, timestamp};
use crate::operations::{Answer, Operations};
use crate::storage::BucketRemoval;

pub(super) async fn list(gateway: &Operations, _: S3Request<ListBucketsInput>) -> Answer<ListBucketsOutput> {
    let buckets = gateway.storage.buckets();
    Ok(S3Response::new(ListBucketsOutput {
        buckets: Some(
            buckets
                .iter()
                .map(|bucket| Bucket {
                    name: Some(bucket.name.clone()),
                    creation_date: Some(timestamp(bucket.created)),
                    ..Bucket::default()
                })
                .collect(),
        ),
        owner: Some(owner()),
        ..ListBucketsOutput::default()
    }))
}

/// Creating a bucket one owns already succeeds, as in Radosgw and in us-east-1.
pub(super) async fn create(gateway: &Operations, request: S3Request<CreateBucketInput>) -> Answer<CreateBucketOutput> {
    let bucket = request.input.bucket;
    gateway.storage.create_bucket(&bucket, gateway.now()).map_err(S3Error::internal_error)?;
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{bucket}")) }))
}

pub(super) async fn delete(gateway: &Operations, request: S3Request<DeleteBucketInput>) -> Answer<DeleteBucketOutput> {
    let removal = gateway.storage.remove_bucket(&request.input.bucket).map_err(S3Error::internal_error)?;
    match removal {
        BucketRemoval::Removed => {
            Ok(S3Response::with_status(DeleteBucketOutput::default(), http::StatusCode::NO_CONTENT))
        }
        BucketRemoval::NotEmpty => {
            Err(S3Error::with_message(S3ErrorCode::BucketNotEmpty, "The bucket you tried to delete is not empty"))
        }
        BucketRemoval::Missing => Err(S3ErrorCode::NoSuchBucket.into()),
    }
}

pub(super) async fn head(gateway: &Operations, request: S3Request<HeadBucketInput>) -> Answer<HeadBucketOutput> {
    gateway.bucket(&request.input.bucket)?;
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(gateway.region.clone()), ..HeadBucketOutput::default() }))
}

pub(super) async fn location(
    gateway: &Operations,
    request: S3Request<GetBucketLocationInput>,
) -> Answer<GetBucketLocationOutput> {
    gateway.bucket(&request.input.bucket)?;
    // S3 leaves the element empty for its first region.
    let region = Some(&gateway.region).filter(|region| *region != "us-east-1");
    Ok(S3Response::new(GetBucketLocationOutput {
        location_constraint: region.map(|region| BucketLocationConstraint::from(region.clone())),
    }))
}
