//! `s3life undo RUN POLICY`, `s3life purge RUN POLICY` and `s3life release RUN POLICY`.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};

use clap::Args;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::output::{self, Failure};
use super::progress::Units;
use super::question::{After, ask};
use super::undone::{BroughtBack, is_back};
use super::work::{UNITS_AT_ONCE, Work, WorkOptions};
use super::{BucketOrPolicy, Common, Form, history};
use crate::act::purge::{Emptied, can_be_emptied, purge};
use crate::act::tier::Back;
use crate::act::undo::Undo as Undoing;
use crate::catalog::Catalogs;
use crate::plan::document::PlanReader;
use crate::policy::Action;
use crate::run::holds::{HeldBack, json as held_json};
use crate::run::journal::Journal;
use crate::run::lease::Purpose;
use crate::run::left::{Left, Refused};
use crate::run::record::{DatasetDone, RunRecord, RunState, Waiting};
use crate::run::store::Store;
use crate::run::{StateError, keys};
use crate::words::{counted, size};

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
    /// Do not ask.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Args)]
pub(super) struct Release {
    #[command(flatten)]
    run: Run,
}

impl Undo {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        self.undone(common)?.print(common, &self.run.run, &self.run.bucket.place)
    }

    /// Brings back what is not back yet, and says what is.
    pub(super) fn undone(&self, common: &Common) -> Result<BroughtBack, Failure> {
        let Run { run, bucket, work } = &self.run;
        let connection = bucket.connect(common)?;
        connection.wait(async {
            let store = Store::new(connection.bucket());
            let record = store.record(run).await?;
            comes_back(&record)?;
            if is_back(&record) {
                return Ok(BroughtBack::before(&store, &record).await?);
            }
            let work = Work::begin(&connection, work, &Purpose::of_run("undo", run)).await?;
            let back = self.bring_back(&work, run).await;
            work.end().await;
            back
        })
    }

    /// The same for programs.
    pub(super) fn json(&self, back: &BroughtBack) -> Value {
        back.json(&self.run.run)
    }

    async fn bring_back(&self, work: &Work, run: &str) -> Result<BroughtBack, Failure> {
        let (mut is_finished, mut was_released) = (false, false);
        let begun = |record: &mut RunRecord| {
            is_finished = record.finished.is_some();
            was_released = record.released && record.state != RunState::Undoing;
            begin(record)
        };
        let file = work.store.plan(run).await?;
        let mut plan = PlanReader::open(file.path())?;
        work.store.update(&work.lease, run, begun).await?;
        let journal = Journal::open(&work.bucket, run, work.lease.number()).await?;
        let objects = work.objects();
        // First, so that the rules of the run are gone.
        let tiers =
            Back { objects: &objects, bucket: &work.bucket, journal: &journal, run, is_finished, merge: self.merge };
        let moved = tiers.run(&mut plan).await?;
        let undo = Undoing {
            objects,
            bucket: &work.bucket,
            journal: &journal,
            run,
            catalogs: &Catalogs::of_run(&work.bucket, run, BTreeMap::new()).await?,
            merge: self.merge,
            units_at_once: UNITS_AT_ONCE,
        };
        let removals = plan.tally().rules.values().filter(|rule| rule.removes()).map(|rule| rule.planned.units);
        let progress = Units::of(work.is_watched, removals.sum(), "bringing back");
        let undone = undo.run(|_, _| progress.add()).await?;
        drop(progress);
        let now = work.bucket.time().await?;
        let aborted = plan.tally().rules.values().map(|rule| rule.uploads).sum();
        let back = BroughtBack { undone, moved, aborted, since: BTreeMap::new() };
        let left = back.left();
        work.store
            .update(&work.lease, run, |record| {
                let BroughtBack { undone, moved, .. } = &back;
                // Where nothing came back, what was released before stays so.
                record.released = was_released && back.came() + moved.waiting == 0;
                record.state = if moved.waiting > 0 { RunState::Undoing } else { RunState::Undone };
                record.waiting = Waiting::of(moved.waiting, now, record.waiting);
                record.finished.get_or_insert(now);
                record.has_left(&left);
                // A run that was killed has left copies of what it had not removed yet.
                record.trash_until = record.trash_until.or_else(|| now.checked_add(KEPT).ok());
                // What a run removed that was killed before it could say so counts for guards.
                let is_told = is_finished || record.datasets.values().any(|done| !done.actions.is_empty());
                for (name, actions) in undone.removed.iter().filter(|_| !is_told) {
                    record.datasets.entry(name.clone()).or_default().actions.clone_from(actions);
                }
                for (name, amount) in &undone.datasets {
                    record.datasets.entry(name.clone()).or_default().undone = *amount;
                }
                for (name, amount) in &moved.datasets {
                    record.datasets.entry(name.clone()).or_default().moved_back = *amount;
                }
                Ok(())
            })
            .await?;
        Ok(back)
    }
}

