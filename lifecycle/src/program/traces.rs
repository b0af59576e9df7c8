//! What runs did with units, for whoever asks what became of one.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use serde::Serialize;

use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedAction, PlannedUnit, Shape};
use crate::run::Bucket;
use crate::run::journal::{IntendedUnit, Journal, Means, Outcome, UnitOutcome};
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;

use super::output::Failure;

/// Journals that are read at a time.
const AT_ONCE: usize = 8;

/// The last that a run did with a unit.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Trace {
    pub(super) run: String,
    /// `removed`, `gone`, `undone`, `half gone`, `held`, `moved`, `half moved`, `moved back`, `restored` or `waiting for gateway`.
    pub(super) what: &'static str,
    /// Since when it is so.
    pub(super) at: Timestamp,
    /// Until when it can be brought back, of what can.
    until: Option<Timestamp>,
    /// The command that changes it.
    command: Option<String>,
    /// For people.
    pub(super) text: String,
}

impl Trace {
    /// Whether no rule works there now.
    pub(super) fn stops_rules(&self) -> bool {
        matches!(self.what, "undone" | "held" | "half gone" | "moved back" | "restored" | "waiting for gateway")
            && self.command.is_some()
    }
}

/// What the newest run did with each unit that a place meets, by the units' prefixes; before it comes one that keeps rules from
/// working there until it is released. `policy` is what commands name.
///
/// # Errors
/// What is kept of runs cannot be read.
pub(super) async fn traces(bucket: &Bucket, wanted: &str, policy: &str) -> Result<BTreeMap<String, Trace>, Failure> {
    let store = Store::new(bucket.clone());
    let records = store.records().await?;
    let is_about = |record: &&RunRecord| record.datasets.values().any(|done| meets(&done.prefix, wanted));
    let reads = records.iter().filter(is_about).map(|record| of_run(&store, record, wanted, policy));
    let all: Vec<BTreeMap<String, Trace>> = stream::iter(reads).buffered(AT_ONCE).try_collect().await?;
    Ok(last(all))
}

/// Of the traces of runs, the newest first, those that count.
fn last(runs: impl IntoIterator<Item = BTreeMap<String, Trace>>) -> BTreeMap<String, Trace> {
    let mut last: BTreeMap<String, Trace> = BTreeMap::new();
    for (prefix, trace) in runs.into_iter().flatten() {
        let is_gone = |newer: &Trace| matches!(newer.what, "removed" | "gone");
        match last.get_mut(&prefix) {
            Some(newer) if trace.stops_rules() && !newer.stops_rules() && !is_gone(newer) => *newer = trace,
            Some(_) => {}
            None => drop(last.insert(prefix, trace)),
        }
    }
    last
}

/// Whether a unit and what was asked for have keys in common.
pub(super) fn meets(unit: &str, wanted: &str) -> bool {
    wanted.starts_with(unit) || unit.starts_with(wanted) || unit.strip_suffix('/') == Some(wanted)
}

/// The same where a unit may be a single object.
fn is_met(prefix: &str, shape: Shape, wanted: &str) -> bool {
    match shape {
        Shape::Object => {
            let inside = prefix.strip_prefix(wanted);
            let is_directory = wanted.is_empty() || wanted.ends_with('/');
            inside.is_some_and(|rest| rest.is_empty() || is_directory || rest.starts_with('/'))
        }
        Shape::Prefix | Shape::Directory => meets(prefix, wanted),
    }
}

async fn of_run(
    store: &Store,
    record: &RunRecord,
    wanted: &str,
    policy: &str,
) -> Result<BTreeMap<String, Trace>, Failure> {
    let mut traces = BTreeMap::new();
    let mut units = Journal::units(store.bucket(), &record.run);
    while let Some(found) = units.next().await? {
        let Some(outcome) = found.outcome.filter(|_| is_met(&found.unit.prefix, found.unit.shape, wanted)) else {
            continue;
        };
        match trace(record, &found.unit, &outcome, policy) {
            Some(trace) => drop(traces.insert(found.unit.prefix, trace)),
            None => drop(traces.remove(&found.unit.prefix)),
        }
    }
    if record.state == RunState::WaitingForGateway {
        for unit in still_to_move(store, record, wanted).await? {
            let class = unit.action.class().unwrap_or_default();
            let text = format!("it waits for the gateway's lifecycle to move it to {class}, by the run {}", record.run);
            let (until, command) = (None, Some(format!("s3life apply {policy}")));
            let (run, at) = (record.run.clone(), record.started);
            let waits = Trace { run, what: "waiting for gateway", at, until, command, text };
            traces.entry(unit.prefix).or_insert(waits);
        }
    }
    Ok(traces)
}

/// What a run has not moved yet, as its plan says.
async fn still_to_move(store: &Store, record: &RunRecord, wanted: &str) -> Result<Vec<PlannedUnit>, Failure> {
    let file = store.plan(&record.run).await?;
    let mut plan = PlanReader::open(file.path())?;
    let mut units = Vec::new();
    while let Some((unit, _)) = plan.next_unit()? {
        let is_left = record.skipped.iter().any(|skipped| skipped.unit == unit.prefix);
        if !unit.action.removes() && !is_left && is_met(&unit.prefix, unit.shape, wanted) {
            units.push(unit);
        }
    }
    Ok(units)
}

