//! Buckets of tests, and the clients that meet there.

#[allow(dead_code, unreachable_pub, reason = "core's tests have it in a module that is public, and use more of it")]
#[path = "../../../core/tests/support/admin.rs"]
mod admin;
#[path = "../../../core/tests/support/cleanup.rs"]
mod cleanup;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;
use jiff::Timestamp;
use s3core::config::{Options, Sources};
use s3core::environment::{Clock, Environment, Random, SystemClock, SystemRandom};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::http::connection::{HttpTransport, TransportSettings, TrustSettings};
use s3core::http::{Endpoint, Limits, Request, Response, Transport};
use s3core::ops::{CreateBucket, PutBucketVersioning, PutObject};
use s3core::transfer::budget::MemoryBudget;
use s3core_gateway::Quirks;
use s3life::plan::line::PolicySource;
use s3life::run::lease::{Holder, Lease, LeaseError, Lost, LostReason};
use s3life::run::record::RunRecord;
use s3life::run::{Bucket, StateError};
use tokio::sync::Notify;

/// What answers a test.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Service {
    /// The Ceph that `tests/ceph/with-ceph.sh` started.
    Ceph,
    /// The same, in a bucket that keeps versions: conditions on PUT are not honoured there.
    Versions,
    /// The embedded endpoint, one for each test, behaving like this server.
    Embedded(Quirks),
}

/// A bucket of one test.
pub(crate) struct Lake {
    pub(crate) url: String,
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) name: String,
    /// One client of it.
    pub(crate) bucket: Bucket,
    embedded: Option<s3core_gateway::Gateway>,
    other_gateway: Option<String>,
}

impl Lake {
    pub(crate) async fn at(service: Service) -> Self {
        let embedded = match service {
            Service::Ceph | Service::Versions => None,
            Service::Embedded(quirks) => Some(s3core_gateway::Gateway::builder().quirks(quirks).start().unwrap()),
        };
        let (url, access_key, secret_key) = match &embedded {
            None => (
                variable("S3CORE_TEST_ENDPOINT"),
                variable("S3CORE_TEST_ACCESS_KEY"),
                variable("S3CORE_TEST_SECRET_KEY"),
            ),
            Some(embedded) => {
                (embedded.endpoint().to_owned(), embedded.access_key().to_owned(), embedded.secret_key().to_owned())
            }
        };
        let name = format!("state-{:016x}", SystemRandom.bits() as u64);
        let bucket = client(&url, &access_key, &secret_key, &name, environment());
        let gateway = bucket.gateway();
        gateway.run(CreateBucket::new(&name, gateway.settings())).await.unwrap();
        if matches!(service, Service::Versions) {
            gateway.run(PutBucketVersioning::new(&name, true)).await.unwrap();
        }
        let other_gateway =
            matches!(service, Service::Ceph | Service::Versions).then(|| variable("S3CORE_TEST_STS_ENDPOINT"));
        Self { url, access_key, secret_key, name, bucket, embedded, other_gateway }
    }

    /// Another process: a client with connections of its own.
    pub(crate) fn client(&self) -> Bucket {
        self.client_in(environment())
    }

    /// Other processes. On Ceph every second one talks to another gateway of the zone.
    pub(crate) fn clients(&self, number: usize) -> Vec<Bucket> {
        let other = self.other_gateway.as_ref().unwrap_or(&self.url);
        let urls = [&self.url, other].into_iter().cycle().take(number);
        urls.map(|url| client(url, &self.access_key, &self.secret_key, &self.name, environment())).collect()
    }

    /// The same in another world.
    pub(crate) fn client_in(&self, environment: Environment) -> Bucket {
        client(&self.url, &self.access_key, &self.secret_key, &self.name, environment)
    }

    pub(crate) fn embedded(&self) -> &s3core_gateway::Gateway {
        self.embedded.as_ref().unwrap()
    }

    /// Writes an object as nobody should.
    pub(crate) async fn put(&self, key: &str, text: impl Into<Vec<u8>>) {
        let put = PutObject::new(&self.name, key, bytes::Bytes::from(text.into()));
        self.bucket.gateway().run(put).await.unwrap();
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        if self.embedded.is_none() {
            cleanup::remove(self.bucket.gateway().settings().clone(), environment(), &self.name);
        }
    }
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/ceph/with-ceph.sh -- cargo test -p s3life"))
}

fn client(url: &str, access_key: &str, secret_key: &str, bucket: &str, environment: Environment) -> Bucket {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let hadoop = vec![pair("fs.s3a.multipart.size", "8M")];
    let explicit = vec![pair("endpoint", url), pair("access.key", access_key), pair("secret.key", secret_key)];
    let sources = Sources { explicit, hadoop, environment: &|_| None, home: None };
    let options = Options::resolve(bucket, &sources).unwrap();
    Bucket::new(FileSystem::new(&options, environment, MemoryBudget::new(64 << 20), WorkPaths::new()))
}

