//! What may come between two requests of a process that replaces a document in a bucket that keeps versions.

use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use rstest::rstest;
use s3core::environment::Environment;
use s3core::ops::ListObjectVersions;
use s3life::run::{Bucket, StateError};
use tokio::sync::Notify;

use crate::interposed::{Fate, Interposed};
use crate::support::{Lake, MortalTransport, Service, environment};

/// Adds one to the number in a document as often as it takes to be heard.
async fn add_one(bucket: &Bucket, key: &str) {
    loop {
        let (count, id) = bucket.get_json::<u32>(key).await.unwrap().unwrap();
        match bucket.replace_json(key, &(count + 1), &id).await {
            Ok(_) => return,
            Err(StateError::Replaced { .. }) => {}
            Err(other) => panic!("{other:?}"),
        }
    }
}

/// A document of which 0 has been replaced by 1, whose writer died so early that 0 is still there.
async fn untidy(lake: &Lake, key: &str) {
    lake.bucket.create_json(key, &0_u32).await.unwrap();
    for requests in 0.. {
        let world = environment();
        let death = Arc::new(Notify::new());
        let left = AtomicI64::new(requests);
        let transport =
            MortalTransport { inner: world.transport.clone(), left, last_is_sent: true, death: Arc::clone(&death) };
        let mortal = lake.client_in(Environment { transport: Arc::new(transport), ..world });
        tokio::select! {
            () = add_one(&mortal, key) => panic!("it did not die"),
            () = death.notified() => {}
        }
        if versions(lake, key).await == 2 {
            return;
        }
    }
}

async fn versions(lake: &Lake, key: &str) -> usize {
    lake.bucket.gateway().run(ListObjectVersions::new(&lake.name, key)).await.unwrap().versions.len()
}

/// Others replace the document, once or more often, before any one of the requests.
#[rstest]
#[case::once(1)]
#[case::three_times(3)]
#[tokio::test(flavor = "multi_thread")]
async fn whatever_comes_between_two_requests_each_is_heard_once(#[case] times: u32) {
    let lake = Lake::at(Service::Versions).await;
    let mut interrupted = 0;
    loop {
        let key = format!(".s3core/life/count-{interrupted}.json");
        untidy(&lake, &key).await;
        let other = lake.client();
        let others_key = key.clone();
        let others = Box::pin(async move {
            for _ in 0..times {
                add_one(&other, &others_key).await;
            }
        });
        let by: Arc<Mutex<Option<BoxFuture<'static, ()>>>> = Arc::new(Mutex::new(Some(others)));
        let world = environment();
        let before = Arc::clone(&by);
        let transport = Interposed::new(world.transport.clone(), move |number, _| {
            let others = (number == interrupted).then(|| before.lock().unwrap().take()).flatten();
            async move {
                if let Some(others) = others {
                    others.await;
                }
                Fate::Sent
            }
            .boxed()
        });
        let writer = lake.client_in(Environment { transport: Arc::new(transport), ..world });
        add_one(&writer, &key).await;
        if by.lock().unwrap().is_some() {
            break;
        }
        let (count, _) = lake.bucket.get_json::<u32>(&key).await.unwrap().unwrap();
        assert_eq!(count, 2 + times, "interrupted before request {interrupted}");
        assert_eq!(versions(&lake, &key).await, 1, "what is replaced stays: before request {interrupted}");
        interrupted += 1;
    }
    assert!(interrupted > 8, "{interrupted} requests");
}
