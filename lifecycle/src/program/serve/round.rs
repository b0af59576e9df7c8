//! One round of `serve`.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::Serve;
use crate::act;
use crate::connection::Connection;
use crate::metrics::Metrics;
use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, DatasetSummary};
use crate::plan::make::{MadePlan, Moves, RuleDue, Served, UNCONFIRMED};
use crate::program::Common;
use crate::program::apply::going_on::GoneOn;
use crate::program::apply::{Apply, Attempt};
use crate::program::output::{self, Failure, ReadPolicy};
use crate::program::plan::{PlanOptions, Planned};
use crate::run::StateError;
use crate::run::lease::{Holder, Lease, Purpose};
use crate::run::record::{RunRecord, RunState};
use crate::run::tidy::tidy;
use crate::serve::{Round, ServeStore, ServedPolicy, ServedRule};

/// What was said of a policy is written again after so long, though nothing is new.
const LONGEST_SILENCE: i64 = 3600;

/// Runs that nobody needs any more are looked for so often.
const TIDY: Duration = Duration::from_secs(24 * 3600);

const OVERTAKEN: &str = "another process has worked on the bucket meanwhile: the next round plans again";

/// What one round remembers for the next ones.
#[derive(Default)]
pub(super) struct Memory {
    /// What was said to wait: digests of rules, runs, and datasets of which something was to be confirmed.
    told: BTreeSet<String>,
    /// When runs that nobody needs any more were forgotten.
    tidied: Option<Instant>,
    /// Plans of runs that wait.
    moves: Moves,
}

/// A failure with what it is about: one of [`crate::metrics::ERROR_KINDS`].
type Told<T> = Result<T, (&'static str, Failure)>;

/// What a failure is about.
fn kind(failure: &Failure) -> &'static str {
    match failure {
        Failure::Policy(_) => "policy",
        Failure::Gateway(_) => "gateway",
        Failure::State(_) | Failure::Serve(_) => "state",
        Failure::Lease(_) => "lease",
        Failure::Run(_) => "run",
        Failure::Make(_) | Failure::Plan(_) => "plan",
        Failure::Stopped(_) | Failure::Left(_) | Failure::Usage(_) => "refused",
        Failure::Output(_) | Failure::Export(_) | Failure::Sql(_) => "output",
    }
}

impl Serve {
    /// A round.
    pub(super) fn try_round(&self, common: &Common, metrics: &Metrics, memory: &mut Memory) -> Told<()> {
        let policy = output::read_policy(&self.policy.path).map_err(|failure| ("policy", failure))?;
        metrics.serves(&policy.policy.bucket, Timestamp::now());
        self.serve(common, metrics, memory, &policy).map_err(|failure| (kind(&failure), failure))
    }

