//! The trash of a run is emptied: from then on nothing of it can be brought back.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use s3core::ops::{ListObjectVersions, ListObjectsV2, ListedVersion};

use crate::catalog::Catalogs;
use crate::plan::document::PlanReader;
use crate::plan::line::Amount;
use crate::plan::make::is_of;
use crate::policy::Policy;
use crate::run::holds::HeldBack;
use crate::run::journal::{BATCH, Journal, Latest, Outcome};
use crate::run::keys;
use crate::run::lease::Lease;
use crate::run::left::{Left, Skipped};
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;
use crate::run::{Bucket, StateError};

use super::Failure;
use super::held::remove_held;
use super::markers::remove_version;
use super::means;
use super::objects::Objects;
use super::tier::{stop_tiering, take_tags};

/// What became of a trash.
#[derive(Debug, Default)]
pub struct Emptied {
    /// What is gone for good.
    pub removed: Amount,
    /// What stays.
    pub left: Left,
    /// What holds of the policy keep.
    pub held: Option<HeldBack>,
    /// Whether a lock keeps something, and until when, where that is known.
    pub locked: Option<Option<Timestamp>>,
    /// Whether something is still to go that this user may not remove.
    pub is_refused: bool,
}

impl Emptied {
    /// Adds what stays of a unit, if anything does.
    pub(super) fn note(&mut self, unit: &str, outcome: &Outcome) {
        let (key, reason) = match outcome {
            Outcome::Changed { key, reason }
            | Outcome::HalfMoved { key, reason }
            | Outcome::NotRestored { key, reason } => (Some(key.as_str()), reason),
            Outcome::Held { reason, .. } | Outcome::Refused { reason } => (None, reason),
            Outcome::Done | Outcome::Restored => return,
        };
        let is_refused = !matches!(outcome, Outcome::Changed { .. });
        self.left.add(Skipped::new(unit, key, reason), is_refused);
    }

    /// Whether a copy in the trash is held.
    fn holds_copy(&self, copy: &str) -> bool {
        self.held.as_ref().is_some_and(|held| held.has_copy(copy))
    }

    /// Adds an object that is gone.
    pub(super) fn add(&mut self, bytes: u64) {
        self.removed.add(Amount { units: 0, objects: 1, bytes });
    }

    /// Notes that a lock keeps something, and until when.
    pub(super) fn lock(&mut self, until: Option<Timestamp>) {
        self.locked = Some(self.locked.flatten().max(until));
    }
}

/// Empties the trash of a run, and removes what it holds. The record says so before the first copy goes, so that nobody
/// begins to bring them back. What `policy` holds stays; where that is all, the run stays what it is.
///
/// # Errors
/// `Refused` for a run that is under way, `Suspended`, the lease's and the gateway's: it can be called again.
pub async fn purge(
    objects: &Objects<'_>,
    store: &Store,
    lease: &Lease,
    run: &str,
    policy: Option<&Policy>,
) -> Result<Emptied, Failure> {
    empty(objects, store, lease, run, policy, can_be_emptied).await
}

/// The same as a plan says, which may be old: only where its time is still over, and nothing in it wanted.
///
/// # Errors
/// As [`purge`]; `Refused` also where it is not due.
pub async fn purge_due(
    objects: &Objects<'_>,
    store: &Store,
    lease: &Lease,
    run: &str,
    policy: &Policy,
) -> Result<Emptied, Failure> {
    let now = store.bucket().time().await?;
    let is_due = |record: &RunRecord| {
        if record.trash_is_due(now) && is_of(record, policy) {
            return can_be_emptied(record);
        }
        let reason = "has something in the trash that is still wanted".to_owned();
        Err(StateError::Refused { run: record.run.clone(), reason })
    };
    empty(objects, store, lease, run, Some(policy), is_due).await
}

async fn empty(
    objects: &Objects<'_>,
    store: &Store,
    lease: &Lease,
    run: &str,
    policy: Option<&Policy>,
    check: impl Fn(&RunRecord) -> Result<(), StateError> + Send + Sync,
) -> Result<Emptied, Failure> {
    if store.bucket().is_suspended().await? {
        return Err(StateError::Suspended { bucket: store.bucket().name().to_owned() }.into());
    }
    let record = store.record(run).await?;
    check(&record)?;
    let held = match policy {
        Some(policy) => HeldBack::of(store.bucket(), &record, policy).await?,
        None => None,
    };
    let mut emptied = Emptied { held, ..Emptied::default() };
    // What waits for the gateway is no longer to move, whatever is held.
    if record.waiting.is_none() && emptied.held.as_ref().is_some_and(HeldBack::is_all) {
        return Ok(emptied);
    }
    let begin = |record: &mut RunRecord| {
        check(record)?;
        record.state = RunState::Purging;
        // Until all of it has gone it is not known what is left.
        record.held_for.clear();
        Ok(())
    };
    store.update(lease, run, begin).await?;
    stop_tiering(objects, run).await?;
    if record.waiting.is_some() {
        let file = store.plan(run).await?;
        take_tags(objects, &mut PlanReader::open(file.path())?, run).await?;
    }
    if store.bucket().keeps_versions().await? {
        empty_trash_of_versions(objects, run, &mut emptied).await?;
    } else {
        empty_trash(objects, run, &mut emptied).await?;
    }
    empty_units(objects, store.bucket(), run, record.started, &mut emptied).await?;
    let now = store.bucket().time().await?;
    store
        .update(lease, run, |record| {
            let is_held = emptied.held.is_some();
            let is_kept = is_held || emptied.locked.is_some() || emptied.is_refused;
            record.state = if is_kept { RunState::Purging } else { RunState::Purged };
            // What a lock keeps, or this user may not remove, is tried again, whatever is held beside it.
            let held = emptied.held.as_ref().filter(|_| emptied.locked.is_none() && !emptied.is_refused);
            record.waiting = None;
            record.held_for = held.map(HeldBack::places).unwrap_or_default();
            if emptied.locked.is_some() || emptied.is_refused {
                // The first plan after that empties the rest.
                record.trash_until = emptied.locked.flatten().max(now.checked_add(LOOKS_AGAIN).ok());
            }
            for skipped in &emptied.left.skipped.first {
                if !record.skipped.contains(skipped) {
                    record.skipped_count += 1;
                    record.skipped.push(skipped.clone());
                }
            }
            record.skipped.truncate(RunRecord::MOST_REPORTED);
            Ok(())
        })
        .await?;
    Ok(emptied)
}