fn begin(record: &mut RunRecord) -> Result<(), StateError> {
    if matches!(record.state, RunState::Purging | RunState::Purged) {
        let reason = match record.held_for.values().sum() {
            0 => "cannot be brought back: its trash was emptied".to_owned(),
            units => format!(
                "cannot be brought back: its trash was emptied, but for {} that a hold keeps, as copies below {}, hidden versions, \
                 or in place: copy what is needed from there",
                counted(units, "unit"),
                keys::trash(&record.run)
            ),
        };
        return Err(StateError::Refused { run: record.run.clone(), reason });
    }
    if record.state != RunState::Undoing {
        // It waits the other way from now on.
        record.waiting = None;
    }
    record.state = RunState::Undoing;
    record.undone = true;
    record.released = false;
    Ok(())
}

/// Refused where nothing that a run did can come back. One that is under way goes no further all the same.
fn comes_back(record: &RunRecord) -> Result<(), StateError> {
    let is_gone = |action: &str| action == Action::Delete.name() || action == Action::AbortUploads.name();
    let mut actions = record.datasets.values().flat_map(|done| done.actions.keys());
    // What an undo that was begun has left may still come back.
    if record.state != RunState::Done || record.undone || actions.any(|action| !is_gone(action)) {
        return Ok(());
    }
    let gone: Vec<_> = record.datasets.iter().filter(|(_, done)| !done.actions.is_empty()).collect();
    let reason = match gone.as_slice() {
        [] => "has removed and moved nothing: there is nothing to bring back".to_owned(),
        gone => {
            let names: Vec<_> = gone.iter().map(|(name, _)| name.as_str()).collect();
            format!(
                "has only deleted without trash and aborted uploads ({}): nothing of it was kept, and nothing can come back. \
                 `then: expire` keeps what goes for the time of `trash`",
                names.join(", ")
            )
        }
    };
    Err(StateError::Refused { run: record.run.clone(), reason })
}

impl Purge {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Run { run, bucket, work } = &self.run;
        let policy = bucket.policy()?;
        let connection = bucket.connect(common)?;
        let record = connection.wait(Store::new(connection.bucket()).record(run))?;
        let holds_of = policy.as_ref().map(|_| bucket.place.as_str());
        let unasked = match holds_of {
            Some(_) => None,
            None => Some(format!(
                "no hold is looked at: `s3life purge {run} POLICY` leaves what the policy holds; the run was made with {}",
                record.policy.path
            )),
        };
        if !self.yes {
            can_be_emptied(&record)?;
            if common.output == Form::Json || !io::stdin().is_terminal() {
                let message = "nobody is there to be asked, and nothing brings back what is emptied: add `--yes`";
                return Err(Failure::Usage(message.to_owned()));
            }
            output::line(&history::Run::of(&record).line())?;
            unasked.iter().try_for_each(|unasked| output::line(unasked))?;
            ask("Nothing of it can be brought back afterwards. Empty its trash? [y/N] ", After::Nothing)?;
        }
        let emptied = connection.wait(async {
            let work = Work::begin(&connection, work, &Purpose::of_run("purge", run)).await?;
            let emptied = purge(&work.objects(), &work.store, &work.lease, run, policy.as_ref()).await;
            work.end().await;
            Ok::<_, Failure>(emptied?)
        })?;
        let Emptied { removed, left: Left { skipped, refused }, held, locked, is_refused } = emptied;
        let told: Vec<_> = held.iter().flat_map(HeldBack::told).collect();
        let see_to_rest = || match is_refused {
            true => {
                let place = &self.run.bucket.place;
                output::see_to(
                    &refused,
                    skipped.count,
                    &format!("mend that, then run `s3life purge {run} {place}` again"),
                )
            }
            false => see_to_rest(&refused, skipped.count),
        };
        if common.output == Form::Json {
            let result = json!({"run": run, "objects": removed.objects, "bytes": removed.bytes, "left": skipped.first, "skipped": skipped.count, "refused": refused, "held_back": held_json(&held), "holds_of": holds_of});
            output::line(&result.to_string())?;
            return see_to_rest();
        }
        let is = match (is_refused, &held, locked) {
            (true, ..) => "is not empty",
            (false, Some(_), Some(_)) => "is empty but for what is held or locked",
            (false, Some(_), None) => "is empty but for what is held",
            (false, None, Some(_)) => "is empty but for what is locked",
            (false, None, None) => "is empty",
        };
        output::line(&format!(
            "the trash of the run {run} {is}: {}, {} in all, gone for good",
            counted(removed.objects, "object"),
            size(removed.bytes)
        ))?;
        unasked.iter().filter(|_| self.yes).try_for_each(|unasked| output::line(&format!("  {unasked}")))?;
        output::skipped(&told, told.len() as u64)?;
        output::skipped(&skipped.first, skipped.count)?;
        see_to_rest()
    }
}

