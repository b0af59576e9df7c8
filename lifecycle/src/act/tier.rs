//! Units move to another storage class by the gateway's own rules, which takes as long as it takes: whole units by rules on
//! their prefixes, single objects by a tag that they have until they have moved.

mod back;
mod tagged;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedObject, PlannedUnit};
use crate::run::Bucket;
use crate::run::journal::{BATCH, IntendedObject, IntendedUnit, Journal, Means, Outcome};
use crate::run::left::Skipped;
use crate::tier::{AT_ONCE, Rules, TierUnit, Tiering};

use super::apply::{Applied, Known};
use super::objects::Objects;
use super::spared::Spared;
use super::survey::survey;
use super::{Failure, conclude};

pub use back::{Back, TieredBack};
use tagged::{Direction, Tagged};

/// Sees to it that the units that a plan tiers move; notes those that have, and shows to `see` what came of those of which the
/// journal does not know it: also of one that is left when a part of it has moved, so that it moves back and is counted. What is `spared` by now is left. Returns how many have not moved, where any have not: it is called again
/// later.
///
/// # Errors
/// What kept it from going on.
pub async fn tier(
    objects: &Objects<'_>,
    plan: &mut PlanReader,
    run: &str,
    known: &Known,
    spared: &Spared<'_>,
    applied: &mut Applied,
    mut see: impl FnMut(&PlannedUnit, Outcome) + Send,
) -> Result<Option<u64>, Failure> {
    let mut waiting = 0;
    let mut note = |applied: &mut Applied, (unit, moved): (PlannedUnit, Moved)| match moved {
        Moved::Done => {
            applied.note(&unit, &Outcome::Done);
            see(&unit, Outcome::Done);
        }
        Moved::Half(key, reason) => {
            let outcome = half(&unit, key, &reason);
            note_half(applied, &unit, &outcome);
            see(&unit, outcome);
        }
        Moved::Waiting => waiting += 1,
        Moved::Left(key, reason) => applied.left.skip(Skipped { unit: unit.prefix, key, reason }),
        Moved::Refused(key, reason) => applied.left.refuse(Skipped { unit: unit.prefix, key: Some(key), reason }),
    };
    let mut units: BTreeMap<String, PlannedUnit> = BTreeMap::new();
    let mut whole = Vec::new();
    let places = places(plan);
    let mut tagged = Tagged::new(objects, run, Direction::There, &places);
    plan.rewind();
    let created = plan.header().created;
    while let Some((unit, planned)) = plan.next_unit()? {
        if objects.permit.is_ending() {
            return Err(Failure::Stopped);
        }
        let Some(class) = unit.action.class().map(str::to_owned) else { continue };
        if let Some(Outcome::Done | Outcome::Restored) = known.outcome(&unit.prefix) {
            applied.note(&unit, &Outcome::Done);
            continue;
        }
        if let Some(outcome @ Outcome::Changed { .. }) = known.outcome(&unit.prefix) {
            note_half(applied, &unit, outcome);
            continue;
        }
        let spared = spared.reason(&unit.prefix);
        if unit.moves_by_tags() {
            tagged.add(unit, planned, &class, spared).await?.into_iter().for_each(|ended| note(applied, ended));
            continue;
        }
        if let Some(reason) = spared {
            let moved = match !unit.prefix.is_empty() && has_moved(objects, &unit, &planned, &class).await? {
                true => Moved::Half(None, reason),
                false => Moved::Left(None, reason),
            };
            note(applied, (unit, moved));
            continue;
        }
        if let Some((key, reason)) = why_not(objects, &unit, planned.clone(), created).await? {
            if key.is_some() && has_moved(objects, &unit, &planned, &class).await? {
                note(applied, (unit, Moved::Half(key, reason)));
                continue;
            }
            // Where it is no key's fault, the unit cannot move at all.
            let is_changed = key.is_some();
            applied.left.add(Skipped { unit: unit.prefix.clone(), key, reason }, !is_changed);
            continue;
        }
        whole.push(TierUnit { prefix: unit.prefix.clone(), class });
        units.insert(unit.prefix.clone(), unit);
    }
    tagged.finish().await?.into_iter().for_each(|ended| note(applied, ended));
    let tags = tagged.rules();
    if whole.is_empty() && tags.is_empty() {
        stop_tiering(objects, run).await?;
        return Ok(None);
    }
    let mut tiering = Tiering::start(objects.gateway, objects.bucket, run, whole, tags, AT_ONCE).await?;
    for moved in tiering.progress(|| objects.permit.check()).await? {
        if let Some(unit) = units.remove(&moved.prefix) {
            note(applied, (unit, Moved::Done));
        }
    }
    Ok((!tiering.is_done()).then_some(waiting + units.len() as u64))
}

/// What came of a unit whose objects move one by one.
enum Moved {
    /// All of them have.
    Done,
    /// Some have not yet.
    Waiting,
    /// Some have, and the others are not to: the key that is the reason, where one is, and why.
    Half(Option<String>, String),
    /// None is to move: the key that is the reason, where one is, and why.
    Left(Option<String>, String),
    /// The same, where it is not that somebody changed it.
    Refused(String, String),
}

