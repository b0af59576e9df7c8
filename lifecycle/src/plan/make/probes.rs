//! Whether the gateway can do what a plan needs, tried out on objects of one's own.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use s3core::gateway::Gateway;
use s3core::gateway::capabilities::Capability;
use s3core::ops::{BucketVersioning, DeleteObject, GetBucketVersioning, HeadObject, PutObject, PutObjectTagging};
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
    gateway.run(DeleteObject::new(lister.bucket(), &key)).await.map(|_| ())
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
    gateway.run(DeleteObject::new(bucket, &key)).await?;
    Ok(written != tagged)
}

/// The bucket keeps no versions. In one that does, Radosgw of all releases ignores the conditions under which objects are
/// removed; where that is suspended a removed object stays in listings.
///
/// # Errors
/// `Versions`, and the gateway's.
pub async fn no_versions(gateway: &Gateway, bucket: &str) -> Result<(), MakeError> {
    match gateway.run(GetBucketVersioning::new(bucket)).await? {
        BucketVersioning::Off => Ok(()),
        BucketVersioning::Enabled | BucketVersioning::Suspended => {
            Err(MakeError::Versions { bucket: bucket.to_owned() })
        }
    }
}

/// The gateway honours a condition on DELETE.
pub(super) async fn conditional_delete(lister: &Lister) -> Result<(), MakeError> {
    no_versions(lister.gateway(), lister.bucket()).await?;
    for capability in [Capability::DeleteIfUnmodifiedSince, Capability::ConditionalDelete] {
        if probe(lister.gateway(), lister.bucket(), capability).await? {
            return Ok(());
        }
    }
    Err(MakeError::NoConditionalDelete)
}
