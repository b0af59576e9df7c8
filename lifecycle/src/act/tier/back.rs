//! What a run has moved to another storage class moves back, by the same means.

use std::collections::{BTreeMap, BTreeSet};

use crate::act::apply::Known;
use crate::act::objects::Objects;
use crate::act::survey::survey;
use crate::act::{Failure, tier};
use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, PlannedAction, PlannedObject, PlannedUnit};
use crate::run::Bucket;
use crate::run::journal::{BATCH, Journal, Outcome};
use crate::run::left::{Left, Skipped};
use crate::tier::{AT_ONCE, TierUnit, Tiering};

use super::tagged::{Direction, Tagged};
use super::{Moved, Obstacle, intended, places, why_not, write_down};

/// Moves the units of a run back.
pub struct Back<'a> {
    /// The bucket's objects.
    pub objects: &'a Objects<'a>,
    /// Where the run's state is kept.
    pub bucket: &'a Bucket,
    /// The run's journal.
    pub journal: &'a Journal,
    /// The run.
    pub run: &'a str,
    /// Whether all that the run was to move has moved, or was left: then the journal names what has.
    pub is_finished: bool,
    /// Whether a unit moves back although something was written there since.
    pub merge: bool,
}

/// What moved back.
#[derive(Debug, Default)]
pub struct TieredBack {
    /// By dataset.
    pub datasets: BTreeMap<String, Amount>,
    /// What of it was not known to be back.
    pub came: BTreeMap<String, Amount>,
    /// What is left where it is.
    pub left: Left,
    /// Units that the gateway has still to move.
    pub waiting: u64,
}

impl Back<'_> {
    /// Sees to it that what the run has moved, or has rules for, goes back to the class that it had. To be called again while
    /// units are waiting.
    ///
    /// # Errors
    /// What kept it from going on.
    pub async fn run(&self, plan: &mut PlanReader) -> Result<TieredBack, Failure> {
        let objects = self.objects;
        let mut known = Known::of(self.bucket, self.run).await?;
        if !self.is_finished {
            self.announce(plan, &mut known).await?;
        }
        let mut back = TieredBack::default();
        let (mut units, mut whole, mut ended) = (BTreeMap::new(), Vec::new(), Vec::new());
        let places = places(plan);
        let mut tagged = Tagged::new(objects, self.run, Direction::Back { merge: self.merge }, &places);
        plan.rewind();
        while let Some((unit, planned)) = plan.next_unit()? {
            let Some(class) = unit.action.class() else { continue };
            let is_moved = match known.outcome(&unit.prefix) {
                Some(outcome) => matches!(outcome, Outcome::Done | Outcome::Restored | Outcome::HalfMoved { .. }),
                None => known.is_begun(&unit.prefix),
            };
            if !is_moved {
                continue;
            }
            let former = match former_class(&unit, &planned, class) {
                Ok(former) => former,
                Err(reason) => {
                    back.left.refuse(Skipped::new(&unit.prefix, None, reason));
                    continue;
                }
            };
            if unit.moves_by_tags() {
                ended.extend(tagged.add(unit, planned, &former, None).await?);
                continue;
            }
            let mut is_there = true;
            objects.list(&unit.prefix, |object| is_there &= object.class == former).await?;
            if !is_there && !self.merge {
                let intended = intended(&unit, planned);
                let found = survey(objects, &intended, None).await?;
                if let Some((key, reason)) = found.difference() {
                    let reason = format!("{reason}: `--merge` moves it all the same");
                    back.left.skip(Skipped::new(&unit.prefix, Some(&key), reason));
                    continue;
                }
            }
            whole.push(TierUnit { prefix: unit.prefix.clone(), class: former });
            units.insert(unit.prefix.clone(), unit);
        }
        ended.extend(tagged.finish().await?);
        let mut done = Vec::new();
        for (unit, moved) in ended {
            match moved {
                Moved::Done => done.push(unit),
                Moved::Waiting => back.waiting += 1,
                Moved::Left(key, reason) | Moved::Half(key, reason) => {
                    let reason =
                        if self.merge { reason } else { format!("{reason}: `--merge` moves the rest all the same") };
                    back.left.skip(Skipped::new(&unit.prefix, key.as_deref(), reason));
                }
                Moved::Refused(key, reason) => back.left.refuse(Skipped { unit: unit.prefix, key, reason }),
            }
        }
        let tags = tagged.rules();
        if whole.is_empty() && tags.is_empty() {
            tier::stop_tiering(objects, self.run).await?;
        } else {
            let mut tiering = Tiering::start(objects.gateway, objects.bucket, self.run, whole, tags, AT_ONCE).await?;
            let moved = tiering.progress(|| objects.permit.check()).await?;
            done.extend(moved.into_iter().filter_map(|moved| units.remove(&moved.prefix)));
            let (moving, waiting) = tiering.left();
            back.waiting += (moving + waiting) as u64;
        }
        for unit in &done {
            let amount = Amount { units: 1, objects: unit.objects, bytes: unit.bytes };
            back.datasets.entry(unit.dataset.clone()).or_default().add(amount);
        }
        done.retain(|unit| known.outcome(&unit.prefix) != Some(&Outcome::Restored));
        for unit in &done {
            let amount = Amount { units: 1, objects: unit.objects, bytes: unit.bytes };
            back.came.entry(unit.dataset.clone()).or_default().add(amount);
        }
        let done: Vec<_> = done.into_iter().map(|unit| (unit, Outcome::Restored)).collect();
        write_down(objects, self.bucket, self.journal, &done).await?;
        Ok(back)
    }

    /// Of a run that was under way the journal does not name what its rules are about. It does from now on, so that those units
    /// are known when the gateway is slower than this.
    async fn announce(&self, plan: &mut PlanReader, known: &mut Known) -> Result<(), Failure> {
        let mut units = Vec::new();
        plan.rewind();
        let created = plan.header().created;
        while let Some((unit, planned)) = plan.next_unit()? {
            let is_unknown = known.outcome(&unit.prefix).is_none() && !known.is_begun(&unit.prefix);
            if unit.action.removes() || !is_unknown {
                continue;
            }
            let has_rule = unit.moves_by_tags()
                || !matches!(why_not(self.objects, &unit, planned, created).await?, Some(Obstacle::Unmovable(_)));
            if has_rule {
                units.push(intended(&unit, Vec::new()));
            }
        }
        for units in units.chunks(BATCH) {
            self.objects.permit.check()?;
            let batch = self.journal.intend(units).await?;
            units.iter().for_each(|unit| known.begin(unit, batch.lease));
        }
        Ok(())
    }
}

/// The class that a unit's objects had; why there is no way back where that is no single one.
fn former_class(unit: &PlannedUnit, planned: &[PlannedObject], class: &str) -> Result<String, String> {
    if matches!(unit.action, PlannedAction::Archive(_)) {
        return Err(format!("it was archived in {class}: what is there comes back by RestoreObject"));
    }
    let classes: BTreeSet<&str> = planned.iter().map(|object| object.class.as_str()).collect();
    match (classes.len(), classes.first()) {
        (1, Some(former)) => Ok((*former).to_owned()),
        _ => Err(format!(
            "its objects came from several classes ({}): `s3life restore` moves it to one of them",
            classes.into_iter().collect::<Vec<_>>().join(", ")
        )),
    }
}
