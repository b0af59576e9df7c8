//! `s3life apply POLICY`, `s3life apply --plan FILE`

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use super::carry_out::{carry_out, check_rules, still_runs};
use super::output::{self, Failure, ReadPolicy};
use super::plan::PlanOptions;
use super::question::{After, ask, confirm};
use super::work::{Work, WorkOptions};
use super::{Common, Form, applied, history};
use crate::act::apply::Applied;
use crate::catalog::Table;
use crate::connection::Connection;
use crate::plan::document::PlanReader;
use crate::plan::line::End;
use crate::plan::report::Report;
use crate::policy::Policy;
use crate::run::lease::Purpose;
use crate::run::left::Refused;
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;
use crate::serve::rule_digest;

#[derive(Debug, Args)]
pub(super) struct Apply {
    /// The policy. Without it: the file that the plan was made of.
    #[arg(value_name = "POLICY", required_unless_present = "plan")]
    pub(super) policy: Option<PathBuf>,
    /// Carry out this plan, and nothing beyond it. Without it: what is due now.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["now", "expires", "allow", "confirm_delete"])]
    pub(super) plan: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub(super) yes: bool,
    /// Go on with this run although the policy has changed since.
    #[arg(long, value_name = "RUN")]
    pub(super) resume: Option<String>,
    #[command(flatten)]
    pub(super) options: PlanOptions,
    #[command(flatten)]
    pub(super) work: WorkOptions,
}

/// Plans that are made anew because another process was faster.
const MOST_PLANS: usize = 5;

