//! Endpoints that tests of this crate run against: the real Ceph of the environment, and the embedded endpoint.

#![allow(dead_code, unreachable_pub, reason = "every test program uses its own part of this module")]
#![allow(clippy::expect_used, clippy::panic, reason = "a test ends where its preparations fail")]

pub mod admin;
mod cleanup;
pub mod files;
pub mod in_flight;
pub mod proxy;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3core::credentials::{Credentials, ProviderChain};
use s3core::environment::{Environment, Random, SystemClock, SystemRandom};
use s3core::gateway::retry::RetryPolicy;
use s3core::gateway::{Gateway, GatewaySettings, RequestSettings};
use s3core::http::connection::TrustSettings;
use s3core::http::connection::{HttpTransport, TransportSettings};
use s3core::http::{Endpoint, Limits};
use s3core::ops::{CreateBucket, GetObject, PutObject};
use s3core_gateway::Quirks;

/// What answers a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The Ceph that `tests/ceph/with-ceph.sh` started.
    Ceph,
    /// Its gateway with the Security Token Service.
    Sts,
    /// Its gateway with TLS.
    Tls,
    /// The embedded endpoint, one for each test, behaving like this server.
    Embedded(Quirks),
}

/// Like AWS.
pub const EMBEDDED: Service = Service::Embedded(Quirks::Aws);

/// An endpoint that runs, and whose keys are known.
pub struct Running {
    /// `http://127.0.0.1:8000`.
    pub url: String,
    /// Access key.
    pub access_key: String,
    /// Secret key.
    pub secret_key: String,
    /// The embedded endpoint, for faults and request counts; it ends with this value.
    pub embedded: Option<s3core_gateway::Gateway>,
}

/// Starts the embedded endpoint, or finds the Ceph that is there.
pub fn endpoint(service: Service) -> Running {
    match service {
        Service::Ceph | Service::Sts | Service::Tls => Running {
            url: variable(match service {
                Service::Sts => "S3CORE_TEST_STS_ENDPOINT",
                Service::Tls => "S3CORE_TEST_TLS_ENDPOINT",
                _ => "S3CORE_TEST_ENDPOINT",
            }),
            access_key: variable("S3CORE_TEST_ACCESS_KEY"),
            secret_key: variable("S3CORE_TEST_SECRET_KEY"),
            embedded: None,
        },
        Service::Embedded(quirks) => {
            let started = s3core_gateway::Gateway::builder().quirks(quirks).storage_class("COLD").start();
            let embedded = started.expect("the embedded endpoint starts");
            Running {
                url: embedded.endpoint().to_owned(),
                access_key: embedded.access_key().to_owned(),
                secret_key: embedded.secret_key().to_owned(),
                embedded: Some(embedded),
            }
        }
    }
}

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: run `tests/ceph/with-ceph.sh --tls --sts -- cargo test -p s3core`, which starts a Ceph \
             and sets it"
        )
    })
}

/// Keys that stay the same.
pub fn keys(access_key: &str, secret_key: &str) -> ProviderChain {
    let (access_key, secret_key) = (access_key.to_owned(), secret_key.to_owned());
    Credentials { access_key, secret_key, session_token: None }.into()
}

/// Settings that reach `running` in path style, with the default retry policy.
pub fn gateway_settings(running: &Running) -> GatewaySettings {
    GatewaySettings {
        endpoint: parsed(&running.url),
        endpoint_is_assumed: false,
        path_style: true,
        region: "us-east-1".to_owned(),
        credentials: keys(&running.access_key, &running.secret_key),
        limits: Limits {
            connect: Duration::from_secs(5),
            answer: Duration::from_secs(60),
            idle: Duration::from_secs(30),
        },
        retry: RetryPolicy::default(),
        user_agent: "tests".to_owned(),
        requests: RequestSettings::default(),
    }
}

fn parsed(url: &str) -> Endpoint {
    let (scheme, authority) = url.split_once("://").expect("a URL with a scheme");
    let (host, port) = authority.trim_end_matches('/').rsplit_once(':').expect("a URL with a port");
    Endpoint { tls: scheme == "https", host: host.to_owned(), port: port.parse().expect("a port number") }
}

/// System clock and randomness, and connections of its own. The authority of the Ceph's certificate is trusted.
pub fn environment() -> Environment {
    let ca_file = std::env::var_os("S3CORE_TEST_CA_FILE").map(Into::into);
    let trust = TrustSettings { ca_file, additional: Vec::new(), use_system_store: false };
    let settings = TransportSettings { trust, ..TransportSettings::default() };
    Environment {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        transport: Arc::new(HttpTransport::new(settings).expect("a transport without CA file")),
    }
}

/// A client of `running`.
pub fn gateway_client(running: &Running) -> Gateway {
    Gateway::new(gateway_settings(running), environment())
}

/// Makes a bucket with a name of its own.
pub async fn fresh_bucket(gateway: &Gateway) -> String {
    let bucket = format!("test-{:016x}", SystemRandom.bits() as u64);
    gateway.run(CreateBucket::new(&bucket, gateway.settings())).await.expect("a new bucket");
    bucket
}

/// An endpoint, a client of it and a bucket of one test, which goes with this value.
pub struct Place {
    /// The endpoint.
    pub running: Running,
    /// Its client.
    pub gateway: Gateway,
    /// The bucket.
    pub bucket: String,
}

impl Place {
    /// A new bucket at `service`.
    pub async fn at(service: Service) -> Self {
        let running = endpoint(service);
        let gateway = gateway_client(&running);
        let bucket = fresh_bucket(&gateway).await;
        Self { running, gateway, bucket }
    }

    /// Writes an object; returns its ETag.
    pub async fn put(&self, key: &str, content: impl Into<Bytes>) -> String {
        let put = PutObject::new(&self.bucket, key, content.into());
        self.gateway.run(put).await.unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Reads an object.
    pub async fn get(&self, key: &str) -> Vec<u8> {
        let mut frames: Vec<Bytes> = Vec::new();
        let get = GetObject::new(&self.bucket, key, &mut frames);
        self.gateway.run(get).await.unwrap_or_else(|error| panic!("{error:?}"));
        frames.concat()
    }

    /// The embedded endpoint's faults.
    pub fn faults(&self) -> &s3core_gateway::Faults {
        self.running.embedded.as_ref().expect("faults are the embedded endpoint's").faults()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.running.embedded.is_none() {
            cleanup::remove(gateway_settings(&self.running), environment(), &self.bucket);
        }
    }
}

/// `length` bytes that differ from those of another seed.
pub fn content(length: usize, seed: u64) -> Bytes {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes.into()
}
