//! `s3life plan POLICY`

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::output::{self, Failure, ReadPolicy};
use super::progress::Listed;
use super::{Common, Form, PolicyFile};
use crate::calendar::Period;
use crate::catalog::sql::write_beside;
use crate::connection::Connection;
use crate::listing::{Lister, Pace, in_sight};
use crate::plan::document::{PlanError, PlanReader, WrittenPlan};
use crate::plan::holds::{MetHold, nearest};
use crate::plan::line::{DatasetSummary, Header};
use crate::plan::make::{DatasetNotes, Jobs, MadePlan, Moves, Past, Request, Served, make};
use crate::plan::report::Report;
use crate::policy::Policy;
use crate::run::holds::json as held_json;
use crate::run::record::RunRecord;
use crate::run::store::Store;
use crate::tier::{Conflict, Rules};

/// Exit status where there is something to do, and `--detailed-exitcode`.
const PENDING: u8 = 3;

#[derive(Debug, Args)]
pub(super) struct Plan {
    #[command(flatten)]
    policy: PolicyFile,
    /// Save the plan, for `s3life apply --plan FILE`.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    options: PlanOptions,
    /// Exit with 3 where there is something to do, rather than with 0.
    #[arg(long)]
    detailed_exitcode: bool,
}

/// How a plan is made.
#[derive(Debug, Args)]
pub(super) struct PlanOptions {
    /// Count ages to this time, as in 2026-11-25T12:00:00Z. Without it: the gateway's. Plans for a later time than the
    /// gateway's cannot be applied.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// How long the plan may be applied.
    #[arg(long, value_name = "PERIOD", default_value = "24h")]
    expires: Period,
    /// Let so much of a dataset go this once, as in events=60%.
    #[arg(long = "allow", value_name = "DATASET=PERCENT%", value_parser = allowed)]
    allow: Vec<(String, u32)>,
    /// Let rules of this dataset delete without trash.
    #[arg(long, value_name = "DATASET")]
    confirm_delete: Vec<String>,
    #[command(flatten)]
    pace: Pace,
    /// What rules may do in `serve`.
    #[arg(skip)]
    pub(super) served: Option<Served>,
    /// Plans of runs that were read before.
    #[arg(skip)]
    pub(super) moves: Moves,
}

fn allowed(text: &str) -> Result<(String, u32), String> {
    let parts = text.strip_suffix('%').and_then(|text| text.split_once('='));
    let parsed = parts.and_then(|(name, percent)| Some((name.to_owned(), percent.parse().ok()?)));
    let parsed = parsed.filter(|(_, percent)| (1..=100).contains(percent));
    parsed.ok_or_else(|| "write the dataset and how much of it may go, as in events=60%".to_owned())
}

impl Plan {
    pub(super) fn run(&self, common: &Common) -> Result<u8, Failure> {
        self.try_out()?;
        let (read, planned) = self.planned(common)?;
        let plan = &planned.made.plan;
        match common.output {
            Form::Text => {
                planned.print(&read.policy)?;
                if let Some(path) = &self.out {
                    output::line(&saved(path, plan))?;
                }
            }
            Form::Json => json(&planned)?,
        }
        match plan.end.stopped() {
            Some(reason) => Err(Failure::Stopped(reason)),
            None if self.detailed_exitcode && !plan.tally.is_empty() => Ok(PENDING),
            None => Ok(0),
        }
    }
}

impl Plan {
    /// Before anything is listed: whether the plan can be saved.
    fn try_out(&self) -> Result<(), Failure> {
        let Some(path) = &self.out else { return Ok(()) };
        let tried = match path.exists() {
            true => OpenOptions::new().append(true).open(path).map(|_| ()),
            false => {
                let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
                let directory = directory.unwrap_or_else(|| Path::new("."));
                fs::metadata(directory).and_then(|_| NamedTempFile::new_in(directory)).map(|_| ())
            }
        };
        Ok(tried.map_err(|source| PlanError::Save { path: path.clone(), source })?)
    }

    /// Makes the plan, and saves it where that is asked for.
    pub(super) fn planned(&self, common: &Common) -> Result<(ReadPolicy, Planned), Failure> {
        let read = output::read_policy(&self.policy.path)?;
        let connection = common.connect(&read.policy.bucket)?;
        let planned = self.options.make(&connection, &read, None)?;
        if let Some(path) = &self.out {
            planned.made.plan.save(path)?;
            write_beside(path, &read.policy)?;
        }
        Ok((read, planned))
    }
}

