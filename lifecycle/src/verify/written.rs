//! What a run has written down, beside what was planned.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use crate::act::Failure;
use crate::plan::document::PlanReader;
use crate::plan::line::{PlannedAction, PlannedObject};
use crate::run::Bucket;
use crate::run::journal::{BatchId, IntendedUnit, Journal, JournaledUnit, Means, Outcome};
use crate::run::keys;

use super::{Proof, words};

/// Units that are looked at object by object, because they are not as planned.
const MOST_STRANGE: usize = 20;

/// What a run has written down of the units of its plan.
#[derive(Debug, Default)]
pub(super) struct Written {
    units: HashMap<String, Unit>,
    /// Numbers of the leases that copies were made under.
    pub(super) leases: BTreeSet<u64>,
    /// The first lease that it was carried out under.
    pub(super) first_lease: Option<u64>,
    /// Whether some went under delete markers.
    pub(super) has_markers: bool,
}

#[derive(Debug)]
struct Unit {
    dataset: String,
    actions: Vec<PlannedAction>,
    /// Of its objects, where they go.
    digest: Option<[u8; 16]>,
    last: Option<Last>,
}

/// What was written down of a unit at last.
#[derive(Debug)]
pub(super) struct Last {
    pub(super) batch: BatchId,
    pub(super) means: Means,
    pub(super) outcome: Option<Outcome>,
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
            let new = || Unit { dataset: unit.dataset, actions: Vec::new(), digest: None, last: None };
            let known = written.units.entry(unit.prefix).or_insert_with(new);
            known.actions.push(unit.action);
            known.digest = known.digest.or(digest);
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
        self.units.get(prefix)?.last.as_ref()
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
        let Some(known) = self.units.get_mut(&unit.prefix) else {
            return proof.wrong(
                &unit.prefix,
                "nothing: it is no unit of the plan",
                format!("it is written in {place}"),
            );
        };
        if known.dataset != unit.dataset || !known.actions.contains(&unit.action) {
            let planned: Vec<_> = known.actions.iter().map(PlannedAction::name).collect();
            let expected = format!("{} of {}", planned.join(", "), known.dataset);
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
        let former = known.last.take().and_then(|last| last.outcome);
        let outcome = outcome.map(|outcome| outcome.outcome).or(former);
        known.last = Some(Last { batch, means: unit.means, outcome });
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

fn digest<'o>(objects: impl Iterator<Item = &'o PlannedObject>) -> [u8; 16] {
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
    let whole = hasher.finalize();
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