pub(crate) fn environment() -> Environment {
    let trust = TrustSettings { ca_file: None, additional: Vec::new(), use_system_store: false };
    let transport = HttpTransport::new(TransportSettings { trust, ..TransportSettings::default() }).unwrap();
    Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport: Arc::new(transport) }
}

/// A machine's clock that can be put ahead, or held back as a suspended machine's is.
#[derive(Default)]
pub(crate) struct MovedClock {
    milliseconds: AtomicI64,
}

impl MovedClock {
    pub(crate) fn put_ahead(&self, by: Duration) {
        self.milliseconds.fetch_add(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    pub(crate) fn hold_back(&self, by: Duration) {
        self.milliseconds.fetch_sub(i64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn by(&self) -> (bool, Duration) {
        let by = self.milliseconds.load(Ordering::SeqCst);
        (by < 0, Duration::from_millis(by.unsigned_abs()))
    }
}

impl Clock for MovedClock {
    fn wall(&self) -> SystemTime {
        let (back, by) = self.by();
        if back { SystemClock.wall() - by } else { SystemClock.wall() + by }
    }

    fn monotonic(&self) -> Instant {
        let (back, by) = self.by();
        if back { SystemClock.monotonic() - by } else { SystemClock.monotonic() + by }
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(pause)
    }
}

/// Carries so many requests, then none: the process dies before the next one is sent, or before it is answered.
pub(crate) struct MortalTransport {
    pub(crate) inner: Arc<dyn Transport>,
    pub(crate) left: AtomicI64,
    pub(crate) last_is_sent: bool,
    pub(crate) death: Arc<Notify>,
}

impl Transport for MortalTransport {
    fn send(&self, to: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, s3core::Result<Response>> {
        let left = self.left.fetch_sub(1, Ordering::SeqCst);
        let sent = self.inner.send(to, request, limits);
        match left {
            1.. => sent,
            0 => {
                let (death, is_sent) = (Arc::clone(&self.death), self.last_is_sent);
                Box::pin(async move {
                    if is_sent {
                        let _ = sent.await;
                    }
                    death.notify_one();
                    std::future::pending().await
                })
            }
            _ => Box::pin(std::future::pending()),
        }
    }
}

/// The `number`th process.
pub(crate) fn holder(number: u32) -> Holder {
    Holder { host: "test".to_owned(), process: number }
}

/// Takes the lease as the `number`th process.
pub(crate) async fn take(bucket: &Bucket, number: u32, term: Duration) -> Result<Lease, LeaseError> {
    Lease::take_for(bucket, &holder(number), &"apply".into(), term).await
}

pub(crate) const MINUTE: Duration = Duration::from_secs(60);

/// Terms of leases in seconds, for tests of what becomes of a lease in time.
const TERMS: [u64; 4] = [3, 6, 12, 24];

/// The machine or the gateway was too slow for a lease of this term. Nothing else becomes one: other failures fail the test.
#[derive(Debug)]
pub(crate) struct Busy(pub(crate) String);

/// Lets a test begin anew with longer and longer leases, until the machine is fast enough for one.
pub(crate) async fn in_some_term(test: impl AsyncFn(Duration) -> Result<(), Busy>) {
    for term in TERMS.map(Duration::from_secs) {
        match test(term).await {
            Ok(()) => return,
            Err(Busy(reason)) => println!("not with a term of {term:?}: {reason}"),
        }
    }
    panic!("not in any of the terms, for the reasons above");
}

impl From<Lost> for Busy {
    fn from(lost: Lost) -> Self {
        assert!(matches!(lost.reason, LostReason::NotRenewed { .. }), "{lost}");
        Self(lost.to_string())
    }
}

impl From<StateError> for Busy {
    fn from(failure: StateError) -> Self {
        match failure {
            StateError::Gateway(failure) => Self(failure.to_string()),
            StateError::Lost(lost) => lost.into(),
            other => panic!("{other}"),
        }
    }
}

impl From<LeaseError> for Busy {
    fn from(failure: LeaseError) -> Self {
        match failure {
            LeaseError::State(failure) => failure.into(),
            other => panic!("{other}"),
        }
    }
}

/// Asserts that the `number`th process does not get a lease that another one has.
pub(crate) async fn refuse(bucket: &Bucket, number: u32, term: Duration, held: &Lease) -> Result<(), Busy> {
    match take(bucket, number, term).await {
        Err(LeaseError::Held { .. }) => Ok(()),
        Err(other) => Err(other.into()),
        // Only from one who knows that it is lost.
        Ok(_) => Err(held.check().expect_err("two have it").into()),
    }
}

/// The record of a run that has just begun.
pub(crate) fn record(run: &str) -> RunRecord {
    let policy = PolicySource { path: "/etc/lake.yaml".to_owned(), sha256: "00".repeat(32) };
    let begun = RunRecord::begun(policy, &"ab".repeat(32), Timestamp::UNIX_EPOCH, 0, [].into());
    RunRecord { run: run.to_owned(), ..begun }
}
