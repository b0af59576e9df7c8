//! What runs keep outside of the trash: objects under delete markers, and units that wait in their places.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use serde::Serialize;

use crate::plan::line::{Amount, PlannedAction};
use crate::run::journal::{IntendedUnit, Journal, Means, Outcome, UnitOutcome};
use crate::run::record::{HELD, RunRecord, RunState};
use crate::run::{Bucket, StateError};

/// What a run keeps, until when.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Kept {
    pub(super) run: String,
    #[serde(flatten)]
    pub(super) amount: Amount,
    /// From when on it may go for good.
    pub(super) until: Option<Timestamp>,
}

/// What runs keep outside of the trash.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct AllKept {
    /// Under delete markers.
    pub(super) hidden: Vec<Kept>,
    /// In its place, because it cannot be copied.
    pub(super) held: Vec<Kept>,
}

impl AllKept {
    /// Of these runs. The journals of those that keep something are read.
    ///
    /// # Errors
    /// `Malformed`, and the gateway's.
    pub(super) async fn read(bucket: &Bucket, records: &[RunRecord]) -> Result<Self, StateError> {
        let mut all = Self::default();
        // Who may not ask reads more than is needed.
        let keeps_versions =
            bucket.keeps_versions().await.unwrap_or(true) || bucket.is_suspended().await.unwrap_or(true);
        for record in records.iter().filter(|record| may_keep(record, keeps_versions)) {
            let (hidden, held) = sums(bucket, &record.run).await?;
            for (kept, amount) in [(&mut all.hidden, hidden), (&mut all.held, held)] {
                if amount.units > 0 {
                    kept.push(Kept { run: record.run.clone(), amount, until: record.trash_until });
                }
            }
        }
        Ok(all)
    }
}

/// Whether a journal is worth a look.
fn may_keep(record: &RunRecord, keeps_versions: bool) -> bool {
    let is_kept = |action: &str| action == HELD || keeps_versions && action != "tier" && action != "archive";
    let mut actions = record.datasets.values().flat_map(|done| done.actions.keys());
    match record.state {
        RunState::Purged => false,
        // What it did is written down at its end.
        RunState::Running | RunState::Undoing => true,
        RunState::Undone if record.skipped_count == 0 => false,
        _ => actions.any(|action| is_kept(action)),
    }
}

/// What a run keeps under delete markers and in its place, by its journal. Memory grows with its units.
async fn sums(bucket: &Bucket, run: &str) -> Result<(Amount, Amount), StateError> {
    let mut kept: HashMap<String, (Amount, Amount)> = HashMap::new();
    let mut units = Journal::units(bucket, run);
    while let Some(found) = units.next().await? {
        if let Some(UnitOutcome { outcome, markers, .. }) = &found.outcome {
            let keys: Vec<&str> = markers.iter().map(|marker| marker.key.as_str()).collect();
            let both = (hidden(&found.unit, outcome, &keys), held(&found.unit, outcome));
            kept.insert(found.unit.prefix, both);
        }
    }
    let mut sums = (Amount::default(), Amount::default());
    for (hidden, held) in kept.into_values() {
        sums.0.add(hidden);
        sums.1.add(held);
    }
    Ok(sums)
}

fn hidden(unit: &IntendedUnit, outcome: &Outcome, marked: &[&str]) -> Amount {
    let is_hidden = match outcome {
        // What was deleted without trash is gone for good.
        Outcome::Done => unit.action != PlannedAction::Delete,
        Outcome::NotRestored { .. } => true,
        _ => false,
    };
    if unit.means != Means::Markers || !is_hidden {
        return Amount::default();
    }
    let marked: HashSet<&str> = marked.iter().copied().collect();
    of(unit, |key| marked.contains(key))
}

fn held(unit: &IntendedUnit, outcome: &Outcome) -> Amount {
    match outcome {
        Outcome::Held { until: Some(_), .. } => of(unit, |_| true),
        _ => Amount::default(),
    }
}

/// The objects of a unit that are meant; nothing where none is.
fn of(unit: &IntendedUnit, is_meant: impl Fn(&str) -> bool) -> Amount {
    let meant = unit.objects.iter().filter(|object| is_meant(&object.planned.key));
    meant.fold(Amount::default(), |sum, object| Amount {
        units: 1,
        objects: sum.objects + 1,
        bytes: sum.bytes + object.planned.bytes,
    })
}
