//! What a run has written down, beside what was planned.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest as _, Sha256};

use crate::act::Failure;
use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedAction, PlannedObject};
use crate::run::Bucket;
use crate::run::journal::{BatchId, IntendedUnit, Journal, JournaledUnit, Means, Outcome};
use crate::run::keys;

use super::{Proof, words};

/// Units that are looked at object by object, because they are not as planned.
const MOST_STRANGE: usize = 20;

/// What a run has written down of the units of its plan. There may be as many as objects: a hundred bytes are known of each.
#[derive(Debug, Default)]
pub(super) struct Written {
    /// By digests of their prefixes, which are shorter.
    units: BTreeMap<Digest, Unit>,
    /// What units are, each kind once.
    kinds: Vec<Kind>,
    /// Numbers of the leases that copies were made under.
    pub(super) leases: BTreeSet<u64>,
    /// The first lease that it was carried out under.
    pub(super) first_lease: Option<u64>,
    /// Whether some went under delete markers.
    pub(super) has_markers: bool,
}

/// The first half of SHA-256.
type Digest = [u8; 16];

#[derive(Debug)]
struct Unit {
    /// Index of its kind.
    kind: usize,
    /// Of its objects, where they go.
    digest: Option<Digest>,
    last: Option<Last>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Kind {
    dataset: String,
    actions: Vec<PlannedAction>,
}

/// What was written down of a unit at last.
#[derive(Debug, Clone, Copy)]
pub(super) struct Last {
    pub(super) batch: BatchId,
    pub(super) means: Means,
    pub(super) came: Option<Came>,
}

/// What came of a unit, without the reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    Done,
    Left,
    /// It waits in its place for the end of the trash.
    Held,
    Restored,
    NotRestored,
}

impl From<&Outcome> for Came {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::Done,
            Outcome::Changed { .. }
            | Outcome::HalfMoved { .. }
            | Outcome::Refused { .. }
            | Outcome::Held { until: None, .. } => Self::Left,
            Outcome::Held { .. } => Self::Held,
            Outcome::Restored => Self::Restored,
            Outcome::NotRestored { .. } => Self::NotRestored,
        }
    }
}

impl Written {
    /// Reads the plan, then the journal; what stands there and was not planned is wrong.
    pub(super) async fn read(
        bucket: &Bucket,
        run: &str,
        plan: &mut PlanReader,
        proof: &mut Proof,
    ) -> Result<Self, Failure> {
        let mut written = Self::default();
        while let Some((unit, objects)) = plan.next_unit()? {
            let digest = unit.action.removes().then(|| digest(objects.iter()));
            let name = name(&unit.prefix);
            let known = written.units.get(&name);
            let mut actions = known
                .and_then(|known| written.kinds.get(known.kind))
                .map(|kind| kind.actions.clone())
                .unwrap_or_default();
            actions.push(unit.action);
            let digest = known.and_then(|known| known.digest).or(digest);
            let kind = written.index_of(Kind { dataset: unit.dataset, actions });
            written.units.insert(name, Unit { kind, digest, last: None });
        }
        let mut strange: BTreeMap<String, IntendedUnit> = BTreeMap::new();
        let mut units = Journal::units(bucket, run);
        while let Some(found) = units.next().await? {
            // Of a group that was not announced to its end nothing was touched.
            if found.is_announced {
                written.add(run, found, &mut strange, proof);
            }
        }
        plan.rewind();
        while !strange.is_empty()
            && let Some((unit, objects)) = plan.next_unit()?
        {
            if let Some(intended) = strange.remove(&unit.prefix) {
                differences(&objects, &intended, proof);
            }
        }
        Ok(written)
    }

    /// What was written down of a unit at last.
    pub(super) fn last(&self, prefix: &str) -> Option<&Last> {
        self.units.get(&name(prefix))?.last.as_ref()
    }

    fn index_of(&mut self, kind: Kind) -> usize {
        self.kinds.iter().position(|known| *known == kind).unwrap_or_else(|| {
            self.kinds.push(kind);
            self.kinds.len() - 1
        })
    }

