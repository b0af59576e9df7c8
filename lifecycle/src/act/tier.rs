//! Units move to another storage class by the gateway's own rules, which takes as long as it takes.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedAction, PlannedObject, PlannedUnit, Shape};
use crate::run::journal::{IntendedObject, IntendedUnit, Means, Outcome};
use crate::run::record::Skipped;
use crate::tier::{AT_ONCE, Rules, TierUnit, Tiering};

use super::Failure;
use super::apply::Applied;
use super::objects::Objects;
use super::survey::survey;

/// Sees to it that the units that a plan tiers move; notes those that have. Returns whether some have not: it is called
/// again later.
///
/// # Errors
/// What kept it from going on.
pub async fn tier(
    objects: &Objects<'_>,
    plan: &mut PlanReader,
    run: &str,
    applied: &mut Applied,
) -> Result<bool, Failure> {
    let mut units: BTreeMap<String, PlannedUnit> = BTreeMap::new();
    let mut wanted = Vec::new();
    plan.rewind();
    let created = plan.header().created;
    while let Some((unit, planned)) = plan.next_unit()? {
        let (PlannedAction::Tier(class) | PlannedAction::Archive(class)) = &unit.action else { continue };
        if let Some((key, reason)) = why_not(objects, &unit, planned, created).await? {
            applied.skip(Skipped { unit: unit.prefix.clone(), key, reason });
            continue;
        }
        wanted.push(TierUnit { prefix: unit.prefix.clone(), class: class.clone() });
        units.insert(unit.prefix.clone(), unit);
    }
    if wanted.is_empty() {
        return Ok(false);
    }
    let mut tiering = Tiering::start(objects.gateway, objects.bucket, run, wanted, AT_ONCE).await?;
    for moved in tiering.progress(|| objects.permit.check()).await? {
        if let Some(unit) = units.get(&moved.prefix) {
            applied.note(unit, &Outcome::Done);
        }
    }
    Ok(!tiering.is_done())
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

/// Why a unit is not moved. A rule moves all that lies below a prefix, also what came after the plan: such a unit is left.
async fn why_not(
    objects: &Objects<'_>,
    unit: &PlannedUnit,
    planned: Vec<PlannedObject>,
    created: Timestamp,
) -> Result<Option<(Option<String>, String)>, Failure> {
    if unit.shape == Shape::Object || unit.partial || unit.prefix.is_empty() {
        let reason = "a rule of the gateway's moves whole directories: neither single objects nor the bucket's root";
        return Ok(Some((None, reason.to_owned())));
    }
    let intended = |planned| IntendedObject { planned, trash: None, former: Vec::new(), version: None, acl: None };
    let intended = IntendedUnit {
        dataset: unit.dataset.clone(),
        prefix: unit.prefix.clone(),
        shape: unit.shape,
        action: unit.action.clone(),
        means: Means::default(),
        objects: planned.into_iter().map(intended).collect(),
    };
    let found = survey(objects, &intended, Some(created)).await?;
    if found.has_inner_units {
        let reason = "directories in it are units of their own, and a rule of the gateway's would move them too";
        return Ok(Some((None, reason.to_owned())));
    }
    Ok(found.difference().map(|(key, reason)| (Some(key), reason)))
}
