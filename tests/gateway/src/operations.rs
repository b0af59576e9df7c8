//! The S3 operations, one room per subject. Protocol, XML and signatures are the `s3s` crate's.

mod acl;
mod answers;
mod attributes;
mod body;
mod buckets;
mod checksums;
mod conditions;
mod copy;
mod delete;
mod lifecycle;
mod listing;
mod multipart;
mod parts;
mod read;
mod tagging;
mod write;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use s3s::dto::*;
use s3s::{S3, S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::quirks::{Behaviour, Quirks};
use crate::storage::Storage;
use crate::storage::bucket::Bucket;
use crate::storage::object::Object;

type Answer<T> = S3Result<S3Response<T>>;

/// What every operation needs.
#[derive(Debug)]
pub(crate) struct Operations {
    pub(crate) storage: Arc<Storage>,
    pub(crate) quirks: Quirks,
    /// Storage classes that exist besides those of [`Behaviour::storage_classes`].
    pub(crate) storage_classes: Vec<String>,
    /// The least length in bytes of a part that is not the last one.
    pub(crate) minimum_part_size: u64,
    pub(crate) region: String,
    /// How many milliseconds ago what is written now was written, as everybody is told.
    pub(crate) backdated: Arc<AtomicI64>,
}

impl Operations {
    fn behaviour(&self) -> &'static Behaviour {
        self.quirks.behaviour()
    }

    fn bucket(&self, name: &str) -> S3Result<Arc<Bucket>> {
        self.storage.bucket(name).ok_or_else(|| {
            S3Error::with_message(S3ErrorCode::NoSuchBucket, format!("The bucket {name} does not exist."))
        })
    }

    fn object(&self, bucket: &str, key: &str) -> S3Result<Arc<Object>> {
        self.bucket(bucket)?.object(key).ok_or_else(no_such_key)
    }

    /// The time for LastModified, in milliseconds since 1970.
    fn now(&self) -> i64 {
        let now = now() - self.backdated.load(Ordering::Relaxed);
        if self.behaviour().whole_seconds { now - now % 1000 } else { now }
    }
}

/// Milliseconds since 1970.
pub(crate) fn now() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|time| i64::try_from(time.as_millis()).ok())
        .unwrap_or_default()
}

fn no_such_key() -> S3Error {
    S3Error::with_message(S3ErrorCode::NoSuchKey, "The specified key does not exist.")
}

macro_rules! operations {
    ($($name:ident($input:ty) -> $output:ty = $function:path;)*) => {
        #[async_trait::async_trait]
        impl S3 for Operations {
            $(
                async fn $name(&self, request: S3Request<$input>) -> Answer<$output> {
                    $function(self, request).await
                }
            )*
        }
    };
}

operations! {
    list_buckets(ListBucketsInput) -> ListBucketsOutput = buckets::list;
    create_bucket(CreateBucketInput) -> CreateBucketOutput = buckets::create;
    delete_bucket(DeleteBucketInput) -> DeleteBucketOutput = buckets::delete;
    head_bucket(HeadBucketInput) -> HeadBucketOutput = buckets::head;
    get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput = buckets::location;
    get_bucket_versioning(GetBucketVersioningInput) -> GetBucketVersioningOutput = lifecycle::versioning;
    get_bucket_lifecycle_configuration(GetBucketLifecycleConfigurationInput)
        -> GetBucketLifecycleConfigurationOutput = lifecycle::get;
    put_bucket_lifecycle_configuration(PutBucketLifecycleConfigurationInput)
        -> PutBucketLifecycleConfigurationOutput = lifecycle::put;
    delete_bucket_lifecycle(DeleteBucketLifecycleInput) -> DeleteBucketLifecycleOutput = lifecycle::delete;
    list_objects(ListObjectsInput) -> ListObjectsOutput = listing::version_1;
    list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output = listing::version_2;
    get_object(GetObjectInput) -> GetObjectOutput = read::get;
    head_object(HeadObjectInput) -> HeadObjectOutput = read::head;
    get_object_attributes(GetObjectAttributesInput) -> GetObjectAttributesOutput = read::attributes;
    put_object(PutObjectInput) -> PutObjectOutput = write::put;
    copy_object(CopyObjectInput) -> CopyObjectOutput = copy::object;
    delete_object(DeleteObjectInput) -> DeleteObjectOutput = delete::one;
    delete_objects(DeleteObjectsInput) -> DeleteObjectsOutput = delete::many;
    get_object_tagging(GetObjectTaggingInput) -> GetObjectTaggingOutput = tagging::get;
    put_object_tagging(PutObjectTaggingInput) -> PutObjectTaggingOutput = tagging::put;
    delete_object_tagging(DeleteObjectTaggingInput) -> DeleteObjectTaggingOutput = tagging::delete;
    get_object_acl(GetObjectAclInput) -> GetObjectAclOutput = acl::get;
    put_object_acl(PutObjectAclInput) -> PutObjectAclOutput = acl::put;
    create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput = multipart::create;
    complete_multipart_upload(CompleteMultipartUploadInput) -> CompleteMultipartUploadOutput = multipart::complete;
    abort_multipart_upload(AbortMultipartUploadInput) -> AbortMultipartUploadOutput = multipart::abort;
    list_multipart_uploads(ListMultipartUploadsInput) -> ListMultipartUploadsOutput = multipart::list;
    upload_part(UploadPartInput) -> UploadPartOutput = parts::upload;
    upload_part_copy(UploadPartCopyInput) -> UploadPartCopyOutput = copy::part;
    list_parts(ListPartsInput) -> ListPartsOutput = parts::list;
}
