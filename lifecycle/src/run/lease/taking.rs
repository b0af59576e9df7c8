//! How a lease is taken.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use s3core::gateway::capabilities::Capability;
use s3core::probe::probe;
use s3core::{Error, ErrorKind};

use crate::run::bucket::Bucket;
use crate::run::error::StateError;
use crate::run::keys;

use super::LeaseError;
use super::document::{self, Closed, Former, Holder, LeaseDocument, Purpose};
use super::keeper::{Keeper, Moment, Written};

/// An attempt at a request about a lease of the term `t` ends after `t / ATTEMPTS`, so that a renewal has several.
const ATTEMPTS: u32 = 6;
/// Whole seconds: a time that a header tells is up to this much earlier than it was.
const HEADER_STEP: SignedDuration = SignedDuration::from_secs(1);
/// A holder renews its lease this often and more in a term: one that is not renewed for so long has no holder, also where
/// a gateway's clock is wrong.
const WATCHED: u32 = 2;
/// Each round fails because somebody else was faster, which ends with somebody who has the lease.
const MOST_ROUNDS: usize = 100;

/// A lease as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseView {
    /// Its number.
    pub number: u64,
    /// Who took it.
    pub holder: Holder,
    /// What for.
    pub purpose: Purpose,
    /// When.
    pub taken: Timestamp,
    /// When it ends, unless it is renewed.
    pub until: Timestamp,
    /// Whether it is somebody's now.
    pub standing: Standing,
}

/// Whether a lease is somebody's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is its holder's.
    Held,
    /// It was not renewed in time.
    Expired,
    /// It was given back or taken over.
    Closed,
}

/// A lease as it was found.
struct Found {
    document: LeaseDocument,
    etag: String,
    view: LeaseView,
}

/// See [`Lease::take_for`](super::Lease::take_for).
pub(super) async fn take(
    bucket: &Bucket,
    holder: &Holder,
    purpose: &Purpose,
    term: Duration,
) -> Result<Keeper, LeaseError> {
    let keeps_versions = bucket.keeps_versions().await?;
    for (capability, condition) in
        [(Capability::ExclusivePut, "If-None-Match: *"), (Capability::ConditionalPut, "If-Match")]
    {
        if !keeps_versions && !probe(bucket.gateway(), bucket.name(), capability).await.map_err(StateError::from)? {
            return Err(LeaseError::Unsupported { condition });
        }
    }
    let bucket = bucket.impatient(term / ATTEMPTS, term);
    let token = format!("{:032x}", bucket.gateway().environment().random.bits());
    for _ in 0..MOST_ROUNDS {
        let Some((number, former)) = next_number(&bucket, holder).await? else { continue };
        let key = document::key(number);
        let taken = bucket.time().await?;
        let document = LeaseDocument::new(number, holder, purpose, token.clone(), term, taken, former);
        let sent = Moment::now(&bucket);
        let etag = match bucket.create_json(&key, &document).await {
            Ok(etag) => etag,
            Err(StateError::AlreadyExists { .. }) => continue,
            Err(failure) => return Err(failure.into()),
        };
        // The number may be one that was removed since: then there is a higher one, for the highest is never removed.
        let numbers = numbers(&bucket).await?;
        if numbers.last().is_some_and(|newest| *newest > number) {
            remove(&bucket, number).await?;
            continue;
        }
        for old in numbers.into_iter().filter(|old| *old < number) {
            // What stays, the next one removes.
            let _ = remove(&bucket, old).await;
        }
        let keeper = Keeper::new(bucket, key, Written { document, etag }, sent);
        keeper.check().map_err(StateError::from)?;
        return Ok(keeper);
    }
    let message = format!("no lease could be had in {MOST_ROUNDS} attempts: run the command again");
    Err(StateError::from(Error::new(ErrorKind::Unavailable, message).at(bucket.name(), &keys::leases())).into())
}

