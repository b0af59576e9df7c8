//! What later runs did with what a run has left.

use crate::act::Failure;
use crate::places::Places;
use crate::run::Bucket;
use crate::run::journal::{Journal, Outcome};
use crate::run::record::RunRecord;

/// The runs after a run in the same places. Their journals are read when they are asked for.
pub(super) struct Later {
    runs: Vec<String>,
    known: Option<(Places<String>, Places<String>)>,
}

impl Later {
    pub(super) fn than(record: &RunRecord, records: Vec<RunRecord>) -> Self {
        let meets = |one: &str, other: &str| one.starts_with(other) || other.starts_with(one);
        let is_meant = |other: &RunRecord| {
            let places = other.datasets.values().filter(|done| !done.actions.is_empty());
            let mut pairs = places.flat_map(|there| record.datasets.values().map(move |here| (there, here)));
            // Two may have begun in one second.
            let is_later = other.run != record.run && other.started >= record.started;
            is_later && pairs.any(|(there, here)| meets(&there.prefix, &here.prefix))
        };
        let runs = records.into_iter().filter(is_meant).map(|record| record.run).collect();
        Self { runs, known: None }
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
            for run in &self.runs {
                let mut units = Journal::units(bucket, run);
                while let Some(found) = units.next().await? {
                    let outcome = found.outcome.map(|last| last.outcome);
                    match outcome {
                        Some(Outcome::Done | Outcome::NotRestored { .. }) if found.unit.action.removes() => {
                            removed.add(found.unit.prefix, run.clone());
                        }
                        Some(Outcome::Done | Outcome::Restored) if !found.unit.action.removes() => {
                            moved.add(found.unit.prefix, run.clone());
                        }
                        _ => {}
                    }
                }
            }
            self.known = Some((removed, moved));
        }
        Ok(self.known.get_or_insert_default())
    }
}
