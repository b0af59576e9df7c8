//! A policy: which datasets tier and expire, and when. Read from YAML, checked as a whole: what is wrong is found before
//! anything is touched, with line, column and remedy.

mod dataset;
mod document;
mod finding;
mod location;
mod rule;
mod shape;
mod tree;
mod yaml;

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use schemars::schema_for;
use serde_saphyr::Location;

use crate::calendar::Period;
use crate::places::are_nested;

use document::{At, Document};
use shape::Shape;
use tree::{Lines, Tree};

pub use dataset::{Age, Catalog, Dataset, Guard, Met, Unit};
pub use document::Stretch;
pub use finding::{Finding, Findings};
pub(crate) use location::CONTROL_PREFIX;
pub use location::Place;
pub use rule::{Action, Keep, ObjectCondition, Rule, When};

/// Version of the format.
const VERSION: u32 = 1;

/// A policy that can be planned.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Where ages are counted.
    pub zone: TimeZone,
    /// The zone's IANA name.
    pub zone_name: String,
    /// The bucket that all of its datasets lie in.
    pub bucket: String,
    /// What no rule touches.
    pub holds: Vec<Hold>,
    /// The datasets, none of which lies inside another.
    pub datasets: Vec<Dataset>,
}

/// A place that no rule touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// First letters of the keys, up to a slash.
    pub prefix: String,
    /// Why.
    pub reason: String,
    /// Who lifts it.
    pub owner: String,
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn read(text: &str) -> Result<Self, Findings> {
        let unreadable = |failure: serde_saphyr::Error| Findings(vec![yaml::finding(&failure)]);
        let written: At<Tree> = serde_saphyr::from_str(text).map_err(unreadable)?;
        let schema = Self::schema();
        let (mut misshaped, left) = Shape::check(&schema, written);
        if !misshaped.is_empty() {
            misshaped.extend(left.map(|left| Self::findings(&left)).unwrap_or_default());
            return Err(Findings::of(misshaped));
        }
        let document: Document = serde_saphyr::from_str(text).map_err(unreadable)?;
        let mut findings = Vec::new();
        let policy = Self::check(document, &mut findings);
        match policy {
            Some(policy) if findings.is_empty() => Ok(policy),
            _ => Err(Findings::of(findings)),
        }
    }

    /// What makes no sense in what is left of a policy without what has no such shape.
    fn findings(left: &At<Tree>) -> Vec<Finding> {
        let lines = Lines::of(left);
        let Ok(document) = serde_saphyr::from_str::<Document>(&lines.text) else { return Vec::new() };
        let mut findings = Vec::new();
        // Holds may be about datasets that are not there.
        Self::check(Document { hold: Vec::new(), ..document }, &mut findings);
        findings.into_iter().map(|finding| lines.back(finding)).collect()
    }

    /// Index of the hold that protects a unit. It goes as a whole, so that what holds a part of it, or all around it,
    /// holds it.
    pub fn hold_of(&self, unit: &str) -> Option<usize> {
        self.holds.iter().position(|hold| is_met(&hold.prefix, unit))
    }

    /// The JSON Schema of policies, for editors.
    pub fn schema() -> serde_json::Value {
        schema_for!(Document).into()
    }

    fn check(document: Document, findings: &mut Vec<Finding>) -> Option<Self> {
        let Document { version, zone, defaults, hold, datasets } = document;
        if version.value != VERSION {
            let message = format!("this s3life reads policies of version {VERSION}: write `version: {VERSION}`");
            findings.push(Finding::at(version.referenced, message));
        }
        let zone_name = zone.as_ref().map_or_else(|| "UTC".to_owned(), |zone| zone.value.clone());
        let found = TimeZone::get(&zone_name).ok();
        if let (None, Some(zone)) = (&found, &zone) {
            let message = format!("`{}` is no time zone: write an IANA name, as in Europe/Berlin", zone.value);
            findings.push(Finding::at(zone.referenced, message));
        }
        let settings = dataset::Settings::of_policy(&defaults, findings);
        let mut checked: Vec<(Dataset, Location)> = Vec::new();
        let mut bucket: Option<String> = None;
        let datasets_at = datasets.referenced;
        let written = datasets.value.len();
        for entry in datasets.value {
            let at = entry.location.referenced;
            let Some((place, dataset)) = Dataset::check(entry, &settings, findings) else { continue };
            if bucket.get_or_insert_with(|| place.bucket.clone()) != &place.bucket {
                let message = format!(
                    "the location is outside the bucket {} of the datasets above: write a policy for each bucket",
                    bucket.as_deref().unwrap_or_default()
                );
                findings.push(Finding::at(at, message));
            }
            checked.push((dataset, at));
        }
        check_apart(&checked, findings);
        let bucket = bucket.unwrap_or_default();
        let datasets: Vec<_> = checked.into_iter().map(|(dataset, _)| dataset).collect();
        if datasets.is_empty() && findings.is_empty() {
            findings.push(Finding::at(datasets_at, "the policy names no dataset: add one below `datasets:`"));
        }
        // Where one is wrong a hold may be about it.
        let known = (datasets.len() == written).then_some(datasets.as_slice());
        let holds = hold.into_iter().filter_map(|entry| {
            let prefix = check_hold(&entry.path, &bucket, known, findings)?;
            Some(Hold { prefix, reason: entry.reason, owner: entry.owner })
        });
        let holds = holds.collect();
        Some(Self { zone: found?, zone_name, bucket, holds, datasets })
    }
}

