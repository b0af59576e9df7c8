//! What earlier runs did, as far as it matters for a plan.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::places::{Places, are_nested};
use crate::plan::line::{Amount, PlannedTrash};
use crate::policy::{Action, Policy};
use crate::run::holds::HeldBack;
use crate::run::journal::{Journal, Outcome};
use crate::run::record::{DatasetDone, HELD, NOT_RESTORED, RunRecord, RunState};
use crate::run::store::Store;
use crate::run::{Bucket, StateError};

use super::{MakeError, Moves};

/// The word for units that a run moves by the gateway's rules.
pub(super) const WAITING: &str = "waiting for gateway";

/// Name of the action in what runs did.
const ARCHIVE: &str = "archive";

/// What earlier runs did.
#[derive(Debug, Clone, Default)]
pub struct Past {
    /// The runs of the bucket, by whatever policy.
    pub records: Vec<RunRecord>,
    /// Units that a run removed or moved, that were brought back, and that were not released: by their prefixes, with the run.
    pub undone: Places<String>,
    /// Units that a run holds, because they cannot be copied, and until when.
    pub held: Places<Timestamp>,
    /// Units that a run moves to another storage class by the gateway's rules, or brings back, until it has ended: by their
    /// prefixes, with the word for it.
    pub waiting: Places<&'static str>,
    /// What runs have still to move to an archive, by the prefixes of their datasets.
    pub archiving: Vec<(String, Amount)>,
    /// What holds keep of trash whose time is over, by the names of its runs.
    pub held_back: BTreeMap<String, HeldBack>,
}

impl Past {
    /// What the bucket knows of them.
    ///
    /// # Errors
    /// What is kept there cannot be read.
    pub async fn read(bucket: &Bucket) -> Result<Self, MakeError> {
        Self::of(bucket, Store::new(bucket.clone()).records().await?, &Moves::default()).await
    }

    /// The same, of runs whose records were read already, as some of their plans may have been.
    ///
    /// # Errors
    /// What is kept of them cannot be read.
    pub async fn of(bucket: &Bucket, records: Vec<RunRecord>, moves: &Moves) -> Result<Self, MakeError> {
        let mut undone = Places::default();
        for record in records.iter().filter(|record| was_undone(record)) {
            for (prefix, outcome) in Journal::summary(bucket, &record.run).await? {
                // What could not be brought back as it was is nobody's to remove again either.
                let is_half = record.restores && matches!(outcome.outcome, Outcome::HalfMoved { .. });
                if is_half || matches!(outcome.outcome, Outcome::Restored | Outcome::NotRestored { .. }) {
                    undone.add(prefix, record.run.clone());
                }
            }
        }
        let mut held = Places::default();
        for record in records.iter().filter(|record| holds(record)) {
            for (prefix, outcome) in Journal::summary(bucket, &record.run).await? {
                if let Outcome::Held { until: Some(until), .. } = outcome.outcome {
                    held.add(prefix, record.trash_until.unwrap_or(until));
                }
            }
        }
        let (mut waiting, mut archiving) = (Places::default(), Vec::new());
        let store = Store::new(bucket.clone());
        moves.keep_only(|run| records.iter().any(|record| record.run == run && what_waits(record).is_some()));
        for record in &records {
            let Some(word) = what_waits(record) else { continue };
            let units = moves.of(&store, record).await?;
            // One that waits for the gateway removes nothing more.
            let going = units.going.iter().filter(|_| record.state == RunState::Undoing);
            going.chain(&units.moving).for_each(|prefix| waiting.add(prefix.clone(), word));
            if record.state == RunState::WaitingForGateway {
                archiving.extend(units.archived.iter().filter_map(|(dataset, planned)| {
                    let done = record.datasets.get(dataset)?;
                    Some((done.prefix.clone(), planned.without(total(done, &[ARCHIVE]))))
                }));
            }
        }
        Ok(Self { records, undone, held, waiting, archiving, held_back: BTreeMap::new() })
    }

