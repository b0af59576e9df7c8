//! The lines of a plan.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::document::hexadecimal;
use super::headroom::Headroom;
use crate::policy::Catalog;

/// Version of the format.
pub const FORMAT: u32 = 1;

/// A line of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Line {
    /// The first one: what was planned, by what, and when.
    Plan(Header),
    /// A unit that tiers or goes. Its objects are the lines behind it.
    Unit(PlannedUnit),
    /// An object of the unit before it.
    Object(PlannedObject),
    /// An upload that is aborted.
    Upload(PlannedUpload),
    /// The trash of an earlier run that is emptied.
    Trash(PlannedTrash),
    /// The last one: the sums, and the digest of the lines before it.
    End(End),
}

/// What was planned, by what, and when.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// [`FORMAT`].
    pub format: u32,
    /// Version of the s3life that made it.
    pub s3life: String,
    /// The bucket.
    pub bucket: String,
    /// The policy.
    pub policy: PolicySource,
    /// IANA name of the zone that ages were counted in.
    pub zone: String,
    /// The moment that ages were counted to.
    pub now: Timestamp,
    /// When it was made, by the gateway's clock.
    pub created: Timestamp,
    /// From when on it is refused, by the gateway's clock.
    pub expires: Timestamp,
    /// Percent that may be removed of a dataset this once, in place of its guard's.
    pub allowed: BTreeMap<String, u32>,
    /// Datasets whose `delete: without_trash` was confirmed.
    pub confirmed: Vec<String>,
}

/// Where a policy was read, and what it said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicySource {
    /// Its file, absolute.
    pub path: String,
    /// SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
}

impl PolicySource {
    /// Of the text in a file.
    pub fn of(path: String, text: &str) -> Self {
        Self { path, sha256: hexadecimal(&Sha256::digest(text)) }
    }
}

/// What is done with a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// It moves to a storage class where it lies.
    Tier(String),
    /// The same, to a class from which it must be restored before it can be read.
    Archive(String),
    /// It goes to the trash.
    Expire,
    /// It goes for good.
    Delete,
    /// What a killed job has left goes to the trash.
    SweepAbandoned,
}

impl PlannedAction {
    /// As the policy writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tier(_) => "tier",
            Self::Archive(_) => "archive",
            Self::Expire => "expire",
            Self::Delete => "delete",
            Self::SweepAbandoned => "sweep_abandoned",
        }
    }

    /// The storage class that objects move to, where they move.
    pub fn class(&self) -> Option<&str> {
        match self {
            Self::Tier(class) | Self::Archive(class) => Some(class),
            Self::Expire | Self::Delete | Self::SweepAbandoned => None,
        }
    }

    /// Whether objects go.
    pub fn removes(&self) -> bool {
        self.class().is_none()
    }
}

/// Which keys belong to a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// All that begin with its prefix: a partition, or what a job has left.
    Prefix,
    /// The same, without what lies in directories that hold `_SUCCESS`: those are units of their own.
    Directory,
    /// The one that it is named after.
    Object,
}

/// A unit that tiers or goes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlannedUnit {
    /// Name of the dataset.
    pub dataset: String,
    /// Name of the rule.
    pub rule: String,
    /// What is done.
    pub action: PlannedAction,
    /// First letters of its keys, up to a slash; of a unit that is an object its key.
    pub prefix: String,
    /// Which of those keys belong to it.
    pub shape: Shape,
    /// Number of its objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether these are not all objects of the unit, but those that the rule's conditions select. Never where it removes.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Since when the action is due.
    pub since: Timestamp,
    /// Until when the trash keeps it; of what goes there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash_until: Option<Timestamp>,
    /// Why, in a sentence that names the line of the policy.
    pub reason: String,
}

impl PlannedUnit {
    /// Whether its objects move one by one, by a tag: not all that lies below its prefix moves.
    pub fn moves_by_tags(&self) -> bool {
        !self.action.removes() && (self.partial || self.shape == Shape::Object)
    }
}

/// An object as it was when it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedObject {
    /// Its key.
    pub key: String,
    /// Length in bytes.
    pub bytes: u64,
    /// ETag without quotes.
    pub etag: String,
    /// When it was written, as the listing says.
    pub written: Timestamp,
    /// Storage class.
    pub class: String,
}

