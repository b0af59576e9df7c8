//! What `apply` says of what was done.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::output::{self, Failure, ReadPolicy};
use super::{Common, Form, history};
use crate::run::record::{EmptiedTrash, HELD, NOT_RESTORED, RunRecord, RunState};

/// What was done, for programs.
pub(super) fn json(done: &[RunRecord]) -> Value {
    let Some(record) = done.last() else {
        return json!({"run": null, "actions": {}, "skipped": 0, "left": [], "resumed": []});
    };
    let resumed: Vec<_> = done.iter().rev().skip(1).map(|record| &record.run).collect();
    let mut result = json!(history::Run::of(record));
    if let Some(object) = result.as_object_mut() {
        object.insert("resumed".to_owned(), json!(resumed));
        object.insert("left".to_owned(), json!(record.skipped));
    }
    result
}

/// Fails where somebody has to see to what a run has left.
pub(super) fn see_to(record: &RunRecord, policy: &str) -> Result<(), Failure> {
    let actions = || record.datasets.values().flat_map(|done| &done.actions);
    let done = actions().filter(|(action, _)| !matches!(action.as_str(), HELD | NOT_RESTORED));
    let waiting = record.waits().map_or(0, |waiting| waiting.units);
    let all = done.map(|(_, amount)| amount.units).sum::<u64>() + waiting + record.skipped_count;
    let half_gone = actions().any(|(action, _)| action == NOT_RESTORED);
    let undo = format!(", or bring back what is half gone with `s3life undo {} {policy}`", record.run);
    let undo = if half_gone { undo.as_str() } else { "" };
    output::see_to(&record.refused, all, &format!("mend that, then run `s3life apply {policy}` again{undo}"))
}

/// Says what was done by each run, the ones that were only ended first; where nothing was, what is left.
pub(super) fn report(
    common: &Common,
    policy: &ReadPolicy,
    done: &[RunRecord],
    left: &BTreeMap<String, u64>,
) -> Result<(), Failure> {
    if common.output == Form::Json {
        return output::line(&json(done).to_string());
    }
    if done.is_empty() {
        let words: Vec<_> = left.iter().map(|(word, count)| format!("{count} {word}")).collect();
        let words = if words.is_empty() { String::new() } else { format!("; left in place: {}", words.join(", ")) };
        return output::line(&format!("nothing is due{words}"));
    }
    runs(policy, done)
}

/// Says what was done by these runs.
pub(super) fn runs(policy: &ReadPolicy, done: &[RunRecord]) -> Result<(), Failure> {
    for record in done {
        let restores = if record.restores { " of `s3life restore`" } else { "" };
        output::line(&format!("run {}{restores}:", record.run))?;
        for (name, dataset) in &record.datasets {
            for (action, amount) in &dataset.actions {
                output::line(&format!("  {name}: {} {}", crate::words::action(action), crate::words::amount(*amount)))?;
            }
        }
        for EmptiedTrash { run, amount } in &record.emptied {
            output::line(&format!("  {}", history::emptied(run, *amount)))?;
        }
        output::skipped(&record.skipped, record.skipped_count)?;
        if record.state == RunState::WaitingForGateway {
            let waits =
                record.waits().map_or_else(|| "units wait for the gateway's lifecycle".to_owned(), history::waits);
            output::line(&format!("  {waits}: run `s3life apply {}` again later", policy.source.path))?;
        }
        let did_something = record.datasets.values().any(|dataset| !dataset.actions.is_empty());
        if let Some(until) = record.trash_until.filter(|_| did_something) {
            output::line(&format!(
                "  until {until} `s3life undo {} {}` brings it back",
                record.run, policy.source.path
            ))?;
        }
    }
    Ok(())
}