    /// The same, of what was brought back, or comes back, of other runs than this one.
    ///
    /// # Errors
    /// As [`Past::read`].
    pub async fn brought_back(bucket: &Bucket, records: &[RunRecord], run: &str) -> Result<Self, MakeError> {
        let is_meant =
            |record: &&RunRecord| record.run != run && (record.state == RunState::Undoing || was_undone(record));
        let records = records.iter().filter(is_meant).cloned().collect();
        Self::of(bucket, records, &Moves::default()).await
    }

    /// Looks which trash that may be emptied at `now` is held by a policy.
    ///
    /// # Errors
    /// A journal cannot be read.
    pub async fn look_for_holds(&mut self, bucket: &Bucket, policy: &Policy, now: Timestamp) -> Result<(), StateError> {
        for record in self.records.iter().filter(|record| record.trash_is_due(now) && is_of(record, policy)) {
            if let Some(held) = HeldBack::of(bucket, record, policy).await? {
                self.held_back.insert(record.run.clone(), held);
            }
        }
        Ok(())
    }

    /// A run that is under way at a place of this prefix, whatever its units are.
    pub(super) fn running(&self, prefix: &str) -> Option<&RunRecord> {
        self.records
            .iter()
            .filter(|record| record.state == RunState::Running)
            .find(|record| record.datasets.values().any(|done| are_nested(&done.prefix, prefix)))
    }

    /// What runs that ended at `since` or later, or have not ended, removed there or are about to move to an archive, and
    /// nobody brought back. A dataset's history is that of its place: under another name it is the same.
    pub(super) fn removed(&self, prefix: &str, since: Option<Timestamp>) -> Amount {
        let guarded = [Action::Expire.name(), Action::Delete.name(), ARCHIVE, HELD, NOT_RESTORED];
        let mut sum = self.archiving(prefix);
        for done in self.done(prefix, |record| is_within(record, since)) {
            // Of what came back nobody knows what had been swept: that came back first.
            let swept = total(done, &[Action::SweepAbandoned.name()]);
            sum.add(total(done, &guarded).without(done.undone.without(swept)));
        }
        sum
    }

    /// What counts there as removed at `since` or later though it lies there still: what runs hold, and what is in an archive.
    pub(super) fn lying(&self, prefix: &str, since: Option<Timestamp>) -> Amount {
        let mut sum = self.archiving(prefix);
        self.done(prefix, holds).for_each(|done| sum.add(total(done, &[HELD])));
        self.done(prefix, |record| is_within(record, since)).for_each(|done| sum.add(total(done, &[ARCHIVE])));
        sum
    }

    fn archiving(&self, prefix: &str) -> Amount {
        let mut sum = Amount::default();
        let there = self.archiving.iter().filter(|(place, _)| are_nested(place, prefix));
        there.for_each(|(_, amount)| sum.add(*amount));
        sum
    }

    /// What such runs did there.
    fn done(&self, prefix: &str, is_meant: impl Fn(&RunRecord) -> bool) -> impl Iterator<Item = &DatasetDone> {
        let records = self.records.iter().filter(move |record| is_meant(record));
        records.flat_map(|record| record.datasets.values()).filter(move |done| are_nested(&done.prefix, prefix))
    }

    /// Trash that a policy may empty at `now`, the oldest first: of runs in its own datasets, but for what it holds.
    pub(super) fn due_trash(&self, now: Timestamp, policy: &Policy) -> Vec<PlannedTrash> {
        let is_due = |record: &&RunRecord| record.trash_is_due(now) && is_of(record, policy);
        let due = self.records.iter().filter(is_due).filter_map(|record| {
            let since = record.trash_until?;
            if let Some(HeldBack { run, rest, .. }) = self.held_back.get(&record.run) {
                let goes = PlannedTrash { run: run.clone(), since, objects: rest.objects, bytes: rest.bytes };
                return (rest.units > 0).then_some(goes);
            }
            let sum = record.datasets.values().fold(Amount::default(), |mut sum, done| {
                let kept = [Action::Expire.name(), Action::SweepAbandoned.name(), HELD];
                sum.add(total(done, &kept).without(done.undone));
                sum
            });
            Some(PlannedTrash { run: record.run.clone(), since, objects: sum.objects, bytes: sum.bytes })
        });
        let mut due: Vec<_> = due.collect();
        due.sort_by(|one, other| one.run.cmp(&other.run));
        due
    }
}

