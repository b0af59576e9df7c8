//! `s3life restore DATASET POLICY --partition PATH`

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, IsTerminal};

use clap::Args;
use serde_json::json;

use super::carry_out::{carry_out, check_rules};
use super::output::{self, Failure};
use super::question::{After, confirm};
use super::work::{Work, WorkOptions};
use super::{Common, Form, PolicyFile, applied, history};
use crate::act::apply::Applied;
use crate::calendar::Period;
use crate::connection::Connection;
use crate::listing::{Pace, STANDARD};
use crate::places::are_nested;
use crate::plan::document::WrittenPlan;
use crate::plan::line::{FORMAT, Header};
use crate::plan::make::{Past, Restoration, restoration};
use crate::plan::report::Report;
use crate::policy::{Dataset, Policy};
use crate::run::Bucket;
use crate::run::journal::{Journal, Outcome};
use crate::run::lease::Purpose;
use crate::run::record::{DatasetDone, RunRecord, RunState};
use crate::words::counted;

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// Name of the dataset.
    dataset: String,
    #[command(flatten)]
    policy: PolicyFile,
    /// A partition, as in day=2024-03-01, or a directory of the dataset with all partitions in it. May be repeated.
    #[arg(long = "partition", value_name = "PATH", required = true)]
    partitions: Vec<String>,
    /// The storage class that it moves to.
    #[arg(long, value_name = "CLASS", default_value = STANDARD)]
    class: String,
    /// Do not ask.
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    work: WorkOptions,
}

