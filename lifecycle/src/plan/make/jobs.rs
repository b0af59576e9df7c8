//! Jobs that have not ended, as a plan lists them.

use serde_json::{Value, json};

use crate::inventory::JobTree;
use crate::plan::line::DatasetSummary;

use super::DatasetNotes;

/// Jobs of a dataset that are at work, or those that were killed.
#[derive(Debug, Clone, Default)]
pub struct Jobs {
    /// How many trees and uploads they have.
    pub count: u64,
    /// The first [`LISTED`] of these, by their keys.
    pub listed: Vec<JobTree>,
}

/// Most trees and uploads of a dataset that are listed of each kind.
const LISTED: usize = 1000;

impl Jobs {
    pub(super) fn of<'a>(jobs: impl Iterator<Item = &'a JobTree>) -> Self {
        jobs.fold(Self::default(), |mut all, job| {
            all.count += 1;
            if all.listed.len() < LISTED {
                all.listed.push(job.clone());
            }
            all
        })
    }

    /// Those of all datasets of a plan, for programs.
    pub fn json(datasets: &[DatasetSummary], notes: &[DatasetNotes]) -> Value {
        let listed = datasets.iter().zip(notes).flat_map(|(dataset, notes)| {
            let jobs = notes.at_work.listed.iter().chain(&notes.abandoned.listed);
            jobs.map(|job| in_json(&dataset.name, job))
        });
        listed.collect()
    }

    /// How many of all datasets there are, listed or not.
    pub fn count(notes: &[DatasetNotes]) -> Value {
        let sum = |of: fn(&DatasetNotes) -> &Self| notes.iter().map(|notes| of(notes).count).sum::<u64>();
        json!({"at_work": sum(|notes| &notes.at_work), "abandoned": sum(|notes| &notes.abandoned)})
    }
}

/// What an upload has is not asked for.
fn in_json(dataset: &str, job: &JobTree) -> Value {
    let JobTree { key, newest, objects, bytes, upload, is_abandoned } = job;
    let amount = upload.is_none().then_some((objects, bytes));
    let upload = upload.as_ref().map(|upload| &upload.id);
    json!({
        "dataset": dataset, "key": key, "upload": upload, "newest": newest, "objects": amount.map(|amount| amount.0),
        "bytes": amount.map(|amount| amount.1), "abandoned": is_abandoned,
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn the_first_are_listed_and_all_are_counted() {
        let job = |number: usize| JobTree {
            key: format!("events/{number}"),
            newest: Timestamp::UNIX_EPOCH,
            objects: 1,
            bytes: 10,
            upload: None,
            is_abandoned: true,
        };
        let all: Vec<_> = (0..LISTED + 5).map(job).collect();
        let jobs = Jobs::of(all.iter());
        assert_eq!((jobs.count, jobs.listed.as_slice()), (LISTED as u64 + 5, &all[..LISTED]));
        let one = DatasetNotes { abandoned: jobs, ..DatasetNotes::default() };
        let two = DatasetNotes { at_work: Jobs::of(all.iter().take(2)), ..DatasetNotes::default() };
        assert_eq!(Jobs::count(&[one, two]), json!({"at_work": 2, "abandoned": LISTED + 5}));
    }
}
