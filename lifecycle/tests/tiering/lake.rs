//! A bucket of one test.

use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, Random, SystemClock, SystemRandom};
use s3core::gateway::Gateway;
use s3core::http::connection::HttpTransport;
use s3core::ops::{
    CreateBucket, DeleteBucket, DeleteBucketLifecycle, DeleteObject, GetBucketLifecycleConfiguration,
    LifecycleConfiguration, LifecycleRule, ListObjectsV2, PutBucketLifecycleConfiguration, PutObject,
};
use s3core_gateway::Quirks;
use serde_json::Value;

/// What answers a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// The Ceph that `tests/ceph/with-ceph.sh` started.
    Ceph,
    /// The embedded endpoint, one for each test, behaving like Ceph 16.
    Embedded,
}

/// A bucket of one test.
pub(crate) struct Lake {
    pub(crate) gateway: Gateway,
    pub(crate) bucket: String,
    /// Endpoint, access key and secret key.
    access: [String; 3],
    pub(crate) embedded: Option<s3core_gateway::Gateway>,
    directory: tempfile::TempDir,
}

impl Lake {
    pub(crate) async fn at(service: Service) -> Self {
        let embedded = match service {
            Service::Ceph => None,
            Service::Embedded => Some(s3core_gateway::Gateway::builder().quirks(Quirks::Pacific).start().unwrap()),
        };
        let access = match &embedded {
            Some(embedded) => [embedded.endpoint(), embedded.access_key(), embedded.secret_key()].map(str::to_owned),
            None => ["ENDPOINT", "ACCESS_KEY", "SECRET_KEY"].map(|name| variable(&format!("S3CORE_TEST_{name}"))),
        };
        let names = ["endpoint", "access.key", "secret.key"].map(str::to_owned);
        let bucket = format!("tier-{:016x}", SystemRandom.bits() as u64);
        let explicit = names.into_iter().zip(access.clone()).collect();
        let sources = Sources { explicit, hadoop: Vec::new(), environment: &|_| None, home: None };
        let options = Options::resolve(&bucket, &sources).unwrap();
        let transport = Arc::new(HttpTransport::new(options.transport).unwrap());
        let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
        let gateway = Gateway::new(options.gateway, environment);
        gateway.run(CreateBucket::new(&bucket, gateway.settings())).await.unwrap();
        Self { gateway, bucket, access, embedded, directory: tempfile::tempdir().unwrap() }
    }

    pub(crate) async fn put(&self, key: &str, content: &'static str) {
        let put = PutObject::new(&self.bucket, key, Bytes::from_static(content.as_bytes()));
        self.gateway.run(put).await.unwrap();
    }

    /// Saves a policy; BUCKET in it is the bucket.
    pub(crate) fn policy(&self, text: &str) {
        std::fs::write(self.directory.path().join("policy.yaml"), text.replace("BUCKET", &self.bucket)).unwrap();
    }

    /// What `s3life` with these arguments prints, in a process of its own that ends well.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// What it prints as it fails.
    pub(crate) fn refused(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// What it prints for programs.
    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        serde_json::from_str(&self.run(&[&["--output", "json"], arguments].concat())).unwrap()
    }

    fn output(&self, arguments: &[&str]) -> Output {
        let [endpoint, access_key, secret_key] = &self.access;
        Command::new(env!("CARGO_BIN_EXE_s3life"))
            .args(["--endpoint", endpoint.as_str()])
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", access_key)
            .env("AWS_SECRET_ACCESS_KEY", secret_key)
            .output()
            .unwrap()
    }

    /// The bucket's lifecycle rules.
    pub(crate) async fn rules(&self) -> Vec<LifecycleRule> {
        self.gateway.run(GetBucketLifecycleConfiguration::new(&self.bucket)).await.unwrap().rules
    }

    /// Gives the bucket these rules; returns them as the gateway gives them back.
    pub(crate) async fn put_rules(&self, rules: &[&str]) -> Vec<LifecycleRule> {
        let rules = rules.iter().map(|xml| xml.parse().unwrap()).collect();
        let configuration = LifecycleConfiguration { rules, minimum_size: None };
        self.gateway.run(PutBucketLifecycleConfiguration::new(&self.bucket, configuration)).await.unwrap();
        self.rules().await
    }

    /// Gives the gateway time for its rules: Ceph has them carried out every ten seconds.
    pub(crate) async fn let_rules_work(&self) {
        match &self.embedded {
            Some(embedded) => {
                embedded.run_lifecycle();
            }
            None => tokio::time::sleep(Duration::from_secs(1)).await,
        }
    }

    /// Removes the bucket with everything in it: the Ceph of a test run keeps its objects in memory.
    pub(crate) async fn remove(self) {
        self.gateway.run(DeleteBucketLifecycle::new(&self.bucket)).await.unwrap();
        let mut list = ListObjectsV2::new(&self.bucket, "");
        loop {
            let page = self.gateway.run(list.clone()).await.unwrap();
            for object in &page.objects {
                self.gateway.run(DeleteObject::new(&self.bucket, &object.key)).await.unwrap();
            }
            let Some(token) = page.next else { break };
            list.continuation_token = Some(token);
        }
        self.gateway.run(DeleteBucket::new(&self.bucket)).await.unwrap();
    }
}

pub(crate) fn variable(name: &str) -> String {
    std::env::var(name)
        .unwrap_or_else(|_| panic!("{name} is not set: run tests/ceph/with-ceph.sh -- cargo test -p s3life"))
}