/// What was held and did not go may be planned anew.
fn see_to_rest(refused: &Refused, left: u64) -> Result<(), Failure> {
    output::see_to(refused, left, "mend that: `s3life apply` plans again what is still due")
}

impl Release {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let Run { run, bucket, work } = &self.run;
        let connection = bucket.connect(common)?;
        let was_released = connection.wait(async {
            if Store::new(connection.bucket()).record(run).await?.released {
                return Ok(true);
            }
            let work = Work::begin(&connection, work, &Purpose::of_run("release", run)).await?;
            let released = work.store.update(&work.lease, run, release).await;
            work.end().await;
            released?;
            Ok::<_, Failure>(false)
        })?;
        output::line(&match common.output {
            Form::Json => json!({"run": run, "released": true}).to_string(),
            Form::Text if was_released => {
                format!("the run {run} was released before: what it brought back may be planned again")
            }
            Form::Text => format!("what the run {run} brought back may be planned again"),
        })
    }
}

fn release(record: &mut RunRecord) -> Result<(), StateError> {
    if record.state == RunState::Undoing {
        let reason = "is being brought back: end that with `s3life undo`".to_owned();
        return Err(StateError::Refused { run: record.run.clone(), reason });
    }
    let is_back = |done: &DatasetDone| record.restores || done.undone.units > 0 || done.moved_back.units > 0;
    // What could not be brought back waits for it, too.
    let is_emptied = matches!(record.state, RunState::Purging | RunState::Purged);
    let is_over = record.state == RunState::Undone || is_emptied && record.undone;
    if !is_over && !record.datasets.values().any(is_back) {
        let emptied = if is_emptied { ", and its trash was emptied" } else { "" };
        let reason = format!("has brought nothing back{emptied}: there is nothing to release");
        return Err(StateError::Refused { run: record.run.clone(), reason });
    }
    record.released = true;
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("done", &["delete"], false, false)]
    #[case("done", &["delete", "abort_uploads"], false, false)]
    #[case("done", &[], false, false)]
    #[case("done", &["delete", "expire"], false, true)]
    #[case("done", &["held"], false, true)]
    // It goes no further.
    #[case("running", &[], false, true)]
    // Of a run that was killed the record names nothing, and its undo has left something.
    #[case("undone", &[], true, true)]
    fn what_was_not_kept_cannot_come_back(
        #[case] state: &str,
        #[case] actions: &[&str],
        #[case] undone: bool,
        #[case] may_come_back: bool,
    ) {
        let amount = json!({"units": 1, "objects": 1, "bytes": 1});
        let actions: serde_json::Map<_, _> =
            actions.iter().map(|action| ((*action).to_owned(), amount.clone())).collect();
        let record: RunRecord = serde_json::from_value(json!({
            "run": "a", "policy": {"path": "", "sha256": ""}, "digest": "", "started": "2026-01-01T00:00:00Z",
            "finished": "2026-01-01T00:00:00Z", "state": state, "holder": "", "lease": 1, "skipped": [],
            "skipped_count": 0, "trash_until": null, "released": false, "undone": undone,
            "datasets": {"events": {"prefix": "", "total": amount, "actions": actions, "undone": amount}},
        }))
        .unwrap();
        assert_eq!(comes_back(&record).is_ok(), may_come_back);
    }

    #[rstest]
    #[case("undone", 0, true)]
    // Its units are planned anyway.
    #[case("purged", 0, false)]
    #[case("purged", 1, true)]
    // Undo says again that nothing is released.
    #[case("undoing", 1, false)]
    #[case("done", 0, false)]
    fn what_was_to_come_back_can_be_released(#[case] state: &str, #[case] undone: u64, #[case] is_released: bool) {
        let amount = |units| json!({"units": units, "objects": 1, "bytes": 1});
        let mut record: RunRecord = serde_json::from_value(json!({
            "run": "a", "policy": {"path": "", "sha256": ""}, "digest": "", "started": "2026-01-01T00:00:00Z",
            "finished": null, "state": state, "holder": "", "lease": 1, "skipped": [], "skipped_count": 1,
            "trash_until": null, "released": false,
            "datasets": {"events": {"prefix": "", "total": amount(1), "actions": {}, "undone": amount(undone)}},
        }))
        .unwrap();
        assert_eq!(release(&mut record).is_ok(), is_released);
        assert_eq!(record.released, is_released);
    }
}
