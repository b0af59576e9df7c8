//! Conditions on documents in a bucket that keeps versions, where Radosgw honours none on PUT.
//!
//! Each document is written as a version that names those before it. The gateway puts the versions of a key into one order,
//! which every listing shows: the first that names a version as the one right before it has replaced that, the first of all
//! has created the document, and all others are as if they had not been written. Whoever wrote one of those removes it. What
//! was replaced is removed, too, so that the oldest version is always one that counts.
//!
//! A listing is judged as a whole or not at all: where a version is gone before its names were read, another listing is
//! asked for. To take it for one that does not count would make all that follow it look the same.

use std::collections::BTreeMap;

use futures::future::try_join_all;
use s3core::ErrorKind;
use s3core::ops::{
    BucketVersioning, DeleteObject, GetBucketVersioning, GetObject, HeadObject, ListObjectVersions, ListedVersion,
    PutObject,
};

use super::{Bucket, Collected, Stored};
use crate::run::error::StateError;

/// Names the versions before, the newest first, each as `WRITE:VERSION`, with spaces between.
const BEFORE: &str = "s3life-before";
/// Names the write, so that its writer knows it again.
const WRITE: &str = "s3life-write";
/// In place of a version that is replaced, or of a write that has no name.
const NOTHING: &str = "none";
/// Bytes of the names of versions before: a writer that was overtaken by fourteen others finds its own among them. User
/// metadata may have 2 KiB.
const LONGEST_BEFORE: usize = 1024;
/// Rounds in which what was just listed is removed by a writer.
const MOST_ROUNDS: usize = 50;

/// Where each of them found something removed.
const CHANGES: &str = "its versions change all the time";

/// What a version was written with.
type Metadata = BTreeMap<String, String>;
/// Versions, by their ids, whose metadata was read. A version never changes.
type Known = BTreeMap<String, Metadata>;

/// A version of a document.
struct Version {
    id: String,
    metadata: Metadata,
    /// Whether it counts.
    counts: bool,
}

impl Version {
    fn is_by(&self, write: &str) -> bool {
        self.metadata.get(WRITE).is_some_and(|own| own == write)
    }

    /// The version that this write has become, where it came before this one.
    fn before(&self, write: &str) -> Option<&str> {
        before(&self.metadata).find_map(|(other, id)| (other == write).then_some(id))
    }
}

/// The writes and versions before, the newest first.
fn before(metadata: &Metadata) -> impl Iterator<Item = (&str, &str)> {
    metadata.get(BEFORE).into_iter().flat_map(|text| text.split(' ')).filter_map(|named| named.split_once(':'))
}

/// What a version names that comes right after this one.
fn named_after(id: &str, metadata: &Metadata) -> String {
    let write = metadata.get(WRITE).map_or(NOTHING, String::as_str);
    let mut text = format!("{write}:{id}");
    for (write, id) in before(metadata) {
        if text.len() + write.len() + id.len() + 2 > LONGEST_BEFORE {
            break;
        }
        text.push_str(&format!(" {write}:{id}"));
    }
    text
}

/// Which versions count, of all of them with the oldest first.
fn judged(versions: Vec<(String, Metadata)>) -> Vec<Version> {
    let mut last: Option<String> = None;
    let judge = |(id, metadata): (String, Metadata)| {
        let after = before(&metadata).next().map(|(_, id)| id);
        // One that was written while no versions were kept names nothing, and has replaced what there was.
        let is_plain = !metadata.contains_key(WRITE);
        let counts = is_plain || last.as_deref().is_none_or(|last| after == Some(last));
        if counts {
            last = Some(id.clone());
        }
        Version { id, metadata, counts }
    };
    versions.into_iter().map(judge).collect()
}

