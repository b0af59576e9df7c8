//! Units move to another storage class by the gateway's own rules, which takes as long as it takes: whole units by rules on
//! their prefixes, single objects by a tag that they have until they have moved.

mod back;
mod tagged;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use s3core::ops::HeadBucket;

use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedObject, PlannedUnit};
use crate::run::Bucket;
use crate::run::journal::{BATCH, IntendedObject, IntendedUnit, Journal, Means, Outcome};
use crate::run::left::Skipped;
use crate::tier::{AT_ONCE, Rules, TierUnit, Tiering};

use super::apply::{Applied, Known};
use super::objects::Objects;
use super::spared::Spared;
use super::survey::{survey, young_upload};
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
            let outcome = half_moved(&unit, key, &reason);
            note_half_moved(applied, &unit, &outcome);
            see(&unit, outcome);
        }
        Moved::Waiting => waiting += 1,
        Moved::Left(key, reason) => applied.left.skip(Skipped { unit: unit.prefix, key, reason }),
        Moved::Refused(key, reason) => applied.left.refuse(Skipped { unit: unit.prefix, key, reason }),
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
        if let Some(outcome @ Outcome::HalfMoved { .. }) = known.outcome(&unit.prefix) {
            note_half_moved(applied, &unit, outcome);
            continue;
        }
        let spared = spared.reason(&unit.prefix);
        if unit.moves_by_tags() {
            tagged.add(unit, planned, &class, spared).await?.into_iter().for_each(|ended| note(applied, ended));
            continue;
        }
        let obstacle = match spared {
            Some(reason) => Some(Obstacle::Spared(reason)),
            None => why_not(objects, &unit, planned.clone(), created).await?,
        };
        if let Some(obstacle) = obstacle {
            let extent = match obstacle {
                Obstacle::Unmovable(_) => Extent::Nothing,
                _ => extent(objects, &unit, &planned, &class).await?,
            };
            let obstacle = match (obstacle, extent) {
                (Obstacle::Upload(key, reason), Extent::Part) if is_waited_for(objects, &unit.prefix).await? => {
                    let reason = format!("{reason}, and the rest moves after that");
                    applied.left.skip(Skipped::new(&unit.prefix, Some(&key), reason));
                    note(applied, (unit, Moved::Waiting));
                    continue;
                }
                (obstacle, _) => obstacle,
            };
            note(applied, (unit, obstacle.moved(extent)));
            continue;
        }
        whole.push(TierUnit { prefix: unit.prefix.clone(), class });
        units.insert(unit.prefix.clone(), unit);
    }
    tagged.finish().await?.into_iter().for_each(|ended| note(applied, ended));
    let tags = tagged.rules();
    if whole.is_empty() && tags.is_empty() {
        stop_tiering(objects, run).await?;
        return Ok(Some(waiting).filter(|waiting| *waiting > 0));
    }
    let mut tiering = Tiering::start(objects.gateway, objects.bucket, run, whole, tags, AT_ONCE).await?;
    for moved in tiering.progress(|| objects.permit.check()).await? {
        if let Some(unit) = units.remove(&moved.prefix) {
            note(applied, (unit, Moved::Done));
        }
    }
    waiting += units.len() as u64;
    Ok(Some(waiting).filter(|waiting| *waiting > 0 || !tiering.is_done()))
}

/// What came of a unit.
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
    Refused(Option<String>, String),
}

/// Why a unit is not moved by a rule, or no further.
enum Obstacle {
    /// What was allowed when it was planned may be so no more.
    Spared(String),
    /// A key shows that it is not what was planned.
    Changed(String, String),
    /// It is as planned, and somebody uploads to this key.
    Upload(String, String),
    /// No rule can move it.
    Unmovable(String),
}

