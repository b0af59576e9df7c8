//! Reading a journal.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use futures::stream::{self, StreamExt, TryStreamExt};
use s3core::ops::ListObjectsV2;

use crate::run::bucket::Bucket;
use crate::run::error::StateError;
use crate::run::keys;

use super::text::{self, Group, Half, Place};
use super::{BatchId, IntendedUnit, Journal, UnitOutcome};

/// Outcomes that are read at a time.
const AT_ONCE: usize = 16;

/// A batch.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Number of the lease of whoever wrote it.
    pub lease: u64,
    /// Its place among the batches of that lease.
    pub sequence: u64,
    /// The group that it belongs to.
    pub batch: BatchId,
    /// Whether it is the last one of its group. Where a group has no last one, nothing in it was touched.
    pub is_last: bool,
    /// What was to be done.
    pub units: Vec<IntendedUnit>,
    /// What came of the group's units, where that was written down.
    pub outcomes: Option<Arc<[UnitOutcome]>>,
}

/// The batches of a journal, by lease and sequence. In memory are one batch, the outcomes of its group and a page of keys.
pub struct Entries {
    bucket: Bucket,
    run: String,
    listing: Option<ListObjectsV2>,
    waiting: VecDeque<(Place, Half)>,
    last: Option<Last>,
}

/// The entry before the next one.
struct Last {
    place: Place,
    group: Group,
    outcomes: Option<Arc<[UnitOutcome]>>,
}

impl Last {
    /// Whether the batch at `place` is the next one of the same group.
    fn is_before(&self, place: Place, group: Group) -> bool {
        self.group == group && self.place.lease == place.lease && self.place.sequence + 1 == place.sequence
    }
}

impl Entries {
    pub(super) fn new(bucket: &Bucket, run: &str) -> Self {
        Self {
            bucket: bucket.clone(),
            run: run.to_owned(),
            listing: Some(ListObjectsV2::new(bucket.name(), &keys::journal(run))),
            waiting: VecDeque::new(),
            last: None,
        }
    }

    /// The next batch; `None` at the end.
    ///
    /// # Errors
    /// `Malformed` for one that is cut or foreign, and the gateway's.
    pub async fn next(&mut self) -> Result<Option<Entry>, StateError> {
        let Some((place, half)) = self.next_key().await? else { return Ok(None) };
        let key = text::key(&self.run, place, half);
        if half == Half::Outcome {
            return Err(self.bucket.malformed(&key, "nothing was announced whose outcome it would be"));
        }
        let intent = read(&self.bucket, &key).await?;
        let (group, units) =
            text::parsed_intent(place, &intent).map_err(|reason| self.bucket.malformed(&key, reason))?;
        let Place { lease, sequence } = place;
        let outcomes = match self.last.take() {
            _ if group.first == sequence => self.outcomes_of(place).await?,
            Some(last) if last.is_before(place, group) => last.outcomes,
            _ => return Err(self.bucket.malformed(&key, "the batch before it is missing")),
        };
        self.last = Some(Last { place, group, outcomes: outcomes.clone() });
        let batch = BatchId { lease, sequence: group.first };
        Ok(Some(Entry { lease, sequence, batch, is_last: sequence == group.last, units, outcomes }))
    }

    /// The outcomes that stand beside an intent.
    async fn outcomes_of(&mut self, place: Place) -> Result<Option<Arc<[UnitOutcome]>>, StateError> {
        let next = self.next_key().await?;
        match next {
            Some((of, Half::Outcome)) if of == place => {
                let outcomes = read_outcomes(&self.bucket, &self.run, place).await?;
                Ok(Some(outcomes.into()))
            }
            other => {
                if let Some(other) = other {
                    self.waiting.push_front(other);
                }
                Ok(None)
            }
        }
    }

    async fn next_key(&mut self) -> Result<Option<(Place, Half)>, StateError> {
        loop {
            if let Some(next) = self.waiting.pop_front() {
                return Ok(Some(next));
            }
            let Some(list) = self.listing.take() else { return Ok(None) };
            let page = self.bucket.gateway().run(list.clone()).await.map_err(StateError::from)?;
            for object in &page.objects {
                match place_and_half(&self.bucket, &self.run, &object.key)? {
                    // It is read with its outcome.
                    (_, Half::Rest(_)) => {}
                    found => self.waiting.push_back(found),
                }
            }
            self.listing = page.next.map(|token| ListObjectsV2 { continuation_token: Some(token), ..list });
        }
    }
}

/// A unit as it was announced, whole.
#[derive(Debug, Clone, PartialEq)]
pub struct JournaledUnit {
    /// The group that it was announced in.
    pub batch: BatchId,
    /// Whether its group was announced to the end. Where not, nothing in it was touched.
    pub is_announced: bool,
    /// What was to be done.
    pub unit: IntendedUnit,
    /// What came of it, where that was written down.
    pub outcome: Option<UnitOutcome>,
}

/// The units of a journal, in the order in which they were announced. In memory is one group.
pub struct Units {
    entries: Entries,
    ready: VecDeque<JournaledUnit>,
    /// The first entry of the next group.
    ahead: Option<Entry>,
}

impl Units {
    pub(super) fn new(entries: Entries) -> Self {
        Self { entries, ready: VecDeque::new(), ahead: None }
    }

