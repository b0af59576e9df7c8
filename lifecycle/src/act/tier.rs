//! Units move to another storage class by the gateway's own rules, which takes as long as it takes.

use std::collections::BTreeMap;

use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedAction, PlannedUnit, Shape};
use crate::run::journal::Outcome;
use crate::run::record::Skipped;
use crate::tier::{AT_ONCE, TierUnit, Tiering};

use super::Failure;
use super::apply::Applied;
use super::objects::Objects;

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
    while let Some((unit, _)) = plan.next_unit()? {
        let (PlannedAction::Tier(class) | PlannedAction::Archive(class)) = &unit.action else { continue };
        if unit.shape == Shape::Object || unit.partial {
            let reason =
                "single objects cannot be moved yet: a rule of the gateway's moves whole directories".to_owned();
            applied.skip(Skipped { unit: unit.prefix.clone(), key: None, reason });
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
