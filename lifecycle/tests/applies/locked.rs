//! Versions that a lock keeps.

use bytes::Bytes;
use http::{HeaderValue, Method};
use jiff::{Timestamp, ToSpan};
use s3core::gateway::{Exchange, OperationRequest};
use s3core::http::{Payload, Piece, Response};
use s3core::ops::{ListedVersion, PutObject};
use s3core::sign::PayloadHash;
use serde_json::json;

use super::lake::{BODY, Lake, variable};
use super::versions::versions;
use super::{POLICY, apply, json as said, name};

/// Makes a bucket whose versions can be locked.
struct CreateLockingBucket(String);

impl Exchange for CreateLockingBucket {
    type Output = ();

    fn operation(&self) -> &'static str {
        "CreateBucket"
    }

    fn place(&self) -> (&str, &str) {
        (&self.0, "")
    }

    fn request(&mut self) -> s3core::Result<OperationRequest> {
        let mut request = OperationRequest::new(Method::PUT, &self.0, "");
        request.headers.insert("x-amz-bucket-object-lock-enabled", HeaderValue::from_static("true"));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> s3core::Result<()> {
        assert!(response.status.is_success(), "{}", response.status);
        Ok(())
    }
}

/// Lets the lock of a version end earlier.
struct ShortenLock {
    bucket: String,
    version: ListedVersion,
    until: Timestamp,
}

impl Exchange for ShortenLock {
    type Output = ();

    fn operation(&self) -> &'static str {
        "PutObjectRetention"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.version.key)
    }

    fn request(&mut self) -> s3core::Result<OperationRequest> {
        let until = self.until.strftime("%FT%TZ");
        let document =
            format!("<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{until}</RetainUntilDate></Retention>");
        let mut request = OperationRequest::new(Method::PUT, &self.bucket, &self.version.key);
        request.query = vec![("retention", String::new()), ("versionId", self.version.version_id.clone())];
        request.headers.insert("x-amz-bypass-governance-retention", HeaderValue::from_static("true"));
        request.payload = Payload::from_pieces(vec![Piece::Memory(document.into())]);
        request.payload_hash = PayloadHash::Unsigned;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> s3core::Result<()> {
        assert!(response.status.is_success(), "{}", response.status);
        Ok(())
    }
}

/// A partition with an object that is locked for an hour.
async fn with_a_lock(policy: &str) -> Lake {
    let keys = (variable("S3CORE_TEST_ACCESS_KEY"), variable("S3CORE_TEST_SECRET_KEY"));
    let lake = Lake::made_by(&variable("S3CORE_TEST_ENDPOINT"), keys, async |gateway, bucket| {
        gateway.run(CreateLockingBucket(bucket.to_owned())).await.unwrap();
    })
    .await;
    lake.policy(policy);
    let until = Timestamp::now().checked_add(1.hours()).unwrap();
    lake.put_all(["_SUCCESS", "a"].map(|name| format!("events/day=2020-01-01/{name}"))).await;
    let mut put = PutObject::new(&lake.bucket, "events/day=2020-01-01/b", Bytes::from_static(BODY));
    let lock = [("x-amz-object-lock-mode", "GOVERNANCE".to_owned())];
    put.attributes.headers = lock.into();
    put.attributes.headers.insert("x-amz-object-lock-retain-until-date", until.strftime("%FT%TZ").to_string());
    lake.gateway.run(put).await.unwrap();
    lake.rest().await;
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_keeps_a_unit_whole_that_was_to_go_for_good() {
    let policy = POLICY.replace("then: expire", "then: {delete: without_trash}");
    let lake = with_a_lock(&policy).await;
    let before = versions(&lake).await;
    let applied = lake.run(&["--output", "json", "apply", "policy.yaml", "--yes", "--confirm-delete", "events"]);
    let run: serde_json::Value = serde_json::from_str(&applied.out).unwrap();
    assert!(applied.status == 1 && applied.error.contains("1 of 1 unit was left: "), "{applied:?}");
    assert_eq!((&run["actions"], &run["skipped"]), (&json!({}), &json!(1)), "{run}");
    assert!(run["left"][0]["reason"].as_str().unwrap().contains("events/day=2020-01-01/b is locked until"), "{run}");
    assert_eq!(versions(&lake).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_locked_is_told_and_keeps_nothing_else() {
    let lake = with_a_lock(POLICY).await;
    let run = apply(&lake);
    assert_eq!(run["actions"]["expire"]["objects"], 3);
    let purge = || said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]));
    let purged = purge();
    assert_eq!((&purged["objects"], &purged["left"][0]["key"]), (&json!(2), &json!("events/day=2020-01-01/b")));
    assert!(purged["left"][0]["reason"].as_str().unwrap().starts_with("locked until "), "{purged}");
    // Hidden as before.
    assert_eq!((lake.listed("events/").await, versions(&lake).await.len()), (Vec::new(), 2));
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    assert_eq!((&history[0]["state"], &history[0]["skipped"]), (&json!("purging"), &json!(1)));
    let version = versions(&lake).await.into_iter().find(|version| !version.is_delete_marker).unwrap();
    let until = Timestamp::now().checked_add(5.seconds()).unwrap();
    lake.gateway.run(ShortenLock { bucket: lake.bucket.clone(), version, until }).await.unwrap();
    while Timestamp::now() < until {
        lake.rest().await;
    }
    assert_eq!((&purge()["objects"], versions(&lake).await.len()), (&json!(1), 0));
}
