//! Refusals that no patience helps against.

use std::time::{Duration, Instant};

use s3core::ErrorKind;
use s3core::environment::{Random, SystemRandom};
use s3core::gateway::Gateway;
use s3core::ops::{CreateBucket, DeleteBucket, DeleteObject, HeadObject, ListObjectsV2, PutObject};
use s3core_gateway::Fault;

use crate::support::admin::User;
use crate::support::{EMBEDDED, Place, Service, environment, gateway_settings, keys};
use crate::{files, write};

/// A user of one test with a bucket.
struct Customer {
    user: User,
    gateway: Gateway,
    bucket: String,
}

impl Customer {
    async fn of(place: &Place) -> Self {
        let number = SystemRandom.bits() as u64;
        let name = format!("user{number:016x}");
        let user = User::make(&place.gateway, &name, &name, "secret").await;
        let mut settings = gateway_settings(&place.running);
        settings.credentials = keys(&name, "secret");
        let gateway = Gateway::new(settings, environment());
        gateway.run(CreateBucket::new(&name, gateway.settings())).await.unwrap();
        Self { user, gateway, bucket: name }
    }

    async fn put(&self, key: &str) -> s3core::Result<String> {
        self.gateway.run(PutObject::new(&self.bucket, key, bytes::Bytes::from_static(b"x"))).await
    }

    fn requests(&self) -> u64 {
        self.gateway.statistics().snapshot().values().map(|counts| counts.requests).sum()
    }

    async fn leave(self) {
        for key in ["a", "b"] {
            let _ = self.gateway.run(DeleteObject::new(&self.bucket, key)).await;
        }
        let _ = self.gateway.run(DeleteBucket::new(&self.bucket)).await;
        self.user.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_quota_has_its_own_error_and_is_not_waited_for() {
    let place = Place::at(Service::Ceph).await;
    let customer = Customer::of(&place).await;
    customer.user.limit_objects(1).await;
    customer.put("a").await.unwrap();
    // Radosgw counts a moment later.
    let mut refused = customer.put("b").await;
    for _ in 0..40 {
        if refused.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        refused = customer.put("b").await;
    }
    let before = customer.requests();
    let began = Instant::now();
    let error = customer.put("c").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::QuotaExceeded, "{error:?}");
    assert_eq!(customer.requests() - before, 1);
    assert!(began.elapsed() < Duration::from_secs(5));
    assert!(error.message().contains("quota") && error.kind().row().java.ends_with("PathIOException"), "{error}");
    customer.leave().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_fails_inside_is_asked_as_often_as_the_option_says() {
    let place = Place::at(EMBEDDED).await;
    let files = files(&place, &[("fs.s3a.attempts.maximum", "3")]);
    write(&files, "a", b"x").await.unwrap();
    let fault = place.faults().add(Fault::error(500, "InternalError").operation("HeadObject"));
    let failure = files.gateway().run(HeadObject::new(files.bucket(), "a")).await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Unavailable, "{failure:?}");
    assert_eq!(place.faults().injected_by(fault), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_user_has_its_own_error_and_is_not_waited_for() {
    let place = Place::at(Service::Ceph).await;
    let customer = Customer::of(&place).await;
    customer.put("a").await.unwrap();
    customer.user.suspend(true).await;
    let before = customer.requests();
    let error = customer.gateway.run(ListObjectsV2::new(&customer.bucket, "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UserSuspended, "{error:?}");
    assert_eq!(customer.put("b").await.unwrap_err().kind(), ErrorKind::UserSuspended);
    assert_eq!(customer.requests() - before, 2);
    customer.user.suspend(false).await;
    customer.put("b").await.unwrap();
    customer.leave().await;
}
