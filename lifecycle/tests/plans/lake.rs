//! A bucket of one test, and what a plan says of it.

#[allow(unreachable_pub, reason = "core's tests have it in a module that is public")]
#[path = "../../../core/tests/support/admin.rs"]
pub(crate) mod admin;
#[path = "../../../core/tests/support/cleanup.rs"]
pub(crate) mod cleanup;

use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, Random, SystemClock, SystemRandom};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::gateway::Gateway;
use s3core::http::connection::{HttpTransport, TransportSettings};
use s3core::ops::{CreateBucket, ListObjectsV2, ListedObject, PutObject};
use s3core::transfer::budget::MemoryBudget;
use s3life::run::Bucket;
use serde_json::Value;

/// Every object's.
pub(crate) const BODY: &[u8] = b"ten bytes.";

pub(crate) struct Lake {
    pub(crate) bucket: String,
    pub(crate) gateway: Gateway,
    /// The same bucket as the keeper of state.
    pub(crate) state: Bucket,
    endpoint: String,
    keys: (String, String),
    directory: tempfile::TempDir,
    is_embedded: bool,
}

/// What the program said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: i32,
    pub(crate) out: String,
    pub(crate) error: String,
}

impl Lake {
    /// On real Ceph.
    pub(crate) async fn new() -> Self {
        let keys = (variable("S3CORE_TEST_ACCESS_KEY"), variable("S3CORE_TEST_SECRET_KEY"));
        Self::at(&variable("S3CORE_TEST_ENDPOINT"), keys).await
    }

    /// On the embedded endpoint.
    pub(crate) async fn embedded(endpoint: &s3core_gateway::Gateway) -> Self {
        let keys = (endpoint.access_key().to_owned(), endpoint.secret_key().to_owned());
        let mut lake = Self::at(endpoint.endpoint(), keys).await;
        lake.is_embedded = true;
        lake
    }

    async fn at(endpoint: &str, keys: (String, String)) -> Self {
        Self::made_by(endpoint, keys, async |gateway, bucket| {
            gateway.run(CreateBucket::new(bucket, gateway.settings())).await.unwrap();
        })
        .await
    }

    /// In a bucket that the test makes.
    pub(crate) async fn made_by(
        endpoint: &str,
        keys: (String, String),
        make: impl AsyncFnOnce(&Gateway, &str),
    ) -> Self {
        let bucket = format!("plan-{:016x}", SystemRandom.bits() as u64);
        let pair = |option: &str, value: &str| (option.to_owned(), value.to_owned());
        let explicit = vec![pair("endpoint", endpoint), pair("access.key", &keys.0), pair("secret.key", &keys.1)];
        let sources = Sources { explicit, hadoop: Vec::new(), environment: &|_| None, home: None };
        let options = Options::resolve(&bucket, &sources).unwrap();
        let files = FileSystem::new(&options, environment(), MemoryBudget::new(64 << 20), WorkPaths::new());
        let gateway = files.gateway().clone();
        make(&gateway, &bucket).await;
        let directory = tempfile::tempdir().unwrap();
        let state = Bucket::new(files);
        Self { bucket, gateway, state, endpoint: endpoint.to_owned(), keys, directory, is_embedded: false }
    }

    pub(crate) async fn put(&self, key: &str) {
        self.put_in(key, None).await;
    }

    pub(crate) async fn put_in(&self, key: &str, class: Option<&str>) {
        let mut put = PutObject::new(&self.bucket, key, bytes::Bytes::from_static(BODY));
        put.attributes.storage_class = class.map(str::to_owned);
        self.gateway.run(put).await.unwrap();
    }

    pub(crate) async fn put_all<T: AsRef<str>>(&self, keys: impl IntoIterator<Item = T>) {
        let puts = futures::stream::iter(keys).map(|key| async move { self.put(key.as_ref()).await });
        puts.buffer_unordered(16).collect::<Vec<()>>().await;
    }

    /// Waits until nothing counts as just written.
    pub(crate) async fn rest(&self) {
        tokio::time::sleep(Duration::from_secs(3)).await;
    }

    pub(crate) async fn listed(&self, prefix: &str) -> Vec<ListedObject> {
        self.gateway.run(ListObjectsV2::new(&self.bucket, prefix)).await.unwrap().objects
    }

    /// When the newest of these was written.
    pub(crate) async fn newest(&self, prefix: &str) -> Timestamp {
        let listed = self.listed(prefix).await;
        listed.iter().map(|object| Timestamp::try_from(object.modified.unwrap()).unwrap()).max().unwrap()
    }

    /// Saves a policy; BUCKET in it is the bucket.
    pub(crate) fn policy(&self, text: &str) {
        std::fs::write(self.path("policy.yaml"), text.replace("BUCKET", &self.bucket)).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// `s3life plan policy.yaml`, with these arguments behind it.
    pub(crate) fn plan(&self, arguments: &[&str]) -> Said {
        self.run(&[&["plan", "policy.yaml"], arguments].concat())
    }

    /// `s3life` with these arguments.
    pub(crate) fn run(&self, arguments: &[&str]) -> Said {
        self.run_with(&self.keys, arguments)
    }

    /// The same by somebody else.
    pub(crate) fn run_with(&self, keys: &(String, String), arguments: &[&str]) -> Said {
        let output = self.command_with(keys, arguments).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Said { status: output.status.code().unwrap(), out: text(output.stdout), error: text(output.stderr) }
    }

    /// The same, which the caller starts.
    #[allow(dead_code, reason = "not every test program starts it")]
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        self.command_with(&self.keys, arguments)
    }

    fn command_with(&self, (access_key, secret_key): &(String, String), arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s3life"));
        command
            .args(["--endpoint", &self.endpoint])
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", access_key)
            .env("AWS_SECRET_ACCESS_KEY", secret_key);
        command
    }

    /// The plan for a moment, as programs read it.
    pub(crate) fn planned(&self, now: &str) -> Value {
        let said = self.plan(&["--output", "json", "--now", now]);
        assert!(said.status == 0 && said.error.is_empty(), "{said:?}");
        serde_json::from_str(&said.out).unwrap()
    }
}

impl Drop for Lake {
    fn drop(&mut self) {
        if !self.is_embedded {
            cleanup::remove(self.gateway.settings().clone(), environment(), &self.bucket);
        }
    }
}

/// System clock and randomness, and connections of its own.
pub(crate) fn environment() -> Environment {
    let transport = Arc::new(HttpTransport::new(TransportSettings::default()).unwrap());
    Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport }
}

/// The prefixes of the units that a rule does something with, in the plan's order.
pub(crate) fn units(plan: &Value, rule: &str) -> Vec<String> {
    let units = plan["units"].as_array().unwrap().iter().filter(|unit| unit["rule"] == rule);
    units.map(|unit| unit["prefix"].as_str().unwrap().to_owned()).collect()
}

/// The last line's summary of the first dataset.
pub(crate) fn summary(plan: &Value) -> &Value {
    &plan["end"]["datasets"][0]
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/ceph/with-ceph.sh -- cargo test -p s3life"))
}
