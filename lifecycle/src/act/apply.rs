//! Carries out a plan: unit by unit, each written into the journal before it is touched. Goes on with a run that was
//! killed.

use std::collections::{BTreeMap, HashMap, HashSet};

use jiff::Timestamp;

use crate::catalog::Catalogs;
use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, DatasetSummary, End, PlannedObject, PlannedUnit, PlannedUpload, Shape};
use crate::policy::Action;
use crate::run::Bucket;
use crate::run::journal::{BATCH, IntendedObject, IntendedUnit, Journal, Means, Outcome};
use crate::run::keys;
use crate::run::left::{Left, Skipped};
use crate::run::record::{DatasetDone, HELD, NOT_RESTORED};
use crate::run::uploads::UploadOutcome;

use super::means::{self, Removal};
use super::objects::Objects;
use super::spared::{Spared, spare};
use super::{Failure, conclude, lists};

/// Carries out plans.
pub struct Apply<'a> {
    /// The bucket's objects.
    pub objects: Objects<'a>,
    /// Where the run's state is kept.
    pub bucket: &'a Bucket,
    /// The run's journal.
    pub journal: &'a Journal,
    /// The run.
    pub run: &'a str,
    /// The tables that know its units.
    pub catalogs: &'a Catalogs<'a>,
    /// Id of the user that copies belong to.
    pub user: &'a str,
    /// What is left though the plan names it.
    pub spared: &'a Spared<'a>,
    /// Most units at a time.
    pub units_at_once: usize,
}

/// What the journal says of a run that was begun before.
#[derive(Debug, Default)]
pub struct Known {
    /// Units that are through, by their prefixes.
    concluded: HashMap<String, Outcome>,
    /// Units that were begun, by their prefixes.
    begun: HashMap<String, Begun>,
}

/// A unit that was begun, and of which nobody wrote down what came of it.
#[derive(Debug)]
struct Begun {
    /// As it was announced last.
    unit: IntendedUnit,
    /// The leases that it was announced under.
    leases: Vec<u64>,
}

impl Known {
    /// Reads the journal of a run. Memory grows with its units, not with their objects.
    ///
    /// # Errors
    /// `Malformed`, and the gateway's.
    pub async fn of(bucket: &Bucket, run: &str) -> Result<Self, Failure> {
        let mut known = Self::default();
        let mut units = Journal::units(bucket, run);
        while let Some(found) = units.next().await? {
            match found.outcome {
                Some(outcome) => {
                    known.begun.remove(&found.unit.prefix);
                    known.concluded.insert(found.unit.prefix, outcome.outcome);
                }
                None if found.is_announced => known.begin(&found.unit, found.batch.lease),
                None => {}
            }
        }
        Ok(known)
    }

    /// What came of a unit, by its prefix, where that was written down.
    pub fn outcome(&self, prefix: &str) -> Option<&Outcome> {
        self.concluded.get(prefix)
    }

    /// A unit was announced under this lease.
    pub(super) fn begin(&mut self, unit: &IntendedUnit, lease: u64) {
        let mut leases = self.begun.remove(&unit.prefix).map(|begun| begun.leases).unwrap_or_default();
        leases.push(lease);
        self.begun.insert(unit.prefix.clone(), Begun { unit: unit.clone(), leases });
    }

    /// The leases that a unit was begun under, where what came of it was not written down; none where it was not begun.
    fn begun_under(&self, prefix: &str) -> &[u64] {
        self.begun.get(prefix).map(|begun| begun.leases.as_slice()).unwrap_or_default()
    }

    /// Whether a unit was begun, and what came of it was not written down.
    pub fn is_begun(&self, prefix: &str) -> bool {
        self.begun.contains_key(prefix)
    }
}

/// What a run did.
#[derive(Debug, Default)]
pub struct Applied {
    /// By dataset.
    pub datasets: BTreeMap<String, DatasetDone>,
    /// What it did not do.
    pub left: Left,
    /// Until when the trash is kept; None where nothing was to go there.
    pub trash_until: Option<Timestamp>,
}