impl Apply {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        // What was gone on with is said at once, whatever comes of the plan.
        let mut gone_on = 0;
        let Ended { policy, done, left } = self.done_telling(common, |policy, done| {
            if common.output == Form::Text && !done.is_empty() {
                gone_on = done.len();
                applied::runs(policy, done)?;
            }
            Ok(())
        })?;
        let told = done.get(gone_on..).unwrap_or_default();
        match common.output {
            Form::Json => applied::report(common, &policy, &done, &left)?,
            Form::Text => applied::report(common, &policy, told, &left)?,
        }
        done.iter().try_for_each(|record| applied::see_to(record, &policy.source.path))
    }

    /// Ends the runs that were begun before, carries the plan out, and says which runs it ended.
    pub(super) fn done(&self, common: &Common) -> Result<Ended, Failure> {
        self.done_telling(common, |_, _| Ok(()))
    }

    /// The same; `tell` hears of the runs that were begun before when they have ended.
    fn done_telling(
        &self,
        common: &Common,
        tell: impl FnOnce(&ReadPolicy, &[RunRecord]) -> Result<(), Failure>,
    ) -> Result<Ended, Failure> {
        let policy = match (&self.policy, &self.plan) {
            (Some(path), _) => output::read_policy(path)?,
            (None, Some(plan)) => output::read_policy(Path::new(&PlanReader::open(plan)?.header().policy.path))?,
            (None, None) => return Err(Failure::Usage("name a policy or a plan".to_owned())),
        };
        let connection = common.connect(&policy.policy.bucket)?;
        let GoneOn { mut done, mut records, .. } = self.go_on(common, &connection, &policy, None)?;
        tell(&policy, &done)?;
        let after = if done.is_empty() { After::Nothing } else { After::GoingOn };
        for _ in 0..MOST_PLANS {
            match self.apply(common, &connection, &policy, records.take(), after)? {
                Attempt::NothingDue(left) => return Ok(Ended { policy, done, left }),
                Attempt::Done(record) => {
                    done.push(*record);
                    return Ok(Ended { policy, done, left: BTreeMap::new() });
                }
                Attempt::Overtaken if self.yes && self.plan.is_none() => {}
                Attempt::Overtaken => break,
            }
        }
        Err(Failure::Usage("another process has worked on the bucket meanwhile: plan again".to_owned()))
    }

    /// Ends the runs of these datasets that were begun and not ended. Where nobody watches, `approved` are the digests of
    /// rules that may act: a run by others is left.
    pub(super) fn go_on(
        &self,
        common: &Common,
        connection: &Connection,
        policy: &ReadPolicy,
        approved: Option<&BTreeSet<String>>,
    ) -> Result<GoneOn, Failure> {
        let (mut done, mut left) = (Vec::new(), Vec::new());
        let store = Store::new(connection.bucket());
        let records = connection.wait(store.records())?;
        for record in records.iter().rev().filter(|record| still_runs(record).is_ok() && meets(record, policy)) {
            if self.plan.is_some() {
                // What waits for the gateway is none of the plan's business.
                if record.state == RunState::WaitingForGateway {
                    continue;
                }
                return Err(Failure::Usage(format!(
                    "the run {0} has not ended, and a plan is carried out alone: end it with `s3life apply {1}` or bring it back \
                     with `s3life undo {0} {1}`, then plan again",
                    record.run, policy.source.path
                )));
            }
            // One that waits for the gateway removes nothing more.
            let is_meant = self.resume.as_ref() == Some(&record.run) || record.state == RunState::WaitingForGateway;
            if record.policy.sha256 != policy.source.sha256 && !is_meant {
                return Err(Failure::Usage(format!(
                    "the run {0} was begun with another text of the policy and has not ended: bring back what it did with \
                     `s3life undo {0}`, or end it as it was planned with `--resume {0}`",
                    record.run
                )));
            }
            if let Some(approved) = approved
                && !record.restores
            {
                let rules = connection.wait(unapproved(&store, record, &policy.policy, approved))?;
                if !rules.is_empty() {
                    left.push((record.run.clone(), rules));
                    continue;
                }
            }
            let after = if done.is_empty() { After::Nothing } else { After::GoingOn };
            self.ask_to_go_on(common, policy, record, after)?;
            done.extend(connection.wait(self.end(connection, &record.run, &policy.policy))?);
        }
        let (before, records) = if done.is_empty() { (Vec::new(), Some(records)) } else { (records, None) };
        Ok(GoneOn { done, before, records, left })
    }

    /// Ends a run, unless another process was faster.
    async fn end(&self, connection: &Connection, run: &str, policy: &Policy) -> Result<Option<RunRecord>, Failure> {
        let work = Work::begin(connection, &self.work, &Purpose::of_run("apply", run)).await?;
        let record = match work.store.records().await {
            Ok(records) if records.iter().any(|record| record.run == run && still_runs(record).is_ok()) => {
                carry_out(&work, run, policy, &records).await.map(Some)
            }
            Ok(_) => Ok(None),
            Err(failure) => Err(failure.into()),
        };
        work.end().await;
        record
    }

    fn apply(
        &self,
        common: &Common,
        connection: &Connection,
        policy: &ReadPolicy,
        records: Option<Vec<RunRecord>>,
        after: After,
    ) -> Result<Attempt, Failure> {
        let made = match &self.plan {
            Some(_) => None,
            None => Some(self.options.make(connection, policy, records)?),
        };
        let path = match (&self.plan, &made) {
            (Some(path), _) => path.as_path(),
            (None, Some(planned)) => planned.made.plan.path(),
            (None, None) => return Ok(Attempt::NothingDue(BTreeMap::new())),
        };
        let stopped = |end: &End| end.stopped().map_or(Ok(()), |reason| Err(Failure::Stopped(reason)));
        made.as_ref().map_or(Ok(()), |planned| stopped(&planned.made.plan.end))?;
        let plan = PlanReader::open_for(path, &policy.policy, &policy.source.sha256)?;
        check_bucket(&plan, policy)?;
        if plan.is_empty() {
            let mut left = left(plan.end());
            let held_back = made.iter().flat_map(|planned| planned.past.held_back.values());
            let held_back: u64 = held_back.flat_map(|held| &held.holds).map(|(_, amount)| amount.units).sum();
            if held_back > 0 {
                left.insert("held in trash".to_owned(), held_back);
            }
            return Ok(Attempt::NothingDue(left));
        }
        stopped(plan.end())?;
        let holds = made.as_ref().map(|planned| planned.holds.as_slice()).unwrap_or_default();
        self.ask(common, &Report { policy: Some(&policy.policy), holds, ..Report::of(&plan) }, after)?;
        let before = made.as_ref().map(|planned| planned.past.records.as_slice()).unwrap_or_default();
        self.attempt(connection, policy, &plan, path, before)
    }

    /// Carries out a plan, unless another process has changed something since; `before` are the runs that were known then.
    pub(super) fn attempt(
        &self,
        connection: &Connection,
        policy: &ReadPolicy,
        plan: &PlanReader,
        path: &Path,
        before: &[RunRecord],
    ) -> Result<Attempt, Failure> {
        connection.wait(async {
            // Before anything is touched.
            Table::of_plan(plan.end()).await?;
            let work = Work::begin(connection, &self.work, &Purpose::from("apply")).await?;
            let attempt = self.begin(&work, policy, plan, path, before).await;
            work.end().await;
            attempt
        })
    }

    async fn begin(
        &self,
        work: &Work,
        policy: &ReadPolicy,
        plan: &PlanReader,
        path: &Path,
        before: &[RunRecord],
    ) -> Result<Attempt, Failure> {
        let header = plan.header();
        let now = work.bucket.time().await?;
        if header.now > now {
            return Err(Failure::Usage(format!(
                "the plan is for {}, and the gateway's clock is at {now}: nothing is applied before its time",
                header.now
            )));
        }
        if header.expires <= now {
            return Err(Failure::Usage(format!(
                "the plan has expired at {}, and the gateway's clock is at {now}: make a new one with `s3life plan`",
                header.expires
            )));
        }
        let records = work.store.records().await?;
        if self.plan.is_some() && records.iter().any(|record| record.digest == plan.end().digest) {
            return Err(Failure::Usage(
                "the plan was carried out before: make a new one with `s3life plan`".to_owned(),
            ));
        }
        let before = self.plan.is_none().then_some(before);
        let is_news = |record: &RunRecord| is_news(record, before, header.created);
        if records.iter().filter(|record| meets(record, policy)).any(is_news) {
            return Ok(Attempt::Overtaken);
        }
        check_rules(work).await?;
        let record = RunRecord {
            run: String::new(),
            policy: header.policy.clone(),
            digest: plan.end().digest.clone(),
            started: now,
            finished: None,
            state: RunState::Running,
            holder: String::new(),
            lease: work.lease.number(),
            datasets: Applied::of(plan.end()).datasets,
            skipped: Vec::new(),
            skipped_count: 0,
            trash_until: None,
            released: false,
            restores: false,
            undone: false,
            emptied: Vec::new(),
            moved: None,
            waiting: None,
            held_for: BTreeMap::new(),
            refused: Refused::default(),
        };
        let record = work.store.begin_new(&work.lease, record, path).await?;
        Ok(Attempt::Done(Box::new(carry_out(work, &record.run, &policy.policy, &records).await?)))
    }

    /// Shows the plan and asks whether it is to be carried out.
    fn ask(&self, common: &Common, report: &Report<'_>, after: After) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if common.output == Form::Json || !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "nobody is there to be asked: look at `s3life plan`, then add `--yes`".to_owned(),
            ));
        }
        confirm(report, after)
    }

    /// Names a run that was killed, and asks whether it is to go on. One that waits for the gateway removes nothing more.
    fn ask_to_go_on(
        &self,
        common: &Common,
        policy: &ReadPolicy,
        record: &RunRecord,
        after: After,
    ) -> Result<(), Failure> {
        if self.yes || record.state != RunState::Running {
            return Ok(());
        }
        let (run, path) = (&record.run, &policy.source.path);
        if common.output == Form::Json || !io::stdin().is_terminal() {
            return Err(Failure::Usage(format!(
                "the run {run} has not ended, and nobody is there to be asked whether it goes on: add `--yes`, or bring back \
                 what it did with `s3life undo {run} {path}`"
            )));
        }
        output::line(&history::Run::of(record).line())?;
        ask(
            &format!("The run {run} has not ended, and goes on before anything is planned. Go on with it? [y/N] "),
            after,
        )
    }
}

