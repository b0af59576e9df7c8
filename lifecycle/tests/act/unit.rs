//! A unit of one test: objects with everything that an object can have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use s3core::Result;
use s3core::config::{Options, Sources};
use s3core::environment::Environment;
use s3core::fs::{FileSystem, WorkPaths};
use s3core::gateway::capabilities::Capability;
use s3core::gateway::retry::RetryPolicy;
use s3core::gateway::{Gateway, GatewaySettings};
use s3core::http::Transport;
use s3core::ops::{
    CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, HeadObject, ListObjectVersions, ListObjectsV2,
    ListedVersion, ObjectAttributes, ObjectHead, PutBucketVersioning, PutObject, UploadPart,
};
use s3core::probe::probe;
use s3core::transfer::budget::MemoryBudget;
use s3life::act::means::remove;
use s3life::act::objects::{Deletion, Objects, Permit, listed};
use s3life::act::restore::put_back;
use s3life::plan::line::{PlannedAction, PlannedObject, Shape};
use s3life::run::Bucket;
use s3life::run::journal::{IntendedObject, IntendedUnit, Means, Outcome};
use s3life::run::keys;
use sha2::{Digest, Sha256};

use crate::support::{self, Place, Service};

/// First letters of the unit's keys.
pub(crate) const PREFIX: &str = "events/day=2024-03-01/";

/// The lease of a test, which is never lost.
pub(crate) struct Held(pub(crate) u64);

impl Permit for Held {
    fn number(&self) -> u64 {
        self.0
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }
}

/// A bucket with one unit in it.
pub(crate) struct Scene {
    pub(crate) place: Place,
    /// The unit's objects, as a plan names them.
    pub(crate) planned: Vec<PlannedObject>,
    /// When the plan was made: what jobs have left before is nobody's.
    pub(crate) created: Timestamp,
    deletion: Deletion,
    /// The versions of the unit's objects, by key, where the bucket keeps versions.
    versions: BTreeMap<String, String>,
}

/// An object with all its properties but the time: two that are equal cannot be told apart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Whole {
    sha256: String,
    etag: Option<String>,
    class: String,
    content_type: Option<String>,
    metadata: BTreeMap<String, String>,
    tags: u32,
}

impl Scene {
    /// Five objects: simple ones in two classes, one that was uploaded in a part, an empty one, and `_SUCCESS`; older than two
    /// seconds. All are small: tests make hundreds of scenes.
    pub(crate) async fn new(service: Service) -> Self {
        Self::fill(Place::at(service).await, &[1000]).await
    }

    /// The same with one that was uploaded in two parts.
    pub(crate) async fn in_two_parts(service: Service) -> Self {
        Self::fill(Place::at(service).await, &[5 << 20, 1000]).await
    }

    /// The same on real Ceph, in a bucket that keeps versions; all objects are simple ones.
    pub(crate) async fn with_versions() -> Self {
        let place = Place::at(Service::Ceph).await;
        place.gateway.run(PutBucketVersioning::new(&place.bucket, true)).await.unwrap();
        let mut scene = Self::fill(place, &[]).await;
        let all = scene.versions().await.into_iter().map(|version| (version.key, version.version_id));
        scene.versions = all.collect();
        scene
    }

    /// The versions and delete markers in the unit.
    pub(crate) async fn versions(&self) -> Vec<ListedVersion> {
        self.place.gateway.run(ListObjectVersions::new(&self.place.bucket, PREFIX)).await.unwrap().versions
    }

