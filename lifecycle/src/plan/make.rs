//! Makes a plan of a policy and of what lies in its bucket now. Nothing is changed, but for what shows that the plan can be
//! carried out: an object below `.s3core/probe/` of each storage class that rules name, and one that is removed under a
//! condition; and a DELETE of what is not there, in each dataset from which something goes.
//!
//! Each dataset is listed twice. The first time its units are summed up, so that rules can decide on them. The second time
//! those that are due are listed again, and their objects are written into the plan; what differs from the first time is
//! left for the next plan. Where each object is a unit, decisions fall the second time, object by object.

mod dataset;
mod failure;
mod guard;
mod jobs;
mod moves;
mod objects;
mod past;
mod probes;
mod restoration;
mod served;
mod units;

use std::collections::BTreeMap;

use jiff::{Timestamp, ZonedDateTime};

use crate::listing::Lister;
use crate::policy::{Action, Policy};

use super::document::{PlanWriter, RuleTally, WrittenPlan};
use super::headroom::Headroom;
use super::line::{FORMAT, Header, PolicySource};

pub use dataset::DatasetNotes;
pub use failure::MakeError;
pub(crate) use guard::verdict as guard_verdict;
pub use jobs::Jobs;
pub use moves::Moves;
pub use past::Past;
pub(crate) use past::is_of;
pub use probes::{denied_removals, keeps_versions};
pub use restoration::{Restoration, restoration};
pub use served::{May, RuleDue, Served, Standing, UNCONFIRMED, is_announced_first};

/// What is planned, and for when.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Where it was read.
    pub source: PolicySource,
    /// The moment that ages are counted to.
    pub now: Timestamp,
    /// The gateway's time.
    pub created: Timestamp,
    /// When the plan is too old to be applied, by the gateway's clock.
    pub expires: Timestamp,
    /// Percent that may be removed of a dataset this once.
    pub allowed: BTreeMap<String, u32>,
    /// Datasets that may be deleted without trash.
    pub confirmed: Vec<String>,
    /// What earlier runs did.
    pub past: &'a Past,
    /// What rules may do that nobody watches; None where somebody looks at the plan.
    pub served: Option<&'a Served>,
}

/// A plan, and what there is to say about it besides.
#[derive(Debug)]
pub struct MadePlan {
    /// The plan.
    pub plan: WrittenPlan,
    /// What was found in each dataset, in the policy's order.
    pub notes: Vec<DatasetNotes>,
}

/// Makes a plan.
///
/// # Errors
/// [`MakeError`]. A plan that a guard stops is no error here: see [`crate::plan::line::End::stopped`].
pub async fn make(lister: &Lister, request: &Request<'_>) -> Result<MadePlan, MakeError> {
    let policy = request.policy;
    check_names(request)?;
    let mut writer = PlanWriter::new(header(request))?;
    let now = request.now.to_zoned_datetime(policy.zone.clone());
    let (mut summaries, mut notes) = (Vec::new(), Vec::new());
    for dataset in &policy.datasets {
        let (summary, found) = dataset::plan(lister, request, dataset, &now, &mut writer).await?;
        summaries.push(summary);
        notes.push(found);
    }
    let trash = request.past.due_trash(request.now, policy);
    // What would be refused there must not keep units from moving.
    let versions = if trash.is_empty() { Ok(false) } else { keeps_versions(lister.gateway(), lister.bucket()).await };
    let is_suspended = matches!(versions, Err(MakeError::Suspended { .. }));
    for trash in trash.into_iter().filter(|_| !is_suspended) {
        writer.trash(trash)?;
    }
    check_confirmed(request, &writer)?;
    probes::storage_classes(lister, policy).await?;
    if writer.tally().rules.values().any(|rule| rule.tagged > 0) {
        writer.tags_set_times(probes::tags_set_times(lister).await?);
    }
    if writer.tally().rules.values().any(RuleTally::removes) {
        probes::conditional_delete(lister).await?;
    }
    let denied = denied_removals(lister.gateway(), lister.bucket(), writer.tally()).await?;
    for (dataset, notes) in policy.datasets.iter().zip(&mut notes) {
        notes.is_denied = denied.contains_key(&dataset.name);
    }
    let (copies, largest) = (writer.tally().trashed, writer.tally().largest);
    // Where versions are kept, nothing is copied.
    if copies.units > 0 && !keeps_versions(lister.gateway(), lister.bucket()).await? {
        writer.headroom(Headroom::read(lister.gateway(), lister.bucket(), copies, largest).await?);
    }
    Ok(MadePlan { plan: writer.finish(summaries)?, notes })
}

fn header(request: &Request<'_>) -> Header {
    Header {
        format: FORMAT,
        s3life: env!("CARGO_PKG_VERSION").to_owned(),
        bucket: request.policy.bucket.clone(),
        policy: request.source.clone(),
        zone: request.policy.zone_name.clone(),
        now: request.now,
        created: request.created,
        expires: request.expires,
        allowed: request.allowed.clone(),
        confirmed: request.confirmed.clone(),
    }
}

/// `--allow` and `--confirm-delete` name datasets of the policy.
fn check_names(request: &Request<'_>) -> Result<(), MakeError> {
    let known: Vec<_> = request.policy.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
    let allowed = request.allowed.keys().map(|name| ("--allow", name));
    let confirmed = request.confirmed.iter().map(|name| ("--confirm-delete", name));
    match allowed.chain(confirmed).find(|(_, name)| !known.contains(&name.as_str())) {
        Some((option, name)) => Err(MakeError::UnknownDataset { option, name: name.clone(), known: known.join(", ") }),
        None => Ok(()),
    }
}

/// What goes for good was confirmed.
fn check_confirmed(request: &Request<'_>, writer: &PlanWriter) -> Result<(), MakeError> {
    let deletes = writer.tally().rules.iter().find(|((dataset, _), rule)| {
        rule.action == Action::Delete.name() && rule.planned.units > 0 && !request.confirmed.contains(dataset)
    });
    let Some(((dataset, rule), _)) = deletes else { return Ok(()) };
    let rules = request.policy.datasets.iter().filter(|own| own.name == *dataset).flat_map(|own| &own.rules);
    let line = rules.into_iter().find(|own| own.name == *rule).map_or(0, |own| own.line);
    Err(MakeError::Unconfirmed { dataset: dataset.clone(), rule: rule.clone(), line })
}

/// Whether something written then is too young to be planned at `created`: in the second of a write there may be another
/// that no condition on times tells apart.
fn is_just_written(written: Timestamp, created: Timestamp) -> bool {
    created.as_second().saturating_sub(written.as_second()) < YOUNGEST
}

/// Seconds.
const YOUNGEST: i64 = 2;

/// When something is due that waits for `period` after `from`; None beyond the calendar.
fn after(period: Option<crate::calendar::Period>, from: &ZonedDateTime) -> Option<ZonedDateTime> {
    period.map_or_else(|| Some(from.clone()), |period| period.after(from))
}