/// What became of the runs that were begun and not ended.
pub(super) struct GoneOn {
    /// Their records.
    pub(super) done: Vec<RunRecord>,
    /// Those of all of them before.
    pub(super) before: Vec<RunRecord>,
    /// Those of all runs, where none has gone on.
    pub(super) records: Option<Vec<RunRecord>>,
    /// Runs that were left, with their rules that are not approved.
    pub(super) left: Vec<(String, Vec<String>)>,
}

/// How it went.
pub(super) struct Ended {
    pub(super) policy: ReadPolicy,
    /// The runs, the ones that were only ended first.
    pub(super) done: Vec<RunRecord>,
    /// Where nothing was due: what is left in its place, by the words of verdicts.
    left: BTreeMap<String, u64>,
}

/// How an attempt to apply went.
pub(super) enum Attempt {
    /// With the numbers of units that are left, by the words of their verdicts.
    NothingDue(BTreeMap<String, u64>),
    /// Another process has changed something since the plan was made.
    Overtaken,
    Done(Box<RunRecord>),
}

/// Units that are left in all datasets, by the words of their verdicts.
fn left(end: &End) -> BTreeMap<String, u64> {
    let mut left: BTreeMap<String, u64> = BTreeMap::new();
    for (word, count) in end.datasets.iter().flat_map(|dataset| &dataset.left) {
        *left.entry(word.clone()).or_default() += count;
    }
    left
}

