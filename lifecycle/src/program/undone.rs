//! What `undo` says of what came back, and what it finds where nothing is left to come back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::output::{self, Failure};
use super::{Common, Form};
use crate::act::tier::TieredBack;
use crate::act::undo::Undone;
use crate::plan::line::Amount;
use crate::run::StateError;
use crate::run::journal::{Journal, Outcome};
use crate::run::left::Left;
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;
use crate::words::counted;

/// What came back, and what did not.
#[derive(Default)]
pub(super) struct BroughtBack {
    pub(super) undone: Undone,
    pub(super) moved: TieredBack,
    /// Uploads that the run was to abort: they never come back.
    pub(super) aborted: u64,
    /// Units that came back before and that later runs removed, by those runs; true where their trash is kept.
    pub(super) since: BTreeMap<String, (u64, bool)>,
}

impl BroughtBack {
    /// Of a run of which nothing is left to come back.
    pub(super) async fn before(store: &Store, record: &RunRecord) -> Result<Self, StateError> {
        let undone = record.datasets.iter().filter(|(_, done)| done.undone.units > 0);
        let datasets = undone.map(|(name, done)| (name.clone(), done.undone)).collect();
        let undone = Undone { datasets, ..Undone::default() };
        Ok(Self { undone, since: removed_since(store, record).await?, ..Self::default() })
    }

    pub(super) fn left(&self) -> Left {
        let mut left = self.undone.left.clone();
        left.append(self.moved.left.clone());
        left
    }

    /// Units that came back by this call.
    pub(super) fn came(&self) -> u64 {
        units(&self.undone.came) + units(&self.moved.came)
    }

    pub(super) fn json(&self, run: &str) -> Value {
        let (Self { undone, moved, .. }, Left { skipped, refused }) = (self, self.left());
        let since: BTreeMap<_, _> = self.since.iter().map(|(run, (units, _))| (run, units)).collect();
        json!({
            "run": run, "restored": undone.came, "moved_back": moved.came, "waiting": moved.waiting,
            "restored_in_all": undone.datasets, "moved_back_in_all": moved.datasets, "removed_since": since,
            "skipped": skipped.first, "skipped_count": skipped.count, "refused": refused,
        })
    }

    /// Says it. `place` is what commands name.
    pub(super) fn print(&self, common: &Common, run: &str, place: &str) -> Result<(), Failure> {
        let Left { skipped, refused } = self.left();
        let (came, all) = (self.came(), units(&self.undone.datasets) + units(&self.moved.datasets));
        if common.output == Form::Json {
            output::line(&self.json(run).to_string())?;
        } else {
            self.lines(run, place).iter().try_for_each(|line| output::line(line))?;
            output::skipped(&skipped.first, skipped.count)?;
            if self.aborted > 0 {
                output::line(&format!("  {} that it aborted cannot come back", counted(self.aborted, "upload")))?;
            }
        }
        let remedy = format!("mend that, then run `s3life undo {run} {place}` again");
        output::see_to(&refused, all + self.moved.waiting + skipped.count, &remedy)?;
        if came + self.moved.waiting > 0 {
            return Ok(());
        }
        if !self.since.is_empty() {
            return Err(Failure::Left(self.removed_since(run, place)));
        }
        match skipped.first.first() {
            Some(first) => {
                let (units, were) = (counted(skipped.count, "unit"), if skipped.count == 1 { "was" } else { "were" });
                let reason = &first.reason;
                Err(Failure::Left(format!("nothing of the run {run} came back, and {units} {were} left: {reason}")))
            }
            None => Ok(()),
        }
    }

    fn lines(&self, run: &str, place: &str) -> Vec<String> {
        let Self { undone, moved, .. } = self;
        let mut lines = Vec::new();
        for (came, all, what) in
            [(&undone.came, &undone.datasets, "back"), (&moved.came, &moved.datasets, "in the former storage class")]
        {
            for (dataset, Amount { units, objects, .. }) in came {
                let are = if *units == 1 { "is" } else { "are" };
                let all = all.get(dataset).copied().unwrap_or_default();
                let before = if all.units > *units {
                    format!(", {} with {} in all", counted(all.units, "unit"), counted(all.objects, "object"))
                } else {
                    String::new()
                };
                let (units, objects) = (counted(*units, "unit"), counted(*objects, "object"));
                lines.push(format!(
                    "{dataset}: {units} with {objects} {are} {what}{before}. No rule works there again until \
                     `s3life release {run} {place}`"
                ));
            }
        }
        if moved.waiting > 0 {
            lines.push(format!(
                "the gateway has still to move {} back by its lifecycle rules: run `s3life undo {run} {place}` again later",
                counted(moved.waiting, "unit")
            ));
        }
        let all = units(&undone.datasets) + units(&moved.datasets);
        if lines.is_empty() && self.since.is_empty() {
            lines.push(match all {
                0 if self.left().skipped.count > 0 => return lines,
                0 => format!("the run {run} has removed and moved nothing: there is nothing to bring back"),
                _ => format!("nothing to bring back: {} of the run {run} came back before", counted(all, "unit")),
            });
        }
        lines
    }

