//! Writing a journal.

use std::sync::atomic::{AtomicU64, Ordering};

use s3core::{Error, ErrorKind};

use crate::run::bucket::Bucket;
use crate::run::error::StateError;

use super::entries::{Entries, Units, place_and_half};
use super::text::{self, Group, Half, Place};
use super::{BATCH, IntendedObject, IntendedUnit, UnitOutcome};

/// The journal of a run, as the holder of one lease writes it.
pub struct Journal {
    bucket: Bucket,
    run: String,
    lease: u64,
    /// Sequence of the next batch.
    next: AtomicU64,
}

/// Units that were announced together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId {
    /// Number of the lease of whoever announced them.
    pub lease: u64,
    /// Sequence of their first batch.
    pub sequence: u64,
}

impl Journal {
    /// Goes on with the journal of a run under the lease with this number.
    ///
    /// # Errors
    /// The gateway's, and `Malformed` for a key that is no batch's.
    pub async fn open(bucket: &Bucket, run: &str, lease: u64) -> Result<Self, StateError> {
        let mut next = 1;
        for key in bucket.keys(&text::of_lease(run, lease)).await? {
            let (place, _) = place_and_half(bucket, run, &key)?;
            next = next.max(place.sequence.saturating_add(1));
        }
        Ok(Self { bucket: bucket.clone(), run: run.to_owned(), lease, next: AtomicU64::new(next) })
    }

    /// Announces what becomes of these units. Nothing in them may be touched before this has returned, and then their
    /// outcomes are concluded together. More than [`BATCH`] objects make several batches, and one unit may be in many.
    ///
    /// # Errors
    /// `AlreadyExists` where another process writes under the same lease, and the gateway's. What was announced in part
    /// is known to have been touched by nobody.
    pub async fn intend(&self, units: &[IntendedUnit]) -> Result<BatchId, StateError> {
        let batches = batches(units);
        let count = batches.len() as u64;
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        let group = Group { first, last: first + count - 1 };
        for (sequence, batch) in (first..).zip(batches) {
            let place = Place { lease: self.lease, sequence };
            let batch: Vec<_> = batch.iter().map(Part::to_unit).collect();
            self.create(place, Half::Intent, text::intent(place, group, &batch).map_err(not_json)?).await?;
        }
        Ok(BatchId { lease: self.lease, sequence: first })
    }

    /// Says what came of units that were announced together. A group is concluded once. What is too much for one object makes
    /// several, and nothing was said before the last one is written.
    ///
    /// # Errors
    /// `AlreadyExists` where that was said before, and the gateway's.
    pub async fn conclude(&self, batch: BatchId, outcomes: &[UnitOutcome]) -> Result<(), StateError> {
        let place = Place { lease: batch.lease, sequence: batch.sequence };
        for (half, text) in text::outcome(place, outcomes).map_err(not_json)?.into_iter().rev() {
            self.create(place, half, text).await?;
        }
        Ok(())
    }

    /// The batches of a run's journal, by lease and sequence.
    pub fn entries(bucket: &Bucket, run: &str) -> Entries {
        Entries::new(bucket, run)
    }

    /// The units of a run's journal, in the order in which they were announced.
    pub fn units(bucket: &Bucket, run: &str) -> Units {
        Units::new(Self::entries(bucket, run))
    }

    async fn create(&self, place: Place, half: Half, text: Vec<u8>) -> Result<(), StateError> {
        self.bucket.create(&text::key(&self.run, place, half), text).await?;
        Ok(())
    }
}

fn not_json(failure: serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, "a batch that JSON cannot hold").caused_by(failure)
}

/// A part of a unit: of its objects only some.
struct Part<'a> {
    unit: &'a IntendedUnit,
    objects: &'a [IntendedObject],
}

impl Part<'_> {
    fn to_unit(&self) -> IntendedUnit {
        let IntendedUnit { dataset, prefix, shape, action, means, .. } = self.unit;
        IntendedUnit {
            dataset: dataset.clone(),
            prefix: prefix.clone(),
            shape: *shape,
            action: action.clone(),
            means: *means,
            objects: self.objects.to_vec(),
        }
    }
}

/// The same units in batches of up to [`BATCH`] objects, at least one. Nothing is copied: there may be millions of objects.
fn batches(units: &[IntendedUnit]) -> Vec<Vec<Part<'_>>> {
    let mut batches = Vec::new();
    let (mut batch, mut room) = (Vec::new(), BATCH);
    for unit in units {
        let mut rest = unit.objects.as_slice();
        loop {
            if room == 0 {
                batches.push(std::mem::take(&mut batch));
                room = BATCH;
            }
            let (objects, behind) = rest.split_at(rest.len().min(room));
            batch.push(Part { unit, objects });
            room -= objects.len();
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
    }
    batches.push(batch);
    batches
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use rstest::rstest;

    use super::*;
    use crate::plan::line::{PlannedAction, PlannedObject, Shape};
    use crate::run::journal::Means;

    fn unit(prefix: &str, objects: usize) -> IntendedUnit {
        let object = |number| IntendedObject {
            planned: PlannedObject {
                key: format!("{prefix}{number}"),
                bytes: 1,
                etag: "e".to_owned(),
                written: Timestamp::UNIX_EPOCH,
                class: "STANDARD".to_owned(),
            },
            trash: None,
            former: Vec::new(),
            version: None,
            acl: None,
        };
        IntendedUnit {
            dataset: "d".to_owned(),
            prefix: prefix.to_owned(),
            shape: Shape::Prefix,
            action: PlannedAction::Expire,
            means: Means::default(),
            objects: (0..objects).map(object).collect(),
        }
    }

    #[rstest]
    #[case::none(&[], &[0])]
    #[case::empty(&[0], &[0])]
    #[case::full(&[BATCH], &[BATCH])]
    #[case::one_more(&[BATCH + 1], &[BATCH, 1])]
    #[case::many_units(&[600, 600, 600, 600], &[BATCH, BATCH, 400])]
    #[case::full_and_empty(&[BATCH, 0], &[BATCH, 0])]
    #[case::large(&[1, 3 * BATCH], &[BATCH, BATCH, BATCH, 1])]
    fn batches_hold_all_objects_in_order(#[case] units: &[usize], #[case] expected: &[usize]) {
        let units: Vec<_> =
            units.iter().enumerate().map(|(index, objects)| unit(&format!("p{index}/"), *objects)).collect();
        let batches: Vec<Vec<IntendedUnit>> =
            batches(&units).iter().map(|batch| batch.iter().map(Part::to_unit).collect()).collect();
        let sizes: Vec<usize> = batches.iter().map(|batch| batch.iter().map(|unit| unit.objects.len()).sum()).collect();
        assert_eq!(sizes, expected);
        let keys = |units: &mut dyn Iterator<Item = &IntendedUnit>| -> Vec<String> {
            units.flat_map(|unit| &unit.objects).map(|object| object.planned.key.clone()).collect()
        };
        assert_eq!(keys(&mut batches.iter().flatten()), keys(&mut units.iter()));
        let named = |unit: &IntendedUnit| batches.iter().flatten().any(|part| part.prefix == unit.prefix);
        assert!(units.iter().all(named));
    }
}