/// None where it is as if the run had never been.
fn trace(record: &RunRecord, unit: &IntendedUnit, outcome: &UnitOutcome, policy: &str) -> Option<Trace> {
    let UnitOutcome { outcome, at, .. } = outcome;
    let run = &record.run;
    let undo = format!("s3life undo {run} {policy}");
    let release = || (!record.released).then(|| format!("s3life release {run} {policy}"));
    let (what, until, command, text) = match (outcome, unit.action.class()) {
        (Outcome::Changed { .. } | Outcome::Refused { .. } | Outcome::Held { until: None, .. }, _) => return None,
        (Outcome::HalfMoved { reason, .. }, _) => {
            let undo = format!("{undo} --merge");
            let text = format!("the run {run} left it at {at}: {reason}: `{undo}`");
            ("half moved", None, Some(undo), text)
        }
        (Outcome::Done, Some(class)) => {
            let text = format!("it was moved to {class} by the run {run} at {at}: `{undo}` moves it back");
            ("moved", None, Some(undo), text)
        }
        (Outcome::Restored, Some(class)) if record.restores && !record.undone => {
            let text = format!("it was moved to {class} by `s3life restore`, the run {run}, at {at}");
            ("restored", None, release(), text + &held_back(release()))
        }
        (Outcome::Restored, Some(_)) => {
            let text = format!("it was moved to another class by the run {run}, and back by its undo at {at}");
            ("moved back", None, release(), text + &held_back(release()))
        }
        (Outcome::Restored, None) => {
            let text = format!("it was removed by the run {run}, and brought back by its undo at {at}");
            ("undone", None, release(), text + &held_back(release()))
        }
        (Outcome::NotRestored { reason, .. }, _) if is_kept(record) => {
            // Beside what was written since it comes back as it was told to.
            let undo = if reason.contains("--merge") { format!("{undo} --merge") } else { undo };
            let text = format!(
                "it was removed by the run {run}, at least in part, and did not come back at {at}: {reason}; then `{undo}`"
            );
            ("half gone", record.trash_until, Some(undo), text)
        }
        (Outcome::Held { until, reason }, _) if is_kept(record) => {
            let until = record.trash_until.or(*until);
            let after = until.map(|until| until.to_string()).unwrap_or_default();
            let text = format!(
                "it cannot be copied ({reason}): the run {run} has left it in place at {at}, and it goes after {after} unless `{undo}`"
            );
            ("held", until, Some(undo), text)
        }
        (Outcome::Held { .. }, _) => return None,
        (Outcome::Done, None) if is_kept(record) && unit.action != PlannedAction::Delete => {
            let place = if unit.means == Means::Markers { "under delete markers" } else { "in the trash" };
            let after = record.trash_until.map(|until| format!(" until {until}")).unwrap_or_default();
            let text =
                format!("it was removed by the run {run} at {at}, and is {place}{after}: `{undo}` brings it back");
            ("removed", record.trash_until, Some(undo), text)
        }
        (Outcome::Done | Outcome::NotRestored { .. }, _) => {
            let why = match (&unit.action, record.state) {
                (PlannedAction::Delete, _) => "without trash, as the policy says: it is gone for good",
                (_, RunState::Purging) => "and its trash is being emptied: what no lock or hold keeps is gone for good",
                _ => "and its trash was emptied: it is gone for good",
            };
            ("gone", None, None, format!("it was removed by the run {run} at {at}, {why}"))
        }
    };
    Some(Trace { run: run.clone(), what, at: *at, until, command, text })
}

/// Whether what it removed can come back.
fn is_kept(record: &RunRecord) -> bool {
    !matches!(record.state, RunState::Purging | RunState::Purged)
}

fn held_back(release: Option<String>) -> String {
    release.map_or_else(String::new, |release| format!(": no rule works there until `{release}`"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("tmp/a/b", "tmp/a/b", true)]
    #[case("tmp/a/b", "tmp/a/", true)]
    // A directory is one without a slash behind it, too.
    #[case("tmp/a/b", "tmp/a", true)]
    #[case("tmp/a/b", "tmp", true)]
    #[case("tmp/a/b", "", true)]
    #[case("tmp/a/b", "tmp/a/b/c", false)]
    #[case("tmp/ab", "tmp/a", false)]
    fn objects_are_met_in_their_directories(#[case] object: &str, #[case] wanted: &str, #[case] expected: bool) {
        assert_eq!(is_met(object, Shape::Object, wanted), expected);
    }

    fn trace(run: &str, what: &'static str, command: Option<&str>) -> BTreeMap<String, Trace> {
        let command = command.map(str::to_owned);
        let (run, at, until, text) = (run.to_owned(), Timestamp::UNIX_EPOCH, None, String::new());
        [("a/".to_owned(), Trace { run, what, at, until, command, text })].into()
    }

    #[rstest]
    #[case("undone", None, "old")]
    #[case("moved", Some("undo"), "old")]
    #[case("undone", Some("release"), "new")]
    // What is gone comes back by nothing else.
    #[case("removed", Some("undo"), "new")]
    fn what_waits_for_its_release_is_told(
        #[case] what: &'static str,
        #[case] command: Option<&str>,
        #[case] run: &str,
    ) {
        let last = last([trace("new", what, command), trace("old", "undone", Some("release old"))]);
        assert_eq!(last["a/"].run, run);
    }
}