/// Whether what is held at a place is in a unit, or around it. Places are written as directories: a unit that is one object has
/// the name of its place.
pub fn is_met(place: &str, unit: &str) -> bool {
    let is_directory = unit.is_empty() || unit.ends_with('/');
    unit.starts_with(place) || is_directory && place.starts_with(unit) || place.strip_suffix('/') == Some(unit)
}

/// No dataset has another's name, or lies inside another.
fn check_apart(datasets: &[(Dataset, Location)], findings: &mut Vec<Finding>) {
    let mut names = BTreeSet::new();
    for (index, (dataset, at)) in datasets.iter().enumerate() {
        if !names.insert(dataset.name.as_str()) {
            findings.push(Finding::at(*at, format!("two datasets are called {}: rename one", dataset.name)));
        }
        for (other, _) in datasets.iter().take(index) {
            if are_nested(&dataset.prefix, &other.prefix) {
                let message = format!(
                    "{} and {} overlap, and two rules would decide on one object: make them one dataset, or set their \
                     locations apart",
                    other.name, dataset.name
                );
                findings.push(Finding::at(*at, message));
            }
        }
    }
}

/// `datasets` are all of the policy, or None where some are not known.
fn check_hold(
    path: &At<String>,
    bucket: &str,
    datasets: Option<&[Dataset]>,
    findings: &mut Vec<Finding>,
) -> Option<String> {
    let place = match path.value.parse::<Place>() {
        Ok(place) => place,
        Err(message) => {
            findings.push(Finding::at(path.referenced, message));
            return None;
        }
    };
    let meets = |dataset: &Dataset| are_nested(&dataset.prefix, &place.prefix);
    if datasets.is_some_and(|datasets| place.bucket != bucket || !datasets.iter().any(meets)) {
        let message =
            format!("the hold protects nothing: no dataset lies at {} or around it; correct the path", path.value);
        findings.push(Finding::at(path.referenced, message));
        return None;
    }
    Some(place.prefix)
}

/// The period that is written here; what is none is found.
fn period(written: &Option<At<String>>, findings: &mut Vec<Finding>) -> Option<Period> {
    let written = written.as_ref()?;
    written.value.parse().map_err(|message: String| findings.push(Finding::at(written.referenced, message))).ok()
}

/// The same with a name: letters, digits, `_` and `-`.
fn check_name(what: &str, name: &At<String>, findings: &mut Vec<Finding>) {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if name.value.is_empty() || !name.value.bytes().all(is_word) {
        let message = format!("`{}` cannot be the name of a {what}: use letters, digits, _ and -", name.value);
        findings.push(Finding::at(name.referenced, message));
    }
}

#[cfg(test)]
mod tests;
