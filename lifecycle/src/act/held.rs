//! Units that could not be copied wait where they are until the time of the trash is over. Then they go without a copy,
//! object by object.

use jiff::Timestamp;

use crate::catalog::Catalogs;
use crate::inventory::is_success;
use crate::plan::line::Amount;
use crate::run::Bucket;
use crate::run::journal::{IntendedObject, IntendedUnit, Journal, Means, Outcome};

use super::objects::{Objects, Removed};
use super::purge::Emptied;
use super::remove::{WRITTEN_AGAIN, remove_as_planned};
use super::survey::survey;
use super::{Failure, conclude};

/// Removes units that a run holds; each is written into the run's journal once more before it is touched. A unit in which
/// anything was written since the run `started` stays.
///
/// # Errors
/// What kept it from going on: it can be called again.
pub(super) async fn remove_held(
    objects: &Objects<'_>,
    bucket: &Bucket,
    journal: &Journal,
    catalogs: &Catalogs<'_>,
    units: Vec<IntendedUnit>,
    started: Timestamp,
    emptied: &mut Emptied,
) -> Result<(), Failure> {
    // Only here it is announced in place.
    let begun: Vec<bool> = units.iter().map(|unit| unit.means == Means::InPlace).collect();
    let in_place = |unit: IntendedUnit| IntendedUnit { means: Means::InPlace, ..unit };
    let units: Vec<_> = units.into_iter().map(in_place).collect();
    objects.permit.check()?;
    let batch = journal.intend(&units).await?;
    catalogs.drop_again(objects.permit, units.iter().map(|unit| unit.prefix.as_str())).await?;
    let mut done = Vec::with_capacity(units.len());
    for (unit, is_begun) in units.iter().zip(begun) {
        let (mut outcome, removed) = remove_unit(objects, unit, started, bucket.keeps_versions().await?).await?;
        // An earlier holder of the lease may have removed some of it.
        if is_begun && outcome.is_shown() && is_gone_in_part(objects, unit).await? {
            outcome = half_gone(unit, outcome);
        }
        emptied.removed.add(removed);
        emptied.note(&unit.prefix, &outcome);
        done.push((unit.prefix.as_str(), outcome));
    }
    // The table has no partition for them since they were due. What stays as a whole was written since.
    let stayed = done.iter().filter(|(_, outcome)| outcome.is_shown()).map(|(prefix, _)| *prefix);
    for refused in catalogs.add(objects.permit, stayed).await? {
        emptied.left.skip(refused);
    }
    conclude(objects, bucket, journal, batch, done.iter().map(|(prefix, outcome)| (*prefix, outcome, &[] as &[_])))
        .await
}

/// Each object under a condition of its own: one that was written again stays. What is gone is gone.
async fn remove_unit(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    started: Timestamp,
    bucket_keeps_versions: bool,
) -> Result<(Outcome, Amount), Failure> {
    let mut amount = Amount::default();
    if bucket_keeps_versions {
        let reason = "the bucket keeps versions by now, and nothing can be removed there in place".to_owned();
        return Ok((Outcome::Refused { reason }, amount));
    }
    let found = survey(objects, unit, Some(started)).await?;
    if let Some((key, reason)) = found.difference() {
        return Ok((Outcome::Changed { key, reason }, amount));
    }
    let live = unit.objects.iter().filter(|object| found.present.contains(object.planned.key.as_str()));
    let (markers, others): (Vec<_>, Vec<_>) = live.partition(|object| is_success(&object.planned.key));
    let mut outcome = Outcome::Done;
    for group in [markers, others] {
        for (object, removed) in remove_as_planned(objects, group).await? {
            match removed {
                Removed::Gone => amount.add(Amount { units: 0, objects: 1, bytes: object.planned.bytes }),
                Removed::Changed => {
                    let key = object.planned.key.clone();
                    outcome = Outcome::Changed { key, reason: WRITTEN_AGAIN.to_owned() };
                }
                Removed::Refused(reason) => outcome = Outcome::Refused { reason },
            }
        }
        // There is no copy of what would go now.
        if outcome != Outcome::Done {
            break;
        }
    }
    Ok((if amount.objects > 0 { half_gone(unit, outcome) } else { outcome }, amount))
}

/// Whether objects of a unit are gone.
async fn is_gone_in_part(objects: &Objects<'_>, unit: &IntendedUnit) -> Result<bool, Failure> {
    let look = |object: &IntendedObject| {
        let key = object.planned.key.clone();
        async move { Ok(objects.find(&key).await?.is_none()) }
    };
    Ok(objects.for_all(unit.objects.iter().collect(), look).await?.contains(&true))
}

/// What came of a unit of which something went.
fn half_gone(unit: &IntendedUnit, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Changed { key, reason } => Outcome::NotRestored { key, reason },
        Outcome::Refused { reason } => Outcome::NotRestored { key: unit.prefix.clone(), reason },
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::line::{PlannedAction, Shape};

    #[test]
    fn a_unit_of_which_something_went_is_no_partition_any_more() {
        let unit = IntendedUnit {
            dataset: "events".to_owned(),
            prefix: "events/day=1/".to_owned(),
            shape: Shape::Prefix,
            action: PlannedAction::Expire,
            means: Means::InPlace,
            objects: Vec::new(),
        };
        let changed = Outcome::Changed { key: "events/day=1/a".to_owned(), reason: "new".to_owned() };
        let refused = Outcome::Refused { reason: "no".to_owned() };
        for (outcome, key) in [(changed, "events/day=1/a"), (refused, "events/day=1/")] {
            assert!(outcome.is_shown());
            let half = half_gone(&unit, outcome);
            assert!(matches!(&half, Outcome::NotRestored { key: told, .. } if told == key), "{half:?}");
            assert!(!half.is_shown());
        }
        assert_eq!(half_gone(&unit, Outcome::Done), Outcome::Done);
    }
}
