//! Keeps a lease that was taken: renews it, knows until when it is good, gives it back.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

use crate::pace::first;
use crate::run::bucket::Bucket;
use crate::run::error::StateError;

use super::document::{Closed, Former, Holder, LeaseDocument};
use super::{Lost, LostReason, document, taking};

/// A lease is renewed so often in its term.
const RENEWALS: u32 = 3;
/// Its holder takes it for ended this part of the term before others do: their clock is the gateway's, which one gateway
/// may have a little ahead of another, and which counts whole seconds.
const MARGIN: u32 = 6;
/// The pause before a renewal that failed is tried again, as a part of the term.
const PAUSE: u32 = 20;

/// A lease that this process holds, or held.
pub(super) struct Keeper {
    bucket: Bucket,
    number: u64,
    holder: Holder,
    key: String,
    term: Duration,
    former: Vec<Former>,
    written: tokio::sync::Mutex<Written>,
    validity: Mutex<Validity>,
}

/// The lease as this process last wrote it.
pub(super) struct Written {
    pub(super) document: LeaseDocument,
    pub(super) etag: String,
}

struct Validity {
    /// When the last renewal that succeeded was sent.
    since: Moment,
    /// What the last renewal failed with.
    failure: Option<String>,
    ended: Option<LostReason>,
}

/// A moment by both clocks of this machine: the monotonic one stands still while a virtual machine is suspended, and the
/// other one may be set.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    monotonic: Instant,
    wall: SystemTime,
}

impl Moment {
    pub(super) fn now(bucket: &Bucket) -> Self {
        let clock = &bucket.gateway().environment().clock;
        Self { monotonic: clock.monotonic(), wall: clock.wall() }
    }

    /// The longer of the times that the clocks say have passed.
    fn since(self, earlier: Self) -> Duration {
        let monotonic = self.monotonic.saturating_duration_since(earlier.monotonic);
        monotonic.max(self.wall.duration_since(earlier.wall).unwrap_or_default())
    }
}

/// What became of a renewal.
enum Renewal {
    Done,
    /// It may succeed when it is tried again.
    Failed,
    Lost,
}

impl Keeper {
    /// Of a lease that was `written` by a request that was sent at `sent`, or later.
    pub(super) fn new(bucket: Bucket, key: String, written: Written, sent: Moment) -> Self {
        let LeaseDocument { number, holder, former, .. } = &written.document;
        Self {
            bucket,
            number: *number,
            holder: holder.clone(),
            key,
            term: written.document.term(),
            former: former.clone(),
            written: tokio::sync::Mutex::new(written),
            validity: Mutex::new(Validity { since: sent, failure: None, ended: None }),
        }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// See [`Lease::may_have_worked`](super::Lease::may_have_worked).
    pub(super) fn may_have_worked(&self, leases: &[u64], at: Timestamp) -> bool {
        leases.iter().any(|lease| *lease >= self.number || document::may_have_worked(&self.former, *lease, at))
    }

    pub(super) fn holder(&self) -> Holder {
        self.holder.clone()
    }

    pub(super) fn check(&self) -> Result<(), Lost> {
        let now = Moment::now(&self.bucket);
        let mut validity = self.lock();
        if validity.ended.is_none() && now.since(validity.since) >= self.usable() {
            validity.ended = Some(LostReason::NotRenewed { failure: validity.failure.take() });
        }
        match &validity.ended {
            None => Ok(()),
            Some(reason) => Err(Lost { number: self.number, reason: reason.clone() }),
        }
    }

    /// Renews the lease until it is lost or given back.
    pub(super) async fn keep(self: std::sync::Arc<Self>) {
        first(self.renewals()).await;
    }

    async fn renewals(&self) {
        let sleep = |pause| self.bucket.gateway().environment().clock.sleep(pause);
        let interval = self.term / RENEWALS;
        sleep(interval.saturating_sub(self.age())).await;
        loop {
            match self.renew().await {
                Renewal::Done => sleep(interval.saturating_sub(self.age())).await,
                Renewal::Failed => sleep(self.term / PAUSE).await,
                Renewal::Lost => return,
            }
        }
    }

    pub(super) async fn release(&self) -> Result<(), StateError> {
        let mut written = self.written.lock().await;
        loop {
            match self.check() {
                Ok(()) => {}
                Err(Lost { reason: LostReason::Released, .. }) => return Ok(()),
                Err(lost) => return Err(lost.into()),
            }
            let document = written.document.closed(Closed::Released);
            match self.bucket.replace_json(&self.key, &document, &written.etag).await {
                Ok(_) => {
                    self.end(LostReason::Released);
                    return Ok(());
                }
                Err(StateError::Replaced { .. }) => self.look_again(&mut written).await?,
                // Nobody may go on under a lease that perhaps was given back.
                Err(failure) => {
                    self.end(LostReason::Released);
                    return Err(failure);
                }
            }
        }
    }

    async fn renew(&self) -> Renewal {
        let mut written = self.written.lock().await;
        if self.check().is_err() {
            return Renewal::Lost;
        }
        let sent = Moment::now(&self.bucket);
        let document = written.document.renewed();
        let left = self.usable().saturating_sub(self.age());
        let replaced = self.bucket.replace_json(&self.key, &document, &written.etag);
        let failure = match tokio::time::timeout(left, replaced).await {
            Ok(Ok(etag)) => {
                *written = Written { document, etag };
                let mut validity = self.lock();
                validity.since = sent;
                validity.failure = None;
                return Renewal::Done;
            }
            Ok(Err(StateError::Replaced { .. })) => match self.look_again(&mut written).await {
                Ok(()) => return Renewal::Failed,
                Err(StateError::Lost(_)) => return Renewal::Lost,
                Err(failure) => failure.to_string(),
            },
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "the gateway did not answer".to_owned(),
        };
        self.lock().failure = Some(failure);
        Renewal::Failed
    }

    /// The lease is not as this process knows it: an earlier renewal may have been done although it seemed to fail; else
    /// it is lost for ever.
    async fn look_again(&self, written: &mut Written) -> Result<(), StateError> {
        let found = self.bucket.get_json::<LeaseDocument>(&self.key).await;
        let by = match found {
            Ok(Some((document, etag))) => {
                let is_own = document.token == written.document.token;
                match document.closed {
                    None if is_own => {
                        *written = Written { document, etag };
                        return Ok(());
                    }
                    Some(Closed::TakenOver { by }) => Some(by),
                    _ => (!is_own).then_some(document.holder),
                }
            }
            // Its successor has removed it, or that one's.
            Ok(None) => taking::look(&self.bucket).await.ok().flatten().map(|newest| newest.holder),
            Err(StateError::Malformed { .. }) => None,
            Err(failure) => return Err(failure),
        };
        let reason = LostReason::TakenOver { by };
        self.end(reason.clone());
        Err(Lost { number: self.number, reason }.into())
    }

    fn age(&self) -> Duration {
        let now = Moment::now(&self.bucket);
        now.since(self.lock().since)
    }

    /// How long after a renewal its holder may go on.
    fn usable(&self) -> Duration {
        self.term - self.term / MARGIN
    }

    fn end(&self, reason: LostReason) {
        self.lock().ended.get_or_insert(reason);
    }

    fn lock(&self) -> MutexGuard<'_, Validity> {
        self.validity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
