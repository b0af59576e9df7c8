//! Proves a run: that everything it wrote down is in its plan, and that everything in its plan is as the run has left it. What
//! others have changed since is told apart from what is wrong. Nothing is changed, and no lease is taken.
//!
//! The plan and the journal are read as they come and the bucket is listed beside them; in memory are a few bytes for each
//! unit and upload, the objects of one unit, and pages of listings.

mod later;
mod lying;
mod uploads;
mod versions;
mod window;
mod written;

use serde::Serialize;

use crate::act::Failure;
use crate::plan::document::PlanReader;
use crate::plan::line::{Amount, PlannedObject};
use crate::run::left::Reported;
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;
use crate::run::{Bucket, StateError, keys};

use later::Later;
use lying::Lying;
use written::Written;

/// What was found of a run.
#[derive(Debug)]
pub struct Proof {
    /// How far the run is.
    pub state: RunState,
    /// What is gone, as planned.
    pub removed: Amount,
    /// What is in the storage class that was planned.
    pub moved: Amount,
    /// What is back as it was.
    pub back: Amount,
    /// What waits where it is until the time of the trash is over, because it cannot be copied.
    pub held: Amount,
    /// Units that the run has left as they were, or never came to.
    pub left: u64,
    /// Units of which something is gone, and could not be put back or brought back.
    pub not_back: u64,
    /// Units that the gateway has still to move.
    pub waiting: u64,
    /// Uploads that were aborted, as planned.
    pub aborted: u64,
    /// Uploads that the run has left, or never came to.
    pub uploads_left: u64,
    /// Planned uploads that are gone, while nothing that was written down says that the run has aborted them, and no others.
    pub aborts_unwritten: u64,
    /// What is not as it should be.
    pub wrong: Reported<Wrong>,
    /// What others have changed since.
    pub changed: Reported<Change>,
}

/// Something that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The key.
    pub key: String,
    /// What should be there.
    pub expected: String,
    /// What is.
    pub found: String,
}

/// Something that others have changed since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The key.
    pub key: String,
    /// What became of it.
    pub change: String,
}

impl Proof {
    /// Whether all is as it should be.
    pub fn is_proven(&self) -> bool {
        self.wrong.count == 0
    }

    fn new(state: RunState) -> Self {
        let none = Amount::default();
        let (wrong, changed) = (Reported::default(), Reported::default());
        Self {
            state,
            removed: none,
            moved: none,
            back: none,
            held: none,
            left: 0,
            not_back: 0,
            waiting: 0,
            aborted: 0,
            uploads_left: 0,
            aborts_unwritten: 0,
            wrong,
            changed,
        }
    }

    fn wrong(&mut self, key: &str, expected: impl Into<String>, found: impl Into<String>) {
        self.wrong.add(Wrong { key: key.to_owned(), expected: expected.into(), found: found.into() });
    }

    fn changed(&mut self, key: &str, change: impl Into<String>) {
        self.changed.add(Change { key: key.to_owned(), change: change.into() });
    }
}

/// Reads the plan and the journal of a run and looks at what lies in the bucket.
///
/// # Errors
/// `Refused` for a run that has not ended, what is wrong with a plan or a journal that cannot be read, and the gateway's.
pub async fn verify(bucket: &Bucket, run: &str) -> Result<Proof, Failure> {
    let store = Store::new(bucket.clone());
    let record = store.record(run).await?;
    has_ended(&record)?;
    let file = store.plan(run).await?;
    let mut plan = PlanReader::open(file.path())?;
    let mut proof = Proof::new(record.state);
    if plan.end().digest != record.digest || plan.header().bucket != bucket.name() {
        let plan_of = |bucket: &str, digest: &str| format!("the plan of s3a://{bucket} with the digest {digest}");
        let found = plan_of(&plan.header().bucket, &plan.end().digest);
        proof.wrong(&keys::plan(run), plan_of(bucket.name(), &record.digest), found);
        return Ok(proof);
    }
    let written = Written::read(bucket, run, &mut plan, &mut proof).await?;
    let mut later = Later::than(&record, written.first_lease.unwrap_or_default(), store.records().await?);
    Lying::new(bucket, &record, &written).check(&mut plan, &mut later, &mut proof).await?;
    uploads::check(bucket, &record, &plan, &mut proof).await?;
    if written.has_markers {
        versions::check(bucket, &record, &written, &mut later, &mut proof).await?;
    }
    Ok(proof)
}

fn has_ended(record: &RunRecord) -> Result<(), StateError> {
    let refused = |reason: &str| Err(StateError::Refused { run: record.run.clone(), reason: reason.to_owned() });
    match record.state {
        RunState::Running => refused("is under way: end it with `s3life apply`, or bring it back with `s3life undo`"),
        RunState::Undoing => refused("is being brought back: end that with `s3life undo`"),
        RunState::Purging if record.finished.is_none() => refused("is being emptied: end that with `s3life purge`"),
        _ => Ok(()),
    }
}

/// An object, for people.
fn words(object: &PlannedObject) -> String {
    let PlannedObject { bytes, etag, written, class, .. } = object;
    format!("{bytes} bytes with the ETag {etag} of {written} in {class}")
}

/// Whether it has the same bytes.
fn is_alike(one: &PlannedObject, other: &PlannedObject) -> bool {
    one.etag == other.etag && one.bytes == other.bytes
}
