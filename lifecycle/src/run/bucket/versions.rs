//! Conditions on documents in a bucket that keeps versions, where Radosgw honours none on PUT.
//!
//! Each document is written as a version that names the one it replaces. The gateway puts the versions of a key into one
//! order, which every listing shows: the first that names a version has replaced it, the first of all has created the
//! document, and all others are as if they had not been written. Whoever wrote one of those removes it. What was replaced is
//! removed, too, so that the oldest version is always one that counts.

use std::collections::BTreeMap;

use s3core::ErrorKind;
use s3core::ops::{
    BucketVersioning, DeleteObject, GetBucketVersioning, GetObject, HeadObject, ListObjectVersions, ListedVersion,
    PutObject,
};

use super::{Bucket, Collected, Stored};
use crate::run::error::StateError;

/// Names the version that is replaced.
const AFTER: &str = "s3life-after";
/// Names the write, so that its writer knows it again.
const WRITE: &str = "s3life-write";
/// In place of a version that is replaced.
const NOTHING: &str = "none";
/// Rounds in which what was just listed is removed by a writer.
const MOST_ROUNDS: usize = 20;

/// A version of a document.
struct Version {
    id: String,
    metadata: BTreeMap<String, String>,
    /// Whether it counts.
    counts: bool,
}

impl Version {
    fn is_by(&self, write: &str) -> bool {
        self.metadata.get(WRITE).is_some_and(|own| own == write)
    }
}

impl Bucket {
    /// Whether new versions are kept beside the old ones.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn keeps_versions(&self) -> Result<bool, StateError> {
        let ask = || async {
            match self.gateway.run(GetBucketVersioning::new(self.name())).await {
                Ok(versioning) => Ok(versioning == BucketVersioning::Enabled),
                // A gateway that knows nothing of versions keeps none.
                Err(failure) if failure.kind() == ErrorKind::Unsupported => Ok(false),
                Err(failure) => Err(failure.into()),
            }
        };
        self.keeps_versions.get_or_try_init(ask).await.copied()
    }

    /// Whether it has kept versions, and does no more: what runs have hidden is there still.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn is_suspended(&self) -> Result<bool, StateError> {
        match self.gateway.run(GetBucketVersioning::new(self.name())).await {
            Ok(versioning) => Ok(versioning == BucketVersioning::Suspended),
            Err(failure) if failure.kind() == ErrorKind::Unsupported => Ok(false),
            Err(failure) => Err(failure.into()),
        }
    }

    /// The version that counts.
    pub(super) async fn read_version(&self, key: &str) -> Result<Option<Stored>, StateError> {
        for _ in 0..MOST_ROUNDS {
            let listed = self.listed(key).await?;
            let id = match listed.as_slice() {
                [] => return Ok(None),
                [only] => only.version_id.clone(),
                _ => match self.examined(key, listed).await?.into_iter().rfind(|version| version.counts) {
                    Some(last) => last.id,
                    None => continue,
                },
            };
            let mut text = Collected(Vec::new());
            let mut get = GetObject::new(self.name(), key, &mut text);
            get.version_id = Some(id.clone());
            match self.gateway.run(get).await {
                Ok(head) => return Ok(Some(Stored { text: text.0, etag: id, written: head.modified })),
                Err(failure) if failure.kind() == ErrorKind::NotFound => {}
                Err(failure) if failure.kind() == ErrorKind::OutOfRange => {
                    return Err(self.malformed(key, failure.message()));
                }
                Err(failure) => return Err(failure.into()),
            }
        }
        Err(self.malformed(key, "its versions change all the time"))
    }

    /// Writes the version that replaces the one with this id, or the first one; returns its id.
    pub(super) async fn add_version(
        &self,
        key: &str,
        mut put: PutObject,
        after: Option<&str>,
    ) -> Result<String, StateError> {
        let write = format!("{:032x}", self.gateway.environment().random.bits());
        put.attributes.metadata.insert(AFTER.to_owned(), after.unwrap_or(NOTHING).to_owned());
        put.attributes.metadata.insert(WRITE.to_owned(), write.clone());
        self.gateway.run(put).await?;
        let listed = self.listed(key).await?;
        let versions = self.examined(key, listed).await?;
        let own = versions.iter().position(|version| version.counts && version.is_by(&write));
        let before = own.and_then(|own| versions.get(..own)).unwrap_or_default();
        // A version that names one that is gone counts where it is the oldest, but its writer was late.
        let replaced = before.iter().rfind(|version| version.counts).map(|version| version.id.as_str());
        let won = own.filter(|_| replaced == after).and_then(|own| versions.get(own));
        for other in versions.iter().filter(|version| version.is_by(&write)) {
            if won.is_none_or(|won| won.id != other.id) {
                self.remove_version(key, &other.id).await?;
            }
        }
        let Some(won) = won else {
            let (bucket, key) = (self.name().to_owned(), key.to_owned());
            return Err(match after {
                None => StateError::AlreadyExists { bucket, key },
                Some(_) => StateError::Replaced { bucket, key },
            });
        };
        // First those that do not count, then the oldest first: at each moment the oldest one counts.
        let (replaced, others): (Vec<_>, Vec<_>) = before.iter().partition(|version| version.counts);
        for old in others.into_iter().chain(replaced) {
            // What a lock keeps stays.
            if self.remove_version(key, &old.id).await.is_err() {
                break;
            }
        }
        Ok(won.id.clone())
    }

    /// Removes a document with all its versions, the newest first.
    pub(super) async fn remove_versions(&self, key: &str) -> Result<(), StateError> {
        for version in self.listed(key).await?.iter().rev() {
            self.remove_version(key, &version.version_id).await?;
        }
        Ok(())
    }

    async fn remove_version(&self, key: &str, id: &str) -> Result<(), StateError> {
        let delete = DeleteObject { version_id: Some(id.to_owned()), ..DeleteObject::new(self.name(), key) };
        self.gateway.run(delete).await?;
        Ok(())
    }

    /// The versions since somebody deleted the document, if ever, the oldest first.
    async fn listed(&self, key: &str) -> Result<Vec<ListedVersion>, StateError> {
        let mut list = ListObjectVersions::new(self.name(), key);
        let mut found = Vec::new();
        'pages: loop {
            let page = self.gateway.run(list.clone()).await?;
            for version in page.versions {
                if version.key != key || version.is_delete_marker {
                    break 'pages;
                }
                found.push(version);
            }
            match page.next {
                Some(next) => list.marker = Some(next),
                None => break,
            }
        }
        found.reverse();
        Ok(found)
    }

    /// Which versions count. One that was removed meanwhile is left out.
    async fn examined(&self, key: &str, listed: Vec<ListedVersion>) -> Result<Vec<Version>, StateError> {
        let mut versions: Vec<Version> = Vec::with_capacity(listed.len());
        let mut last: Option<String> = None;
        for ListedVersion { version_id: id, .. } in listed {
            let head = HeadObject { version_id: Some(id.clone()), ..HeadObject::new(self.name(), key) };
            let metadata = match self.gateway.run(head).await {
                Ok(head) => head.metadata,
                Err(failure) if failure.kind() == ErrorKind::NotFound => BTreeMap::new(),
                Err(failure) => return Err(failure.into()),
            };
            let counts = last.as_ref().is_none_or(|last| metadata.get(AFTER) == Some(last));
            if counts {
                last = Some(id.clone());
            }
            versions.push(Version { id, metadata, counts });
        }
        Ok(versions)
    }
}
