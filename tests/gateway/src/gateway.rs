//! The gateway as its users hold it: build, start, ask, stop.

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use s3s::auth::{S3Auth, SecretKey};
use s3s::service::S3ServiceBuilder;
use s3s::{S3ErrorCode, S3Result};

use crate::faults::Faults;
use crate::front::Front;
use crate::lifecycle::Lifecycles;
use crate::operations::{Operations, now};
use crate::pace::Pace;
use crate::quirks::Quirks;
use crate::requests::{RequestRecord, Requests};
use crate::server::Server;
use crate::storage::Storage;
use crate::storage::directory::DirectoryError;

/// A running S3 endpoint on 127.0.0.1. Stops when dropped.
///
/// ```
/// use s3core_gateway::Gateway;
///
/// let gateway = Gateway::builder().bucket("data").start()?;
/// assert!(gateway.endpoint().starts_with("http://127.0.0.1:"));
/// # Ok::<(), s3core_gateway::StartError>(())
/// ```
#[derive(Debug)]
pub struct Gateway {
    endpoint: String,
    access_key: String,
    secret_key: String,
    faults: Faults,
    requests: Arc<Requests>,
    pace: Arc<Pace>,
    backdated: Arc<AtomicI64>,
    pub(crate) storage: Arc<Storage>,
    lifecycles: Arc<Lifecycles>,
    server: Server,
}

impl Gateway {
    /// A gateway in memory on a free port with random keys, unless told otherwise.
    pub fn builder() -> GatewayBuilder {
        GatewayBuilder::default()
    }

    /// `http://127.0.0.1:<port>`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The access key that is accepted.
    pub fn access_key(&self) -> &str {
        &self.access_key
    }

    /// The secret key that belongs to it.
    pub fn secret_key(&self) -> &str {
        &self.secret_key
    }

    /// The faults, to arm some and to see how often they acted.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The log of requests in the order of arrival, the last [`GatewayBuilder::request_log`] of them.
    pub fn requests(&self) -> Vec<RequestRecord> {
        self.requests.records()
    }

    /// How often each S3 operation was asked for.
    pub fn request_counts(&self) -> BTreeMap<String, u64> {
        self.requests.counts()
    }

    /// Empties the log and sets all counts to zero.
    pub fn reset_requests(&self) {
        self.requests.reset();
    }

    /// Lets every following request wait this long before it is carried out.
    pub fn set_delay(&self, delay: Duration) {
        self.pace.set_delay(delay);
    }

    /// Limits all bodies together to this many bytes per second in each direction; none lifts the
    /// limit.
    pub fn set_bandwidth(&self, bytes_per_second: Option<u64>) {
        self.pace.set_bandwidth(bytes_per_second);
    }

    /// Lets what is written from now on look as if it had been written that long ago.
    pub fn set_backdating(&self, by: Duration) {
        self.backdated.store(i64::try_from(by.as_millis()).unwrap_or(i64::MAX), Ordering::Relaxed);
    }

    /// How long ago what is written now seems to have been written, in milliseconds.
    pub(crate) fn backdated(&self) -> i64 {
        self.backdated.load(Ordering::Relaxed)
    }

    /// Carries out the lifecycle rules of all buckets now: what a transition is due for moves to its storage class.
    /// Returns how many objects have moved.
    pub fn run_lifecycle(&self) -> usize {
        self.lifecycles.run()
    }

    /// Lets a bucket's lifecycle rules be carried out that long after they were put, and again that long after they were
    /// carried out: by the next request. None, the default, leaves it to [`Gateway::run_lifecycle`].
    pub fn set_lifecycle_delay(&self, delay: Option<Duration>) {
        self.lifecycles.set_delay(delay);
    }

    /// Closes all connections and frees the port.
    pub fn stop(self) {
        drop(self.server);
    }
}

/// What a gateway shall be like.
#[derive(Clone, Debug)]
pub struct GatewayBuilder {
    directory: Option<PathBuf>,
    port: u16,
    keys: Option<(String, String)>,
    quirks: Quirks,
    region: String,
    buckets: Vec<String>,
    storage_classes: Vec<String>,
    minimum_part_size: u64,
    request_log: usize,
    delay: Duration,
    bandwidth: Option<u64>,
    nagle: bool,
}

impl Default for GatewayBuilder {
    fn default() -> Self {
        Self {
            directory: None,
            port: 0,
            keys: None,
            quirks: Quirks::default(),
            region: "us-east-1".to_owned(),
            buckets: Vec::new(),
            storage_classes: Vec::new(),
            minimum_part_size: 5 * 1024 * 1024,
            request_log: 100_000,
            delay: Duration::ZERO,
            bandwidth: None,
            nagle: false,
        }
    }
}

impl GatewayBuilder {
    /// Keeps objects in memory. This is the default.
    #[must_use]
    pub fn memory(mut self) -> Self {
        self.directory = None;
        self
    }

    /// Keeps objects in this directory, which is made when it is missing; they survive a restart.
    #[must_use]
    pub fn directory(mut self, path: impl Into<PathBuf>) -> Self {
        self.directory = Some(path.into());
        self
    }

    /// The port; 0, the default, takes a free one.
    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The access key and the secret key; random when not given.
    #[must_use]
    pub fn keys(mut self, access_key: &str, secret_key: &str) -> Self {
        self.keys = Some((access_key.to_owned(), secret_key.to_owned()));
        self
    }