/// See [`Lease::look`](super::Lease::look).
pub(super) async fn look(bucket: &Bucket) -> Result<Option<LeaseView>, StateError> {
    while let Some(number) = numbers(bucket).await?.pop() {
        // One that is gone was removed for a newer one.
        if let Some(found) = find(bucket, number).await? {
            return Ok(Some(found.view));
        }
    }
    Ok(None)
}

/// The number that may be created next, with what is known of those before it; `None` where it must be looked again.
async fn next_number(bucket: &Bucket, holder: &Holder) -> Result<Option<(u64, Vec<Former>)>, LeaseError> {
    let Some(newest) = numbers(bucket).await?.pop() else { return Ok(Some((1, Vec::new()))) };
    let Some(found) = find(bucket, newest).await? else { return Ok(None) };
    let next = newest.checked_add(1).ok_or_else(|| bucket.malformed(&document::key(newest), "no number follows"))?;
    let watched = found.document.term() / WATCHED;
    let mut former = found.document.former.clone();
    former.push(Former {
        number: newest,
        from: found.view.taken.checked_sub(watched).unwrap_or(Timestamp::MIN),
        until: found.view.until.checked_add(watched).unwrap_or(Timestamp::MAX),
    });
    let next = (next, former);
    match found.view.standing {
        Standing::Closed => return Ok(Some(next)),
        Standing::Held => return Err(held(found.view)),
        Standing::Expired => {}
    }
    bucket.gateway().environment().clock.sleep(watched).await;
    let closed = found.document.closed(Closed::TakenOver { by: holder.clone() });
    match bucket.replace_json(&document::key(newest), &closed, &found.etag).await {
        Ok(_) => return Ok(Some(next)),
        Err(StateError::Replaced { .. }) => {}
        Err(failure) => return Err(failure.into()),
    }
    match find(bucket, newest).await? {
        // Renewed: whatever the gateway's clock says, its holder is at work.
        Some(again) if again.view.standing != Standing::Closed => Err(held(again.view)),
        _ => Ok(None),
    }
}

fn held(view: LeaseView) -> LeaseError {
    LeaseError::Held { by: view.holder, purpose: view.purpose, until: view.until }
}

async fn find(bucket: &Bucket, number: u64) -> Result<Option<Found>, StateError> {
    let key = document::key(number);
    let Some(stored) = bucket.read(&key).await? else { return Ok(None) };
    let document: LeaseDocument = bucket.parsed(&key, &stored.text)?;
    if document.number != number {
        return Err(bucket.malformed(&key, format!("it is the lease {}", document.number)));
    }
    let written = stored.written.and_then(|time| Timestamp::try_from(time).ok());
    let written = written.ok_or_else(|| bucket.malformed(&key, "the gateway does not say when it was written"))?;
    let term = SignedDuration::try_from(document.term()).unwrap_or(SignedDuration::MAX);
    let until = written.saturating_add(term.saturating_add(HEADER_STEP)).unwrap_or(Timestamp::MAX);
    let standing = match document.closed {
        Some(_) => Standing::Closed,
        None if bucket.time().await? < until => Standing::Held,
        None => Standing::Expired,
    };
    let LeaseDocument { holder, purpose, taken, .. } = document.clone();
    let view = LeaseView { number, holder, purpose, taken, until, standing };
    Ok(Some(Found { document, etag: stored.etag, view }))
}

/// The numbers of all leases that are there, in ascending order.
async fn numbers(bucket: &Bucket) -> Result<Vec<u64>, StateError> {
    let keys = bucket.keys(&keys::leases()).await?;
    let mut numbers: Vec<_> = keys.iter().filter_map(|key| document::number(key)).collect();
    // Keys of nine digits come before some of eight.
    numbers.sort_unstable();
    Ok(numbers)
}

async fn remove(bucket: &Bucket, number: u64) -> Result<(), StateError> {
    bucket.remove(&document::key(number)).await
}
