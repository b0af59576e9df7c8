//! Brings back what a run removed, unit by unit, whether the run ended or was killed.

use std::collections::BTreeMap;

use crate::catalog::Catalogs;
use crate::plan::line::{Amount, PlannedAction};
use crate::run::Bucket;
use crate::run::journal::{BATCH, IntendedUnit, Journal, Latest, Outcome};
use crate::run::left::{Left, Skipped};

use super::apply::units_at_once;
use super::objects::Objects;
use super::restore::{PutBack, put_back};
use super::{Failure, conclude, means};

/// Brings back what a run removed.
pub struct Undo<'a> {
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
    /// Whether a unit comes back beside objects that the run does not know.
    pub merge: bool,
    /// Most units at a time.
    pub units_at_once: usize,
}

/// What came back.
#[derive(Debug, Default)]
pub struct Undone {
    /// All that is back by now, by dataset.
    pub datasets: BTreeMap<String, Amount>,
    /// What came back just now.
    pub came: BTreeMap<String, Amount>,
    /// What the run had removed, or begun to, by dataset and the action's name: nothing else says so of one that was killed.
    pub removed: BTreeMap<String, BTreeMap<String, Amount>>,
    /// What did not come back.
    pub left: Left,
}

impl Undo<'_> {
    /// Brings back what is not back yet. `see` is told of each unit.
    ///
    /// # Errors
    /// What kept it from going on: it can be run again.
    pub async fn run(&self, mut see: impl FnMut(&IntendedUnit, &Outcome) + Send) -> Result<Undone, Failure> {
        let latest = Journal::latest(self.bucket, self.run).await?;
        let mut undone = Undone::default();
        let (mut group, mut size) = (Vec::new(), 0);
        let mut units = Journal::units(self.bucket, self.run);
        loop {
            let next = units.next().await?;
            let is_last = next.is_none();
            // What has moved to another class moves back elsewhere.
            if let Some(found) = next
                && found.unit.action.removes()
                && let Some(latest) = latest.get(&found.unit.prefix)
                && latest.batch == found.batch
            {
                match latest.outcome.as_ref().map(|last| &last.outcome) {
                    // As if nothing had been planned.
                    Some(
                        Outcome::Changed { .. }
                        | Outcome::HalfMoved { .. }
                        | Outcome::Refused { .. }
                        | Outcome::Held { until: None, .. },
                    ) => {}
                    Some(Outcome::Restored) => {
                        undone.removed(&found.unit);
                        undone.note(&found.unit, &Outcome::Restored, true);
                    }
                    Some(Outcome::Done | Outcome::NotRestored { .. } | Outcome::Held { .. }) | None => {
                        undone.removed(&found.unit);
                        size += found.unit.objects.len();
                        group.push((found.unit, latest));
                    }
                }
            }
            if size >= BATCH || is_last {
                let (done, partitions) = self.batch(std::mem::take(&mut group)).await?;
                for (unit, PutBack { outcome, is_changed }) in done {
                    undone.note(&unit, &outcome, is_changed);
                    undone.came(&unit, &outcome);
                    see(&unit, &outcome);
                }
                partitions.into_iter().for_each(|refused| undone.left.refuse(refused));
                size = 0;
            }
            if is_last {
                return Ok(undone);
            }
        }
    }

    async fn batch(
        &self,
        units: Vec<(IntendedUnit, &Latest)>,
    ) -> Result<(Vec<(IntendedUnit, PutBack)>, Vec<Skipped>), Failure> {
        if units.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let (units, before): (Vec<_>, Vec<_>) = units.into_iter().unzip();
        self.objects.permit.check()?;
        let batch = self.journal.intend(&units).await?;
        let several = Objects { at_once: units_at_once(self.units_at_once, &units), ..self.objects };
        let done = several
            .for_all(
                units.into_iter().zip(before).collect(),
                |(unit, Latest { outcome: before, begun_under, .. }): (IntendedUnit, &Latest)| async move {
                    // Where nothing was written down, markers over its versions are the run's if they are of its time.
                    let known = before.as_ref().map(|before| before.markers.clone());
                    let as_it_is = |outcome| PutBack { outcome, is_changed: true };
                    let back = match (&unit.action, before.as_ref().map(|before| &before.outcome)) {
                        // Nobody can see to that. Where nothing was written down it may be there still.
                        (PlannedAction::Delete, Some(Outcome::Done)) => as_it_is(Outcome::NotRestored {
                            key: unit.prefix.clone(),
                            reason: "it went for good, as the policy says".to_owned(),
                        }),
                        // It never went, and now it does not go.
                        (_, Some(Outcome::Held { .. })) => as_it_is(Outcome::Restored),
                        _ => put_back(&self.objects, &unit, self.merge, known.as_deref(), begun_under).await?,
                    };
                    let left = match known {
                        _ if back.outcome == Outcome::Restored => Vec::new(),
                        Some(known) => known,
                        None => means::markers_over(&self.objects, &unit, begun_under).await?,
                    };
                    Ok((unit, back, left))
                },
            )
            .await?;
        let back = done.iter().filter(|(_, back, _)| back.outcome == Outcome::Restored);
        let back = back.map(|(unit, ..)| unit.prefix.as_str());
        let partitions = self.catalogs.add(self.objects.permit, back).await?;
        let outcomes =
            done.iter().map(|(unit, back, markers)| (unit.prefix.as_str(), &back.outcome, markers.as_slice()));
        conclude(&self.objects, self.bucket, self.journal, batch, outcomes).await?;
        Ok((done.into_iter().map(|(unit, back, _)| (unit, back)).collect(), partitions))
    }
}

impl Undone {
    fn removed(&mut self, unit: &IntendedUnit) {
        let dataset = self.removed.entry(unit.dataset.clone()).or_default();
        dataset.entry(unit.action.name().to_owned()).or_default().add(amount(unit));
    }

    /// `is_changed`: it is no fault of the gateway's, or of ours, where it did not come back.
    fn note(&mut self, unit: &IntendedUnit, outcome: &Outcome, is_changed: bool) {
        match outcome {
            Outcome::NotRestored { key, reason } => {
                self.left.add(Skipped::new(&unit.prefix, Some(key), reason), !is_changed);
            }
            _ => self.datasets.entry(unit.dataset.clone()).or_default().add(amount(unit)),
        }
    }

    fn came(&mut self, unit: &IntendedUnit, outcome: &Outcome) {
        if *outcome == Outcome::Restored {
            self.came.entry(unit.dataset.clone()).or_default().add(amount(unit));
        }
    }
}

fn amount(unit: &IntendedUnit) -> Amount {
    let bytes = unit.objects.iter().map(|object| object.planned.bytes).sum();
    Amount { units: 1, objects: unit.objects.len() as u64, bytes }
}