    fn add(
        &mut self,
        run: &str,
        found: JournaledUnit,
        strange: &mut BTreeMap<String, IntendedUnit>,
        proof: &mut Proof,
    ) {
        let JournaledUnit { batch, unit, outcome, .. } = found;
        self.first_lease = Some(self.first_lease.map_or(batch.lease, |first| first.min(batch.lease)));
        let place = format!("{}{:08}-{:08}", keys::journal(run), batch.lease, batch.sequence);
        let known = self.units.get_mut(&name(&unit.prefix));
        let Some((kind, known)) = known.and_then(|known| Some((self.kinds.get(known.kind)?, known))) else {
            return proof.wrong(
                &unit.prefix,
                "nothing: it is no unit of the plan",
                format!("it is written in {place}"),
            );
        };
        if kind.dataset != unit.dataset || !kind.actions.contains(&unit.action) {
            let planned: Vec<_> = kind.actions.iter().map(PlannedAction::name).collect();
            let expected = format!("{} of {}", planned.join(", "), kind.dataset);
            return proof.wrong(
                &unit.prefix,
                expected,
                format!("{} of {} in {place}", unit.action.name(), unit.dataset),
            );
        }
        for object in &unit.objects {
            for copy in object.copies() {
                match lease_of_copy(run, copy, &object.planned.key).filter(|lease| *lease <= batch.lease) {
                    Some(lease) => {
                        self.leases.insert(lease);
                    }
                    None => {
                        let found = format!("{copy} in {place}");
                        proof.wrong(&object.planned.key, "a copy in the trash of the run", found);
                    }
                }
            }
        }
        let markers = outcome.iter().flat_map(|outcome| &outcome.markers);
        let keys: BTreeSet<&str> = unit.objects.iter().map(|object| object.planned.key.as_str()).collect();
        for marker in markers.filter(|marker| !keys.contains(marker.key.as_str())) {
            proof.wrong(&marker.key, "no delete marker: it is no object of the unit", format!("one in {place}"));
        }
        self.has_markers |= unit.means == Means::Markers;
        let former = known.last.and_then(|last| last.came);
        let came = outcome.map(|outcome| Came::from(&outcome.outcome)).or(former);
        known.last = Some(Last { batch, means: unit.means, came });
        // Those that move are in the plan alone.
        let is_whole = !unit.action.removes() && unit.objects.is_empty();
        if !is_whole && known.digest != Some(digest(unit.objects.iter().map(|object| &object.planned))) {
            if strange.len() < MOST_STRANGE || strange.contains_key(&unit.prefix) {
                strange.insert(unit.prefix.clone(), unit);
            } else {
                proof.wrong(&unit.prefix, "the objects of the plan", format!("others in {place}"));
            }
        }
    }
}

/// The number of the lease that a copy was made under; None where it is no copy of the key in the trash of the run.
fn lease_of_copy(run: &str, copy: &str, key: &str) -> Option<u64> {
    let (lease, _) = copy.strip_prefix(&keys::trash(run))?.split_once('/')?;
    let lease = lease.parse().ok()?;
    (keys::trashed(run, lease, key) == copy).then_some(lease)
}

fn name(prefix: &str) -> Digest {
    half(Sha256::digest(prefix).into())
}

fn digest<'o>(objects: impl Iterator<Item = &'o PlannedObject>) -> Digest {
    let mut hasher = Sha256::new();
    for PlannedObject { key, bytes, etag, written, class } in objects {
        hasher.update(key);
        hasher.update(b"\0");
        hasher.update(bytes.to_le_bytes());
        hasher.update(etag);
        hasher.update(b"\0");
        hasher.update(written.as_nanosecond().to_le_bytes());
        hasher.update(class);
        hasher.update(b"\0");
    }
    half(hasher.finalize().into())
}

fn half(whole: [u8; 32]) -> Digest {
    let mut half = [0; 16];
    half.iter_mut().zip(whole).for_each(|(half, whole)| *half = whole);
    half
}

fn differences(planned: &[PlannedObject], intended: &IntendedUnit, proof: &mut Proof) {
    let by_key = |objects: Vec<PlannedObject>| {
        objects.into_iter().map(|object| (object.key.clone(), object)).collect::<BTreeMap<_, _>>()
    };
    let planned = by_key(planned.to_vec());
    let mut written = by_key(intended.objects.iter().map(|object| object.planned.clone()).collect());
    for (key, planned) in planned {
        match written.remove(&key) {
            Some(written) if written == planned => {}
            Some(written) => proof.wrong(&key, words(&planned), format!("{} in the journal", words(&written))),
            None => proof.wrong(&key, words(&planned), "nothing in the journal"),
        }
    }
    for (key, written) in written {
        proof.wrong(&key, "nothing: it is no object of the plan", format!("{} in the journal", words(&written)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_units_are_known_by_less_than_a_hundred_mebibytes() {
        assert!(size_of::<(Digest, Unit)>() <= 80, "{}", size_of::<(Digest, Unit)>());
    }
}