    /// The next unit; `None` at the end.
    ///
    /// # Errors
    /// As [`Entries::next`].
    pub async fn next(&mut self) -> Result<Option<JournaledUnit>, StateError> {
        while self.ready.is_empty() {
            let first = match self.ahead.take() {
                Some(entry) => entry,
                None => match self.entries.next().await? {
                    Some(entry) => entry,
                    None => return Ok(None),
                },
            };
            self.gather(first).await?;
        }
        Ok(self.ready.pop_front())
    }

    async fn gather(&mut self, first: Entry) -> Result<(), StateError> {
        let Entry { batch, mut is_last, mut units, outcomes, .. } = first;
        while !is_last {
            match self.entries.next().await? {
                Some(entry) if entry.batch == batch => {
                    is_last = entry.is_last;
                    append(&mut units, entry.units);
                }
                other => {
                    self.ahead = other;
                    break;
                }
            }
        }
        let mut known: BTreeMap<&str, &UnitOutcome> = BTreeMap::new();
        known.extend(outcomes.iter().flat_map(|all| all.iter()).map(|outcome| (outcome.prefix.as_str(), outcome)));
        let whole = |unit: IntendedUnit| {
            let outcome = known.get(unit.prefix.as_str()).map(|outcome| (*outcome).clone());
            JournaledUnit { batch, is_announced: is_last, unit, outcome }
        };
        self.ready.extend(units.into_iter().map(whole));
        Ok(())
    }
}

/// Where a unit was announced last, and what came of it at last.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// The group that it was announced in.
    pub batch: BatchId,
    /// What came of it at last.
    pub outcome: Option<UnitOutcome>,
    /// The leases that it was announced under since.
    pub begun_under: Vec<u64>,
}

/// Adds the units of a batch to those of the batches before it; the first may be the rest of the last.
fn append(units: &mut Vec<IntendedUnit>, batch: Vec<IntendedUnit>) {
    for part in batch {
        match units.last_mut() {
            Some(unit) if unit.dataset == part.dataset && unit.prefix == part.prefix => {
                unit.objects.extend(part.objects);
            }
            _ => units.push(part),
        }
    }
}

impl Journal {
    /// Where each unit of a run was announced last, and its last outcome, by its prefix. Memory grows with the units.
    ///
    /// # Errors
    /// As [`Entries::next`].
    pub async fn latest(bucket: &Bucket, run: &str) -> Result<HashMap<String, Latest>, StateError> {
        let mut latest: HashMap<String, Latest> = HashMap::new();
        let mut units = Self::units(bucket, run);
        while let Some(JournaledUnit { batch, is_announced, unit, outcome }) = units.next().await? {
            if !is_announced {
                continue;
            }
            let entry = latest.entry(unit.prefix).or_insert(Latest { batch, outcome: None, begun_under: Vec::new() });
            entry.batch = batch;
            if outcome.is_some() {
                entry.outcome = outcome;
                entry.begun_under.clear();
            } else {
                entry.begun_under.push(batch.lease);
            }
        }
        Ok(latest)
    }

    /// The last outcome of each unit of a run, by its prefix. Memory grows with the units.
    ///
    /// # Errors
    /// `Malformed` for a batch that is cut or foreign, and the gateway's.
    pub async fn summary(bucket: &Bucket, run: &str) -> Result<BTreeMap<String, UnitOutcome>, StateError> {
        let mut places = Vec::new();
        for key in bucket.keys(&keys::journal(run)).await? {
            match place_and_half(bucket, run, &key)? {
                (place, Half::Outcome) => places.push(place),
                (_, Half::Intent | Half::Rest(_)) => {}
            }
        }
        let reads = stream::iter(places).map(|place| read_outcomes(bucket, run, place)).buffered(AT_ONCE);
        let add = |mut summary: BTreeMap<String, UnitOutcome>, outcomes: Vec<UnitOutcome>| async move {
            summary.extend(outcomes.into_iter().map(|outcome| (outcome.prefix.clone(), outcome)));
            Ok(summary)
        };
        reads.try_fold(BTreeMap::new(), add).await
    }
}

async fn read_outcomes(bucket: &Bucket, run: &str, place: Place) -> Result<Vec<UnitOutcome>, StateError> {
    let (mut outcomes, of) = read_part(bucket, run, place, Half::Outcome, 1).await?;
    for number in 2..=of {
        let (part, _) = read_part(bucket, run, place, Half::Rest(number), number).await?;
        text::join(&mut outcomes, part);
    }
    Ok(outcomes)
}

async fn read_part(
    bucket: &Bucket,
    run: &str,
    place: Place,
    half: Half,
    number: u32,
) -> Result<(Vec<UnitOutcome>, u32), StateError> {
    let key = text::key(run, place, half);
    let text = read(bucket, &key).await?;
    text::parsed_outcome(place, number, &text).map_err(|reason| bucket.malformed(&key, reason))
}

async fn read(bucket: &Bucket, key: &str) -> Result<Vec<u8>, StateError> {
    let stored = bucket.read(key).await?.ok_or_else(|| bucket.malformed(key, "it is gone"))?;
    Ok(stored.text)
}

pub(super) fn place_and_half(bucket: &Bucket, run: &str, key: &str) -> Result<(Place, Half), StateError> {
    text::parsed_key(run, key).ok_or_else(|| bucket.malformed(key, "no batch of a journal has such a name"))
}
