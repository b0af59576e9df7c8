//! Runs that were begun before and have not ended: they go on before anything is planned.

use std::collections::BTreeSet;
use std::io::{self, IsTerminal};

use super::super::carry_out::{carry_out, still_runs};
use super::super::output::{self, Failure, ReadPolicy};
use super::super::question::{After, ask};
use super::super::work::Work;
use super::super::{Common, Form, history};
use super::{Apply, meets};
use crate::connection::Connection;
use crate::plan::document::PlanReader;
use crate::policy::{Action, Policy, Rule};
use crate::run::lease::Purpose;
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;
use crate::serve::rule_digest;

/// What became of the runs that were begun and not ended.
pub(in crate::program) struct GoneOn {
    /// Their records.
    pub(in crate::program) done: Vec<RunRecord>,
    /// Those of all of them before.
    pub(in crate::program) before: Vec<RunRecord>,
    /// Those of all runs, where none has gone on.
    pub(in crate::program) records: Option<Vec<RunRecord>>,
    /// Runs that were left, with their rules that are not approved.
    pub(in crate::program) left: Vec<(String, Vec<String>)>,
}

impl Apply {
    /// Ends the runs of these datasets that were begun and not ended. Where nobody watches, `approved` are the digests of
    /// rules that may act: a run by others is left.
    pub(in crate::program) fn go_on(
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
                     `s3life undo {0} {1}`, or end it as it was planned with `s3life apply {1} --resume {0}`",
                    record.run, policy.source.path
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
    let is_approved = |name: &str, rule: &str, action: &str| {
        let place = record.datasets.get(name).map(|done| &done.prefix);
        let dataset = policy.datasets.iter().find(|own| Some(&own.prefix) == place)?;
        let is_rule = |own: &&Rule| own.name == rule && own.action.as_ref().map(Action::name) == Some(action);
        let rule = dataset.rules.iter().find(is_rule)?;
        Some(approved.contains(&rule_digest(policy, dataset, rule)?))
    };
    let rules = plan.tally().rules.iter();
    let unapproved = rules.filter(|((dataset, rule), tally)| is_approved(dataset, rule, &tally.action) != Some(true));
    Ok(unapproved.map(|((dataset, rule), _)| format!("{rule} of {dataset}")).collect())
}
