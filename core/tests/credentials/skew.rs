//! A machine whose clock is wrong.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;
use rstest::rstest;
use s3core::ErrorKind;
use s3core::environment::{Clock, Environment, SystemClock};
use s3core::gateway::Gateway;
use s3core::ops::{HeadObject, ListObjectsV2, PutObject};
use s3core_gateway::Fault;

use crate::support::{EMBEDDED, Place, Service, environment, gateway_settings};

/// The system's clock, so many seconds off.
pub(crate) struct Wrong(pub(crate) i64);

impl Clock for Wrong {
    fn wall(&self) -> SystemTime {
        let off = Duration::from_secs(self.0.unsigned_abs());
        if self.0 < 0 { SystemTime::now() - off } else { SystemTime::now() + off }
    }

    fn monotonic(&self) -> Instant {
        SystemClock.monotonic()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        SystemClock.sleep(pause)
    }
}

fn client(place: &Place, seconds_off: i64) -> Gateway {
    let environment = Environment { clock: Arc::new(Wrong(seconds_off)), ..environment() };
    Gateway::new(gateway_settings(&place.running), environment)
}

/// Each operation is the first of a new client: one has an answer with a reason, HEAD has none, and a write must not be
/// sent in vain.
#[rstest]
#[case::an_hour_behind(-3600)]
#[case::a_day_ahead(86400)]
#[tokio::test]
async fn the_gateways_clock_is_believed(#[case] seconds_off: i64) {
    let place = Place::at(Service::Ceph).await;
    place.put("a", "x").await;
    let gateway = client(&place, seconds_off);
    assert_eq!(gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap().objects.len(), 1);
    for _ in 0..3 {
        gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap();
    }
    let counts = gateway.statistics().snapshot()["ListObjectsV2"];
    assert_eq!((counts.requests, counts.retries), (5, 1), "the offset is kept");

    let gateway = client(&place, seconds_off);
    assert_eq!(gateway.run(HeadObject::new(&place.bucket, "a")).await.unwrap().length, 1);
    let gateway = client(&place, seconds_off);
    gateway.run(PutObject::new(&place.bucket, "b", bytes::Bytes::from_static(b"new"))).await.unwrap();
    assert_eq!(place.get("b").await, b"new");
}

#[tokio::test]
async fn a_gateway_that_is_never_content_is_an_error() {
    let place = Place::at(EMBEDDED).await;
    let fault = place.faults().add(Fault::error(403, "RequestTimeTooSkewed"));
    let gateway = client(&place, 0);
    let error = gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ClockSkew, "{error:?}");
    assert_eq!(place.faults().injected_by(fault), 2);
}
