//! The versions of a key, one upon the other.

use std::collections::BTreeMap;

use jiff::Timestamp;
use s3core::Result;
use s3core::ops::{ListObjectVersions, ListedVersion};

use crate::listing::{STANDARD, timestamp};
use crate::plan::line::{PlannedObject, Shape};
use crate::run::journal::{IntendedObject, IntendedUnit};

use super::objects::Objects;
use super::survey::is_same;

/// The versions of a key and its delete markers, the newest first.
#[derive(Debug, Default)]
pub(crate) struct Stack(Vec<ListedVersion>);

impl Stack {
    /// The delete markers right over a version; None where it is not there.
    pub(crate) fn over(&self, version: &str) -> Option<Vec<String>> {
        let at = self.0.iter().position(|found| !found.is_delete_marker && found.version_id == version)?;
        let above = self.0.get(..at).unwrap_or_default();
        let markers = above.iter().rev().take_while(|found| found.is_delete_marker);
        Some(markers.map(|marker| marker.version_id.clone()).collect())
    }

    /// The delete markers that hide whatever is under them, in the order of [`Self::over`].
    pub(crate) fn markers_on_top(&self) -> Vec<String> {
        let markers = self.0.iter().take_while(|found| found.is_delete_marker);
        let mut markers: Vec<_> = markers.map(|marker| marker.version_id.clone()).collect();
        markers.reverse();
        markers
    }

    /// Those of these markers that were made at a time that counts.
    pub(crate) fn made_when(&self, markers: Vec<String>, counts: impl Fn(Timestamp) -> bool) -> Vec<String> {
        let counts = |found: &&ListedVersion| counts(timestamp(found.modified));
        let counting: Vec<&str> = self.0.iter().filter(counts).map(|found| found.version_id.as_str()).collect();
        markers.into_iter().filter(|marker| counting.contains(&marker.as_str())).collect()
    }

    /// Whether a reader finds nothing at the key.
    pub(crate) fn is_hidden(&self) -> bool {
        self.0.first().is_none_or(|top| top.is_delete_marker)
    }

    /// Whether a reader finds the version of this object.
    pub(crate) fn is_current(&self, object: &IntendedObject) -> bool {
        let version = object.version.as_deref();
        self.0.first().is_some_and(|top| !top.is_delete_marker && Some(top.version_id.as_str()) == version)
    }

    /// What a reader finds.
    pub(crate) fn newest(&self) -> Option<PlannedObject> {
        self.0.first().filter(|top| !top.is_delete_marker).map(listed)
    }

    /// Whether the marker is there.
    pub(crate) fn holds(&self, marker: &str) -> bool {
        self.0.iter().any(|found| found.is_delete_marker && found.version_id == marker)
    }

    /// Whether versions lie under this one, or, where it is gone, under these markers.
    pub(crate) fn has_older_than(&self, version: &str, markers: &[&str]) -> bool {
        let is_known =
            |found: &ListedVersion| found.version_id == version || markers.contains(&found.version_id.as_str());
        let last = self.0.iter().rposition(is_known);
        let older = last.and_then(|last| self.0.get(last + 1..)).unwrap_or_default();
        older.iter().any(|found| !found.is_delete_marker)
    }

    /// The id of the version that is the planned object, if a reader finds that.
    pub(crate) fn version_of(&self, planned: &PlannedObject) -> Option<&str> {
        let newest = self.0.first().filter(|top| !top.is_delete_marker)?;
        is_same(planned, &listed(newest)).then_some(newest.version_id.as_str())
    }
}

/// The versions of a key.
///
/// # Errors
/// The gateway's.
pub(crate) async fn stack(objects: &Objects<'_>, key: &str) -> Result<Stack> {
    let mut found = Stack::default();
    // Those of the key itself come first.
    list(objects, key, |version| {
        let is_own = version.key == key;
        if is_own {
            found.0.push(version);
        }
        is_own
    })
    .await?;
    Ok(found)
}

/// The versions of each object of a unit.
///
/// # Errors
/// The gateway's.
pub(crate) async fn stacks(objects: &Objects<'_>, unit: &IntendedUnit) -> Result<BTreeMap<String, Stack>> {
    let mut found: BTreeMap<String, Stack> =
        unit.objects.iter().map(|object| (object.planned.key.clone(), Stack::default())).collect();
    if unit.shape == Shape::Object {
        for (key, found) in &mut found {
            *found = stack(objects, key).await?;
        }
        return Ok(found);
    }
    list(objects, &unit.prefix, |version| {
        if let Some(stack) = found.get_mut(&version.key) {
            stack.0.push(version);
        }
        true
    })
    .await?;
    Ok(found)
}

async fn list(
    objects: &Objects<'_>,
    prefix: &str,
    mut goes_on: impl FnMut(ListedVersion) -> bool + Send,
) -> Result<()> {
    let mut list = ListObjectVersions::new(objects.bucket, prefix);
    loop {
        let page = objects.gateway.run(list.clone()).await?;
        for version in page.versions {
            if !goes_on(version) {
                return Ok(());
            }
        }
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return Ok(()),
        }
    }
}

fn listed(version: &ListedVersion) -> PlannedObject {
    PlannedObject {
        key: version.key.clone(),
        bytes: version.length,
        etag: version.etag.clone().unwrap_or_default(),
        written: timestamp(version.modified),
        class: version.storage_class.clone().unwrap_or_else(|| STANDARD.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Versions are lower case, markers upper case; the newest first.
    fn stack(ids: &str) -> Stack {
        let version = |id: char| ListedVersion {
            key: "k".to_owned(),
            version_id: id.to_string(),
            is_latest: false,
            is_delete_marker: id.is_uppercase(),
            length: 1,
            etag: Some("e".to_owned()),
            modified: None,
            storage_class: None,
        };
        Stack(ids.chars().map(version).collect())
    }

    #[test]
    fn markers_are_those_right_over_a_version() {
        for (ids, over) in [
            ("v", Some("")),
            ("Mv", Some("M")),
            ("NMvu", Some("MN")),
            ("wMv", Some("M")),
            ("MwNv", Some("N")),
            ("Mwv", Some("")),
            ("Mw", None),
            ("", None),
        ] {
            assert_eq!(stack(ids).over("v").map(|over| over.concat()).as_deref(), over, "{ids}");
        }
        assert_eq!(stack("NMwOv").markers_on_top().concat(), "MN");
        assert!(stack("Mv").is_hidden() && stack("").is_hidden() && !stack("vM").is_hidden());
    }

    #[test]
    fn what_somebody_has_deleted_is_no_planned_object() {
        let planned = listed(&stack("v").0[0]);
        for (ids, version) in [("v", Some("v")), ("vM", Some("v")), ("wv", Some("w")), ("Mv", None), ("", None)] {
            assert_eq!(stack(ids).version_of(&planned), version, "{ids}");
        }
    }

    #[test]
    fn older_versions_are_under_all_that_is_known() {
        for (ids, has) in [("Mv", false), ("Mvu", true), ("MvN", false), ("M", false), ("Mu", true), ("wMv", false)] {
            assert_eq!(stack(ids).has_older_than("v", &["M"]), has, "{ids}");
        }
    }
}