impl Apply<'_> {
    /// Carries out what is not yet done of a plan. `see` is told of each unit that is through.
    ///
    /// # Errors
    /// What kept it from going on: the run can be resumed.
    pub async fn run(
        &self,
        plan: &mut PlanReader,
        known: &Known,
        mut see: impl FnMut(&PlannedUnit, &Outcome) + Send,
    ) -> Result<Applied, Failure> {
        let mut applied = Applied::of(plan.end());
        let created = plan.header().created;
        let (mut group, mut size) = (Vec::new(), 0);
        loop {
            if self.objects.permit.is_ending() {
                return Err(Failure::Stopped);
            }
            let next = plan.next_unit()?;
            let is_last = next.is_none();
            if let Some((unit, objects)) = next {
                if !unit.action.removes() {
                    continue;
                }
                if let Some(outcome) = known.concluded.get(&unit.prefix) {
                    applied.note(&unit, outcome);
                    continue;
                }
                size += objects.len();
                group.push((unit, objects));
            }
            if is_last || size >= BATCH {
                let (done, partitions) = self.batch(std::mem::take(&mut group), known, created).await?;
                for (unit, outcome) in done {
                    applied.note(&unit, &outcome);
                    see(&unit, &outcome);
                }
                partitions.into_iter().for_each(|skipped| applied.left.skip(skipped));
                size = 0;
            }
            if is_last {
                return Ok(applied);
            }
        }
    }

    /// Some units: all of them are in the journal before the first is touched. Returns also what was left of catalogs.
    async fn batch(
        &self,
        units: Vec<(PlannedUnit, Vec<PlannedObject>)>,
        known: &Known,
        created: Timestamp,
    ) -> Result<(Vec<(PlannedUnit, Outcome)>, Vec<Skipped>), Failure> {
        if units.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let keeps_versions = self.bucket.keeps_versions().await?;
        let (mut intended, mut planned) = (Vec::with_capacity(units.len()), Vec::with_capacity(units.len()));
        for (unit, objects) in units {
            let begun = known.begun.get(&unit.prefix).map(|begun| &begun.unit);
            let means = begun.map_or_else(|| means::means_of(&unit.action, keeps_versions), |begun| begun.means);
            let mut intent = self.intent(&unit, objects, means, begun);
            means::prepare(&self.objects, &mut intent).await?;
            intended.push(intent);
            planned.push(unit);
        }
        let refused = &lists::learn(&self.objects, self.user, &mut intended).await?;
        self.objects.permit.check()?;
        let batch = self.journal.intend(&intended).await?;
        let going: Vec<_> = intended.iter().filter(|unit| self.spared.reason(&unit.prefix).is_none()).collect();
        let mut partitions = self.catalogs.drop(self.objects.permit, batch, &going).await?;
        let several = Objects { at_once: units_at_once(self.units_at_once, &intended), ..self.objects };
        let work = intended.iter().zip(planned).collect();
        let done = several
            .for_all(work, |(intended, unit): (&IntendedUnit, PlannedUnit)| async move {
                if self.objects.permit.is_ending() {
                    return Ok(None);
                }
                let reason = intended.objects.iter().find_map(|object| refused.get(&object.planned.key));
                // It was begun when they were not kept.
                let is_late = keeps_versions && intended.means != Means::Markers;
                let late = is_late.then(|| "the bucket keeps versions by now: plan it again".to_owned());
                let spared = self.spared.reason(&unit.prefix).or(late);
                let spared = spared.map(|reason| Outcome::Changed { key: unit.prefix.clone(), reason });
                let refused = reason.map(|reason| Outcome::Refused { reason: reason.clone() });
                let begun_under = known.begun_under(&unit.prefix);
                let removal = match spared.or(refused) {
                    Some(whole) => spare(&self.objects, intended, begun_under, whole).await?,
                    None => means::remove(&self.objects, intended, created, begun_under).await?,
                };
                Ok(Some((unit, removal)))
            })
            .await?;
        let all = done.len();
        let mut done: Vec<_> = done.into_iter().flatten().collect();
        self.date_held(&mut done, created).await?;
        let going =
            done.iter().filter(|(_, removal)| !removal.outcome.is_shown()).map(|(unit, _)| unit.prefix.as_str());
        let going: HashSet<&str> = going.collect();
        let stayed = intended.iter().map(|unit| unit.prefix.as_str()).filter(|prefix| !going.contains(prefix));
        partitions.extend(self.catalogs.add(self.objects.permit, stayed).await?);
        let outcomes =
            done.iter().map(|(unit, Removal { outcome, markers })| (unit.prefix.as_str(), outcome, markers.as_slice()));
        conclude(&self.objects, self.bucket, self.journal, batch, outcomes).await?;
        let is_whole = done.len() == all;
        let done = done.into_iter().map(|(unit, removal)| (unit, removal.outcome)).collect();
        if is_whole { Ok((done, partitions)) } else { Err(Failure::Stopped) }
    }

    /// Says until when units are held: as long as the trash would keep them, from now on.
    async fn date_held(&self, done: &mut [(PlannedUnit, Removal)], created: Timestamp) -> Result<(), Failure> {
        if !done.iter().any(|(_, removal)| matches!(removal.outcome, Outcome::Held { .. })) {
            return Ok(());
        }
        let now = self.bucket.time().await?;
        for (unit, removal) in done {
            if let Outcome::Held { until, .. } = &mut removal.outcome {
                let ends = |planned: Timestamp| now.saturating_add(planned.duration_since(created)).unwrap_or(planned);
                *until = Some(unit.trash_until.map_or(now, ends));
            }
        }
        Ok(())
    }

    /// What is about to be done with a unit. An earlier holder of the lease may have copied some of it already.
    fn intent(
        &self,
        unit: &PlannedUnit,
        objects: Vec<PlannedObject>,
        means: Means,
        begun: Option<&IntendedUnit>,
    ) -> IntendedUnit {
        let former: HashMap<&str, &IntendedObject> = begun
            .into_iter()
            .flat_map(|begun| &begun.objects)
            .map(|object| (object.planned.key.as_str(), object))
            .collect();
        let goes_to_trash = means == Means::Copies;
        let intended = |planned: PlannedObject| {
            let former = former.get(planned.key.as_str());
            IntendedObject {
                trash: goes_to_trash.then(|| keys::trashed(self.run, self.objects.permit.number(), &planned.key)),
                former: former.map(|former| former.copies().cloned().collect()).unwrap_or_default(),
                version: former.and_then(|former| former.version.clone()),
                acl: former.and_then(|former| former.acl.clone()),
                planned,
            }
        };
        IntendedUnit {
            dataset: unit.dataset.clone(),
            prefix: unit.prefix.clone(),
            shape: unit.shape,
            action: unit.action.clone(),
            means,
            objects: objects.into_iter().map(intended).collect(),
        }
    }
}

