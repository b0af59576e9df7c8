//! What `s3life status` prints.

use jiff::Timestamp;
use serde::Serialize;

use super::super::history::Run;
use super::super::kept::Kept;
use super::super::served;
use super::{HeldRow, Trash};
use crate::plan::line::Amount;
use crate::run::lease::{LeaseView, Standing};
use crate::run::record::{RunRecord, RunState};
use crate::serve::ServedPolicy;
use crate::words::{amount, counted, size};

/// What is printed.
#[derive(Serialize)]
pub(in crate::program) struct Report<'a> {
    pub(super) bucket: &'a str,
    /// The gateway's.
    pub(super) time: Timestamp,
    pub(super) lease: Option<Holding<'a>>,
    /// The runs that have not ended.
    pub(super) runs: Vec<UnderWay<'a>>,
    pub(super) trash: &'a [Trash],
    /// What lies under delete markers.
    pub(super) hidden: &'a [Kept],
    /// What waits in its place until it goes.
    pub(super) held: &'a [Kept],
    /// What holds keep of trash whose time is over.
    pub(super) held_back: &'a [HeldRow],
    /// Runs whose units no rule touches until they are released.
    pub(super) unreleased: Vec<Unreleased<'a>>,
    /// What `serve` has said of policies.
    pub(super) served: &'a [ServedPolicy],
    pub(super) skipped: Vec<Skipped<'a>>,
    #[serde(skip)]
    pub(super) records: &'a [RunRecord],
}

#[derive(Serialize)]
pub(super) struct Holding<'a> {
    pub(super) number: u64,
    pub(super) host: &'a str,
    pub(super) process: u32,
    pub(super) purpose: String,
    pub(super) run: Option<&'a str>,
    pub(super) taken: Timestamp,
    pub(super) until: Timestamp,
    pub(super) expired: bool,
}

impl<'a> Holding<'a> {
    pub(super) fn of(lease: &'a LeaseView) -> Self {
        Self {
            number: lease.number,
            host: &lease.holder.host,
            process: lease.holder.process,
            purpose: lease.purpose.to_string(),
            run: lease.purpose.run.as_deref(),
            taken: lease.taken,
            until: lease.until,
            expired: lease.standing == Standing::Expired,
        }
    }
}

#[derive(Serialize)]
pub(super) struct UnderWay<'a> {
    /// Whether a process is at work on it now.
    #[serde(rename = "active")]
    pub(super) is_active: bool,
    #[serde(flatten)]
    pub(super) run: Run<'a>,
}

/// What a run has brought back, or moved because somebody asked for it: no rule touches it until the run is released.
#[derive(Serialize)]
pub(super) struct Unreleased<'a> {
    pub(super) run: &'a str,
    #[serde(flatten)]
    pub(super) amount: Amount,
}

impl<'a> Unreleased<'a> {
    pub(super) fn of(record: &'a RunRecord) -> Option<Self> {
        let is_over = !matches!(record.state, RunState::Running | RunState::WaitingForGateway | RunState::Undoing);
        let mut amount = Amount::default();
        for done in record.datasets.values().filter(|_| is_over && record.came_back() && !record.released) {
            amount.add(done.undone);
            amount.add(done.moved_back);
            let asked_for = done.actions.values().filter(|_| record.restores && !record.undone);
            asked_for.for_each(|moved| amount.add(*moved));
        }
        (amount.units > 0).then_some(Self { run: &record.run, amount })
    }
}

#[derive(Serialize)]
pub(super) struct Skipped<'a> {
    pub(super) run: &'a str,
    pub(super) unit: &'a str,
    pub(super) key: Option<&'a str>,
    pub(super) reason: &'a str,
}

impl Report<'_> {
    /// When what a run keeps goes for good.
    fn goes(&self, run: &str, until: Option<Timestamp>) -> String {
        let Some(record) = self.records.iter().find(|record| record.run == run) else {
            return "of a run without record".to_owned();
        };
        match (record.state, until) {
            (RunState::Undone, _) if record.skipped_count > 0 => {
                format!("did not come back, and is kept until `s3life purge {run} s3a://{}`", self.bucket)
            }
            (RunState::Undoing, _) => "kept until the run is brought back".to_owned(),
            (_, Some(until)) => format!("goes for good after {until}"),
            (_, None) => "kept until the run has ended".to_owned(),
        }
    }

    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = vec![match &self.lease {
            None => format!("s3a://{}: nobody is at work", self.bucket),
            Some(lease) if lease.expired => format!(
                "s3a://{}: process {} on {} has not been heard of since its lease for {} ended at {}",
                self.bucket, lease.process, lease.host, lease.purpose, lease.until
            ),
            Some(lease) => format!(
                "s3a://{}: process {} on {} is at work since {}: {}",
                self.bucket, lease.process, lease.host, lease.taken, lease.purpose
            ),
        }];
        for UnderWay { is_active, run } in &self.runs {
            let rest = if *is_active { "; a process is at work on it" } else { "; nobody is at work on it" };
            lines.push(format!("run    {}{rest}", run.line()));
        }
        for Trash { run, objects, bytes, until } in self.trash {
            let objects = counted(*objects, "object");
            lines.push(format!("trash  {run}  {objects}, {}, {}", size(*bytes), self.goes(run, *until)));
        }
        for Kept { run, amount: kept, until } in self.hidden {
            lines.push(format!("hidden {run}  {} under delete markers, {}", amount(*kept), self.goes(run, *until)));
        }
        for Kept { run, amount: kept, until } in self.held {
            let kept = amount(*kept);
            lines.push(format!(
                "stays  {run}  {kept} in place, because they cannot be copied, {}",
                self.goes(run, *until)
            ));
        }
        for HeldRow { run, hold, units } in self.held_back {
            let (units, stay) = (counted(*units, "unit"), if *units == 1 { "stays" } else { "stay" });
            let hold = format!("s3a://{}/{hold}", self.bucket);
            lines.push(format!("held   {run}  {units} of its trash {stay} until the hold at {hold} is lifted"));
        }
        for Unreleased { run, amount: back } in &self.unreleased {
            let release = format!("`s3life release {run} s3a://{}`", self.bucket);
            lines.push(format!("back   {run}  {}: no rule touches them until {release}", amount(*back)));
        }
        lines.extend(self.served.iter().flat_map(|served| served::lines(self.bucket, served, self.time)));
        for Skipped { run, unit, key, reason } in &self.skipped {
            let key = key.map(|key| format!(" ({key})")).unwrap_or_default();
            lines.push(format!("skipped  {run}  s3a://{}/{unit}: {reason}{key}", self.bucket));
        }
        lines
    }
}
