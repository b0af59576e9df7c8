//! Units that could not be copied wait where they are until the time of the trash is over. Then they go without a copy,
//! object by object.

use jiff::Timestamp;
use s3core::Result;

use crate::plan::line::Amount;
use crate::run::Bucket;
use crate::run::journal::{BATCH, IntendedObject, IntendedUnit, Journal, Means, Outcome};

use super::objects::{Objects, Removed};
use super::purge::Emptied;
use super::remove::is_marker;
use super::survey::survey;
use super::{Failure, conclude};

/// Removes what a run holds; each unit is written into the run's journal once more before it is touched. A unit in which
/// anything was written since the run `started` stays.
///
/// # Errors
/// What kept it from going on: it can be called again.
pub(super) async fn remove_held(
    objects: &Objects<'_>,
    bucket: &Bucket,
    run: &str,
    started: Timestamp,
    emptied: &mut Emptied,
) -> Result<(), Failure> {
    let latest = Journal::latest(bucket, run).await?;
    let is_held = |outcome: &Outcome| matches!(outcome, Outcome::Held { until: Some(_), .. });
    if !latest.values().any(|latest| latest.outcome.as_ref().is_some_and(|last| is_held(&last.outcome))) {
        return Ok(());
    }
    let journal = Journal::open(bucket, run, objects.permit.number()).await?;
    let mut units = Journal::units(bucket, run);
    let (mut group, mut size) = (Vec::new(), 0);
    loop {
        let next = units.next().await?;
        let is_last = next.is_none();
        if let Some(found) = next
            && let Some(latest) = latest.get(&found.unit.prefix)
            && latest.batch == found.batch
            && latest.outcome.as_ref().is_some_and(|last| is_held(&last.outcome))
        {
            size += found.unit.objects.len();
            group.push(IntendedUnit { means: Means::InPlace, ..found.unit });
        }
        if !group.is_empty() && (size >= BATCH || is_last) {
            remove_batch(objects, bucket, &journal, std::mem::take(&mut group), started, emptied).await?;
            size = 0;
        }
        if is_last {
            return Ok(());
        }
    }
}

async fn remove_batch(
    objects: &Objects<'_>,
    bucket: &Bucket,
    journal: &Journal,
    units: Vec<IntendedUnit>,
    started: Timestamp,
    emptied: &mut Emptied,
) -> Result<(), Failure> {
    objects.permit.check()?;
    let batch = journal.intend(&units).await?;
    let mut done = Vec::with_capacity(units.len());
    for unit in &units {
        let (outcome, removed) = remove_unit(objects, unit, started).await?;
        emptied.removed.add(removed);
        emptied.note(&unit.prefix, &outcome);
        done.push((unit.prefix.as_str(), outcome));
    }
    conclude(objects, bucket, journal, batch, done.iter().map(|(prefix, outcome)| (*prefix, outcome))).await
}

/// Each object under a condition of its own: one that was written again stays. What is gone is gone.
async fn remove_unit(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    started: Timestamp,
) -> Result<(Outcome, Amount), Failure> {
    let mut amount = Amount::default();
    let found = survey(objects, unit, Some(started)).await?;
    if let Some((key, reason)) = found.difference() {
        return Ok((Outcome::Changed { key, reason }, amount));
    }
    let live = unit.objects.iter().filter(|object| found.present.contains(&object.planned.key));
    let (markers, others): (Vec<_>, Vec<_>) = live.partition(|object| is_marker(&object.planned.key));
    let mut outcome = Outcome::Done;
    for group in [markers, others] {
        let remove = |object: &IntendedObject| {
            let planned = object.planned.clone();
            async move { Ok((objects.remove(&planned).await?, planned)) }
        };
        for (removed, planned) in objects.for_all(group, remove).await? {
            match removed {
                Removed::Gone => amount.add(Amount { units: 0, objects: 1, bytes: planned.bytes }),
                Removed::Changed => {
                    let reason = "it was written again while its unit was being removed".to_owned();
                    outcome = Outcome::Changed { key: planned.key, reason };
                }
                Removed::Refused(reason) => outcome = Outcome::Refused { reason },
            }
        }
        if matches!(outcome, Outcome::Refused { .. }) {
            break;
        }
    }
    Ok((outcome, amount))
}