impl Obstacle {
    fn moved(self, extent: Extent) -> Moved {
        let (key, reason) = match self {
            Self::Unmovable(reason) => return Moved::Refused(None, reason),
            Self::Spared(reason) => (None, reason),
            Self::Changed(key, reason) | Self::Upload(key, reason) => (Some(key), reason),
        };
        match extent {
            Extent::Nothing => Moved::Left(key, reason),
            Extent::Part => Moved::Half(key, reason),
            Extent::Whole => Moved::Done,
        }
    }
}

/// So long a unit of which a part has moved waits for an upload to it, which may be given up. Rules that abort uploads do so
/// after a day at the earliest, and not where a run still waits.
const PATIENCE: SignedDuration = SignedDuration::from_hours(24);

/// Whether an upload to a unit is young enough.
async fn is_waited_for(objects: &Objects<'_>, prefix: &str) -> Result<bool, Failure> {
    let now = objects.gateway.run(HeadBucket::new(objects.bucket)).await?.date;
    let since = now.and_then(|now| Timestamp::try_from(now).ok()).and_then(|now| now.checked_sub(PATIENCE).ok());
    Ok(match since {
        Some(since) => young_upload(objects, prefix, since).await?.is_some(),
        None => false,
    })
}

/// How much of a unit the gateway has moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Nothing,
    Part,
    Whole,
}

/// The prefixes of a plan's datasets, by their names.
fn places(plan: &PlanReader) -> BTreeMap<String, String> {
    plan.end().datasets.iter().map(|dataset| (dataset.name.clone(), dataset.prefix.clone())).collect()
}

/// What came of a unit that was left when a part had moved.
fn half_moved(unit: &PlannedUnit, key: Option<String>, reason: &str) -> Outcome {
    let class = unit.action.class().unwrap_or_default();
    let reason = format!("{reason}; a part of it has moved to {class}, and `undo` with `--merge` moves it back");
    Outcome::HalfMoved { key: key.unwrap_or_else(|| unit.prefix.clone()), reason }
}

/// A unit of which a part has moved counts as one that has, and is left.
fn note_half_moved(applied: &mut Applied, unit: &PlannedUnit, outcome: &Outcome) {
    applied.note(unit, &Outcome::Done);
    applied.note(unit, outcome);
}

/// How many of a unit's objects the gateway has moved, of those that were in another class.
async fn extent(
    objects: &Objects<'_>,
    unit: &PlannedUnit,
    planned: &[PlannedObject],
    class: &str,
) -> Result<Extent, Failure> {
    if unit.prefix.is_empty() {
        return Ok(Extent::Nothing);
    }
    let planned = planned.iter().filter(|object| object.class != class);
    let planned: BTreeMap<&str, &str> = planned.map(|object| (object.key.as_str(), object.etag.as_str())).collect();
    let (mut moved, mut beside) = (0, 0);
    objects
        .list(&unit.prefix, |found| match found.class == class {
            true => moved += usize::from(planned.get(found.key.as_str()) == Some(&found.etag.as_str())),
            false => beside += 1,
        })
        .await?;
    Ok(match moved {
        0 => Extent::Nothing,
        moved if moved == planned.len() && beside == 0 => Extent::Whole,
        _ => Extent::Part,
    })
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
) -> Result<Option<Obstacle>, Failure> {
    if unit.prefix.is_empty() {
        let reason = "a rule of the gateway's would move s3life's own state too: give the dataset a directory";
        return Ok(Some(Obstacle::Unmovable(reason.to_owned())));
    }
    let intended = intended(unit, planned);
    let found = survey(objects, &intended, Some(created)).await?;
    if found.has_inner_units {
        let reason = "directories in it are units of their own, and a rule of the gateway's would move them too";
        return Ok(Some(Obstacle::Unmovable(reason.to_owned())));
    }
    let obstacle = if found.is_uploaded_to() { Obstacle::Upload } else { Obstacle::Changed };
    Ok(found.difference().map(|(key, reason)| obstacle(key, reason)))
}
