//! What lies in a unit now, beside what was planned.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use s3core::Result;
use s3core::ops::ListMultipartUploads;

use crate::inventory::{SUCCESS, is_state_of_job};
use crate::listing::timestamp;
use crate::places::directories_above;
use crate::plan::line::{PlannedAction, PlannedObject, Shape};
use crate::policy::CONTROL_PREFIX;
use crate::run::journal::IntendedUnit;

use super::objects::Objects;

/// What lies in a unit now.
#[derive(Debug, Default)]
pub struct UnitSurvey<'a> {
    /// Keys of planned objects that are there and unchanged.
    pub present: BTreeSet<&'a str>,
    /// The first planned key that holds something else.
    pub changed: Option<String>,
    /// The first planned key that holds another object, rather than the same one written again.
    pub replaced: Option<String>,
    /// The first key that is not planned.
    pub unknown: Option<String>,
    /// A key that an upload was begun at, after the time asked for.
    pub upload: Option<String>,
    /// Whether directories in it are units of their own.
    pub has_inner_units: bool,
}

impl UnitSurvey<'_> {
    /// Why the unit is not what was planned, with the key that shows it.
    pub fn difference(&self) -> Option<(String, String)> {
        let changed = self.changed.clone().map(|key| (key, "it was written again after it was planned".to_owned()));
        let unknown = || Some((self.unknown.clone()?, "it came after the plan".to_owned()));
        let upload = || Some((self.upload.clone()?, "it is being uploaded".to_owned()));
        changed.or_else(unknown).or_else(upload)
    }

    /// Whether that is only that somebody uploads to it, which may pass.
    pub fn is_uploaded_to(&self) -> bool {
        self.upload.is_some() && self.changed.is_none() && self.unknown.is_none()
    }
}

/// Looks at a unit. Uploads that were begun before `uploads_since`, and what jobs have left until then, are nobody's.
///
/// # Errors
/// The gateway's.
pub async fn survey<'a>(
    objects: &Objects<'_>,
    unit: &'a IntendedUnit,
    uploads_since: Option<Timestamp>,
) -> Result<UnitSurvey<'a>> {
    // Uploads first: one that is completed between the two lists is in the second.
    let upload = match (uploads_since, unit.shape) {
        (Some(since), Shape::Prefix | Shape::Directory) => young_upload(objects, &unit.prefix, since).await?,
        _ => None,
    };
    Ok(UnitSurvey { upload, ..survey_objects(objects, unit, uploads_since).await? })
}

/// The same without a look at uploads.
///
/// # Errors
/// The gateway's.
pub(super) async fn survey_objects<'a>(
    objects: &Objects<'_>,
    unit: &'a IntendedUnit,
    uploads_since: Option<Timestamp>,
) -> Result<UnitSurvey<'a>> {
    let planned: BTreeMap<&'a str, &'a PlannedObject> =
        unit.objects.iter().map(|object| (object.planned.key.as_str(), &object.planned)).collect();
    // What jobs have left is no part of the unit. What one has written since shows that it is at work there.
    let is_old = |object: &PlannedObject| uploads_since.is_none_or(|since| object.written < since);
    let is_of_job = |key: &str| is_state_of_job(key.get(unit.prefix.len()..).unwrap_or_default());
    let sweeps = unit.action == PlannedAction::SweepAbandoned;
    let belongs = |object: &PlannedObject| {
        !object.key.starts_with(CONTROL_PREFIX) && (sweeps || !(is_of_job(&object.key) && is_old(object)))
    };
    let mut survey = UnitSurvey::default();
    let mut see = |object: PlannedObject| match planned.get(object.key.as_str()) {
        _ if !belongs(&object) => {}
        Some(planned) if is_same(planned, &object) => {
            survey.present.insert(planned.key.as_str());
        }
        Some(planned) => {
            if (&planned.etag, planned.bytes) != (&object.etag, object.bytes) {
                survey.replaced.get_or_insert_with(|| object.key.clone());
            }
            survey.changed.get_or_insert(object.key);
        }
        None => {
            survey.unknown.get_or_insert(object.key);
        }
    };
    match unit.shape {
        Shape::Object => objects.find(&unit.prefix).await?.into_iter().for_each(&mut see),
        Shape::Prefix => objects.list(&unit.prefix, &mut see).await?,
        Shape::Directory => {
            let mut found = Vec::new();
            objects.list(&unit.prefix, |object| found.push(object)).await?;
            let has_inner_units = leave_inner_units(&mut found, &unit.prefix);
            found.into_iter().for_each(&mut see);
            survey.has_inner_units = has_inner_units;
        }
    }
    Ok(survey)
}

/// Whether an object is the planned one. Times are compared in whole seconds: HEAD tells no more, nor do listings from
/// Tentacle on.
pub fn is_same(planned: &PlannedObject, found: &PlannedObject) -> bool {
    planned.etag == found.etag
        && planned.bytes == found.bytes
        && planned.written.as_second() == found.written.as_second()
}

/// Returns whether there are any.
fn leave_inner_units(found: &mut Vec<PlannedObject>, prefix: &str) -> bool {
    let inner = |object: &PlannedObject| {
        let directory = object.key.strip_suffix(SUCCESS).filter(|directory| directory.ends_with('/'))?;
        (directory != prefix).then(|| directory.to_owned())
    };
    let inner: BTreeSet<String> = found.iter().filter_map(inner).collect();
    found.retain(|object| !directories_above(&object.key).any(|directory| inner.contains(directory)));
    !inner.is_empty()
}

/// A key of the unit that an upload was begun at since.
///
/// # Errors
/// The gateway's.
pub(super) async fn young_upload(objects: &Objects<'_>, prefix: &str, since: Timestamp) -> Result<Option<String>> {
    let mut list = ListMultipartUploads::new(objects.bucket, prefix);
    loop {
        let page = objects.gateway.run(list.clone()).await?;
        let young = page.uploads.into_iter().find(|upload| timestamp(upload.initiated) >= since);
        if let Some(upload) = young {
            return Ok(Some(upload.key));
        }
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return Ok(None),
        }
    }
}
