//! A hold binds what a run keeps, too: copies in the trash, what waits in its place, and what lies under delete markers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::places::Places;
use crate::plan::line::{Amount, PlannedAction};
use crate::policy::{Hold, Policy, is_met};
use crate::words::counted;

use super::journal::{IntendedUnit, Journal, Latest, Outcome};
use super::keys;
use super::left::Skipped;
use super::record::{RunRecord, RunState};
use super::{Bucket, StateError};

/// What holds of a policy keep of a run.
#[derive(Debug, Clone)]
pub struct HeldBack {
    /// The run.
    pub run: String,
    /// The units.
    units: Places<()>,
    /// Each hold, with what it keeps.
    pub holds: Vec<(Hold, Amount)>,
    /// What the run keeps besides: it may go.
    pub rest: Amount,
}

impl HeldBack {
    /// What of it is held; None where nothing is. The journal of a run that no hold meets is not read.
    ///
    /// # Errors
    /// `Malformed`, and the gateway's.
    pub async fn of(bucket: &Bucket, record: &RunRecord, policy: &Policy) -> Result<Option<Self>, StateError> {
        let meets = |hold: &Hold| record.datasets.values().any(|done| is_met(&hold.prefix, &done.prefix));
        if !policy.holds.iter().any(meets) {
            return Ok(None);
        }
        let latest = Journal::latest(bucket, &record.run).await?;
        let (mut units, mut rest) = (Places::default(), Amount::default());
        let mut sums: BTreeMap<usize, Amount> = BTreeMap::new();
        let mut journal = Journal::units(bucket, &record.run);
        while let Some(found) = journal.next().await? {
            let Some(Latest { batch, outcome, .. }) = latest.get(&found.unit.prefix) else { continue };
            let outcome = outcome.as_ref().map(|last| &last.outcome);
            if *batch != found.batch || !is_kept(record, &found.unit, outcome) {
                continue;
            }
            match policy.hold_of(&found.unit.prefix) {
                Some(hold) => {
                    sums.entry(hold).or_default().add(amount(&found.unit));
                    units.add(found.unit.prefix, ());
                }
                None => rest.add(amount(&found.unit)),
            }
        }
        let holds = sums.into_iter().filter_map(|(hold, sum)| Some((policy.holds.get(hold)?.clone(), sum)));
        let holds: Vec<_> = holds.collect();
        Ok((!holds.is_empty()).then(|| Self { run: record.run.clone(), units, holds, rest }))
    }

    /// Whether the run keeps nothing that may go.
    pub fn is_all(&self) -> bool {
        self.rest.units == 0
    }

    /// Whether a unit is held.
    pub fn has(&self, prefix: &str) -> bool {
        self.units.meeting(prefix).is_some()
    }

    /// Whether a copy in the trash is that of an object in a unit that is held.
    pub fn has_copy(&self, copy: &str) -> bool {
        let copied = copy.strip_prefix(&keys::trash(&self.run)).and_then(|rest| rest.split_once('/'));
        copied.is_none_or(|(_, key)| self.units.around(key).is_some())
    }

    /// For the record of the run: the places of the holds, with the numbers of their units.
    pub fn places(&self) -> BTreeMap<String, u64> {
        self.holds.iter().map(|(hold, sum)| (hold.prefix.clone(), sum.units)).collect()
    }

    /// What is said of it, hold by hold.
    pub fn told(&self) -> impl Iterator<Item = Skipped> {
        self.holds.iter().map(|(Hold { prefix, reason, owner }, sum)| {
            let units = counted(sum.units, "unit");
            let (is, goes) = if sum.units == 1 { ("is", "it goes") } else { ("are", "they go") };
            let owner = if owner.is_empty() { String::new() } else { format!(", {owner}") };
            let reason = format!(
                "trash of run {}: {units} {is} held ({reason}{owner}): {goes} when the hold is taken out of the policy",
                self.run
            );
            Skipped::new(prefix, None, reason)
        })
    }
}

/// What holds keep of runs, for programs.
pub fn json<'a>(all: impl IntoIterator<Item = &'a HeldBack>) -> Value {
    let of_run = |held: &'a HeldBack| {
        held.holds.iter().map(|(Hold { prefix, reason, owner }, Amount { units, objects, bytes })| {
            json!({
                "run": held.run, "hold": prefix, "reason": reason, "owner": owner, "units": units, "objects": objects,
                "bytes": bytes,
            })
        })
    };
    all.into_iter().flat_map(of_run).collect()
}

/// Whether the run still keeps something of a unit. Of a trash that was emptied but for what was held then, that is left.
fn is_kept(record: &RunRecord, unit: &IntendedUnit, outcome: Option<&Outcome>) -> bool {
    let was_left = record.state != RunState::Purging
        || record.held_for.is_empty()
        || record.held_for.keys().any(|place| is_met(place, &unit.prefix));
    let is_there = match outcome {
        Some(Outcome::Done) => unit.action != PlannedAction::Delete,
        Some(Outcome::NotRestored { .. } | Outcome::Held { until: Some(_), .. }) | None => true,
        Some(_) => false,
    };
    was_left && is_there && unit.action.removes()
}

fn amount(unit: &IntendedUnit) -> Amount {
    let bytes = unit.objects.iter().map(|object| object.planned.bytes).sum();
    Amount { units: 1, objects: unit.objects.len() as u64, bytes }
}