    fn serve(
        &self,
        common: &Common,
        metrics: &Metrics,
        memory: &mut Memory,
        policy: &ReadPolicy,
    ) -> Result<(), Failure> {
        let name = policy.policy.bucket.as_str();
        let connection = common.connect(name)?;
        let (bucket, store) = (connection.bucket(), ServeStore::new(connection.bucket()));
        metrics.lease(name, connection.block_on(Lease::look(&bucket))?.as_ref());
        let mut apply = self.apply(Served::default());
        let approved = connection.block_on(store.approved())?;
        let GoneOn { done, before, records, left } = apply.go_on(common, &connection, policy, Some(&approved))?;
        for (run, rules) in left {
            if memory.told.insert(run.clone()) {
                warn!(
                    run,
                    rules = rules.join(", "),
                    "was begun, and these rules are not approved: bring it back with `s3life undo {run} {}`",
                    policy.source.path
                );
            }
        }
        for after in &done {
            tell_run(metrics, name, before.iter().find(|before| before.run == after.run), after);
        }

        let (before, known) = connection.block_on(async {
            Ok::<_, StateError>((store.read(&policy.source, &policy.policy).await?, store.all().await?))
        })?;
        let (before, etag) = before.map_or((None, None), |(before, etag)| (Some(before), Some(etag)));
        let patience = self.every.saturating_mul(2);
        let round = Round { policy: &policy.policy, approved: &approved, known: &known, patience };
        let now = connection.block_on(bucket.time())?;
        let mut served = Served { rules: round.standings(now), patience, ..Served::default() };
        let mut planned = self.plan(&connection, policy, &served, &memory.moves, records)?;
        metrics.planned(name, &planned.made.plan.end.datasets);
        served.stopped = stopped(&planned);
        if !served.stopped.is_empty() {
            for dataset in &served.stopped {
                warn!(dataset, "the guard stops what is due there: look at `s3life plan`");
            }
            planned = self.plan(&connection, policy, &served, &memory.moves, Some(planned.past.records))?;
        }
        tell_unconfirmed(&mut memory.told, &planned);
        tell_held_back(&mut memory.told, &planned);
        tell_places(&mut memory.told, &planned);
        let due = due(policy, &planned);
        let named = due.iter().map(|((dataset, rule), due)| (dataset.as_str(), rule.as_str(), due));
        metrics.due(name, named, planned.made.plan.header.created);
        metrics.runs(name, &planned.past.records, now);

        let created = planned.made.plan.header.created;
        let places: Vec<_> = policy.policy.datasets.iter().map(|dataset| dataset.prefix.as_str()).collect();
        let said = connection.block_on(async {
            let now = bucket.time().await?;
            let said =
                ServedPolicy { stopped: served.stopped.clone(), ..round.said(&policy.source, &due, created, now) };
            let (is_news, tidies) =
                (is_news(before.as_ref(), &said), memory.tidied.is_none_or(|at| at.elapsed() > TIDY));
            if is_news || tidies {
                let holder = Holder::this_process();
                let term = Duration::from_secs(self.work.lease_seconds);
                let lease = Lease::take_for(&bucket, &holder, &Purpose::from("serve"), term).await?;
                let written = store.write(&lease, &said, etag.as_deref()).await;
                let forgotten = match tidies {
                    true => match store.tidy(&lease, now).await {
                        Ok(()) => tidy(&bucket, &lease, now, window(policy, now), &places).await,
                        Err(failure) => Err(failure),
                    },
                    false => Ok(0),
                };
                // Where that fails it ends by itself.
                let _ = lease.release().await;
                match written {
                    Ok(()) => {}
                    Err(StateError::Replaced { .. } | StateError::AlreadyExists { .. }) => return Ok(None),
                    Err(failure) => return Err(failure.into()),
                }
                let runs = forgotten?;
                if tidies {
                    memory.tidied = Some(Instant::now());
                }
                if runs > 0 {
                    info!(runs, "forgotten: they have ended long ago, or never began");
                }
            }
            Ok::<_, Failure>(Some(said))
        })?;
        let Some(said) = said else {
            info!("{OVERTAKEN}");
            return Ok(());
        };
        metrics.said(name, &said);
        tell_rules(&mut memory.told, &known, &said);

        apply.options = self.options(&served);
        let path = planned.made.plan.path();
        let plan = PlanReader::open_for(path, &policy.policy, &policy.source.sha256)?;
        if plan.is_empty() {
            return Ok(());
        }
        if let Some(reason) = plan.end().stopped() {
            return Err(Failure::Stopped(reason));
        }
        match apply.attempt(&connection, policy, &plan, path, &planned.past.records)? {
            Attempt::Done(record) => {
                tell_run(metrics, name, None, &record);
                let mut records = planned.past.records;
                records.push(*record);
                metrics.runs(name, &records, now);
            }
            Attempt::Overtaken => info!("{OVERTAKEN}"),
            Attempt::NothingDue(_) => {}
        }
        Ok(())
    }

    /// Makes a plan, unless the process is asked to end meanwhile.
    fn plan(
        &self,
        connection: &Connection,
        policy: &ReadPolicy,
        served: &Served,
        moves: &Moves,
        records: Option<Vec<RunRecord>>,
    ) -> Result<Planned, Failure> {
        let mut options = self.options(served);
        options.moves = moves.clone();
        let lister = connection.lister(self.pace);
        connection.block_on(async {
            tokio::select! {
                planned = options.make_with(&lister, connection, policy, records) => planned,
                () = self.work.stopping.asked() => Err(act::Failure::Stopped.into()),
            }
        })
    }

    fn options(&self, served: &Served) -> PlanOptions {
        PlanOptions::of_served(served.clone(), &self.confirm_delete, self.pace)
    }

    fn apply(&self, served: Served) -> Apply {
        Apply {
            policy: Some(self.policy.path.clone()),
            plan: None,
            yes: true,
            resume: None,
            options: self.options(&served),
            work: self.work.clone(),
        }
    }
}

/// How long runs count for the guards of a policy.
fn window(policy: &ReadPolicy, now: Timestamp) -> SignedDuration {
    let now = now.to_zoned_datetime(policy.policy.zone.clone());
    let guards = policy.policy.datasets.iter().filter_map(|dataset| dataset.guard);
    let windows = guards.filter_map(|guard| Some(now.duration_since(&guard.within.before(&now)?)));
    windows.max().unwrap_or_default()
}

/// The datasets whose guard stops a plan.
fn stopped(planned: &Planned) -> BTreeSet<String> {
    let datasets = planned.made.plan.end.datasets.iter();
    let stopped = datasets.filter(|dataset| dataset.guard.as_ref().is_some_and(|guard| guard.exceeded));
    stopped.map(|dataset| dataset.name.clone()).collect()
}

/// What the rules of a policy are due for, by dataset and rule.
fn due(policy: &ReadPolicy, planned: &Planned) -> BTreeMap<(String, String), RuleDue> {
    let datasets = policy.policy.datasets.iter().zip(&planned.made.notes);
    let due = datasets.flat_map(|(dataset, notes)| {
        let rules = dataset.rules.iter().filter(|rule| rule.action.is_some());
        rules.map(|rule| {
            let due = notes.due.get(&rule.name).copied().unwrap_or_default();
            ((dataset.name.clone(), rule.name.clone()), due)
        })
    });
    due.collect()
}