/// Whether all places where a run did something lie in datasets of a policy: only then its holds are all that there are.
/// Of a run that was killed nobody knows where: those are all places of its plan.
pub(crate) fn is_of(record: &RunRecord, policy: &Policy) -> bool {
    let has_worked = |done: &&DatasetDone| !done.actions.is_empty();
    let is_known = record.datasets.values().any(|done| has_worked(&done));
    let is_own = |done: &DatasetDone| policy.datasets.iter().any(|own| done.prefix.starts_with(&own.prefix));
    record.datasets.values().filter(|done| !is_known || has_worked(done)).all(is_own)
}

/// The word for what units of a run wait for, where they do.
fn what_waits(record: &RunRecord) -> Option<&'static str> {
    match record.state {
        RunState::WaitingForGateway => Some(WAITING),
        RunState::Undoing => Some("coming back"),
        _ => None,
    }
}

/// Whether units of it may not be planned again.
fn was_undone(record: &RunRecord) -> bool {
    let is_meant = match record.state {
        RunState::Undone => true,
        // Most of them nobody has brought back.
        RunState::Purging | RunState::Purged => record.came_back(),
        _ => record.restores,
    };
    is_meant && !record.released
}

/// Whether some of it waits where it is, to go when the time of the trash is over.
fn holds(record: &RunRecord) -> bool {
    let is_kept = matches!(record.state, RunState::Done | RunState::WaitingForGateway | RunState::Purging);
    is_kept && record.datasets.values().any(|done| done.actions.contains_key(HELD))
}

/// Whether a run ended at `since` or later, or has not ended.
fn is_within(record: &RunRecord, since: Option<Timestamp>) -> bool {
    since.is_none_or(|since| record.finished.is_none_or(|end| end >= since))
}

fn total(done: &DatasetDone, actions: &[&str]) -> Amount {
    let amounts = actions.iter().filter_map(|action| done.actions.get(*action));
    amounts.fold(Amount::default(), |mut sum, amount| {
        sum.add(*amount);
        sum
    })
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::own(&[("lake/own/", true)], true)]
    #[case::others_too(&[("lake/own/", true), ("lake/other/", true)], false)]
    #[case::nothing_was_done_there(&[("lake/own/", true), ("lake/other/", false)], true)]
    // It was killed, and what it did is in the journal alone.
    #[case::unknown(&[("lake/other/", false)], false)]
    #[case::unknown_in_own(&[("lake/own/", false)], true)]
    fn a_run_is_of_a_policy_that_has_all_of_its_places(#[case] places: &[(&str, bool)], #[case] is_own: bool) {
        let text = "version: 1\ndatasets:\n  - name: own\n    location: s3a://b/lake/own/\n    age: {from: newest_object}\n    \
                    rules: [{name: drop, when: {older_than: 3d}, then: expire}]\n";
        let policy = Policy::read(text).unwrap();
        let amount = json!({"units": 1, "objects": 1, "bytes": 1});
        let done = |worked: bool| if worked { json!({"expire": amount}) } else { json!({}) };
        let datasets: serde_json::Map<_, _> = places
            .iter()
            .map(|(prefix, worked)| {
                let done = json!({"prefix": prefix, "total": amount, "actions": done(*worked), "undone": amount});
                ((*prefix).to_owned(), done)
            })
            .collect();
        let record: RunRecord = serde_json::from_value(json!({
            "run": "a", "policy": {"path": "", "sha256": ""}, "digest": "", "started": "2026-01-01T00:00:00Z",
            "finished": null, "state": "undone", "holder": "", "lease": 1, "skipped": [], "skipped_count": 0,
            "trash_until": null, "released": false, "datasets": datasets,
        }))
        .unwrap();
        assert_eq!(is_of(&record, &policy), is_own);
    }
}
