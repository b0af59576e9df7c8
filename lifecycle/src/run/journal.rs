//! What a run is about to do, written down before it does it, and what came of it.
//!
//! A batch is two objects below the run's journal: the intent, written before anything in it is touched, and the outcome.
//! Their names begin with the number of the lease that their writer held. Units that are announced together make a group
//! of one batch or more; its outcome stands beside the group's first intent, with the rest of it where that is long.

mod entries;
mod text;
mod writer;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::line::{PlannedAction, PlannedObject, Shape};

pub use entries::{Entries, Entry, JournaledUnit, Latest, Units};
pub use writer::{BatchId, Journal};

/// Most objects of a batch.
pub const BATCH: usize = 1000;

/// A unit, or a part of one, that is about to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntendedUnit {
    /// Name of the dataset.
    pub dataset: String,
    /// Its prefix.
    pub prefix: String,
    /// Which keys belong to it.
    pub shape: Shape,
    /// What is done with it.
    pub action: PlannedAction,
    /// How it goes.
    #[serde(default, skip_serializing_if = "Means::is_copies")]
    pub means: Means,
    /// Its objects.
    pub objects: Vec<IntendedObject>,
}

impl IntendedUnit {
    /// Whether it goes, and does so under delete markers.
    pub fn goes_under_markers(&self) -> bool {
        self.action.removes() && self.means == Means::Markers
    }
}

/// How units go.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Means {
    /// Their objects are copied to the trash, then removed under a condition.
    #[default]
    Copies,
    /// Their objects are removed where they lie, under a condition: what goes for good, and what was held.
    InPlace,
    /// Their objects are hidden under delete markers, in a bucket that keeps versions, until those versions are removed.
    Markers,
}

impl Means {
    fn is_copies(&self) -> bool {
        *self == Self::Copies
    }
}

/// An object that is about to change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct IntendedObject {
    /// As it was planned.
    #[serde(flatten)]
    pub planned: PlannedObject,
    /// Where it is copied to, of what goes to the trash.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trash: Option<String>,
    /// Where earlier holders of the lease may have copied it to, the latest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub former: Vec<String>,
    /// Its version, of what goes under a delete marker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its access control list, where copies have another one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<String>,
}

impl IntendedObject {
    /// Every place that its copy may be at.
    pub fn copies(&self) -> impl Iterator<Item = &String> {
        self.trash.iter().chain(&self.former)
    }
}

/// What came of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitOutcome {
    /// Its prefix.
    pub prefix: String,
    /// What came of it.
    pub outcome: Outcome,
    /// Since when it is so.
    pub at: Timestamp,
    /// The delete markers that the run has put over its objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub markers: Vec<Marker>,
}

/// A delete marker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// The key that it hides.
    pub key: String,
    /// Its version.
    pub version: String,
}

/// What came of a unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// As planned.
    Done,
    /// Something changed: it is as if nothing had been planned.
    Changed {
        /// The first key that was not as planned.
        key: String,
        /// What was found.
        reason: String,
    },
    /// A part of it has moved to another storage class; the rest stays.
    HalfMoved {
        /// A key that shows it, or the unit.
        key: String,
        /// Why not all of it has moved.
        reason: String,
    },
    /// It cannot be copied: it stays, and goes when the time of the trash is over, unless it is undone.
    Held {
        /// Why.
        reason: String,
        /// Until when at least. Without it the unit can neither be copied nor removed, and stays.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// This user may not do it: it is as if nothing had been planned.
    Refused {
        /// Why.
        reason: String,
    },
    /// It was brought back.
    Restored,
    /// It could not be brought back as it was.
    NotRestored {
        /// The key that was in the way, where one was.
        key: String,
        /// Why.
        reason: String,
    },
}

impl Outcome {
    /// Whether tables have the unit as a partition. Held ones are expired, though their files wait, and nobody is shown a part
    /// of one that is half gone.
    pub fn is_shown(&self) -> bool {
        matches!(self, Self::Changed { .. } | Self::HalfMoved { .. } | Self::Refused { .. } | Self::Restored)
    }
}
