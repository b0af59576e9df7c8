//! What later runs did with what a run has left.

use jiff::Timestamp;

use crate::act::Failure;
use crate::places::{Places, are_nested};
use crate::plan::document::PlanReader;
use crate::run::Bucket;
use crate::run::journal::{Journal, Outcome};
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;

/// The runs that may have done something in the same places since a run began. Their journals are read when they are asked
/// for.
pub(super) struct Later {
    runs: Vec<RunRecord>,
    /// When the run began.
    started: Timestamp,
    /// The first lease that it was carried out under.
    lease: u64,
    known: Option<(Places<String>, Places<String>)>,
}

impl Later {
    /// `lease` is the first one in the journal of the run.
    pub(super) fn than(record: &RunRecord, lease: u64, records: Vec<RunRecord>) -> Self {
        let is_meant = |other: &RunRecord| {
            let mut pairs =
                other.datasets.values().flat_map(|there| record.datasets.values().map(move |here| (there, here)));
            // An older one may have been gone on with, undone or emptied since.
            let worked = other.started >= record.started || other.lease >= lease || is_under_way(other);
            other.run != record.run && worked && pairs.any(|(there, here)| are_nested(&there.prefix, &here.prefix))
        };
        let runs = records.into_iter().filter(is_meant).collect();
        Self { runs, started: record.started, lease, known: None }
    }

    /// The run that has removed it since.
    pub(super) async fn removed(&mut self, bucket: &Bucket, key: &str) -> Result<Option<String>, Failure> {
        Ok(self.known(bucket).await?.0.around(key).cloned())
    }

    /// The run that has moved it to another class since.
    pub(super) async fn moved(&mut self, bucket: &Bucket, key: &str) -> Result<Option<String>, Failure> {
        Ok(self.known(bucket).await?.1.around(key).cloned())
    }

    async fn known(&mut self, bucket: &Bucket) -> Result<&(Places<String>, Places<String>), Failure> {
        if self.known.is_none() {
            let (mut removed, mut moved) = (Places::default(), Places::default());
            for record in &self.runs {
                let run = &record.run;
                let mut units = Journal::units(bucket, run);
                while let Some(found) = units.next().await? {
                    let is_later = match &found.outcome {
                        Some(last) => last.at >= self.started,
                        // It may have been killed in the midst of that.
                        None => found.is_announced && found.batch.lease >= self.lease,
                    };
                    let outcome = found.outcome.map(|last| last.outcome);
                    match outcome {
                        _ if !is_later => {}
                        Some(Outcome::Done | Outcome::NotRestored { .. }) | None if found.unit.action.removes() => {
                            removed.add(found.unit.prefix, run.clone());
                        }
                        Some(Outcome::Done | Outcome::Restored) | None if !found.unit.action.removes() => {
                            moved.add(found.unit.prefix, run.clone());
                        }
                        _ => {}
                    }
                }
                // What moves is written down when it has moved.
                if is_under_way(record) {
                    let file = Store::new(bucket.clone()).plan(run).await?;
                    let mut plan = PlanReader::open(file.path())?;
                    while let Some((unit, _)) = plan.next_unit()? {
                        if unit.action.class().is_some() {
                            moved.add(unit.prefix, run.clone());
                        }
                    }
                }
            }
            self.known = Some((removed, moved));
        }
        Ok(self.known.get_or_insert_default())
    }
}

/// Whether a run has still to do something, or was killed.
fn is_under_way(record: &RunRecord) -> bool {
    matches!(record.state, RunState::Running | RunState::WaitingForGateway | RunState::Undoing | RunState::Purging)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(run: &str, state: &str, lease: u64, prefix: &str) -> RunRecord {
        let started = if run.starts_with("older") { "2025-12-31T00:00:00Z" } else { "2026-01-01T00:00:00Z" };
        let amount = json!({"units": 1, "objects": 1, "bytes": 1});
        serde_json::from_value(json!({
            "run": run, "policy": {"path": "", "sha256": ""}, "digest": "", "started": started,
            "finished": null, "state": state, "holder": "", "lease": lease, "skipped": [], "skipped_count": 0,
            "trash_until": null, "released": false,
            "datasets": {"events": {"prefix": prefix, "total": amount, "actions": {}, "undone": amount}},
        }))
        .unwrap()
    }

    #[test]
    fn whoever_had_the_lease_since_or_is_under_way_is_asked() {
        let records = [
            record("itself", "undone", 7, "events/"),
            record("older", "done", 4, "events/"),
            record("older-emptied", "purged", 6, "events/"),
            record("older-killed", "running", 4, "events/"),
            record("later", "done", 8, "events/a/"),
            record("waiting", "waiting-for-gateway", 9, "events/"),
            record("elsewhere", "done", 10, "other/"),
        ];
        let later = Later::than(&records[0], 5, records.to_vec());
        let runs: Vec<_> = later.runs.iter().map(|record| record.run.as_str()).collect();
        assert_eq!(runs, ["older-emptied", "older-killed", "later", "waiting"]);
    }
}