    /// The server whose behaviour to show; AWS S3 when not given.
    #[must_use]
    pub fn quirks(mut self, quirks: Quirks) -> Self {
        self.quirks = quirks;
        self
    }

    /// The region that HeadBucket and GetBucketLocation name. Signatures of any region are accepted.
    #[must_use]
    pub fn region(mut self, region: &str) -> Self {
        self.region = region.to_owned();
        self
    }

    /// Makes this bucket at the start, unless it is there.
    #[must_use]
    pub fn bucket(mut self, name: &str) -> Self {
        self.buckets.push(name.to_owned());
        self
    }

    /// Accepts this storage class too.
    #[must_use]
    pub fn storage_class(mut self, name: &str) -> Self {
        self.storage_classes.push(name.to_owned());
        self
    }

    /// The least size in bytes of a part that is not the last; 5 MiB when not given, as everywhere.
    #[must_use]
    pub fn minimum_part_size(mut self, bytes: u64) -> Self {
        self.minimum_part_size = bytes;
        self
    }

    /// How many requests the log holds, 100,000 when not given; 0 switches it off.
    #[must_use]
    pub fn request_log(mut self, capacity: usize) -> Self {
        self.request_log = capacity;
        self
    }

    /// See [`Gateway::set_delay`].
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// See [`Gateway::set_bandwidth`].
    #[must_use]
    pub fn bandwidth(mut self, bytes_per_second: u64) -> Self {
        self.bandwidth = Some(bytes_per_second);
        self
    }

    /// Leaves TCP_NODELAY off and sends head and body of an answer apart, as a Radosgw with default
    /// options does: a small GET then takes a client with delayed ACKs about 40 ms.
    #[must_use]
    pub fn nagle(mut self, nagle: bool) -> Self {
        self.nagle = nagle;
        self
    }

    /// Opens the storage, takes the port and starts to serve.
    pub fn start(self) -> Result<Gateway, StartError> {
        let storage = Arc::new(match &self.directory {
            None => Storage::memory(),
            Some(path) => Storage::directory(path)?,
        });
        for bucket in &self.buckets {
            if !s3s::path::check_bucket_name(bucket) {
                return Err(StartError::BucketName(bucket.clone()));
            }
            storage.create_bucket(bucket, now()).map_err(StartError::System)?;
        }
        let (access_key, secret_key) = match self.keys {
            Some(keys) => keys,
            None => (random_text(20), random_text(40)),
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        let listener = TcpListener::bind(address).map_err(|error| StartError::Address(address, error))?;
        let port = listener.local_addr().map_err(StartError::System)?.port();

        let backdated = Arc::new(AtomicI64::new(0));
        let usual = self.quirks.behaviour().storage_classes.iter().map(|class| (*class).to_owned());
        let classes = usual.chain(self.storage_classes.iter().cloned()).collect();
        let lifecycles = Arc::new(Lifecycles::new(Arc::clone(&storage), classes));
        let mut service = S3ServiceBuilder::new(Operations {
            storage: Arc::clone(&storage),
            quirks: self.quirks,
            storage_classes: self.storage_classes,
            minimum_part_size: self.minimum_part_size,
            region: self.region,
            backdated: Arc::clone(&backdated),
        });
        service.set_auth(OneKey { access_key: access_key.clone(), secret_key: secret_key.as_str().into() });
        let faults = Faults::default();
        let requests = Arc::new(Requests::new(self.request_log));
        let pace = Arc::new(Pace::default());
        pace.set_delay(self.delay);
        pace.set_bandwidth(self.bandwidth);
        let front = Front {
            service: service.build(),
            quirks: self.quirks,
            faults: faults.clone(),
            requests: Arc::clone(&requests),
            pace: Arc::clone(&pace),
            lifecycles: Arc::clone(&lifecycles),
            next_request_id: AtomicU64::new(1),
        };
        let server = Server::start(front, listener, self.nagle).map_err(StartError::System)?;
        Ok(Gateway {
            endpoint: format!("http://{}:{port}", Ipv4Addr::LOCALHOST),
            access_key,
            secret_key,
            faults,
            requests,
            pace,
            backdated,
            storage,
            lifecycles,
            server,
        })
    }
}

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The directory cannot be used.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The port cannot be had.
    #[error("cannot listen on {0}: {1}; choose another port, or 0 for a free one")]
    Address(SocketAddr, io::Error),
    /// S3 does not allow this name.
    #[error("{0:?} is no bucket name: 3 to 63 lower-case letters, digits, dots and hyphens are allowed")]
    BucketName(String),
    /// The system refused threads, files or sockets.
    #[error("the gateway cannot start: {0}")]
    System(io::Error),
}

struct OneKey {
    access_key: String,
    secret_key: SecretKey,
}

#[async_trait::async_trait]
impl S3Auth for OneKey {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == self.access_key {
            Ok(self.secret_key.clone())
        } else {
            Err(S3ErrorCode::InvalidAccessKeyId.into())
        }
    }
}

/// Letters and digits from the generator that seeds the standard library's hash maps: enough for
/// an endpoint that only this machine can reach.
fn random_text(length: usize) -> String {
    use std::hash::{BuildHasher, RandomState};
    const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let state = RandomState::new();
    (0..length)
        .map(|index| {
            let letter = LETTERS.get((state.hash_one(index) & 31) as usize);
            char::from(letter.copied().unwrap_or(b'A'))
        })
        .collect()
}
