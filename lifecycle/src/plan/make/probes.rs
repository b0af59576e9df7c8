//! Whether the gateway can do what a plan needs, tried out on objects of one's own.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use s3core::gateway::Gateway;
use s3core::gateway::capabilities::Capability;
use s3core::ops::{
    BucketVersioning, DeleteObject, GetBucketVersioning, HeadObject, ListObjectVersions, ListObjectsV2, PutObject,
    PutObjectTagging,
};
use s3core::probe::probe;
use s3core::{Error, ErrorKind};

use crate::listing::{Lister, STANDARD};
use crate::plan::document::Tally;
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
            match try_class(lister, class).await {
                Err(failure) if failure.kind() == ErrorKind::BadRequest => {
                    return Err(MakeError::StorageClass {
                        rule: format!("{} of {}", rule.name, dataset.name),
                        line: rule.line,
                        class: class.clone(),
                        known: classes(lister, class).await?,
                        source: failure,
                    });
                }
                tried => tried?,
            }
        }
    }
    Ok(())
}

/// Names that storage classes have: S3's, and those that are usual on Radosgw, which tells nobody what its own are.
const USUAL: [&str; 16] = [
    STANDARD,
    "STANDARD_IA",
    "ONEZONE_IA",
    "INTELLIGENT_TIERING",
    "GLACIER_IR",
    "GLACIER",
    "DEEP_ARCHIVE",
    "REDUCED_REDUNDANCY",
    "HOT",
    "WARM",
    "COOL",
    "COLD",
    "ARCHIVE",
    "NEARLINE",
    "SSD",
    "HDD",
];

/// The storage classes that take objects, for people: of the usual names, of those that lie at the beginning of the bucket, and of
/// the name that is wanted in capital letters.
pub(super) async fn classes(lister: &Lister, wanted: &str) -> Result<String, Error> {
    let page = lister.gateway().run(ListObjectsV2::new(lister.bucket(), "")).await?;
    let mut names: BTreeSet<String> = page.objects.into_iter().filter_map(|object| object.storage_class).collect();
    names.extend(USUAL.map(str::to_owned));
    names.insert(wanted.to_uppercase());
    let mut found = Vec::new();
    for name in names {
        match try_class(lister, &name).await {
            Ok(()) => found.push(name),
            Err(failure) if failure.kind() == ErrorKind::BadRequest => {}
            Err(failure) => return Err(failure),
        }
    }
    Ok(found.join(", "))
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

/// The datasets from which a plan removes something and these keys may not, with the gateway's answer: a DELETE of a name that
/// nothing has, in the first unit that goes from each. What they may do with their own state says nothing of that.
///
/// # Errors
/// The gateway's.
pub async fn denied_removals(gateway: &Gateway, bucket: &str, tally: &Tally) -> Result<BTreeMap<String, Error>, Error> {
    let (mut tried, mut denied) = (BTreeSet::new(), BTreeMap::new());
    if !tally.rules.values().any(|rule| rule.removes()) {
        return Ok(denied);
    }
    let hides = gateway.run(GetBucketVersioning::new(bucket)).await? == BucketVersioning::Enabled;
    for ((dataset, _), rule) in tally.rules.iter().filter(|(_, rule)| rule.removes()) {
        let Some((first, _)) = rule.ends.as_ref().filter(|_| tried.insert(dataset)) else { continue };
        let directory = first.rfind('/').and_then(|slash| first.get(..=slash)).unwrap_or_default();
        let key = format!("{directory}.s3core-probe-{:032x}", gateway.environment().random.bits());
        match remove_nothing(gateway, bucket, &key, hides).await {
            Err(failure) if failure.kind() == ErrorKind::AccessDenied => {
                denied.insert(dataset.clone(), failure);
            }
            // Too long a name, behind that of the unit.
            Err(failure) if matches!(failure.kind(), ErrorKind::BadRequest | ErrorKind::InvalidPath) => {}
            tried => tried?,
        }
    }
    Ok(denied)
}

/// Removes what is not there. Where that `hides`, since the bucket keeps versions, a delete marker comes of it, and goes again: whoever may not remove
/// versions makes none.
async fn remove_nothing(gateway: &Gateway, bucket: &str, key: &str, hides: bool) -> Result<(), Error> {
    let delete = DeleteObject::new(bucket, key);
    if hides {
        let version = Some(format!("{:032x}", gateway.environment().random.bits()));
        gateway.run(DeleteObject { version_id: version, ..delete.clone() }).await?;
    }
    let marker = gateway.run(delete.clone()).await?.version_id;
    if marker.is_some() {
        gateway.run(DeleteObject { version_id: marker, ..delete }).await?;
    }
    Ok(())
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