impl Restore {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let read = output::read_policy(&self.policy.path)?;
        let policy = &read.policy;
        let dataset = policy.datasets.iter().find(|dataset| dataset.name == self.dataset).ok_or_else(|| {
            let known: Vec<_> = policy.datasets.iter().map(|dataset| dataset.name.as_str()).collect();
            Failure::Usage(format!("the policy has no dataset {}: it has {}", self.dataset, known.join(", ")))
        })?;
        let connection = common.connect(&policy.bucket)?;
        let (plan, past) = connection.wait(self.plan(&connection, &read, dataset))?;
        if plan.tally.is_empty() {
            return self.nothing(common, &plan, &past);
        }
        if !self.yes {
            if common.output == Form::Json || !io::stdin().is_terminal() {
                return Err(Failure::Usage("nobody is there to be asked: add `--yes`".to_owned()));
            }
            let WrittenPlan { header, end, tally, .. } = &plan;
            let report = Report { header, end, tally, notes: &[], policy: Some(policy), holds: &[] };
            output::text(&report.to_string())?;
            confirm(After::Nothing)?;
        }
        let record = connection.wait(async {
            let work = Work::begin(&connection, &self.work, &Purpose::from("restore")).await?;
            let record = self.begin(&work, &plan, &past, policy).await;
            work.end().await;
            record
        })?;
        self.report(common, &record)?;
        applied::see_to(&record, &read.source.path)?;
        let is_moved = record.datasets.values().any(|done| !done.actions.is_empty());
        match record.skipped.first() {
            Some(first) if !is_moved && record.waits().is_none() => Err(Failure::Left(format!(
                "{} changed just now, and nothing was moved: {}; run the same command again",
                counted(record.skipped_count, "unit"),
                first.reason
            ))),
            _ => Ok(()),
        }
    }

    async fn plan(
        &self,
        connection: &Connection,
        read: &output::ReadPolicy,
        dataset: &Dataset,
    ) -> Result<(WrittenPlan, Past), Failure> {
        let output::ReadPolicy { policy, source } = read;
        let created = connection.bucket().time().await?;
        let expires = Period::hours(1).after(&created.to_zoned_datetime(policy.zone.clone()));
        let header = Header {
            format: FORMAT,
            s3life: env!("CARGO_PKG_VERSION").to_owned(),
            bucket: policy.bucket.clone(),
            policy: source.clone(),
            zone: policy.zone_name.clone(),
            now: created,
            created,
            expires: expires.map_or(created, |expires| expires.timestamp()),
            allowed: BTreeMap::new(),
            confirmed: Vec::new(),
        };
        let past = Past::read(&connection.bucket()).await?;
        let through = through(&connection.bucket(), &past, dataset).await?;
        let (partitions, class) = (self.partitions.as_slice(), self.class.as_str());
        let wanted = Restoration { policy, dataset, partitions, class, past: &past, through: &through };
        let plan = restoration(&connection.lister(Pace::default()), header, &wanted).await?;
        Ok((plan, past))
    }

    async fn begin(&self, work: &Work, plan: &WrittenPlan, past: &Past, policy: &Policy) -> Result<RunRecord, Failure> {
        // Units of runs that have not ended belong to them.
        let records = work.store.records().await?;
        let meets = |record: &&RunRecord| record.datasets.values().any(|done| self.meets(plan, &done.prefix));
        let is_under_way = |record: &&RunRecord| {
            matches!(record.state, RunState::Running | RunState::Undoing)
                || !past.records.iter().any(|known| known.run == record.run)
        };
        if let Some(other) = records.iter().filter(is_under_way).find(meets) {
            return Err(Failure::Usage(format!(
                "the run {} is under way there, or was just now: end it with `s3life apply` or `s3life undo`, then try again",
                other.run
            )));
        }
        check_rules(work).await?;
        let now = work.bucket.time().await?;
        let (policy_of_plan, datasets) = (plan.header.policy.clone(), Applied::of(&plan.end).datasets);
        let record = RunRecord {
            restores: true,
            ..RunRecord::begun(policy_of_plan, &plan.end.digest, now, work.lease.number(), datasets)
        };
        let record = work.store.begin_new(&work.lease, record, plan.path()).await?;
        carry_out(work, &record.run, policy, &records).await
    }

    fn meets(&self, plan: &WrittenPlan, prefix: &str) -> bool {
        plan.end.datasets.iter().any(|own| are_nested(&own.prefix, prefix))
    }

    fn nothing(&self, common: &Common, plan: &WrittenPlan, past: &Past) -> Result<(), Failure> {
        let left: u64 = plan.end.datasets.iter().flat_map(|dataset| dataset.left.values()).sum();
        if left > 0 {
            let words = plan.end.datasets.iter().flat_map(|dataset| &dataset.left);
            let words: Vec<_> = words.map(|(word, count)| format!("{count} {word}")).collect();
            let (units, words) = (counted(left, "unit"), words.join(", "));
            let policy = self.policy.path.display();
            let moves = |record: &&RunRecord| {
                let has_rules = matches!(record.state, RunState::WaitingForGateway | RunState::Undoing);
                has_rules && record.datasets.values().any(|done| self.meets(plan, &done.prefix))
            };
            let remedy = match past.records.iter().find(moves) {
                Some(RunRecord { run, state: RunState::Undoing, .. }) => {
                    format!(
                        "the run {run} is being brought back: end that with `s3life undo {run} {policy}`, then try again"
                    )
                }
                Some(RunRecord { run, .. }) => format!(
                    "the run {run} has the gateway move units there: bring it back with `s3life undo {run} {policy}`, or try \
                     again when `s3life apply {policy}` has found that they have moved"
                ),
                None => "try again later".to_owned(),
            };
            let message = format!("nothing can be moved now, {units} being left ({words}): {remedy}");
            return Err(Failure::Left(message));
        }
        output::line(&match common.output {
            Form::Json => json!({"run": null, "moved": 0, "waiting": null}).to_string(),
            Form::Text => format!("all of it is in {} already", self.class),
        })
    }

    fn report(&self, common: &Common, record: &RunRecord) -> Result<(), Failure> {
        let waiting = record.waits();
        let moved: u64 = record.datasets.values().flat_map(|done| done.actions.values()).map(|done| done.units).sum();
        if common.output == Form::Json {
            let result = json!({"run": record.run, "moved": moved, "waiting": waiting, "left": record.skipped});
            return output::line(&result.to_string());
        }
        let (moved, are) = (counted(moved, "unit"), if moved == 1 { "is" } else { "are" });
        output::line(&format!("run {}: {moved} {are} in {}", record.run, self.class))?;
        output::skipped(&record.skipped, record.skipped_count)?;
        if let Some(waiting) = waiting {
            let policy = self.policy.path.display();
            output::line(&format!("  {}: run `s3life apply {policy}` again later", history::waits(waiting)))?;
        }
        output::line(&format!(
            "  they stay there until `s3life release {} {}`: from then on the policy's rules move them again",
            record.run,
            self.policy.path.display()
        ))
    }
}

/// Units of a dataset that runs which wait for the gateway to move others have done with: they have moved, at least in part.
async fn through(bucket: &Bucket, past: &Past, dataset: &Dataset) -> Result<BTreeSet<String>, Failure> {
    let mut through = BTreeSet::new();
    for record in past.records.iter().filter(|record| record.state == RunState::WaitingForGateway) {
        let meets = |done: &DatasetDone| are_nested(&done.prefix, &dataset.prefix);
        if record.datasets.values().any(meets) {
            let outcomes = Journal::summary(bucket, &record.run).await?;
            let is_through =
                |outcome: &Outcome| matches!(outcome, Outcome::Done | Outcome::Restored | Outcome::HalfMoved { .. });
            let ended = outcomes.into_iter().filter(|(_, last)| is_through(&last.outcome));
            through.extend(ended.map(|(prefix, _)| prefix));
        }
    }
    Ok(through)
}
