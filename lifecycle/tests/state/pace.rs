//! What waits for its turn to be sent neither costs a lease nor outlives it.

use std::sync::Arc;
use std::time::Duration;

use s3core::ErrorKind;
use s3core::environment::Environment;
use s3core::ops::{DeleteObject, HeadBucket};
use s3core_gateway::{Fault, Quirks};
use s3life::pace::{Turns, Under};
use s3life::run::Bucket;
use tokio::time::sleep;

use crate::support::{Lake, MINUTE, MovedClock, Service, environment, take};

fn paced(turns: &Turns, world: Environment) -> Environment {
    Environment { transport: turns.through(Arc::clone(&world.transport)), ..world }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_before_all_that_wait() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let turns = Turns::new(20);
    let bucket = lake.client_in(paced(&turns, environment()));
    let lease = take(&bucket, 1, Duration::from_secs(2)).await.unwrap();
    let _under = turns.work_under(lease.clone());
    let look = |_| {
        let gateway = bucket.gateway().clone();
        let head = HeadBucket::new(&lake.name);
        tokio::spawn(async move { gateway.run(head).await })
    };
    // Five seconds of them.
    let waiting: Vec<_> = (0..100).map(look).collect();
    sleep(Duration::from_secs(4)).await;
    lease.check().unwrap();
    assert!(!waiting.iter().all(|waiting| waiting.is_finished()));
    waiting.iter().for_each(|waiting| waiting.abort());
}

/// A bucket with an object, a client that has a turn each second and works under a lease, and the clock that the lease goes by.
async fn under_a_lease() -> (Lake, Bucket, Arc<MovedClock>, Under) {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    lake.put("kept", "text").await;
    let clock = Arc::new(MovedClock::default());
    let world = Environment { clock: Arc::clone(&clock) as _, ..environment() };
    let lease = take(&lake.client_in(world), 1, MINUTE).await.unwrap();
    let turns = Turns::new(1);
    let bucket = lake.client_in(paced(&turns, environment()));
    let under = turns.work_under(lease);
    (lake, bucket, clock, under)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waited_longer_than_its_lease_is_not_sent() {
    let (lake, bucket, clock, _under) = under_a_lease().await;
    bucket.gateway().run(HeadBucket::new(&lake.name)).await.unwrap();
    let gateway = bucket.gateway().clone();
    let delete = DeleteObject::new(&lake.name, "kept");
    let waiting = tokio::spawn(async move { gateway.run(delete).await });
    sleep(Duration::from_millis(300)).await;
    clock.put_ahead(MINUTE);
    let failure = waiting.await.unwrap().unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Interrupted, "{failure}");
    assert_eq!(lake.bucket.keys("kept").await.unwrap(), ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_needs_the_lease_still() {
    let (lake, bucket, clock, _under) = under_a_lease().await;
    lake.embedded().faults().add(Fault::slow_down().operation("DeleteObject").key_prefix("kept").nth(1));
    let delete = || {
        let (gateway, delete) = (bucket.gateway().clone(), DeleteObject::new(&lake.name, "kept"));
        tokio::spawn(async move { gateway.run(delete).await })
    };
    let tried = || {
        let log = lake.embedded().requests();
        let deletes = log.into_iter().filter(|request| request.method == "DELETE" && request.key == "kept");
        deletes.map(|request| request.status).collect::<Vec<_>>()
    };
    let deletes = delete();
    while tried() != [503] {
        sleep(Duration::from_millis(10)).await;
    }
    clock.put_ahead(MINUTE);
    // Sent again, and by whoever did not ask.
    for deletes in [deletes, delete()] {
        let failure = deletes.await.unwrap().unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Interrupted, "{failure}");
    }
    assert_eq!((tried(), lake.bucket.keys("kept").await.unwrap()), (vec![503], vec!["kept".to_owned()]));
}
