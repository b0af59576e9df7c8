//! `s3life history POLICY|s3a://BUCKET`

use std::collections::BTreeMap;

use clap::Args;
use jiff::Timestamp;
use serde::Serialize;

use super::output::{self, Failure};
use super::{BucketOrPolicy, Common, Form};
use crate::plan::line::Amount;
use crate::run::left::Refused;
use crate::run::record::{DatasetDone, EmptiedTrash, RunRecord, RunState, Waiting};
use crate::run::store::Store;
use crate::words::{action, amount, counted, size};

#[derive(Debug, Args)]
pub(super) struct History {
    #[command(flatten)]
    bucket: BucketOrPolicy,
}

impl History {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let records = self.records(common)?;
        let runs = records.iter().map(Run::of);
        match common.output {
            Form::Json => output::json(&runs.collect::<Vec<_>>()),
            Form::Text if records.is_empty() => output::line(&format!("s3a://{}: no run so far", self.bucket.name()?)),
            Form::Text => {
                for run in runs {
                    output::line(&run.line())?;
                }
                Ok(())
            }
        }
    }

    /// The runs of the bucket, the newest first.
    pub(super) fn records(&self, common: &Common) -> Result<Vec<RunRecord>, Failure> {
        let connection = self.bucket.connect(common)?;
        Ok(connection.wait(Store::new(connection.bucket()).records())?)
    }
}

/// The command of runs that somebody had for units, rather than by a policy.
const RESTORE: &str = "restore";

/// A run as programs read it.
#[derive(Debug, Serialize)]
pub(super) struct Run<'a> {
    run: &'a str,
    /// `apply`, or `restore` where somebody had units moved out of their storage class.
    command: &'static str,
    policy: &'a str,
    policy_sha256: &'a str,
    digest: &'a str,
    started: Timestamp,
    finished: Option<Timestamp>,
    state: RunState,
    /// What the gateway has still to move, and since when.
    waiting: Option<Waiting>,
    /// What was done in all datasets, by the action's name.
    actions: BTreeMap<&'a str, Amount>,
    /// What of it was brought back.
    undone: Amount,
    /// What moved back to the storage class that it had.
    moved_back: Amount,
    datasets: &'a BTreeMap<String, DatasetDone>,
    /// The trash of earlier runs that it has emptied.
    emptied: &'a [EmptiedTrash],
    skipped: u64,
    /// Those of it that somebody has to see to, with the reason of the first.
    refused: &'a Refused,
    holder: &'a str,
    trash_until: Option<Timestamp>,
    released: bool,
}

impl<'a> Run<'a> {
    pub(super) fn of(record: &'a RunRecord) -> Self {
        let mut actions: BTreeMap<&str, Amount> = BTreeMap::new();
        let (mut undone, mut moved_back) = (Amount::default(), Amount::default());
        for dataset in record.datasets.values() {
            undone.add(dataset.undone);
            moved_back.add(dataset.moved_back);
            for (action, done) in &dataset.actions {
                actions.entry(action).or_default().add(*done);
            }
        }
        Self {
            run: &record.run,
            command: if record.restores { RESTORE } else { "apply" },
            policy: &record.policy.path,
            policy_sha256: &record.policy.sha256,
            digest: &record.digest,
            started: record.started,
            finished: record.finished,
            state: record.state,
            waiting: record.waits(),
            actions,
            undone,
            moved_back,
            datasets: &record.datasets,
            emptied: &record.emptied,
            skipped: record.skipped_count,
            refused: &record.refused,
            holder: &record.holder,
            trash_until: record.trash_until,
            released: record.released,
        }
    }

    /// One line for people.
    pub(super) fn line(&self) -> String {
        let done = self.actions.iter().map(|(name, done)| format!("{} {}", action(name), amount(*done)));
        let mut done: Vec<_> = done.collect();
        done.extend(self.emptied.iter().map(|EmptiedTrash { run, amount }| emptied(run, *amount)));
        let has_ended = !matches!(self.state, RunState::Running | RunState::WaitingForGateway);
        let done = match done.is_empty() {
            true if has_ended => "nothing".to_owned(),
            true => "nothing yet".to_owned(),
            false => done.join(", "),
        };
        let some = |what: &str, some: Amount| match some.units {
            0 => String::new(),
            _ => format!(", {what} {}", amount(some)),
        };
        let waiting = self.waiting.map(|waiting| format!(", {}", waits(waiting))).unwrap_or_default();
        let undone = some("brought back", self.undone) + &some("moved back", self.moved_back);
        let skipped = if self.skipped == 0 { String::new() } else { format!(", {} skipped", self.skipped) };
        let trash = match (self.trash_until, self.state) {
            (Some(until), RunState::Running | RunState::WaitingForGateway | RunState::Done) => {
                format!(", can be undone until {until}")
            }
            _ => String::new(),
        };
        let (run, state) = (self.run, self.state.words());
        let command = if self.command == RESTORE { "restore, " } else { "" };
        format!("{run}  {command}{state}: {done}{undone}{waiting}{skipped}{trash}  ({})", self.policy)
    }
}

/// `3 units wait for the gateway's lifecycle since 2026-11-25T12:00:00Z`
pub(super) fn waits(Waiting { units, since }: Waiting) -> String {
    let wait = if units == 1 { "waits" } else { "wait" };
    format!("{} {wait} for the gateway's lifecycle since {since}", counted(units, "unit"))
}

/// `emptied the trash of the run 20261125T214500Z-a1b2c3: 67 objects, 43.8 KiB, gone for good`
pub(super) fn emptied(run: &str, Amount { objects, bytes, .. }: Amount) -> String {
    format!("emptied the trash of the run {run}: {}, {}, gone for good", counted(objects, "object"), size(bytes))
}