/// The prefixes of a plan's datasets, by their names.
fn places(plan: &PlanReader) -> BTreeMap<String, String> {
    plan.end().datasets.iter().map(|dataset| (dataset.name.clone(), dataset.prefix.clone())).collect()
}

/// For the journal: of a unit that moves nothing else is ever written down as changed.
fn half(unit: &PlannedUnit, key: Option<String>, reason: &str) -> Outcome {
    let class = unit.action.class().unwrap_or_default();
    let reason = format!("{reason}; a part of it has moved to {class}, and `undo` with `--merge` moves it back");
    Outcome::Changed { key: key.unwrap_or_else(|| unit.prefix.clone()), reason }
}

/// A unit of which a part has moved counts as one that has, and is left.
fn note_half(applied: &mut Applied, unit: &PlannedUnit, outcome: &Outcome) {
    applied.note(unit, &Outcome::Done);
    applied.note(unit, outcome);
}

/// Whether the gateway has moved some of a unit's objects.
async fn has_moved(
    objects: &Objects<'_>,
    unit: &PlannedUnit,
    planned: &[PlannedObject],
    class: &str,
) -> Result<bool, Failure> {
    let planned = planned.iter().filter(|object| object.class != class);
    let planned: BTreeMap<&str, &str> = planned.map(|object| (object.key.as_str(), object.etag.as_str())).collect();
    let mut has_moved = false;
    objects
        .list(&unit.prefix, |found| {
            has_moved |= found.class == class && planned.get(found.key.as_str()) == Some(&found.etag.as_str());
        })
        .await?;
    Ok(has_moved)
}

/// Writes down what came of units. Of units that are `Restored` no rule is due until they are released.
///
/// # Errors
/// The permit's, the journal's and the gateway's.
pub async fn write_down(
    objects: &Objects<'_>,
    bucket: &Bucket,
    journal: &Journal,
    units: &[(PlannedUnit, Outcome)],
) -> Result<(), Failure> {
    for units in units.chunks(BATCH) {
        // The keys are in the plan.
        let intended: Vec<_> = units.iter().map(|(unit, _)| intended(unit, Vec::new())).collect();
        objects.permit.check()?;
        let batch = journal.intend(&intended).await?;
        let outcomes = units.iter().map(|(unit, outcome)| (unit.prefix.as_str(), outcome, &[][..]));
        conclude(objects, bucket, journal, batch, outcomes).await?;
    }
    Ok(())
}

/// Takes the rules of a run back: nothing more moves.
///
/// # Errors
/// The permit's and the gateway's.
pub async fn stop_tiering(objects: &Objects<'_>, run: &str) -> Result<(), Failure> {
    let mut rules = Rules::read(objects.gateway, objects.bucket).await?;
    if rules.own().any(|(own, _)| own == run) {
        rules.replace(run, Vec::new(), || objects.permit.check()).await?;
    }
    Ok(())
}

/// Takes the tags away by which the objects of a run move one by one.
///
/// # Errors
/// The permit's, the plan's and the gateway's.
pub async fn take_tags(objects: &Objects<'_>, plan: &mut PlanReader, run: &str) -> Result<(), Failure> {
    let places = places(plan);
    let mut tagged = Tagged::new(objects, run, Direction::There, &places);
    plan.rewind();
    while let Some((unit, planned)) = plan.next_unit()? {
        let Some(class) = unit.action.class().map(str::to_owned) else { continue };
        if unit.moves_by_tags() {
            tagged.add(unit, planned, &class, Some("its run was given up".to_owned())).await?;
        }
    }
    tagged.finish().await?;
    Ok(())
}

fn intended(unit: &PlannedUnit, planned: Vec<PlannedObject>) -> IntendedUnit {
    let object = |planned| IntendedObject { planned, trash: None, former: Vec::new(), version: None, acl: None };
    IntendedUnit {
        dataset: unit.dataset.clone(),
        prefix: unit.prefix.clone(),
        shape: unit.shape,
        action: unit.action.clone(),
        means: Means::default(),
        objects: planned.into_iter().map(object).collect(),
    }
}

/// Why a unit is not moved. A rule moves all that lies below a prefix, also what came after the plan: such a unit is left.
async fn why_not(
    objects: &Objects<'_>,
    unit: &PlannedUnit,
    planned: Vec<PlannedObject>,
    created: Timestamp,
) -> Result<Option<(Option<String>, String)>, Failure> {
    if unit.prefix.is_empty() {
        let reason = "a rule of the gateway's would move s3life's own state too: give the dataset a directory";
        return Ok(Some((None, reason.to_owned())));
    }
    let found = survey(objects, &intended(unit, planned), Some(created)).await?;
    if found.has_inner_units {
        let reason = "directories in it are units of their own, and a rule of the gateway's would move them too";
        return Ok(Some((None, reason.to_owned())));
    }
    Ok(found.difference().map(|(key, reason)| (Some(key), reason)))
}