/// What became of the file.
fn saved(path: &Path, plan: &WrittenPlan) -> String {
    let (file, Header { now, created, expires, .. }) = (path.display(), &plan.header);
    let rest = match plan.end.stopped() {
        Some(_) => "a guard stops it, so that it cannot be applied".to_owned(),
        None if plan.tally.is_empty() => "there is nothing to apply".to_owned(),
        None if now > created => "it is for a later time, so that it cannot be applied".to_owned(),
        None => format!("until {expires} `s3life apply --plan {file}` carries it out, and nothing beyond it"),
    };
    format!("saved to {file}, digest {}; {rest}", plan.end.digest)
}

/// A plan that was made.
pub(super) struct Planned {
    pub(super) made: MadePlan,
    /// Lifecycle rules of others that work on its datasets.
    pub(super) conflicts: Vec<Conflict>,
    /// What the policy's holds meet.
    pub(super) holds: Vec<MetHold>,
    /// What was known of earlier runs when it was made.
    pub(super) past: Past,
}

impl Planned {
    /// Shows it to people.
    ///
    /// # Errors
    /// What keeps it from being printed.
    pub(super) fn print(&self, policy: &Policy) -> Result<(), Failure> {
        let MadePlan { plan: WrittenPlan { header, end, tally, .. }, notes } = &self.made;
        self.print_conflicts()?;
        let report = Report { header, end, tally, notes, policy: Some(policy), holds: &self.holds };
        output::text(&report.to_string())?;
        output::held_back(&self.past)
    }

    /// Names the lifecycle rules of others that work on its datasets.
    fn print_conflicts(&self) -> Result<(), Failure> {
        self.conflicts.iter().try_for_each(|conflict| output::line(&conflict.to_string()))
    }

    /// What is said where nobody is asked, and the plan not shown: rules of others, and holds that meet nothing.
    ///
    /// # Errors
    /// What keeps it from being printed.
    pub(super) fn warn(&self) -> Result<(), Failure> {
        self.print_conflicts()?;
        let mut holds = self.holds.iter().filter(|hold| hold.nearest.is_some());
        holds.try_for_each(|hold| output::line(&format!("WARNING: {hold}")))
    }

    /// What it does, for programs: without its units, of which there may be as many as objects.
    pub(super) fn summary(&self) -> Value {
        let MadePlan { plan: WrittenPlan { header, end, tally, .. }, notes } = &self.made;
        let rules = tally.rules.iter().map(|((dataset, rule), tally)| {
            json!({
                "dataset": dataset, "rule": rule, "action": tally.action, "units": tally.planned.units,
                "objects": tally.planned.objects, "bytes": tally.planned.bytes, "uploads": tally.uploads,
                "copied_objects": tally.copied.0, "copied_bytes": tally.copied.1,
            })
        });
        json!({
            "plan": header, "rules": rules.collect::<Vec<_>>(), "trash": tally.trash, "running": running(notes), "unreleased": unreleased(notes),
            "held_back": held_json(self.past.held_back.values()),
            "foreign_rules": foreign(&self.conflicts), "holds": self.holds, "empty": tally.is_empty(), "stopped": end.stopped(), "end": end,
            "jobs": Jobs::json(&end.datasets, notes), "jobs_count": Jobs::count(notes),
        })
    }
}

/// Runs that are under way in datasets of the plan.
fn running(notes: &[DatasetNotes]) -> Vec<&String> {
    notes.iter().filter_map(|notes| notes.running.as_ref()).collect()
}

/// Runs that are to be released before a rule works again on what they brought back, and how many units that is.
fn unreleased(notes: &[DatasetNotes]) -> Value {
    let mut runs: BTreeMap<&str, u64> = BTreeMap::new();
    for (run, units) in notes.iter().flat_map(|notes| &notes.undone) {
        *runs.entry(run).or_default() += units;
    }
    runs.into_iter().map(|(run, units)| json!({"run": run, "units": units})).collect()
}

/// Names of the datasets from which something is to go and these keys may remove nothing.
fn denied(datasets: &[DatasetSummary], notes: &[DatasetNotes]) -> Value {
    let denied = datasets.iter().zip(notes).filter(|(_, notes)| notes.is_denied);
    denied.map(|(dataset, _)| json!(dataset.name)).collect()
}

/// Units that holds protect, by the index of each.
fn held(notes: &[DatasetNotes]) -> BTreeMap<usize, u64> {
    let mut held = BTreeMap::new();
    for (hold, units) in notes.iter().flat_map(|notes| &notes.held) {
        *held.entry(*hold).or_default() += units;
    }
    held
}

/// Lifecycle rules of others.
fn foreign(conflicts: &[Conflict]) -> Value {
    let foreign = conflicts
        .iter()
        .map(|conflict| json!({"dataset": conflict.dataset, "rule": conflict.rule, "actions": conflict.actions}));
    foreign.collect()
}