/// An upload that is aborted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedUpload {
    /// Name of the dataset.
    pub dataset: String,
    /// Name of the rule.
    pub rule: String,
    /// The key that it would be completed at.
    pub key: String,
    /// Its id.
    pub upload: String,
    /// When it was begun.
    pub begun: Timestamp,
    /// Why.
    pub reason: String,
}

/// The trash of an earlier run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlannedTrash {
    /// The run.
    pub run: String,
    /// Since when it may be emptied.
    pub since: Timestamp,
    /// Objects that the run put there.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The sums of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// What was found in each dataset, in the policy's order.
    pub datasets: Vec<DatasetSummary>,
    /// Units, objects and bytes of all `unit` lines.
    pub planned: Amount,
    /// Whether the gateway sets the modification time of objects whose tags change; where objects move by tags.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tags_set_times: Option<bool>,
    /// Room for copies in the trash, where some are made and the gateway tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headroom: Option<Headroom>,
    /// SHA-256 of all that stands before it in the plan, in hexadecimal digits. The last value of the line.
    pub digest: String,
}

impl GuardVerdict {
    /// The percentage that `--allow` needs so that all of it may go.
    pub fn needed(&self) -> u32 {
        self.share.0.max(self.share.1).ceil().clamp(1.0, 100.0) as u32
    }
}

impl End {
    /// Why the plan is not applied, and what helps: it would remove more of a dataset than its guard allows.
    pub fn stopped(&self) -> Option<String> {
        let is_stopped = |dataset: &&DatasetSummary| dataset.guard.as_ref().is_some_and(|guard| guard.exceeded);
        let share = |dataset: &DatasetSummary| {
            let guard = dataset.guard.as_ref();
            let share = guard.map(|GuardVerdict { percent, within, share: (units, bytes), .. }| {
                format!(" ({units}% of its units and {bytes}% of its bytes, {percent}% per {within} allowed)")
            });
            format!("{}{}", dataset.name, share.unwrap_or_default())
        };
        let shares: Vec<_> = self.datasets.iter().filter(is_stopped).map(share).collect();
        let option = |dataset: &DatasetSummary| {
            let needed = dataset.guard.as_ref().map_or(100, GuardVerdict::needed);
            format!("`--allow {}={needed}%`", dataset.name)
        };
        let options: Vec<_> = self.datasets.iter().filter(is_stopped).map(option).collect();
        (!shares.is_empty()).then(|| {
            format!(
                "the plan would remove more of {} than the guard allows, and is not applied: look at it, and if all of \
                 it shall go plan again with {}",
                shares.join(", "),
                options.join(" ")
            )
        })
    }
}

/// How much.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Units.
    pub units: u64,
    /// Objects.
    pub objects: u64,
    /// Bytes.
    pub bytes: u64,
}

impl Amount {
    /// Adds another one.
    pub fn add(&mut self, other: Self) {
        self.units += other.units;
        self.objects += other.objects;
        self.bytes += other.bytes;
    }

    /// What is left of it without another one.
    #[must_use]
    pub fn without(self, less: Self) -> Self {
        Self {
            units: self.units.saturating_sub(less.units),
            objects: self.objects.saturating_sub(less.objects),
            bytes: self.bytes.saturating_sub(less.bytes),
        }
    }
}

/// What was found in a dataset.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DatasetSummary {
    /// Its name.
    pub name: String,
    /// First letters of its keys.
    pub prefix: String,
    /// All that lies in its units.
    pub total: Amount,
    /// What is planned, by rule.
    pub rules: BTreeMap<String, Amount>,
    /// Units that nothing is done with, by the word of their verdict ("held", "undated", "settling").
    pub left: BTreeMap<String, u64>,
    /// Objects that belong to no unit.
    pub outside: Amount,
    /// The table that knows its partitions, where some of them go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catalog: Option<Catalog>,
    /// What its guard says, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guard: Option<GuardVerdict>,
}

/// What a guard says of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GuardVerdict {
    /// Percent that may be removed within the period.
    pub percent: u32,
    /// The period, as the policy writes it.
    pub within: String,
    /// What earlier runs removed within it and nobody brought back.
    pub before: Amount,
    /// What this plan would remove.
    pub planned: Amount,
    /// Percent of the units, and of the bytes, that would be removed: before and planned of what was there.
    pub share: (f64, f64),
    /// Whether it is too much.
    pub exceeded: bool,
}
