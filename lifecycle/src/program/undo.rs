//! `s3life undo RUN POLICY`, `s3life purge RUN POLICY` and `s3life release RUN POLICY`.

use std::collections::BTreeMap;

use clap::Args;
use jiff::SignedDuration;
use serde_json::json;

use super::output::{self, Failure};
use super::work::{UNITS_AT_ONCE, Work, WorkOptions};
use super::{BucketOrPolicy, Common, Form};
use crate::act::purge::{Emptied, purge};
use crate::act::tier::stop_tiering;
use crate::act::undo::{Undo as Undoing, Undone};
use crate::run::StateError;
use crate::run::journal::Journal;
use crate::run::lease::Purpose;
use crate::run::record::{RunRecord, RunState};

/// How long copies are kept that nobody needs: no request that was under way is so late.
const KEPT: SignedDuration = SignedDuration::from_hours(24);

/// A run, and the bucket that it is in.
#[derive(Debug, Args)]
struct Run {
    /// The run, as `s3life history` names it.
    run: String,
    #[command(flatten)]
    bucket: BucketOrPolicy,
    #[command(flatten)]
    work: WorkOptions,
}

#[derive(Debug, Args)]
pub(super) struct Undo {
    #[command(flatten)]
    run: Run,
    /// Bring units back although objects that the run does not know are in them. No object is replaced.
    #[arg(long)]
    merge: bool,
}

#[derive(Debug, Args)]
pub(super) struct Purge {
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Args)]
pub(super) struct Release {
    #[command(flatten)]
    run: Run,
}

impl Undo {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Run { run, bucket, work } = &self.run;
        let connection = bucket.connect(common)?;
        let undone = connection.block_on(async {
            let work = Work::begin(&connection, work, &Purpose::of_run("undo", run)).await?;
            let undone = self.bring_back(&work, run).await;
            work.end().await;
            undone
        })?;
        print_undone(common, run, &undone)
    }

    async fn bring_back(&self, work: &Work, run: &str) -> Result<Undone, Failure> {
        work.store.update(&work.lease, run, begin).await?;
        stop_tiering(&work.objects(), run).await?;
        let journal = Journal::open(&work.bucket, run, work.lease.number()).await?;
        let undo = Undoing {
            objects: work.objects(),
            bucket: &work.bucket,
            journal: &journal,
            run,
            merge: self.merge,
            units_at_once: UNITS_AT_ONCE,
        };
        let undone = undo.run(|_, _| {}).await?;
        let now = work.bucket.time().await?;
        work.store
            .update(&work.lease, run, |record| {
                record.state = RunState::Undone;
                record.finished.get_or_insert(now);
                record.skipped.clone_from(&undone.skipped);
                record.skipped_count = undone.skipped_count;
                // A run that was killed has left copies of what it had not removed yet.
                record.trash_until = record.trash_until.or_else(|| now.checked_add(KEPT).ok());
                for (name, amount) in &undone.datasets {
                    record.datasets.entry(name.clone()).or_default().undone = *amount;
                }
                Ok(())
            })
            .await?;
        Ok(undone)
    }
}

fn begin(record: &mut RunRecord) -> Result<(), StateError> {
    if matches!(record.state, RunState::Purging | RunState::Purged) {
        let reason = "cannot be brought back: its trash was emptied".to_owned();
        return Err(StateError::Refused { run: record.run.clone(), reason });
    }
    record.state = RunState::Undoing;
    record.released = false;
    Ok(())
}

fn print_undone(common: &Common, run: &str, undone: &Undone) -> Result<(), Failure> {
    if common.output == Form::Json {
        let restored: BTreeMap<_, _> = undone.datasets.iter().collect();
        let result =
            json!({"run": run, "restored": restored, "skipped": undone.skipped, "skipped_count": undone.skipped_count});
        output::line(&result.to_string())?;
    } else {
        for (dataset, amount) in &undone.datasets {
            output::line(&format!(
                "{dataset}: {} units with {} objects are back. They are not planned again until `s3life release {run}`",
                amount.units, amount.objects
            ))?;
        }
        output::skipped(&undone.skipped, undone.skipped_count)?;
    }
    if undone.skipped_count > 0 {
        return Err(Failure::Usage(format!("{} units of the run {run} did not come back", undone.skipped_count)));
    }
    Ok(())
}

impl Purge {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Run { run, bucket, work } = &self.run;
        let connection = bucket.connect(common)?;
        let emptied = connection.block_on(async {
            let work = Work::begin(&connection, work, &Purpose::of_run("purge", run)).await?;
            let emptied = purge(&work.objects(), &work.store, &work.lease, run).await;
            work.end().await;
            Ok::<_, Failure>(emptied?)
        })?;
        let Emptied { removed, skipped, skipped_count, locked } = emptied;
        if common.output == Form::Json {
            let result = json!({"run": run, "objects": removed.objects, "bytes": removed.bytes, "left": skipped, "skipped": skipped_count});
            return output::line(&result.to_string());
        }
        let is = if locked.is_some() { "is empty but for what is locked" } else { "is empty" };
        output::line(&format!(
            "the trash of the run {run} {is}: {} objects of {} bytes are gone for good",
            removed.objects, removed.bytes
        ))?;
        output::skipped(&skipped, skipped_count)
    }
}

impl Release {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Run { run, bucket, work } = &self.run;
        let connection = bucket.connect(common)?;
        connection.block_on(async {
            let work = Work::begin(&connection, work, &Purpose::of_run("release", run)).await?;
            let released = work.store.update(&work.lease, run, release).await;
            work.end().await;
            Ok::<_, Failure>(released?)
        })?;
        output::line(&match common.output {
            Form::Json => json!({"run": run, "released": true}).to_string(),
            Form::Text => format!("what the run {run} brought back may be planned again"),
        })
    }
}

fn release(record: &mut RunRecord) -> Result<(), StateError> {
    if record.datasets.values().all(|done| done.undone.units == 0) {
        let reason = "has brought nothing back: there is nothing to release".to_owned();
        return Err(StateError::Refused { run: record.run.clone(), reason });
    }
    record.released = true;
    Ok(())
}
