//! The trash of a run is emptied: from then on nothing of it can be brought back.

use s3core::ops::ListObjectsV2;

use crate::plan::line::Amount;
use crate::run::StateError;
use crate::run::journal::Outcome;
use crate::run::keys;
use crate::run::lease::Lease;
use crate::run::record::{RunRecord, RunState, Skipped};
use crate::run::store::Store;

use super::Failure;
use super::held::remove_held;
use super::objects::Objects;
use super::tier::stop_tiering;

/// What became of a trash.
#[derive(Debug, Default)]
pub struct Emptied {
    /// What is gone for good.
    pub removed: Amount,
    /// What stays: at most [`RunRecord::MOST_REPORTED`].
    pub skipped: Vec<Skipped>,
    /// Number of all that stays.
    pub skipped_count: u64,
}

impl Emptied {
    /// Adds what stays of a unit, if anything does.
    pub(super) fn note(&mut self, unit: &str, outcome: &Outcome) {
        let (key, reason) = match outcome {
            Outcome::Changed { key, reason } | Outcome::NotRestored { key, reason } => (Some(key.clone()), reason),
            Outcome::Held { reason, .. } | Outcome::Refused { reason } => (None, reason),
            Outcome::Done | Outcome::Restored => return,
        };
        self.skipped_count += 1;
        if self.skipped.len() < RunRecord::MOST_REPORTED {
            self.skipped.push(Skipped { unit: unit.to_owned(), key, reason: reason.clone() });
        }
    }
}

/// Empties the trash of a run, and removes what it holds. The record says so before the first copy goes, so that nobody
/// begins to bring them back.
///
/// # Errors
/// `Refused` for a run that is under way, the lease's and the gateway's: it can be called again.
pub async fn purge(objects: &Objects<'_>, store: &Store, lease: &Lease, run: &str) -> Result<Emptied, Failure> {
    let record = store.update(lease, run, begin).await?;
    stop_tiering(objects, run).await?;
    let mut emptied = Emptied::default();
    loop {
        // What was removed is listed no more: the first page is always the next one.
        let page = objects.gateway.run(ListObjectsV2::new(objects.bucket, &keys::trash(run))).await?;
        if page.objects.is_empty() {
            break;
        }
        if objects.permit.is_ending() {
            return Err(Failure::Stopped);
        }
        for copy in &page.objects {
            emptied.removed.add(Amount { units: 0, objects: 1, bytes: copy.length });
        }
        objects.discard(page.objects.into_iter().map(|copy| copy.key).collect()).await?;
    }
    remove_held(objects, store.bucket(), run, record.started, &mut emptied).await?;
    store
        .update(lease, run, |record| {
            record.state = RunState::Purged;
            record.skipped.extend(emptied.skipped.iter().cloned());
            record.skipped.truncate(RunRecord::MOST_REPORTED);
            record.skipped_count += emptied.skipped_count;
            Ok(())
        })
        .await?;
    Ok(emptied)
}

fn begin(record: &mut RunRecord) -> Result<(), StateError> {
    let refused = |reason: &str| Err(StateError::Refused { run: record.run.clone(), reason: reason.to_owned() });
    match record.state {
        RunState::Done | RunState::WaitingForGateway | RunState::Undone | RunState::Purging => {}
        RunState::Running => {
            return refused("is under way: end it with `s3life apply`, or bring it back with `s3life undo`");
        }
        RunState::Undoing => return refused("is being brought back: end that with `s3life undo`"),
        RunState::Purged => return refused("has nothing in the trash any more"),
    }
    record.state = RunState::Purging;
    Ok(())
}