/// What lies in the trash goes, but for what is held.
async fn empty_trash(objects: &Objects<'_>, run: &str, emptied: &mut Emptied) -> Result<(), Failure> {
    let mut list = ListObjectsV2::new(objects.bucket, &keys::trash(run));
    loop {
        let page = objects.gateway.run(list.clone()).await?;
        if objects.permit.is_ending() {
            return Err(Failure::Stopped);
        }
        let going: Vec<_> = page.objects.into_iter().filter(|copy| !emptied.holds_copy(&copy.key)).collect();
        for copy in &going {
            emptied.add(copy.length);
        }
        objects.discard(going.into_iter().map(|copy| copy.key).collect()).await?;
        match page.next {
            Some(token) => list.continuation_token = Some(token),
            None => return Ok(()),
        }
    }
}

/// The same in a bucket that has begun to keep versions since.
async fn empty_trash_of_versions(objects: &Objects<'_>, run: &str, emptied: &mut Emptied) -> Result<(), Failure> {
    let all = ListObjectVersions::new(objects.bucket, &keys::trash(run));
    let (mut list, mut removed) = (all.clone(), 0);
    loop {
        let page = objects.gateway.run(list.clone()).await?;
        if objects.permit.is_ending() {
            return Err(Failure::Stopped);
        }
        let copies: Vec<_> = page.versions.into_iter().filter(|copy| !emptied.holds_copy(&copy.key)).collect();
        removed += copies.len();
        for copy in copies.iter().filter(|copy| !copy.is_delete_marker) {
            emptied.add(copy.length);
        }
        let remove = |copy: ListedVersion| async move {
            objects.permit.check()?;
            remove_version(objects, &copy.key, &copy.version_id).await
        };
        objects.for_all(copies, remove).await?;
        match page.next {
            Some(marker) => list.marker = Some(marker),
            None if removed == 0 => return Ok(()),
            // From a version that is gone a gateway may go on behind those that were older.
            None => (list, removed) = (all.clone(), 0),
        }
    }
}

/// Before which it is not looked whether a lock is gone.
const LOOKS_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What was left where it was goes, as the journal says at last.
async fn empty_units(
    objects: &Objects<'_>,
    bucket: &Bucket,
    run: &str,
    started: Timestamp,
    emptied: &mut Emptied,
) -> Result<(), Failure> {
    let latest = Journal::latest(bucket, run).await?;
    let journal = Journal::open(bucket, run, objects.permit.number()).await?;
    let catalogs = Catalogs::of_run(bucket, run, BTreeMap::new()).await?;
    let mut units = Journal::units(bucket, run);
    let (mut held, mut size) = (Vec::new(), 0);
    loop {
        let next = units.next().await?;
        let is_last = next.is_none();
        if let Some(found) = next
            && let Some(Latest { batch, outcome: Some(last), .. }) = latest.get(&found.unit.prefix)
            && *batch == found.batch
            && !emptied.held.as_ref().is_some_and(|held| held.has(&found.unit.prefix))
        {
            match &last.outcome {
                Outcome::Held { until: Some(_), .. } => {
                    size += found.unit.objects.len();
                    held.push(found.unit);
                }
                Outcome::Done | Outcome::NotRestored { .. } => {
                    means::empty(objects, &found.unit, &last.markers, emptied).await?;
                }
                _ => {}
            }
        }
        if !held.is_empty() && (size >= BATCH || is_last) {
            remove_held(objects, bucket, &journal, &catalogs, std::mem::take(&mut held), started, emptied).await?;
            size = 0;
        }
        if is_last {
            return Ok(());
        }
    }
}

/// Whether the trash of a run can be emptied now.
///
/// # Errors
/// `Refused` where it cannot.
pub fn can_be_emptied(record: &RunRecord) -> Result<(), StateError> {
    let refused = |reason: &str| Err(StateError::Refused { run: record.run.clone(), reason: reason.to_owned() });
    match record.state {
        RunState::Done | RunState::WaitingForGateway | RunState::Undone | RunState::Purging => Ok(()),
        RunState::Running => refused("is under way: end it with `s3life apply`, or bring it back with `s3life undo`"),
        RunState::Undoing => refused("is being brought back: end that with `s3life undo`"),
        RunState::Purged => refused("has nothing in the trash any more"),
    }
}
