//! The lease of a bucket: whoever holds it may change what lies there. One process at a time does, whatever policies say,
//! so that overlaps between policies cannot race.
//!
//! A lease is a numbered document. It is created only where there is none of that number, and replaced only by whoever
//! knows its ETag. Its holder renews it; who wants it from a holder that is gone closes it first, so that the next renewal
//! of that holder is refused, and then creates the next number. So two holders are never made, whatever clocks say. Clocks
//! only tell a holder until when it may go on without asking.

mod document;
mod keeper;
mod taking;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::bucket::Bucket;
use super::error::StateError;
use crate::pace::first;
use keeper::Keeper;

pub use document::{Holder, Purpose};
pub use taking::{LeaseView, Standing};

/// How long a lease lasts without renewal.
pub const TERM: Duration = Duration::from_secs(60);

/// A lease that this process holds, or held. Clones are the same lease; it ends by [`Lease::release`], or by itself a while
/// after the last clone was dropped.
#[derive(Clone)]
pub struct Lease {
    held: Arc<Held>,
}

struct Held {
    keeper: Arc<Keeper>,
    renewals: JoinHandle<()>,
    /// See [`Lease::turn`].
    turn: tokio::sync::Mutex<()>,
}

impl Lease {
    /// Takes the lease of a bucket and renews it from then on; needs a tokio runtime. A lease that has expired by the
    /// gateway's clock is watched for half its term before it is taken over.
    ///
    /// # Errors
    /// `Held` where another process has it, `Unsupported` where the gateway does not keep two from having it.
    pub async fn take(bucket: &Bucket, holder: &Holder, purpose: &Purpose) -> Result<Self, LeaseError> {
        Self::take_for(bucket, holder, purpose, TERM).await
    }

    /// The same with another term.
    ///
    /// # Errors
    /// As [`Lease::take`].
    pub async fn take_for(
        bucket: &Bucket,
        holder: &Holder,
        purpose: &Purpose,
        term: Duration,
    ) -> Result<Self, LeaseError> {
        let keeper = Arc::new(taking::take(bucket, holder, purpose, term).await?);
        let renewals = tokio::spawn(Arc::clone(&keeper).keep());
        Ok(Self { held: Arc::new(Held { keeper, renewals, turn: tokio::sync::Mutex::new(()) }) })
    }

    /// The newest lease of the bucket; `None` where there never was one. Nothing is changed.
    ///
    /// # Errors
    /// The gateway's, and `Malformed`.
    pub async fn look(bucket: &Bucket) -> Result<Option<LeaseView>, StateError> {
        taking::look(bucket).await
    }

    /// Its number. Later leases have higher ones.
    pub fn number(&self) -> u64 {
        self.held.keeper.number()
    }

    /// Who holds it.
    pub fn holder(&self) -> Holder {
        self.held.keeper.holder()
    }

    /// Whether any holder of these leases may have changed something at a time of the gateway's clock: in the time of their
    /// lease, and what gateways' clocks may be apart. True where that is not known.
    pub fn may_have_worked(&self, leases: &[u64], at: Timestamp) -> bool {
        self.held.keeper.may_have_worked(leases, at)
    }

    /// Whether it certainly is this process's still. To be asked before each request that changes something; sends
    /// nothing. Once lost it stays lost.
    ///
    /// # Errors
    /// It is lost, or was not renewed for so long that it may be.
    pub fn check(&self) -> Result<(), Lost> {
        self.held.keeper.check()
    }

    /// Waits until nothing else of this process changes a record. A write whose answer was lost is recognised as long as
    /// nobody writes over it, which under a lease nobody else does.
    pub(super) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.held.turn.lock().await
    }

    /// Gives it back, so that the next one need not wait for its end.
    ///
    /// # Errors
    /// `Lost` where it was another's already; the gateway's, where it ends by itself.
    pub async fn release(&self) -> Result<(), StateError> {
        first(self.held.keeper.release()).await
    }
}

impl fmt::Debug for Lease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Lease").field("number", &self.number()).finish_non_exhaustive()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.renewals.abort();
    }
}

/// Why a lease could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum LeaseError {
    /// Another process has it.
    #[error(
        "the bucket is in use by {by}, for {purpose}, until {until} and longer if that process renews its lease: wait for \
         it to end; if it is gone, run the command again after that time"
    )]
    Held {
        /// Who has it.
        by: Holder,
        /// What for.
        purpose: Purpose,
        /// When it ends, unless it is renewed; by the gateway's clock.
        until: Timestamp,
    },
    /// The gateway does not keep two processes from having it.
    #[error(
        "this gateway ignores {condition} on PutObject, so that two runs could be at work at once: s3life changes nothing \
         here. Radosgw from 16 on and AWS honour it; look for a proxy that takes the header out"
    )]
    Unsupported {
        /// The header.
        condition: &'static str,
    },
    /// The state in the bucket could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// A lease is no longer this process's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the lease {number} is lost: {reason}; nothing more is changed. Run the command again: it goes on from here")]
pub struct Lost {
    /// Its number.
    pub number: u64,
    /// Why.
    pub reason: LostReason,
}

/// Why a lease is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LostReason {
    /// Another process has closed it, or it was removed.
    TakenOver {
        /// Who, where that is known.
        by: Option<Holder>,
    },
    /// It was not renewed in time: this process, its machine or the gateway stood still.
    NotRenewed {
        /// What the last renewal failed with, where it failed.
        failure: Option<String>,
    },
    /// It was given back.
    Released,
}

impl fmt::Display for LostReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakenOver { by: Some(by) } => write!(formatter, "{by} has taken it over"),
            Self::TakenOver { by: None } => formatter.write_str("it was removed"),
            Self::NotRenewed { failure: Some(failure) } => {
                write!(formatter, "it could not be renewed in time ({failure})")
            }
            Self::NotRenewed { failure: None } => {
                formatter.write_str("it was not renewed in time, because this process or its machine stood still")
            }
            Self::Released => formatter.write_str("it was given back"),
        }
    }
}

impl From<Lost> for s3core::Error {
    fn from(lost: Lost) -> Self {
        Self::new(s3core::ErrorKind::Interrupted, lost.to_string())
    }
}
