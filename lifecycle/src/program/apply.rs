//! `s3life apply POLICY`, `s3life apply --plan FILE`

pub(super) mod going_on;

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;

use self::going_on::GoneOn;
use super::carry_out::{carry_out, check_rules};
use super::output::{self, Failure, ReadPolicy};
use super::plan::{PlanOptions, Planned};
use super::question::{After, confirm};
use super::work::{Work, WorkOptions};
use super::{Common, Form, applied};
use crate::act::apply::Applied;
use crate::catalog::Table;
use crate::connection::Connection;
use crate::places::are_nested;
use crate::plan::document::PlanReader;
use crate::plan::line::End;
use crate::plan::make::denied_removals;
use crate::plan::report::Report;
use crate::policy::Policy;
use crate::run::lease::Purpose;
use crate::run::record::RunRecord;

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
        // A plan that was made just now has tried it out.
        if made.as_ref().is_none_or(|planned| planned.made.notes.iter().any(|notes| notes.is_denied)) {
            let denied = denied_removals(connection.gateway(), &policy.policy.bucket, plan.tally());
            if let Some((_, denied)) = connection.wait(async { Ok::<_, Failure>(denied.await?) })?.into_iter().next() {
                return Err(denied.into());
            }
        }
        self.ask(common, &policy.policy, &plan, made.as_ref(), after)?;
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
        let datasets = Applied::of(plan.end()).datasets;
        let record = RunRecord::begun(header.policy.clone(), &plan.end().digest, now, work.lease.number(), datasets);
        let record = work.store.begin_new(&work.lease, record, path).await?;
        Ok(Attempt::Done(Box::new(carry_out(work, &record.run, &policy.policy, &records).await?)))
    }

    /// Shows the plan, with all that is known of it where it was just made, and asks whether it is to be carried out.
    fn ask(
        &self,
        common: &Common,
        policy: &Policy,
        plan: &PlanReader,
        made: Option<&Planned>,
        after: After,
    ) -> Result<(), Failure> {
        if self.yes {
            let planned = made.filter(|_| common.output == Form::Text);
            return planned.map_or(Ok(()), Planned::warn);
        }
        if common.output == Form::Json || !io::stdin().is_terminal() {
            return Err(Failure::Usage(
                "nobody is there to be asked: look at `s3life plan`, then add `--yes`".to_owned(),
            ));
        }
        match made {
            Some(planned) => planned.print(policy)?,
            None => output::text(&Report { policy: Some(policy), ..Report::of(plan) }.to_string())?,
        }
        confirm(after)
    }
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
    let mut datasets = policy.policy.datasets.iter();
    datasets.any(|own| record.datasets.values().any(|done| are_nested(&own.prefix, &done.prefix)))
}

/// Whether a run makes another plan than was made at `created`, when the runs were those of `before`: also one that was undone,
/// released or emptied since. Of a plan that was saved nobody knows them; what was brought back since is left as it is carried out.
fn is_news(record: &RunRecord, before: Option<&[RunRecord]>, created: Timestamp) -> bool {
    // Each process that goes on with a run signs its record.
    let is_same = |known: &&RunRecord| {
        known.run == record.run
            && (known.state, known.undone, known.released) == (record.state, record.undone, record.released)
    };
    before.map_or(record.started > created, |before| before.iter().find(is_same).is_none())
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
    use crate::run::record::RunState;

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
        let signed = RunRecord { lease: 7, holder: "another".to_owned(), ..record.clone() };
        assert!(!is_news(&signed, Some(&before), created));
        let undone = RunRecord { state: RunState::Undone, undone: true, ..record.clone() };
        let released = RunRecord { released: true, ..undone.clone() };
        assert!(is_news(&undone, Some(&before), created) && is_news(&released, Some(&[undone]), created));
        let later = RunRecord { started: created + jiff::SignedDuration::from_secs(1), ..record };
        assert!(is_news(&later, None, created));
    }
}
