//! What waits for its turn to be sent neither costs a lease nor outlives it.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use s3core::ErrorKind;
use s3core::environment::Environment;
use s3core::ops::{DeleteObject, HeadBucket};
use s3core_gateway::{Fault, Quirks};
use s3life::pace::{Turns, Under};
use s3life::run::Bucket;
use tokio::time::{sleep, timeout};

use crate::support::{Lake, MINUTE, MovedClock, Service, environment, in_some_term, take};

/// Requests a second.
const RATE: u32 = 20;

fn paced(turns: &Turns, world: Environment) -> Environment {
    Environment { transport: turns.through(Arc::clone(&world.transport)), ..world }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_renewed_before_all_that_wait() {
    in_some_term(async |term| {
        let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
        let turns = Turns::new(RATE);
        let bucket = lake.client_in(paced(&turns, environment()));
        let lease = take(&bucket, 1, term).await?;
        let _under = turns.work_under(lease.clone());
        let look = |_| {
            let gateway = bucket.gateway().clone();
            let head = HeadBucket::new(&lake.name);
            tokio::spawn(async move { gateway.run(head).await })
        };
        // As many as leave in four terms.
        let waiting: Vec<_> = (0..4 * term.as_secs() * u64::from(RATE)).map(look).collect();
        sleep(term * 3 / 2).await;
        let kept = lease.check();
        assert!(!waiting.iter().all(|waiting| waiting.is_finished()));
        waiting.iter().for_each(|waiting| waiting.abort());
        Ok(kept?)
    })
    .await;
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
    let heads = (0..5).map(|_| bucket.gateway().run(HeadBucket::new(&lake.name)).boxed());
    let mut before: Vec<_> = heads.collect();
    // Nobody goes on with the one that is next, so that all who came after it wait.
    for head in &mut before {
        assert!(futures::poll!(head).is_pending());
    }
    let mut delete = bucket.gateway().run(DeleteObject::new(&lake.name, "kept")).boxed();
    assert!(futures::poll!(&mut delete).is_pending());
    clock.put_ahead(MINUTE);
    drop(before);
    let failure = delete.await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Interrupted, "{failure}");
    assert_eq!(lake.bucket.keys("kept").await.unwrap(), ["kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_needs_the_lease_still() {
    let (lake, bucket, clock, _under) = under_a_lease().await;
    lake.embedded().faults().add(Fault::slow_down().operation("DeleteObject").key_prefix("kept").nth(1));
    let delete = || bucket.gateway().run(DeleteObject::new(&lake.name, "kept")).boxed();
    let tried = || {
        let log = lake.embedded().requests();
        let deletes = log.into_iter().filter(|request| request.method == "DELETE" && request.key == "kept");
        deletes.map(|request| request.status).collect::<Vec<_>>()
    };
    let mut deletes = delete();
    while tried() != [503] {
        // It goes on only here.
        assert!(timeout(Duration::from_millis(10), &mut deletes).await.is_err());
    }
    clock.put_ahead(MINUTE);
    // Sent again, and by whoever did not ask.
    for deletes in [deletes, delete()] {
        let failure = deletes.await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::Interrupted, "{failure}");
    }
    assert_eq!((tried(), lake.bucket.keys("kept").await.unwrap()), (vec![503], vec!["kept".to_owned()]));
}
