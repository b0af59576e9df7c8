//! Whether the gateway can do what a plan needs, tried out on objects of one's own.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use s3core::gateway::Gateway;
use s3core::gateway::capabilities::Capability;
use s3core::ops::{
    BucketVersioning, DeleteObject, GetBucketVersioning, HeadObject, ListObjectVersions, PutObject, PutObjectTagging,
};
use s3core::probe::probe;
use s3core::{Error, ErrorKind};

use crate::listing::Lister;
use crate::policy::{Action, CONTROL_PREFIX, Policy};
use crate::tier::TAG;

use super::MakeError;

/// Every storage class that rules name takes objects.
pub(super) async fn storage_classes(lister: &Lister, policy: &Policy) -> Result<(), MakeError> {
    let mut tried = BTreeSet::new();
    for dataset in &policy.datasets {
        for rule in &dataset.rules {
            let Some(Action::Tier(class) | Action::Archive(class)) = &rule.action else { continue };
            if !tried.insert(class) {
                continue;
            }
            try_class(lister, class).await.map_err(|failure| match failure.kind() {
                ErrorKind::BadRequest => MakeError::StorageClass {
                    dataset: dataset.name.clone(),
                    rule: rule.name.clone(),
                    line: rule.line,
                    class: class.clone(),
                    source: failure,
                },
                _ => failure.into(),
            })?;
        }
    }
    Ok(())
}

/// The storage class takes objects.
pub(super) async fn try_class(lister: &Lister, class: &str) -> Result<(), Error> {
    let gateway = lister.gateway();
    let key = format!("{CONTROL_PREFIX}probe/{:032x}", gateway.environment().random.bits());
    let mut put = PutObject::new(lister.bucket(), &key, Bytes::from_static(b"probe"));
    put.attributes.storage_class = Some(class.to_owned());
    gateway.run(put).await?;
    remove(lister, &key).await
}

/// Removes what was tried out, with all versions that the bucket keeps of it.
async fn remove(lister: &Lister, key: &str) -> Result<(), Error> {
    let (gateway, delete) = (lister.gateway(), DeleteObject::new(lister.bucket(), key));
    if gateway.run(delete.clone()).await?.version_id.is_some() {
        for version in gateway.run(ListObjectVersions::new(lister.bucket(), key)).await?.versions {
            match gateway.run(DeleteObject { version_id: Some(version.version_id), ..delete.clone() }).await {
                // A lock that the bucket puts on all that is written, say.
                Err(failure) if failure.kind() == ErrorKind::AccessDenied => {}
                removed => drop(removed?),
            }
        }
    }
    Ok(())
}

/// Whether the gateway sets an object's modification time when its tags change, as Radosgw before Reef does.
pub(super) async fn tags_set_times(lister: &Lister) -> Result<bool, Error> {
    let (gateway, bucket) = (lister.gateway(), lister.bucket());
    let key = format!("{CONTROL_PREFIX}probe/{:032x}", gateway.environment().random.bits());
    gateway.run(PutObject::new(bucket, &key, Bytes::from_static(b"probe"))).await?;
    let written = gateway.run(HeadObject::new(bucket, &key)).await?.modified;
    // HEAD tells whole seconds.
    gateway.environment().clock.sleep(Duration::from_millis(1100)).await;
    let tags = [(TAG.to_owned(), "probe".to_owned())].into();
    gateway.run(PutObjectTagging::new(bucket, &key, tags)).await?;
    let tagged = gateway.run(HeadObject::new(bucket, &key)).await?.modified;
    remove(lister, &key).await?;
    Ok(written != tagged)
}

/// Objects can be removed so that they come back: under a condition, or, where the bucket keeps versions, under delete markers.
/// Where versioning is suspended neither works: on Radosgw of all releases a removed object stays in listings.
///
/// # Errors
/// `Suspended`, and the gateway's.
pub async fn keeps_versions(gateway: &Gateway, bucket: &str) -> Result<bool, MakeError> {
    match gateway.run(GetBucketVersioning::new(bucket)).await? {
        BucketVersioning::Off => Ok(false),
        BucketVersioning::Enabled => Ok(true),
        BucketVersioning::Suspended => Err(MakeError::Suspended { bucket: bucket.to_owned() }),
    }
}

/// Objects can be hidden under delete markers and shown again.
async fn markers(lister: &Lister) -> Result<(), Error> {
    let (gateway, bucket) = (lister.gateway(), lister.bucket());
    let key = format!("{CONTROL_PREFIX}probe/{:032x}", gateway.environment().random.bits());
    gateway.run(PutObject::new(bucket, &key, Bytes::from_static(b"probe"))).await?;
    let delete = DeleteObject::new(bucket, &key);
    let marker = gateway.run(delete.clone()).await?.version_id;
    gateway.run(DeleteObject { version_id: marker, ..delete }).await?;
    remove(lister, &key).await
}

/// The gateway honours a condition on DELETE, or needs none where the bucket keeps versions.
pub(super) async fn conditional_delete(lister: &Lister) -> Result<(), MakeError> {
    if keeps_versions(lister.gateway(), lister.bucket()).await? {
        return Ok(markers(lister).await?);
    }
    for capability in [Capability::DeleteIfUnmodifiedSince, Capability::ConditionalDelete] {
        if probe(lister.gateway(), lister.bucket(), capability).await? {
            return Ok(());
        }
    }
    Err(MakeError::NoConditionalDelete)
}
