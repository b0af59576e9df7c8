//! What a run has moved to another storage class moves back, by the same means.

use std::collections::{BTreeMap, BTreeSet};

use crate::act::apply::Known;
use crate::act::objects::Objects;
use crate::act::survey::survey;
use crate::act::{Failure, tier};
use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, PlannedAction, PlannedObject, PlannedUnit};
use crate::run::Bucket;
use crate::run::journal::Journal;
use crate::run::record::{RunRecord, Skipped};
use crate::tier::{AT_ONCE, TierUnit, Tiering};

use super::tagged::{Direction, Tagged};
use super::{Moved, class_of, intended, places, write_back};

/// What moved back.
#[derive(Debug, Default)]
pub struct TieredBack {
    /// By dataset.
    pub datasets: BTreeMap<String, Amount>,
    /// What is left where it is: at most [`RunRecord::MOST_REPORTED`].
    pub skipped: Vec<Skipped>,
    /// Number of all that is left.
    pub skipped_count: u64,
    /// Units that the gateway has still to move.
    pub waiting: u64,
}

/// Sees to it that the units that a run has moved go back to the class that their objects had. A unit in which something
/// was written since is left, unless `merge`. To be called again while units are waiting.
///
/// # Errors
/// What kept it from going on.
pub async fn tier_back(
    objects: &Objects<'_>,
    bucket: &Bucket,
    journal: &Journal,
    plan: &mut PlanReader,
    run: &str,
    merge: bool,
) -> Result<TieredBack, Failure> {
    let mut back = TieredBack::default();
    let (mut units, mut whole, mut done) = (BTreeMap::new(), Vec::new(), Vec::new());
    let places = places(plan);
    let mut tagged = Tagged::new(objects, run, Direction::Back, &places);
    let mut ended = Vec::new();
    plan.rewind();
    while let Some((unit, planned)) = plan.next_unit()? {
        let Some(class) = class_of(&unit) else { continue };
        let former = match former_class(&unit, &planned, class) {
            Ok(former) => former,
            Err(reason) => {
                back.skip(&unit, None, reason);
                continue;
            }
        };
        if unit.moves_by_tags() {
            ended.extend(tagged.add(unit, planned, &former).await?);
            continue;
        }
        let mut is_there = true;
        objects.list(&unit.prefix, |object| is_there &= object.class == former).await?;
        if !is_there && !merge {
            let found = survey(objects, &intended(&unit, planned), None).await?;
            if let Some((key, reason)) = found.difference() {
                back.skip(&unit, Some(key), format!("{reason}: `--merge` moves it all the same"));
                continue;
            }
        }
        whole.push(TierUnit { prefix: unit.prefix.clone(), class: former });
        units.insert(unit.prefix.clone(), unit);
    }
    ended.extend(tagged.finish().await?);
    for (unit, moved) in ended {
        match moved {
            Moved::Done => done.push(unit),
            Moved::Waiting => back.waiting += 1,
            Moved::Left(key, reason) => back.skip(&unit, Some(key), reason),
        }
    }
    let tags = tagged.rules();
    if whole.is_empty() && tags.is_empty() {
        tier::stop_tiering(objects, run).await?;
    } else {
        let mut tiering = Tiering::start(objects.gateway, objects.bucket, run, whole, tags, AT_ONCE).await?;
        let moved = tiering.progress(|| objects.permit.check()).await?;
        done.extend(moved.into_iter().filter_map(|moved| units.remove(&moved.prefix)));
        let (moving, waiting) = tiering.left();
        back.waiting += (moving + waiting) as u64;
    }
    let known = Known::of(bucket, run).await?;
    write_back(objects, bucket, journal, &known, &done).await?;
    for unit in done {
        let amount = Amount { units: 1, objects: unit.objects, bytes: unit.bytes };
        back.datasets.entry(unit.dataset).or_default().add(amount);
    }
    Ok(back)
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

impl TieredBack {
    fn skip(&mut self, unit: &PlannedUnit, key: Option<String>, reason: String) {
        self.skipped_count += 1;
        if self.skipped.len() < RunRecord::MOST_REPORTED {
            self.skipped.push(Skipped { unit: unit.prefix.clone(), key, reason });
        }
    }
}