/// How many of these units are worked on at a time. Directories know the units in them by `_SUCCESS`, which goes first and
/// comes back last: one at a time, so that none looks into another that is on its way.
pub(super) fn units_at_once(most: usize, units: &[IntendedUnit]) -> usize {
    if units.iter().any(|unit| unit.shape == Shape::Directory) { 1 } else { most }
}

impl Applied {
    /// Nothing yet, of the datasets of this plan.
    pub fn of(end: &End) -> Self {
        let dataset = |summary: &DatasetSummary| {
            let done = DatasetDone { prefix: summary.prefix.clone(), total: summary.total, ..DatasetDone::default() };
            (summary.name.clone(), done)
        };
        Self { datasets: end.datasets.iter().map(dataset).collect(), ..Self::default() }
    }

    /// Adds what came of a unit.
    pub fn note(&mut self, unit: &PlannedUnit, outcome: &Outcome) {
        // A holder that was killed may have left copies also of what stays.
        self.trash_until = self.trash_until.max(unit.trash_until);
        let (key, reason) = match outcome {
            Outcome::Done => return self.count(unit, unit.action.name()),
            Outcome::Changed { key, reason } | Outcome::HalfMoved { key, reason } => (Some(key), reason.clone()),
            Outcome::NotRestored { key, reason } => {
                self.count(unit, NOT_RESTORED);
                (Some(key), format!("a part of the unit is gone and could not be put back: {reason}"))
            }
            Outcome::Held { reason, until: Some(until) } => {
                self.count(unit, HELD);
                (
                    None,
                    format!(
                        "it cannot be copied ({reason}): it stays in place, and goes after {until} unless it is undone"
                    ),
                )
            }
            Outcome::Held { reason, until: None } => (None, format!("it can neither be copied nor removed: {reason}")),
            Outcome::Refused { reason } => (None, format!("this user may not remove it: {reason}")),
            Outcome::Restored => (None, "it was brought back".to_owned()),
        };
        let is_refused = matches!(
            outcome,
            Outcome::NotRestored { .. } | Outcome::Held { until: None, .. } | Outcome::Refused { .. }
        );
        self.left.add(Skipped { unit: unit.prefix.clone(), key: key.cloned(), reason }, is_refused);
    }

