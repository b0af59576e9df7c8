//! What `benches/lifecycle.sh` does to a bucket of the embedded endpoint, with keys from the environment:
//!
//! - `bucket fill ENDPOINT BUCKET OBJECTS`: objects in 400 day partitions of `events/`;
//! - `bucket move ENDPOINT BUCKET FROM TO`: what it costs at least to move what lies below a prefix: each object is copied and
//!   deleted, without a look at anything.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a tool of benches that fails as it stops")]

use std::sync::Arc;

use bytes::Bytes;
use futures::StreamExt;
use jiff::ToSpan;
use jiff::civil::date;
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemClock, SystemRandom};
use s3core::gateway::Gateway;
use s3core::http::connection::HttpTransport;
use s3core::ops::{CopyObject, DeleteObject, ListObjectsV2, PutObject};

const DAYS: u64 = 400;
/// As many as `s3life apply` has under way: four units with eight requests each.
const AT_ONCE: usize = 32;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["fill", endpoint, bucket, objects] => {
            fill(&gateway(endpoint, bucket), bucket, objects.parse().expect("a number of objects")).await;
        }
        ["move", endpoint, bucket, from, to] => move_all(&gateway(endpoint, bucket), bucket, from, to).await,
        _ => panic!("bucket fill ENDPOINT BUCKET OBJECTS, or bucket move ENDPOINT BUCKET FROM TO"),
    }
}

fn gateway(endpoint: &str, bucket: &str) -> Gateway {
    let explicit = vec![("endpoint".to_owned(), endpoint.to_owned())];
    let environment = |name: &str| std::env::var(name).ok();
    let sources = Sources { explicit, hadoop: Vec::new(), environment: &environment, home: None };
    let options = Options::resolve(bucket, &sources).expect("keys");
    let transport = Arc::new(HttpTransport::new(options.transport.clone()).expect("a transport"));
    let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
    Gateway::new(options.gateway, environment)
}

async fn fill(gateway: &Gateway, bucket: &str, objects: u64) {
    let first = date(2022, 1, 1);
    let puts = futures::stream::iter(0..objects).map(|number| {
        let day = first.checked_add(i64::try_from(number % DAYS).unwrap().days()).unwrap();
        let key = format!("events/day={day}/part-{number:08}-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9.c000.snappy.parquet");
        async move { gateway.run(PutObject::new(bucket, &key, Bytes::from_static(b"x"))).await.expect("a PUT") }
    });
    puts.buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
}

async fn move_all(gateway: &Gateway, bucket: &str, from: &str, to: &str) {
    let mut list = ListObjectsV2::new(bucket, from);
    loop {
        let page = gateway.run(list.clone()).await.expect("a listing");
        let moves = page.objects.into_iter().map(|object| {
            let target = format!("{to}{}", object.key.strip_prefix(from).expect("a key of the listing"));
            async move {
                gateway.run(CopyObject::new(bucket, &object.key, bucket, &target)).await.expect("a copy");
                gateway.run(DeleteObject::new(bucket, &object.key)).await.expect("a removal");
            }
        });
        futures::stream::iter(moves).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
        match page.next {
            Some(token) => list.continuation_token = Some(token),
            None => return,
        }
    }
}
