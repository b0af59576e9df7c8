//! A bucket with 200 objects in 20 partitions that are due, and the program.

use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use futures::future::join_all;
use s3core::ops::{HeadObject, ListObjectsV2};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{self, Place, Service};

const PARTITIONS: usize = 20;
const FILES: usize = 10;
pub(crate) const OBJECTS: usize = PARTITIONS * FILES;

/// The bucket and a directory with the policy.
pub(crate) struct Lake {
    pub(crate) place: Place,
    directory: tempfile::TempDir,
}

impl Lake {
    pub(crate) async fn new() -> Self {
        let place = Place::at(Service::Ceph).await;
        let files = (0..PARTITIONS).flat_map(|day| (0..FILES).map(move |file| (day, file)));
        let puts = files.map(|(day, file)| {
            let name = if file == 0 { "_SUCCESS".to_owned() } else { format!("part-{file}.parquet") };
            let body = support::content(100 * file, (day * FILES + file) as u64);
            let place = &place;
            async move { place.put(&format!("events/day=2020-01-{:02}/{name}", day + 1), body).await }
        });
        join_all(puts).await;
        let directory = tempfile::tempdir().unwrap();
        let policy = format!(
            "version: 1\ndatasets:\n  - name: events\n    location: s3a://{}/events/\n    settle: 0h\n    \
             guard: {{max_removed: none}}\n    age: {{from: partition, time: \"{{day:%F}}\"}}\n    rules:\n      \
             - {{name: drop, when: {{older_than: 1y}}, then: expire}}\n",
            place.bucket
        );
        std::fs::write(directory.path().join("policy.yaml"), policy).unwrap();
        tokio::time::sleep(Duration::from_millis(2100)).await;
        Self { place, directory }
    }

    /// `s3life` with these arguments, JSON for results.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_s3life"));
        command
            .args(["--output", "json", "--endpoint", &self.place.running.url])
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", &self.place.running.access_key)
            .env("AWS_SECRET_ACCESS_KEY", &self.place.running.secret_key)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts it with a lease of a second: whoever kills or stops it need not wait long for its successor.
    pub(crate) fn start(&self, arguments: &[&str]) -> Child {
        self.command(arguments).args(["--lease-seconds", "1", "--wait-seconds", "30"]).spawn().unwrap()
    }

    /// Starts it as anybody would, waiting for others that work on the bucket.
    pub(crate) fn start_patiently(&self, arguments: &[&str]) -> Child {
        self.command(arguments).args(["--wait-seconds", "60"]).spawn().unwrap()
    }

    /// Runs it to its end, which is a good one; returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        said(&self.start_patiently(arguments).wait_with_output().unwrap())
    }

    /// Whether somebody has the bucket's lease, or had it when they were killed.
    pub(crate) fn is_held(&self) -> bool {
        !said(&self.command(&["status", "policy.yaml"]).output().unwrap())["lease"].is_null()
    }

    /// The runs so far, the newest first.
    pub(crate) fn history(&self) -> Vec<Value> {
        let output = self.command(&["history", "policy.yaml"]).output().unwrap();
        said(&output).as_array().unwrap().clone()
    }

    /// Key, ETag, storage class and SHA-256 of all that lies below a prefix; keys without the prefix.
    pub(crate) async fn read(&self, prefix: &str) -> BTreeMap<String, (Option<String>, String, String)> {
        let mut all = BTreeMap::new();
        let page = self.place.gateway.run(ListObjectsV2::new(&self.place.bucket, prefix)).await.unwrap();
        assert_eq!(page.next, None);
        for object in page.objects {
            let head = self.place.gateway.run(HeadObject::new(&self.place.bucket, &object.key)).await.unwrap();
            let body = self.place.get(&object.key).await;
            // A copy names the class that its source had without naming it.
            let class = head.storage_class.unwrap_or_else(|| "STANDARD".to_owned());
            let sha256 = format!("{:x?}", Sha256::digest(body).as_slice());
            all.insert(object.key[prefix.len()..].to_owned(), (head.etag, class, sha256));
        }
        all
    }
}

/// What a process printed that ended well.
fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