    fn count(&mut self, unit: &PlannedUnit, action: &str) {
        let amount = Amount { units: 1, objects: unit.objects, bytes: unit.bytes };
        let dataset = self.datasets.entry(unit.dataset.clone()).or_default();
        dataset.actions.entry(action.to_owned()).or_default().add(amount);
    }

    /// Adds what came of an upload.
    pub fn note_upload(&mut self, upload: &PlannedUpload, outcome: &UploadOutcome) {
        match outcome {
            UploadOutcome::Gone => {
                let dataset = self.datasets.entry(upload.dataset.clone()).or_default();
                let amount = Amount { units: 1, objects: 0, bytes: 0 };
                dataset.actions.entry(Action::AbortUploads.name().to_owned()).or_default().add(amount);
            }
            UploadOutcome::AtWork => {
                self.left.skip(Skipped::new(&upload.key, None, "a part of the upload was sent after it was planned"));
            }
            UploadOutcome::Left { reason } => self.left.skip(Skipped::new(&upload.key, None, reason.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::line::End;
    use crate::plan::line::PlannedAction;
    use crate::run::left::Refused;

    #[test]
    fn what_is_held_or_half_gone_is_counted_beside_what_was_done() {
        let (planned, digest) = (Amount::default(), String::new());
        let end = End { datasets: Vec::new(), planned, tags_set_times: None, headroom: None, digest };
        let unit = PlannedUnit {
            dataset: "events".to_owned(),
            rule: "drop".to_owned(),
            action: PlannedAction::Expire,
            prefix: "events/day=1/".to_owned(),
            shape: Shape::Prefix,
            objects: 2,
            bytes: 20,
            partial: false,
            since: Timestamp::UNIX_EPOCH,
            trash_until: Some(Timestamp::MAX),
            reason: String::new(),
        };
        let mut applied = Applied::of(&end);
        let (key, reason) = ("k".to_owned(), "full".to_owned());
        applied.note(&unit, &Outcome::Changed { key: key.clone(), reason: reason.clone() });
        applied.note(&unit, &Outcome::Refused { reason: reason.clone() });
        assert_eq!((applied.datasets.len(), applied.trash_until), (0, Some(Timestamp::MAX)));
        let may_not = "this user may not remove it: full".to_owned();
        assert_eq!(applied.left.refused, Refused { units: 1, reason: may_not });
        applied.note(&unit, &Outcome::NotRestored { key, reason: reason.clone() });
        applied.note(&unit, &Outcome::Held { reason, until: Some(Timestamp::MAX) });
        let amount = Amount { units: 1, objects: 2, bytes: 20 };
        let expected = [(HELD.to_owned(), amount), (NOT_RESTORED.to_owned(), amount)].into();
        assert_eq!(applied.datasets["events"].actions, expected);
        assert_eq!((applied.left.skipped.count, applied.trash_until), (4, Some(Timestamp::MAX)));
        // What was changed and what is held are as they should be.
        assert_eq!(applied.left.refused.units, 2);
    }
}