    fn removed_since(&self, run: &str, place: &str) -> String {
        let by = |(later, (units, is_kept)): (&String, &(u64, bool))| {
            let units = counted(*units, "unit");
            match is_kept {
                true => format!("the run {later} removed {units} since: `s3life undo {later} {place}`"),
                false => format!("the run {later} removed {units} since, for good"),
            }
        };
        let since: Vec<_> = self.since.iter().map(by).collect();
        format!("nothing to bring back of the run {run}, which was undone before: {}", since.join("; "))
    }
}

fn units(datasets: &BTreeMap<String, Amount>) -> u64 {
    datasets.values().map(|amount| amount.units).sum()
}

/// Whether nothing of a run is left to come back. What has moved back is looked at again: the gateway may have moved it once
/// more.
pub(super) fn is_back(record: &RunRecord) -> bool {
    let has_moved = record.datasets.values().any(|done| done.moved_back.units > 0);
    record.state == RunState::Undone && record.skipped_count == 0 && !has_moved
}

/// How many units that came back later runs have removed.
async fn removed_since(store: &Store, record: &RunRecord) -> Result<BTreeMap<String, (u64, bool)>, StateError> {
    let bucket = store.bucket();
    let outcomes = Journal::summary(bucket, &record.run).await?;
    let mut back: BTreeSet<String> = outcomes
        .into_iter()
        .filter(|(_, outcome)| outcome.outcome == Outcome::Restored)
        .map(|(prefix, _)| prefix)
        .collect();
    let mut since = BTreeMap::new();
    for later in store.records().await?.iter().filter(|later| later.run > record.run) {
        // What was said of a unit last counts.
        let mut known = BTreeMap::new();
        let mut journaled = Journal::units(bucket, &later.run);
        while let Some(found) = journaled.next().await? {
            if let Some(outcome) = found.outcome.filter(|_| back.contains(&found.unit.prefix)) {
                known.insert(found.unit.prefix, found.unit.action.removes() && outcome.outcome == Outcome::Done);
            }
        }
        let removed = known.values().filter(|is_removed| **is_removed).count() as u64;
        back.retain(|prefix| !known.contains_key(prefix));
        if removed > 0 {
            let is_kept = !matches!(later.state, RunState::Purging | RunState::Purged)
                && later.datasets.values().all(|done| !done.actions.contains_key("delete"));
            since.insert(later.run.clone(), (removed, is_kept));
        }
    }
    Ok(since)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(back: &BroughtBack) -> String {
        back.lines("R", "p.yaml").join("\n")
    }

    #[test]
    fn an_undo_never_ends_without_a_word() {
        let amount = |units| Amount { units, objects: 2 * units, bytes: 0 };
        let mut back = BroughtBack::default();
        // It was killed before its first unit.
        assert_eq!(said(&back), "the run R has removed and moved nothing: there is nothing to bring back");
        back.undone.datasets.insert("events".to_owned(), amount(3));
        assert_eq!(said(&back), "nothing to bring back: 3 units of the run R came back before");
        back.undone.came.insert("events".to_owned(), amount(1));
        let told = "events: 1 unit with 2 objects is back, 3 units with 6 objects in all. No rule works there again until \
                    `s3life release R p.yaml`";
        assert_eq!(said(&back), told);
        // What later runs removed is a failure, and said there.
        let since = [("S".to_owned(), (2, true)), ("T".to_owned(), (1, false))];
        let back = BroughtBack { since: since.into(), ..BroughtBack::default() };
        assert_eq!(said(&back), "");
        let told = "nothing to bring back of the run R, which was undone before: the run S removed 2 units since: \
                    `s3life undo S p.yaml`; the run T removed 1 unit since, for good";
        assert_eq!(back.removed_since("R", "p.yaml"), told);
    }
}