    async fn fill(place: Place, parts: &[usize]) -> Self {
        let has = |capability| probe(&place.gateway, &place.bucket, capability);
        let by_etag = has(Capability::ConditionalDelete).await.unwrap();
        let by_time = has(Capability::DeleteIfUnmodifiedSince).await.unwrap();
        let deletion = Deletion { by_etag, by_time };
        let (planned, created, versions) = (Vec::new(), Timestamp::MIN, BTreeMap::new());
        let mut scene = Self { place, planned, created, deletion, versions };
        scene.put("_SUCCESS", b"").await;
        scene.put("empty", b"").await;
        scene.put("part-0 +%.parquet", b"some rows").await;
        scene.put_with("part-1.parquet", b"colder rows", Some("COLD")).await;
        match parts {
            [] => scene.put("part-2.parquet", b"more rows").await,
            parts => scene.put_in_parts("part-2.parquet", parts).await,
        }
        tokio::time::sleep(Duration::from_millis(2100)).await;
        scene.planned = scene.list(PREFIX).await;
        assert_eq!(scene.planned.len(), 5);
        scene
    }

    /// Writes an object of the unit.
    pub(crate) async fn put(&self, name: &str, body: &'static [u8]) {
        self.put_with(name, body, None).await;
    }

    async fn put_with(&self, name: &str, body: &'static [u8], class: Option<&str>) {
        let mut put = PutObject::new(&self.place.bucket, &format!("{PREFIX}{name}"), Bytes::from_static(body));
        put.attributes = ObjectAttributes {
            content_type: Some("application/x-rows".to_owned()),
            storage_class: class.map(str::to_owned),
            metadata: [("owner".to_owned(), "risk".to_owned())].into(),
            ..ObjectAttributes::default()
        };
        self.place.gateway.run(put).await.unwrap();
    }

    async fn put_in_parts(&self, name: &str, lengths: &[usize]) {
        let key = format!("{PREFIX}{name}");
        let id = self.place.gateway.run(CreateMultipartUpload::new(&self.place.bucket, &key)).await.unwrap();
        let (mut parts, mut length) = (Vec::new(), 0);
        for (number, bytes) in (1..).zip(lengths) {
            let body = support::content(*bytes, u64::from(number));
            let part = UploadPart::new(&self.place.bucket, &key, &id, number, body);
            length += part.payload.len();
            parts.push(CompletedPart { number, etag: self.place.gateway.run(part).await.unwrap() });
        }
        self.place
            .gateway
            .run(CompleteMultipartUpload::new(&self.place.bucket, &key, &id, parts, length))
            .await
            .unwrap();
    }

    /// What lies below a prefix.
    pub(crate) async fn list(&self, prefix: &str) -> Vec<PlannedObject> {
        let page = self.place.gateway.run(ListObjectsV2::new(&self.place.bucket, prefix)).await.unwrap();
        assert_eq!(page.next, None);
        page.objects.into_iter().map(listed).collect()
    }

    /// Every object below a prefix, by what is behind it in its key.
    pub(crate) async fn read(&self, prefix: &str) -> BTreeMap<String, Whole> {
        let mut all = BTreeMap::new();
        for object in self.list(prefix).await {
            let head: ObjectHead =
                self.place.gateway.run(HeadObject::new(&self.place.bucket, &object.key)).await.unwrap();
            let body = self.place.get(&object.key).await;
            let whole = Whole {
                sha256: format!("{:x?}", Sha256::digest(body).as_slice()),
                etag: head.etag,
                // A copy names the class that its source had without naming it.
                class: head.storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
                content_type: head.content_type,
                metadata: head.metadata,
                tags: head.tags,
            };
            all.insert(object.key[prefix.len()..].to_owned(), whole);
        }
        all
    }

    /// What the holder of a lease intends.
    pub(crate) fn intent(&self, lease: u64) -> IntendedUnit {
        let intended = |planned: &PlannedObject| IntendedObject {
            planned: planned.clone(),
            trash: Some(keys::trashed("run", lease, &planned.key)),
            former: (1..lease).rev().map(|lease| keys::trashed("run", lease, &planned.key)).collect(),
            version: self.versions.get(&planned.key).cloned(),
            acl: None,
        };
        IntendedUnit {
            dataset: "events".to_owned(),
            prefix: PREFIX.to_owned(),
            shape: Shape::Prefix,
            action: PlannedAction::Expire,
            means: if self.versions.is_empty() { Means::Copies } else { Means::Markers },
            objects: self.planned.iter().map(intended).collect(),
        }
    }

