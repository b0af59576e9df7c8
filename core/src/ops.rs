//! One file per S3 operation: request in, answer out; the only place with XML.
//!
//! Each operation is a struct with public fields that implements [`Exchange`](crate::gateway::Exchange):
//! `gateway.run(HeadObject::new("bucket", "key")).await?`. Nothing above this room builds a request, and nothing in it
//! repeats one: an operation only says what its next attempt asks for, and how an attempt of unknown outcome is
//! settled. [`failure`] translates every error answer; ETags leave this room without quotes.

mod abort_multipart_upload;
mod access_control_list;
mod answer;
mod complete_multipart_upload;
mod condition;
mod copy_object;
mod create_bucket;
mod create_multipart_upload;
mod delete_bucket;
mod delete_bucket_lifecycle;
mod delete_object;
mod delete_objects;
pub mod digest;
mod element;
mod encoding;
mod encryption;
mod etag;
mod failure;
mod get_bucket_lifecycle_configuration;
mod get_bucket_versioning;
mod get_object;
mod get_object_acl;
mod get_object_tagging;
mod get_usage;
mod head_bucket;
mod head_object;
mod lifecycle_rule;
mod list_multipart_uploads;
mod list_object_versions;
mod list_objects_v2;
mod list_parts;
mod object_head;
mod put_bucket_lifecycle_configuration;
mod put_bucket_versioning;
mod put_object;
mod put_object_acl;
mod put_object_tagging;
mod request;
#[cfg(test)]
mod scripted;
mod timestamp;
mod upload_part;
mod upload_part_copy;
mod xml;

pub use abort_multipart_upload::AbortMultipartUpload;
pub use access_control_list::AccessControlList;
pub use complete_multipart_upload::{CompleteMultipartUpload, CompletedPart};
pub use condition::{WriteCondition, WriteId};
pub use copy_object::{CopiedObject, CopyObject, CopySource};
pub use create_bucket::CreateBucket;
pub use create_multipart_upload::CreateMultipartUpload;
pub use delete_bucket::DeleteBucket;
pub use delete_bucket_lifecycle::DeleteBucketLifecycle;
pub use delete_object::{DeleteObject, DeletedObject};
pub use delete_objects::{DeleteFailure, DeleteObjects};
pub use digest::{PayloadDigest, PayloadHasher};
pub use etag::multipart_etag;
pub use get_bucket_lifecycle_configuration::GetBucketLifecycleConfiguration;
pub use get_bucket_versioning::{BucketVersioning, GetBucketVersioning};
pub use get_object::{ByteRange, GetObject, Sink};
pub use get_object_acl::GetObjectAcl;
pub use get_object_tagging::GetObjectTagging;
pub use get_usage::{GetUsage, UserUsage};
pub use head_bucket::{BucketHead, BucketUsage, HeadBucket};
pub use head_object::HeadObject;
pub use lifecycle_rule::{LifecycleConfiguration, LifecycleRule, RuleAction, RuleFilter};
pub use list_multipart_uploads::{ListMultipartUploads, MultipartUpload, MultipartUploadPage};
pub use list_object_versions::{ListObjectVersions, ListedVersion, VersionPage};
pub use list_objects_v2::{ListObjectsV2, ListedObject, ObjectPage};
pub use list_parts::{ListParts, ListedPart, PartPage};
pub use object_head::ObjectHead;
pub use put_bucket_lifecycle_configuration::PutBucketLifecycleConfiguration;
pub use put_bucket_versioning::PutBucketVersioning;
pub use put_object::{ObjectAttributes, PutObject};
pub use put_object_acl::PutObjectAcl;
pub use put_object_tagging::PutObjectTagging;
pub(crate) use request::METADATA_PREFIX;
pub use upload_part::UploadPart;
pub use upload_part_copy::UploadPartCopy;