fn is_news(before: Option<&ServedPolicy>, said: &ServedPolicy) -> bool {
    before.is_none_or(|before| {
        let silence = said.round.duration_since(before.round).as_secs();
        let (was, is) = ((&before.policy, &before.rules, &before.stopped), (&said.policy, &said.rules, &said.stopped));
        was != is || silence >= LONGEST_SILENCE
    })
}

/// Logs which rules wait to be approved, once each, and what was announced now.
fn tell_rules(told: &mut BTreeSet<String>, before: &[ServedPolicy], said: &ServedPolicy) {
    for ServedRule { digest, dataset, rule, action, waits, .. } in said.waiting() {
        if told.insert(digest.clone()) {
            let (units, objects, bytes) = (waits.units, waits.objects, waits.bytes);
            warn!(
                dataset,
                rule, action, digest, units, objects, bytes, "waits for `s3life approve`: so much is due now"
            );
        }
    }
    let known = |digest: &str, at: Timestamp| {
        let mut rules = before.iter().flat_map(|before| &before.rules).filter(|rule| rule.digest == *digest);
        rules.any(|rule| rule.announcements.iter().any(|one| one.at == at))
    };
    for ServedRule { digest, dataset, rule, action, announcements, .. } in &said.rules {
        for one in announcements.iter().filter(|one| !known(digest, one.at)) {
            let (units, objects, bytes) = (one.amount.units, one.amount.objects, one.amount.bytes);
            info!(dataset, rule, action, units, objects, bytes, from = %one.from, "announced");
        }
    }
}

/// Warns once of lifecycle rules of others, and of holds and locations where nothing lies.
fn tell_places(told: &mut BTreeSet<String>, planned: &Planned) {
    for conflict in &planned.conflicts {
        if told.insert(format!("rule {} {}", conflict.rule, conflict.dataset)) {
            warn!("{conflict}");
        }
    }
    for hold in planned.holds.iter().filter(|hold| hold.nearest.is_some()) {
        if told.insert(format!("hold {}", hold.path)) {
            warn!("{hold}");
        }
    }
    let MadePlan { plan, notes } = &planned.made;
    for (DatasetSummary { name, prefix, .. }, notes) in plan.end.datasets.iter().zip(notes) {
        if let Some(nearest) = &notes.nearest
            && told.insert(format!("location {prefix}"))
        {
            warn!(
                dataset = name,
                "nothing lies at its location {prefix}; the nearest place where something does is {nearest}"
            );
        }
    }
}

/// Logs what would go for good and was not confirmed, once for each dataset.
fn tell_unconfirmed(told: &mut BTreeSet<String>, planned: &Planned) {
    for dataset in &planned.made.plan.end.datasets {
        let Some(units) = dataset.left.get(UNCONFIRMED) else { continue };
        if told.insert(format!("{UNCONFIRMED} {}", dataset.name)) {
            warn!(dataset = dataset.name, units, "to be deleted without trash: they wait for `--confirm-delete`");
        }
    }
}

/// Logs what holds keep of trash that may be emptied, once for each hold and run.
fn tell_held_back(told: &mut BTreeSet<String>, planned: &Planned) {
    for (run, held) in &planned.past.held_back {
        for (hold, amount) in &held.holds {
            if told.insert(format!("{run} {}", hold.prefix)) {
                warn!(
                    run,
                    hold = hold.prefix,
                    units = amount.units,
                    "in the trash: they stay until the hold is lifted"
                );
            }
        }
    }
}

/// Logs and counts what a run has done since.
fn tell_run(metrics: &Metrics, bucket: &str, before: Option<&RunRecord>, after: &RunRecord) {
    metrics.acted(bucket, before, after);
    let RunRecord { run, state, skipped_count: skipped, .. } = after;
    for (dataset, done) in &after.datasets {
        let known = before.and_then(|before| before.datasets.get(dataset));
        for (action, amount) in &done.actions {
            let known = known.and_then(|known| known.actions.get(action)).copied().unwrap_or_default();
            let Amount { units, objects, bytes } = amount.without(known);
            if units == 0 {
                continue;
            }
            info!(run, dataset, action, units, objects, bytes, "done");
        }
    }
    if after.refused.units > 0 && before.is_none_or(|before| before.refused != after.refused) {
        warn!(run, units = after.refused.units, reason = after.refused.reason, "left: somebody has to see to them");
    }
    match state {
        RunState::WaitingForGateway => {
            let units = after.waits().map_or(0, |waiting| waiting.units);
            info!(run, skipped, units, "the gateway has still to move units");
        }
        _ => info!(run, skipped, "the run has ended"),
    }
}
