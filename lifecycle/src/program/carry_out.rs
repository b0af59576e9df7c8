//! What is done of a run under the bucket's lease, from its beginning or from where it stopped.

use std::collections::BTreeMap;

use super::output::Failure;
use super::progress::Units;
use super::work::{UNITS_AT_ONCE, Work};
use crate::act::apply::{Apply as Applying, Known};
use crate::act::purge::purge_due;
use crate::act::spared::Spared;
use crate::act::tier::{tier, write_down};
use crate::act::uploads::abort_all;
use crate::catalog::{Catalogs, Table};
use crate::places::Places;
use crate::plan::document::{PlanReader, RuleTally};
use crate::plan::make::{Past, keeps_versions};
use crate::policy::Policy;
use crate::run::StateError;
use crate::run::holds::HeldBack;
use crate::run::journal::{Journal, Outcome};
use crate::run::keys;
use crate::run::record::{EmptiedTrash, RunRecord, RunState, Waiting};
use crate::tier::Rules;

/// Carries out what is left of a run; `records` are those of the bucket by now.
pub(super) async fn carry_out(
    work: &Work,
    run: &str,
    policy: &Policy,
    records: &[RunRecord],
) -> Result<RunRecord, Failure> {
    check_rules(work).await?;
    // From here on nobody with an earlier lease can say anything of it.
    let record = work.store.update(&work.lease, run, |record| still_runs(record)).await?;
    let file = work.store.plan(run).await?;
    let mut plan = PlanReader::open(file.path())?;
    if plan.end().digest != record.digest {
        let message = format!("the plan of the run {run} in the bucket is not the one that it was begun with");
        return Err(Failure::Usage(message));
    }
    if record.state == RunState::Running && plan.tally().rules.values().any(RuleTally::removes) {
        keeps_versions(work.bucket.gateway(), work.bucket.name()).await?;
    }
    let known = Known::of(&work.bucket, run).await?;
    let journal = Journal::open(&work.bucket, run, work.lease.number()).await?;
    let objects = work.objects();
    let user = objects.user(&keys::record(run)).await?;
    let tables = if record.state == RunState::Running { Table::of_plan(plan.end()).await? } else { BTreeMap::new() };
    let spared = match record.restores {
        true => Spared { policy: None, undone: Places::default(), coming_back: Places::default() },
        false => {
            let Past { undone, waiting, .. } = Past::brought_back(&work.bucket, records, run).await?;
            Spared { policy: Some(policy), undone, coming_back: waiting }
        }
    };
    let apply = Applying {
        objects,
        bucket: &work.bucket,
        journal: &journal,
        run,
        catalogs: &Catalogs::of_run(&work.bucket, run, tables).await?,
        user: &user,
        spared: &spared,
        units_at_once: UNITS_AT_ONCE,
    };
    let removals = plan.tally().rules.values().filter(|rule| rule.removes()).map(|rule| rule.planned.units);
    let progress = Units::of(work.is_watched, removals.sum(), "applying");
    let mut applied = apply.run(&mut plan, &known, |_, _| progress.add()).await?;
    drop(progress);
    abort_all(&objects, &work.bucket, run, &spared, &plan, &mut applied).await?;
    let mut emptied = Vec::new();
    // A run that waits for the gateway has been through its trash.
    for trash in plan.trash().filter(|_| record.state == RunState::Running) {
        if objects.permit.is_ending() {
            return Err(crate::act::Failure::Stopped.into());
        }
        let trash = trash?.run;
        match purge_due(&objects, &work.store, &work.lease, &trash, policy).await {
            Ok(done) => {
                done.held.iter().flat_map(HeldBack::told).for_each(|held| applied.left.skip(held));
                let stays = done.held.is_some() || done.locked.is_some() || done.is_refused;
                if !stays || done.removed.objects > 0 {
                    emptied.push(EmptiedTrash { run: trash, amount: done.removed });
                }
                applied.left.append(done.left);
            }
            // Somebody brings it back, has brought back a part of it, or has emptied it; or nothing may be removed by now.
            Err(crate::act::Failure::State(
                StateError::Refused { .. } | StateError::NoSuchRun { .. } | StateError::Suspended { .. },
            )) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    let mut moved = Vec::new();
    let waiting = tier(&objects, &mut plan, run, &known, &spared, &mut applied, |unit, outcome| {
        moved.push((unit.clone(), outcome));
    })
    .await?;
    for (_, outcome) in moved.iter_mut().filter(|(_, outcome)| record.restores && *outcome == Outcome::Done) {
        *outcome = Outcome::Restored;
    }
    write_down(&objects, &work.bucket, &journal, &moved).await?;
    let now = work.bucket.time().await?;
    let created = plan.header().created;
    let ended = |record: &mut RunRecord| {
        still_runs(record)?;
        if record.datasets != applied.datasets {
            record.moved = Some(now);
        }
        record.datasets.clone_from(&applied.datasets);
        record.has_left(&applied.left);
        record.emptied.extend(emptied.iter().cloned());
        // The time of the trash counts from the removal, not from the plan.
        record.trash_until =
            applied.trash_until.map(|until| now.saturating_add(until.duration_since(created)).unwrap_or(until));
        record.waiting = Waiting::of(waiting.unwrap_or_default(), now, record.waiting);
        record.state = if waiting.is_some() { RunState::WaitingForGateway } else { RunState::Done };
        record.finished = waiting.is_none().then_some(now);
        Ok(())
    };
    Ok(work.store.update(&work.lease, run, ended).await?)
}

/// No rule of others may remove or move what s3life keeps in the bucket. One may have come since the plan was made.
///
/// # Errors
/// `InvalidOption` where one does, and the gateway's.
pub(super) async fn check_rules(work: &Work) -> Result<(), Failure> {
    Ok(Rules::read(work.bucket.gateway(), work.bucket.name()).await?.check_own_state()?)
}

/// Whether a run has not ended.
///
/// # Errors
/// `Refused` where it has.
pub(super) fn still_runs(record: &RunRecord) -> Result<(), StateError> {
    if matches!(record.state, RunState::Running | RunState::WaitingForGateway) {
        return Ok(());
    }
    let reason = "is no longer under way: another process has ended it, or brings it back".to_owned();
    Err(StateError::Refused { run: record.run.clone(), reason })
}