/// First those that do not count, then the oldest first: at each moment the oldest one counts, and none that was replaced is
/// the last.
fn in_order_of_removal(versions: &[Version]) -> impl Iterator<Item = &Version> {
    let (replaced, others): (Vec<_>, Vec<_>) = versions.iter().partition(|version| version.counts);
    others.into_iter().chain(replaced)
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
                _ => match self.versions(key, Known::new()).await?.into_iter().rfind(|version| version.counts) {
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
        Err(self.malformed(key, CHANGES))
    }

    /// Writes the version that replaces the one with this id, or the first one; returns its id.
    pub(super) async fn add_version(
        &self,
        key: &str,
        mut put: PutObject,
        after: Option<&str>,
    ) -> Result<String, StateError> {
        let refused = || {
            let (bucket, key) = (self.name().to_owned(), key.to_owned());
            match after {
                None => StateError::AlreadyExists { bucket, key },
                Some(_) => StateError::Replaced { bucket, key },
            }
        };
        let mut known = Known::new();
        let named = match after {
            None => NOTHING.to_owned(),
            Some(id) => {
                let metadata = self.metadata(key, id).await?.ok_or_else(refused)?;
                let named = named_after(id, &metadata);
                known.insert(id.to_owned(), metadata);
                named
            }
        };
        let write = format!("{:032x}", self.gateway.environment().random.bits());
        put.attributes.metadata.insert(BEFORE.to_owned(), named);
        put.attributes.metadata.insert(WRITE.to_owned(), write.clone());
        self.gateway.run(put).await?;
        let versions = self.versions(key, known).await?;
        let own = versions.iter().position(|version| version.counts && version.is_by(&write));
        let earlier = own.and_then(|own| versions.get(..own)).unwrap_or_default();
        // A version that names one that is gone counts where it is the oldest, but its writer was late.
        let replaced = earlier.iter().rfind(|version| version.counts).map(|version| version.id.as_str());
        let won = own.filter(|_| replaced == after).and_then(|own| versions.get(own));
        for other in versions.iter().filter(|version| version.is_by(&write)) {
            if won.is_none_or(|won| won.id != other.id) {
                self.remove_version(key, &other.id).await?;
            }
        }
        let Some(won) = won else {
            // Others have replaced it by now, and removed it.
            let last = versions.iter().rfind(|version| version.counts);
            return last.and_then(|last| last.before(&write)).map(str::to_owned).ok_or_else(refused);
        };
        for old in in_order_of_removal(earlier) {
            // What a lock keeps stays.
            if self.remove_version(key, &old.id).await.is_err() {
                break;
            }
        }
        Ok(won.id.clone())
    }

    /// Removes a document with all its versions.
    pub(super) async fn remove_versions(&self, key: &str) -> Result<(), StateError> {
        let versions = self.versions(key, Known::new()).await?;
        for version in in_order_of_removal(&versions) {
            self.remove_version(key, &version.id).await?;
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

    /// All versions as they are at one moment, the oldest first.
    async fn versions(&self, key: &str, mut known: Known) -> Result<Vec<Version>, StateError> {
        for _ in 0..MOST_ROUNDS {
            let listed = self.listed(key).await?;
            let unknown = listed.iter().filter(|version| !known.contains_key(&version.version_id));
            let asked = unknown.map(|version| async {
                Ok::<_, StateError>((version.version_id.clone(), self.metadata(key, &version.version_id).await?))
            });
            let answers = try_join_all(asked).await?;
            known.extend(answers.into_iter().filter_map(|(id, metadata)| Some((id, metadata?))));
            let all = listed.into_iter().map(|ListedVersion { version_id: id, .. }| {
                let metadata = known.get(&id)?.clone();
                Some((id, metadata))
            });
            if let Some(all) = all.collect() {
                return Ok(judged(all));
            }
        }
        Err(self.malformed(key, CHANGES))
    }

    /// What a version was written with; `None` where it is gone.
    async fn metadata(&self, key: &str, id: &str) -> Result<Option<Metadata>, StateError> {
        let head = HeadObject { version_id: Some(id.to_owned()), ..HeadObject::new(self.name(), key) };
        match self.gateway.run(head).await {
            Ok(head) => Ok(Some(head.metadata)),
            Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
            Err(failure) => Err(failure.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata(write: &str, before: &str) -> Metadata {
        [(WRITE.to_owned(), write.to_owned()), (BEFORE.to_owned(), before.to_owned())].into()
    }

    fn counting(versions: &[(&str, &str)]) -> Vec<String> {
        let versions = versions.iter().map(|(id, before)| ((*id).to_owned(), metadata("w", before)));
        let counting = judged(versions.collect()).into_iter().filter(|version| version.counts);
        counting.map(|version| version.id).collect()
    }

    #[test]
    fn the_first_that_names_a_version_has_replaced_it() {
        assert!(counting(&[]).is_empty());
        assert_eq!(counting(&[("a", NOTHING)]), ["a"]);
        assert_eq!(
            counting(&[("a", NOTHING), ("b", "w:a"), ("c", "w:a"), ("d", "w:b"), ("e", "w:c")]),
            ["a", "b", "d"]
        );
        assert_eq!(counting(&[("a", NOTHING), ("b", NOTHING), ("c", "w:b")]), ["a"]);
        assert_eq!(counting(&[("c", "w:b w:a"), ("d", "w:c w:b w:a")]), ["c", "d"]);
        // What came before the one right before is history.
        assert_eq!(counting(&[("a", NOTHING), ("c", "w:b w:a")]), ["a"]);
        let plain = judged(vec![
            ("a".to_owned(), metadata("w", NOTHING)),
            ("null".to_owned(), Metadata::new()),
            ("b".to_owned(), metadata("w", "w:a")),
            ("c".to_owned(), metadata("w", "none:null")),
        ]);
        assert_eq!(plain.iter().map(|version| version.counts).collect::<Vec<_>>(), [true, true, false, true]);
        let order: Vec<_> = in_order_of_removal(&plain).map(|version| version.id.as_str()).collect();
        assert_eq!(order, ["b", "a", "null", "c"]);
    }

    #[test]
    fn a_version_names_those_before_it_as_far_as_metadata_holds_them() {
        assert_eq!(named_after("a", &Metadata::new()), "none:a");
        assert_eq!(named_after("a", &metadata("w1", NOTHING)), "w1:a");
        assert_eq!(named_after("b", &metadata("w2", "w1:a")), "w2:b w1:a");
        let mut last = metadata("w0", NOTHING);
        for number in 0..100 {
            let id = format!("{number:032}");
            last = metadata(&format!("{:032x}", number + 1), &named_after(&id, &last));
        }
        assert!(last[BEFORE].len() <= LONGEST_BEFORE);
        let named: Vec<_> = before(&last).map(|(_, id)| id.parse::<u32>().unwrap()).collect();
        assert_eq!(named, (85..100).rev().collect::<Vec<_>>());
    }
}
