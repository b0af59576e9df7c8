//! What lies under the delete markers of a run, beside what was planned.

use s3core::{Error, ErrorKind, Result};

use crate::act::Failure;
use crate::act::objects::{Deletion, Objects, Permit};
use crate::act::stack::{Stack, stacks};
use crate::plan::line::{Amount, PlannedAction};
use crate::run::Bucket;
use crate::run::journal::{IntendedObject, IntendedUnit, Journal, JournaledUnit, Marker, Outcome};
use crate::run::record::{RunRecord, RunState};

use super::later::Later;
use super::lying::is_since;
use super::written::Written;
use super::{Proof, is_alike, words};

/// Who only looks.
struct Looking;

impl Permit for Looking {
    fn number(&self) -> u64 {
        0
    }

    fn check(&self) -> Result<()> {
        Err(Error::new(ErrorKind::Internal, "whoever verifies changes nothing"))
    }
}

/// Looks at the versions of each object that a run has hidden.
pub(super) async fn check(
    bucket: &Bucket,
    record: &RunRecord,
    written: &Written,
    later: &mut Later,
    proof: &mut Proof,
) -> Result<(), Failure> {
    let (gateway, deletion) = (bucket.gateway(), Deletion { by_etag: false, by_time: false });
    let objects = Objects { gateway, once: gateway, bucket: bucket.name(), permit: &Looking, deletion, at_once: 1 };
    let mut units = Journal::units(bucket, &record.run);
    let nothing = Stack::default();
    while let Some(JournaledUnit { batch, unit, outcome, .. }) = units.next().await? {
        let is_last = written.last(&unit.prefix).is_some_and(|last| last.batch == batch);
        let Some(last) = outcome.filter(|_| is_last && unit.goes_under_markers()) else { continue };
        let stacks = stacks(&objects, &unit).await?;
        let mut sum = Amount::default();
        for object in &unit.objects {
            let key = &object.planned.key;
            let look = Look { record, unit: &unit, object, stack: stacks.get(key).unwrap_or(&nothing) };
            let is_right = match &last.outcome {
                Outcome::Done => look.is_hidden(&last.markers, proof),
                Outcome::Restored => look.is_shown(bucket, later, proof).await?,
                _ => true,
            };
            if is_right {
                sum.add(Amount { units: 0, objects: 1, bytes: object.planned.bytes });
            }
        }
        sum.units = u64::from(sum.objects == unit.objects.len() as u64);
        match &last.outcome {
            Outcome::Done => proof.removed.add(sum),
            Outcome::Restored => proof.back.add(sum),
            Outcome::NotRestored { .. } => proof.not_back += 1,
            _ => {}
        }
    }
    Ok(())
}

/// An object with its versions.
struct Look<'a> {
    record: &'a RunRecord,
    unit: &'a IntendedUnit,
    object: &'a IntendedObject,
    stack: &'a Stack,
}

impl Look<'_> {
    /// Whether it lies under a marker of the run's, or is gone for good where it was to go so.
    fn is_hidden(&self, markers: &[Marker], proof: &mut Proof) -> bool {
        let key = &self.object.planned.key;
        let over = self.object.version.as_deref().and_then(|version| self.stack.over(version));
        let is_own = |id: &String| markers.iter().any(|marker| marker.key == *key && marker.version == *id);
        let is_under = over.as_ref().map(|over| over.iter().any(is_own));
        let goes_for_good = self.unit.action == PlannedAction::Delete || self.record.state == RunState::Purged;
        if let Some(newest) = self.stack.newest().filter(|found| is_since(self.record, found)) {
            proof.changed(key, format!("it was written since: {}", words(&newest)));
        }
        match is_under {
            None if goes_for_good || self.record.state == RunState::Purging => true,
            None => {
                proof.changed(key, "its version is gone: it cannot be brought back");
                true
            }
            Some(true) if !goes_for_good => true,
            Some(false) if !self.stack.is_current(self.object) => {
                proof.changed(key, "the run's delete marker is gone, and others are over it");
                true
            }
            Some(true) => {
                proof.wrong(key, "nothing: its version was to go for good", words(&self.object.planned));
                false
            }
            // The gateway has told its id when it was made.
            Some(false) if markers.iter().any(|marker| marker.key == *key) => {
                proof.changed(key, "the run's delete marker was removed since: it is there again");
                false
            }
            Some(false) => {
                proof.wrong(key, "nothing: the run has hidden it", words(&self.object.planned));
                false
            }
        }
    }

    /// Whether it is shown again.
    async fn is_shown(&self, bucket: &Bucket, later: &mut Later, proof: &mut Proof) -> Result<bool, Failure> {
        let planned = &self.object.planned;
        let key = &planned.key;
        match self.stack.newest() {
            Some(newest) if is_alike(&newest, planned) => return Ok(true),
            Some(newest) if is_since(self.record, &newest) => {
                proof.changed(key, format!("it was written since: {}", words(&newest)));
            }
            Some(newest) => proof.wrong(key, words(planned), words(&newest)),
            None => match later.removed(bucket, key).await? {
                Some(run) => proof.changed(key, format!("the run {run} has removed it since")),
                None if self.stack.markers_on_top().is_empty() => proof.wrong(key, words(planned), "nothing"),
                None => proof.changed(key, "it was deleted since"),
            },
        }
        Ok(false)
    }
}
