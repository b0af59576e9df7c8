//! A bucket with 200 objects in 20 partitions that are due, and the program.

use std::collections::BTreeMap;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use futures::{StreamExt, stream};
use s3core::ops::{HeadObject, ListObjectsV2, PutBucketVersioning};
use s3core_gateway::{Gateway, Quirks};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::support::{self, Place, Service};

const PARTITIONS: usize = 20;
pub(crate) const FILES: usize = 10;
pub(crate) const OBJECTS: usize = PARTITIONS * FILES;

/// ETag, storage class and SHA-256 of objects, by key.
pub(crate) type Objects = BTreeMap<String, (Option<String>, String, String)>;

/// The bucket and a directory with the policy.
pub(crate) struct Lake {
    pub(crate) place: Place,
    directory: tempfile::TempDir,
}

impl Lake {
    /// On real Ceph.
    pub(crate) async fn new() -> Self {
        Self::settled(Place::at(Service::Ceph).await, PARTITIONS, FILES).await
    }

    /// The same in a bucket that keeps versions, with so many partitions of so many objects.
    pub(crate) async fn with_versions(partitions: usize, files: usize) -> Self {
        let place = Place::at(Service::Ceph).await;
        place.gateway.run(PutBucketVersioning::new(&place.bucket, true)).await.unwrap();
        Self::settled(place, partitions, files).await
    }

    async fn settled(place: Place, partitions: usize, files: usize) -> Self {
        let lake = Self::fill(place, partitions, files).await;
        // What was written just now is not planned.
        tokio::time::sleep(Duration::from_millis(2100)).await;
        lake
    }

    /// On the embedded endpoint; the objects are an hour old.
    pub(crate) async fn embedded() -> Self {
        Self::embedded_as(Quirks::Pacific).await
    }

    /// The same as another release.
    pub(crate) async fn embedded_as(quirks: Quirks) -> Self {
        Self::fill(Place::at(Service::Embedded(quirks)).await, PARTITIONS, FILES).await
    }

    async fn fill(place: Place, partitions: usize, files: usize) -> Self {
        let backdate = |by| place.running.embedded.iter().for_each(|embedded| embedded.set_backdating(by));
        backdate(Duration::from_secs(3600));
        let all = (0..partitions).flat_map(|day| (0..files).map(move |file| (day, file)));
        let puts = all.map(|(day, file)| {
            let name = if file == 0 { "_SUCCESS".to_owned() } else { format!("part-{file}.parquet") };
            let body = support::content(100 * file, (day * files + file) as u64);
            let (place, key) = (&place, key(day, &name));
            async move { place.put(&key, body).await }
        });
        stream::iter(puts).buffer_unordered(64).collect::<Vec<_>>().await;
        backdate(Duration::ZERO);
        let directory = tempfile::tempdir().unwrap();
        let policy = format!(
            "version: 1\ndatasets:\n  - name: events\n    location: s3a://{}/events/\n    settle: 0h\n    \
             guard: {{max_removed: none}}\n    age: {{from: partition, time: \"{{day:%F}}\"}}\n    rules:\n      \
             - {{name: drop, when: {{older_than: 1y}}, then: expire}}\n",
            place.bucket
        );
        std::fs::write(directory.path().join("policy.yaml"), policy).unwrap();
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

    /// Starts it as anybody would, waiting for others that work on the bucket.
    pub(crate) fn start_patiently(&self, arguments: &[&str]) -> Child {
        self.command(arguments).args(["--wait-seconds", "60"]).spawn().unwrap()
    }

    /// Starts it with a lease of so many seconds. After a short one whoever kills or stops it need not wait long for its
    /// successor; where the machine is busy it keeps a longer one.
    pub(crate) fn start(&self, arguments: &[&str], lease: u32) -> Child {
        self.command(arguments).args(["--lease-seconds", &lease.to_string(), "--wait-seconds", "30"]).spawn().unwrap()
    }

    /// Runs it to its end, which is a good one; returns what it printed.
    pub(crate) fn run(&self, arguments: &[&str]) -> Value {
        said(&self.start_patiently(arguments).wait_with_output().unwrap())
    }

    /// The newest lease of the bucket.
    pub(crate) async fn newest_lease(&self) -> Option<String> {
        self.listed(".s3core/life/leases/").await.into_keys().next_back()
    }

    /// The runs so far, the newest first.
    pub(crate) fn history(&self) -> Vec<Value> {
        let output = self.command(&["history", "policy.yaml"]).output().unwrap();
        said(&output).as_array().unwrap().clone()
    }

    /// The one run that has changed something: it has ended, and removed that many objects. Returns its name.
    pub(crate) fn only_run(&self, objects: usize) -> String {
        let history = self.history();
        let mut runs = history.iter().filter(|run| !run["actions"].as_object().unwrap().is_empty());
        let (run, other) = (runs.next().unwrap(), runs.next());
        assert_eq!(other, None, "{history:?}");
        assert_eq!((&run["state"], &run["actions"]["expire"]["objects"]), (&"done".into(), &objects.into()));
        run["run"].as_str().unwrap().to_owned()
    }

    /// The embedded endpoint.
    pub(crate) fn endpoint(&self) -> &Gateway {
        self.place.running.embedded.as_ref().unwrap()
    }

    /// Key, ETag and storage class of all that lies below a prefix; keys without the prefix.
    pub(crate) async fn listed(&self, prefix: &str) -> BTreeMap<String, (Option<String>, String)> {
        let page = self.place.gateway.run(ListObjectsV2::new(&self.place.bucket, prefix)).await.unwrap();
        assert_eq!(page.next, None);
        let class = |class: Option<String>| class.unwrap_or_else(|| "STANDARD".to_owned());
        let objects = page.objects.into_iter();
        objects.map(|found| (found.key[prefix.len()..].to_owned(), (found.etag, class(found.storage_class)))).collect()
    }

    /// Key, ETag, storage class and SHA-256 of all that lies below a prefix; keys without the prefix.
    pub(crate) async fn read(&self, prefix: &str) -> Objects {
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

/// The key of an object in the partition of this number.
fn key(partition: usize, name: &str) -> String {
    let (year, month, day) = (2015 + partition / 336, partition / 28 % 12 + 1, partition % 28 + 1);
    format!("events/day={year}-{month:02}-{day:02}/{name}")
}

/// What a process printed that ended well.
pub(crate) fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}