impl PlanOptions {
    /// For `serve`.
    pub(super) fn of_served(served: Served, confirm_delete: &[String], pace: Pace) -> Self {
        let (confirm_delete, served) = (confirm_delete.to_vec(), Some(served));
        let moves = Moves::default();
        Self { now: None, expires: Period::hours(24), allow: Vec::new(), confirm_delete, pace, served, moves }
    }

    /// Makes a plan; says on a terminal that something is going on. `records` are those of runs so far, where they were read
    /// just now.
    pub(super) fn make(
        &self,
        connection: &Connection,
        read: &ReadPolicy,
        records: Option<Vec<RunRecord>>,
    ) -> Result<Planned, Failure> {
        let lister = connection.lister(self.pace);
        let _progress = Listed::of(connection, &lister);
        connection.wait(self.make_with(&lister, connection, read, records))
    }

    pub(super) async fn make_with(
        &self,
        lister: &Lister,
        connection: &Connection,
        read: &ReadPolicy,
        records: Option<Vec<RunRecord>>,
    ) -> Result<Planned, Failure> {
        let ReadPolicy { policy, source } = read;
        let bucket = connection.bucket();
        let rules = Rules::read(connection.gateway(), &policy.bucket).await?;
        let places = policy.datasets.iter().map(|dataset| (dataset.name.as_str(), dataset.prefix.as_str()));
        let conflicts = rules.conflicts(places)?;
        let created = bucket.time().await?;
        let mut past = match records {
            Some(records) => Past::of(&bucket, records, &self.moves).await?,
            None => Past::of(&bucket, Store::new(bucket.clone()).records().await?, &self.moves).await?,
        };
        let expires = self.expires.after(&created.to_zoned_datetime(policy.zone.clone()));
        past.look_for_holds(&bucket, policy, self.now.unwrap_or(created)).await?;
        let request = Request {
            policy,
            source: source.clone(),
            now: self.now.unwrap_or(created),
            created,
            expires: expires.map_or(Timestamp::MAX, |expires| expires.timestamp()),
            allowed: self.allow.iter().cloned().collect::<BTreeMap<_, _>>(),
            confirmed: self.confirm_delete.clone(),
            past: &past,
            served: self.served.as_ref(),
        };
        let mut made = make(lister, &request).await?;
        for (summary, notes) in made.plan.end.datasets.iter().zip(&mut made.notes) {
            if summary.total.objects + summary.outside.objects == 0 {
                notes.nearest = in_sight(nearest(lister.gateway(), &policy.bucket, &summary.prefix).await)?;
            }
        }
        let holds = MetHold::all(lister.gateway(), policy, held(&made.notes), &past).await?;
        Ok(Planned { made, conflicts, holds, past })
    }
}

/// One object: the first and the last line of the plan, with its units, uploads and trash between them. There may be as
/// many units as objects, so that it is written as it is read.
fn json(planned: &Planned) -> Result<(), Failure> {
    match print_json(planned) {
        Err(Failure::Output(failure)) => output::listened(Err(failure)),
        printed => printed,
    }
}

fn print_json(planned: &Planned) -> Result<(), Failure> {
    let Planned { made: MadePlan { plan, notes }, conflicts, past, holds } = planned;
    let mut reader = PlanReader::open(plan.path())?;
    let mut out = BufWriter::new(io::stdout().lock());
    write!(out, "{{\"plan\":{},\"units\":[", json!(plan.header))?;
    let mut separator = "";
    while let Some((unit, _)) = reader.next_unit()? {
        write!(out, "{separator}{}", json!(unit))?;
        separator = ",";
    }
    let uploads = reader.uploads().map(|upload| upload.map(|upload| json!(upload))).collect::<Result<Vec<_>, _>>()?;
    let trash = reader.trash().map(|trash| trash.map(|trash| json!(trash))).collect::<Result<Vec<_>, _>>()?;
    let (foreign, end) = (foreign(conflicts), json!(plan.end));
    writeln!(
        out,
        "],\"uploads\":{},\"trash\":{},\"held_back\":{},\"running\":{},\"unreleased\":{},\"foreign_rules\":{foreign},\"holds\":{},\"denied\":{},\"jobs\":{},\"jobs_count\":{},\"end\":{end}}}",
        json!(uploads),
        json!(trash),
        held_json(past.held_back.values()),
        json!(running(notes)),
        unreleased(notes),
        json!(holds),
        denied(&plan.end.datasets, notes),
        Jobs::json(&plan.end.datasets, notes),
        Jobs::count(notes)
    )?;
    Ok(out.flush()?)
}