    /// Removes the unit, by a process of its own whose requests go through `transport`.
    pub(crate) async fn remove_by(
        &self,
        transport: Arc<dyn Transport>,
        unit: &IntendedUnit,
        lease: u64,
    ) -> Result<Outcome> {
        let gateway = self.process(transport);
        self.remove_under(&gateway, unit, &Held(lease)).await
    }

    /// The same by a process that may lose the lease.
    pub(crate) async fn remove_under(
        &self,
        gateway: &Gateway,
        unit: &IntendedUnit,
        permit: &dyn Permit,
    ) -> Result<Outcome> {
        let begun_under: Vec<u64> = (1..permit.number()).collect();
        let once = once(gateway);
        Ok(remove(&self.objects(gateway, &once, permit), unit, self.created, &begun_under).await?.outcome)
    }

    /// Puts the unit back in the same way.
    pub(crate) async fn put_back_by(
        &self,
        transport: Arc<dyn Transport>,
        unit: &IntendedUnit,
        lease: u64,
    ) -> Result<Outcome> {
        self.put_back_merging(transport, unit, lease, false).await
    }

    /// The same, also beside what was written since.
    pub(crate) async fn put_back_merging(
        &self,
        transport: Arc<dyn Transport>,
        unit: &IntendedUnit,
        lease: u64,
        merge: bool,
    ) -> Result<Outcome> {
        self.put_back_under(&self.process(transport), unit, &Held(lease), merge).await
    }

    /// The same by a process that may lose the lease.
    pub(crate) async fn put_back_under(
        &self,
        gateway: &Gateway,
        unit: &IntendedUnit,
        permit: &dyn Permit,
        merge: bool,
    ) -> Result<Outcome> {
        let begun_under: Vec<u64> = (1..permit.number()).collect();
        let once = once(gateway);
        let objects = self.objects(gateway, &once, permit);
        put_back(&objects, unit, merge, None, &begun_under).await.map(|back| back.outcome)
    }

    /// Where runs keep their state.
    pub(crate) fn bucket(&self) -> Bucket {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let running = &self.place.running;
        let explicit = vec![
            pair("endpoint", &running.url),
            pair("access.key", &running.access_key),
            pair("secret.key", &running.secret_key),
        ];
        let sources = Sources { explicit, hadoop: Vec::new(), environment: &|_| None, home: None };
        let options = Options::resolve(&self.place.bucket, &sources).unwrap();
        let budget = MemoryBudget::new(64 << 20);
        Bucket::new(FileSystem::new(&options, support::environment(), budget, WorkPaths::new()))
    }

    pub(crate) fn process(&self, transport: Arc<dyn Transport>) -> Gateway {
        let environment = Environment { transport, ..support::environment() };
        Gateway::new(self.place.gateway.settings().clone(), environment)
    }

    pub(crate) fn objects<'a>(
        &'a self,
        gateway: &'a Gateway,
        once: &'a Gateway,
        permit: &'a dyn Permit,
    ) -> Objects<'a> {
        Objects { gateway, once, bucket: &self.place.bucket, permit, deletion: self.deletion, at_once: 1 }
    }

    /// Whether a removal is conditional on the object's time.
    pub(crate) fn removes_by_time(&self) -> bool {
        self.deletion.by_time
    }
}

/// The same gateway, which tries once.
pub(crate) fn once(gateway: &Gateway) -> Gateway {
    let retry = RetryPolicy { patience: Duration::ZERO, brief_attempts: 1, ..RetryPolicy::default() };
    Gateway::new(GatewaySettings { retry, ..gateway.settings().clone() }, gateway.environment().clone())
}

/// The transport of a process that nothing happens to.
pub(crate) fn undisturbed() -> Arc<dyn Transport> {
    support::environment().transport
}
