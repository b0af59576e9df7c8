//! What the commands that change something share: the bucket's lease, its runs, and how objects are removed there.

use std::time::Duration;

use clap::Args;
use s3core::gateway::capabilities::Capability;
use s3core::gateway::retry::RetryPolicy;
use s3core::gateway::{Gateway, GatewaySettings};
use s3core::probe::probe;
use tokio::time::{Instant, sleep};

use super::output::Failure;
use super::progress;
use super::stopping::Stopping;
use crate::act::objects::{Deletion, Objects, Permit};
use crate::connection::Connection;
use crate::pace::{Turns, Under};
use crate::run::Bucket;
use crate::run::lease::{Holder, Lease, LeaseError, Purpose};
use crate::run::store::Store;

/// How the bucket is locked.
#[derive(Debug, Clone, Args)]
pub(super) struct WorkOptions {
    /// How long the bucket stays locked after this process was killed, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(super) lease_seconds: u64,
    /// How long to wait for another process that works on the bucket, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait_seconds: u64,
    /// Whether this process is asked to end.
    #[arg(skip)]
    pub(super) stopping: Stopping,
}

pub(super) use crate::plan::headroom::UNITS_AT_ONCE;

/// Requests at a time for each of them.
const OBJECTS_AT_ONCE: usize = 8;

/// The same where not so many may leave in a second: what waits long for its turn may find its lease lost.
fn objects_at_once(turns: Option<&Turns>) -> usize {
    turns.map_or(OBJECTS_AT_ONCE, |turns| (turns.per_second() / UNITS_AT_ONCE).clamp(1, OBJECTS_AT_ONCE))
}

/// Between two looks at a lease that another process holds.
const PAUSE: Duration = Duration::from_millis(200);

/// A bucket whose lease this process holds.
pub(super) struct Work {
    pub(super) bucket: Bucket,
    pub(super) store: Store,
    pub(super) lease: Lease,
    permit: WorkPermit,
    /// Whether somebody sits before a terminal.
    pub(super) is_watched: bool,
    deletion: Deletion,
    gateway: Gateway,
    once: Gateway,
    at_once: usize,
    _under: Option<Under>,
}

/// The same gateway, which gives up sooner or later.
fn with_patience(gateway: &Gateway, retry: RetryPolicy) -> Gateway {
    let settings = GatewaySettings { retry, ..gateway.settings().clone() };
    Gateway::new(settings, gateway.environment().clone())
}

impl Work {
    /// Takes the lease, waiting for it as the options say, and finds out under which conditions objects are removed.
    pub(super) async fn begin(
        connection: &Connection,
        options: &WorkOptions,
        purpose: &Purpose,
    ) -> Result<Self, Failure> {
        let bucket = connection.bucket();
        let gives_up = Instant::now() + Duration::from_secs(options.wait_seconds);
        let term = Duration::from_secs(options.lease_seconds);
        let lease = loop {
            match Lease::take_for(&bucket, &Holder::this_process(), purpose, term).await {
                Err(LeaseError::Held { .. }) if Instant::now() < gives_up => sleep(PAUSE).await,
                taken => break taken?,
            }
        };
        let turns = connection.turns();
        let under = turns.map(|turns| turns.work_under(lease.clone()));
        let deletion = match conditions(&bucket).await {
            Ok(deletion) => deletion,
            Err(failure) => {
                // Where that fails, too, it ends by itself.
                let _ = lease.release().await;
                return Err(failure);
            }
        };
        let store = Store::new(bucket.clone());
        let gateway = with_patience(bucket.gateway(), RetryPolicy { patience: term / 2, ..RetryPolicy::default() });
        let once = RetryPolicy { patience: Duration::ZERO, brief_attempts: 1, ..RetryPolicy::default() };
        let once = with_patience(bucket.gateway(), once);
        let permit = WorkPermit { lease: lease.clone(), stopping: options.stopping.clone() };
        let is_watched = progress::is_watched(connection);
        Ok(Self {
            bucket,
            store,
            lease,
            permit,
            is_watched,
            deletion,
            gateway,
            once,
            at_once: objects_at_once(turns),
            _under: under,
        })
    }

    /// The bucket's objects.
    pub(super) fn objects(&self) -> Objects<'_> {
        Objects {
            gateway: &self.gateway,
            once: &self.once,
            bucket: self.bucket.name(),
            permit: &self.permit,
            deletion: self.deletion,
            at_once: self.at_once,
        }
    }

    /// Gives the lease back. Where that fails it ends by itself.
    pub(super) async fn end(self) {
        let _ = self.lease.release().await;
    }
}

/// Under which conditions objects are removed.
async fn conditions(bucket: &Bucket) -> Result<Deletion, Failure> {
    // Where versions are kept no condition is honoured, and none is needed.
    let keeps_versions = bucket.keeps_versions().await?;
    let has = async |capability| match keeps_versions {
        true => Ok(false),
        false => probe(bucket.gateway(), bucket.name(), capability).await,
    };
    Ok(Deletion {
        by_etag: has(Capability::ConditionalDelete).await?,
        by_time: has(Capability::DeleteIfUnmodifiedSince).await?,
    })
}

/// Allows what the holder of the lease may do, until the process is asked to end.
struct WorkPermit {
    lease: Lease,
    stopping: Stopping,
}

impl Permit for WorkPermit {
    fn number(&self) -> u64 {
        self.lease.number()
    }

    fn check(&self) -> s3core::Result<()> {
        Ok(self.lease.check()?)
    }

    fn may_have_worked(&self, leases: &[u64], at: jiff::Timestamp) -> bool {
        self.lease.may_have_worked(leases, at)
    }

    fn is_ending(&self) -> bool {
        self.stopping.is_asked()
    }
}
