//! What no condition prevents: the limit that docs/lifecycle.md names, shown on real Ceph.

use std::time::{Duration, SystemTime};

use futures::StreamExt;
use futures::future::join;
use futures::stream;
use s3core::ErrorKind;
use s3core::ops::{DeleteObject, HeadObject};

use crate::support::{Place, Service};

const KEYS: u64 = 400;
const AT_ONCE: usize = 8;
const ROUNDS: usize = 20;

/// Radosgw answers 200 to a PUT that finds, as it ends, that another request has changed its object since it began, and does
/// nothing then. A DELETE that overlaps with it has looked at its condition before, and both are answered as done. It is seen
/// here without s3life, by two bare requests. Where this fails the gateway has become better, and the docs can say so.
#[tokio::test(flavor = "multi_thread")]
async fn a_put_that_overlaps_with_a_conditional_delete_of_its_key_may_be_lost_by_the_gateway() {
    let place = Place::at(Service::Ceph).await;
    for round in 0..ROUNDS {
        let keys: Vec<String> = (0..KEYS).map(|number| format!("{round}/{number}")).collect();
        stream::iter(&keys).for_each_concurrent(AT_ONCE, async |key| drop(place.put(key, "one").await)).await;
        let written = SystemTime::now();
        tokio::time::sleep(Duration::from_millis(2100)).await;
        let lost = stream::iter(&keys).map(async |key| {
            let pause = |number: usize| Duration::from_millis((number * 7 % 10) as u64);
            let put = async {
                tokio::time::sleep(pause(key.len() + round)).await;
                place.put(key, "another").await;
            };
            let delete = async {
                tokio::time::sleep(pause(round)).await;
                let delete = DeleteObject { unmodified_since: Some(written), ..DeleteObject::new(&place.bucket, key) };
                place.gateway.run(delete).await.is_ok()
            };
            let ((), is_deleted) = join(put, delete).await;
            let found = place.gateway.run(HeadObject::new(&place.bucket, key)).await;
            is_deleted && found.is_err_and(|failure| failure.kind() == ErrorKind::NotFound)
        });
        let lost: Vec<bool> = lost.buffer_unordered(AT_ONCE).collect().await;
        if lost.contains(&true) {
            return;
        }
    }
    panic!("{} pairs of a PUT and a DELETE, and none was lost", KEYS as usize * ROUNDS);
}