/// Whether a run is about places of the policy's datasets, by whatever policy.
fn meets(record: &RunRecord, policy: &ReadPolicy) -> bool {
    let meets = |own: &str, other: &str| own.starts_with(other) || other.starts_with(own);
    let mut datasets = policy.policy.datasets.iter();
    datasets.any(|own| record.datasets.values().any(|done| meets(&own.prefix, &done.prefix)))
}

/// Whether a run makes another plan than was made at `created`, when the runs were those of `before`: also one that was undone,
/// released or emptied since. Of a plan that was saved nobody knows them; what was brought back since is left as it is carried out.
fn is_news(record: &RunRecord, before: Option<&[RunRecord]>, created: Timestamp) -> bool {
    before.map_or(record.started > created, |before| !before.contains(record))
}

/// The rules by which a run acts, by its plan, that are not approved as the policy has them now, or that it has no more.
async fn unapproved(
    store: &Store,
    record: &RunRecord,
    policy: &Policy,
    approved: &BTreeSet<String>,
) -> Result<Vec<String>, Failure> {
    let file = store.plan(&record.run).await?;
    let plan = PlanReader::open(file.path())?;
    // A dataset is known by its place: under another name it is the same.
    let is_approved = |name: &str, rule: &str| {
        let place = record.datasets.get(name).map(|done| &done.prefix);
        let dataset = policy.datasets.iter().find(|own| Some(&own.prefix) == place)?;
        let rule = dataset.rules.iter().find(|own| own.name == rule)?;
        Some(approved.contains(&rule_digest(policy, dataset, rule)?))
    };
    let rules = plan.tally().rules.keys().filter(|(dataset, rule)| is_approved(dataset, rule) != Some(true));
    Ok(rules.map(|(dataset, rule)| format!("{rule} of {dataset}")).collect())
}

fn check_bucket(plan: &PlanReader, policy: &ReadPolicy) -> Result<(), Failure> {
    let (planned, own) = (&plan.header().bucket, &policy.policy.bucket);
    if planned == own {
        return Ok(());
    }
    Err(Failure::Usage(format!("the plan is for the bucket {planned}, and the policy for {own}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_known_runs_is_news_too() {
        let record: RunRecord = serde_json::from_value(serde_json::json!({
            "run": "a", "policy": {"path": "", "sha256": ""}, "digest": "", "started": "2026-01-01T00:00:00Z",
            "finished": "2026-01-01T00:00:00Z", "state": "done", "holder": "", "lease": 1, "skipped": [], "skipped_count": 0,
            "trash_until": null, "released": false, "datasets": {},
        }))
        .unwrap();
        let (before, created) = ([record.clone()], record.started);
        assert!(!is_news(&record, Some(&before), created) && !is_news(&record, None, created));
        assert!(is_news(&record, Some(&[]), created));
        let undone = RunRecord { state: RunState::Undone, undone: true, ..record.clone() };
        let released = RunRecord { released: true, ..undone.clone() };
        assert!(is_news(&undone, Some(&before), created) && is_news(&released, Some(&[undone]), created));
        let later = RunRecord { started: created + jiff::SignedDuration::from_secs(1), ..record };
        assert!(is_news(&later, None, created));
    }
}
