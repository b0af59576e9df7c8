//! `s3life plan POLICY`

use std::collections::BTreeMap;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::output::{self, Failure, ReadPolicy};
use super::{Common, Form, PolicyFile};
use crate::calendar::Period;
use crate::catalog::sql::write_beside;
use crate::connection::{AT_ONCE, Connection};
use crate::listing::Lister;
use crate::plan::document::{PlanReader, WrittenPlan};
use crate::plan::make::{MadePlan, Past, Request, make};
use crate::plan::report::Report;
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
    /// Listings under way at once.
    #[arg(long, value_name = "NUMBER", default_value_t = AT_ONCE)]
    at_once: usize,
}

fn allowed(text: &str) -> Result<(String, u32), String> {
    let parts = text.strip_suffix('%').and_then(|text| text.split_once('='));
    let parsed = parts.and_then(|(name, percent)| Some((name.to_owned(), percent.parse().ok()?)));
    let parsed = parsed.filter(|(_, percent)| (1..=100).contains(percent));
    parsed.ok_or_else(|| "write the dataset and how much of it may go, as in events=60%".to_owned())
}

impl Plan {
    pub(super) fn run(&self, common: &Common) -> Result<u8, Failure> {
        let read = output::read_policy(&self.policy.path)?;
        let connection = Connection::new(&read.policy.bucket, common.endpoint.as_deref())?;
        let Planned { made, conflicts } = self.options.make(&connection, &read)?;
        if let Some(path) = &self.out {
            made.plan.save(path)?;
            write_beside(path, &read.policy)?;
        }
        let MadePlan { plan: WrittenPlan { header, end, tally, .. }, notes } = &made;
        match common.output {
            Form::Text => {
                for Conflict { dataset, rule, actions } in &conflicts {
                    output::line(&format!(
                        "the lifecycle rule `{rule}` of the bucket, which is not of s3life, works on {dataset} too: {}",
                        actions.join(", ")
                    ))?;
                }
                output::text(&Report { header, end, tally, notes, policy: Some(&read.policy) }.to_string())?;
            }
            Form::Json => json(&made, &conflicts)?,
        }
        match end.stopped() {
            Some(reason) => Err(Failure::Stopped(reason)),
            None if self.detailed_exitcode && !tally.is_empty() => Ok(PENDING),
            None => Ok(0),
        }
    }
}

/// A plan that was made.
pub(super) struct Planned {
    pub(super) made: MadePlan,
    /// Lifecycle rules of others that work on its datasets.
    conflicts: Vec<Conflict>,
}

impl PlanOptions {
    /// Makes a plan; says on a terminal that something is going on.
    pub(super) fn make(&self, connection: &Connection, read: &ReadPolicy) -> Result<Planned, Failure> {
        let ReadPolicy { policy, source } = read;
        let lister = connection.lister(self.at_once);
        let _progress = Progress::of(&lister);
        connection.block_on(async {
            let bucket = connection.bucket();
            let rules = Rules::read(connection.gateway(), &policy.bucket).await?;
            let places = policy.datasets.iter().map(|dataset| (dataset.name.as_str(), dataset.prefix.as_str()));
            let conflicts = rules.conflicts(places)?;
            let created = bucket.time().await?;
            let past = Past::read(&bucket).await?;
            let expires = self.expires.after(&created.to_zoned_datetime(policy.zone.clone()));
            let request = Request {
                policy,
                source: source.clone(),
                now: self.now.unwrap_or(created),
                created,
                expires: expires.map_or(Timestamp::MAX, |expires| expires.timestamp()),
                allowed: self.allow.iter().cloned().collect::<BTreeMap<_, _>>(),
                confirmed: self.confirm_delete.clone(),
                past: &past,
            };
            Ok(Planned { made: make(&lister, &request).await?, conflicts })
        })
    }
}

/// One object: the first and the last line of the plan, with its units, uploads and trash between them. There may be as
/// many units as objects, so that it is written as it is read.
fn json(MadePlan { plan, notes }: &MadePlan, conflicts: &[Conflict]) -> Result<(), Failure> {
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
    let running: Vec<Value> = notes.iter().filter_map(|notes| notes.running.as_ref()).map(|run| json!(run)).collect();
    let foreign = conflicts
        .iter()
        .map(|conflict| json!({"dataset": conflict.dataset, "rule": conflict.rule, "actions": conflict.actions}));
    let (foreign, end) = (json!(foreign.collect::<Vec<_>>()), json!(plan.end));
    writeln!(
        out,
        "],\"uploads\":{},\"trash\":{},\"running\":{},\"foreign_rules\":{foreign},\"end\":{end}}}",
        json!(uploads),
        json!(trash),
        json!(running)
    )?;
    Ok(out.flush()?)
}

/// Says on a terminal how many objects were listed so far, until it is dropped.
struct Progress {
    is_over: Arc<AtomicBool>,
    shown: Option<thread::JoinHandle<()>>,
}

impl Progress {
    /// Times a second that it is said.
    const RATE: u64 = 10;

    fn of(lister: &Lister) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let shown = io::stderr().is_terminal().then(|| {
            let (listed, is_over) = (lister.listed(), Arc::clone(&is_over));
            thread::spawn(move || {
                let bar = ProgressBar::new_spinner();
                bar.set_style(ProgressStyle::default_spinner());
                while !is_over.load(Ordering::Relaxed) {
                    bar.set_message(format!("{} objects listed", listed.load(Ordering::Relaxed)));
                    bar.tick();
                    thread::sleep(Duration::from_millis(1000 / Self::RATE));
                }
                bar.finish_and_clear();
            })
        });
        Self { is_over, shown }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        if let Some(shown) = self.shown.take() {
            // It has nothing to say any more.
            let _ = shown.join();
        }
    }
}
