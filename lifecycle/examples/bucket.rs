//! What `benches/lifecycle.sh` needs beside `s3life`, with keys from the environment:
//!
//! - `bucket serve BUCKET OBJECTS`: an embedded endpoint with objects in 400 day partitions of `events/`, a day old, until its input
//!   ends. It prints its URL when they are there, and for each line that it reads the number of requests since the last one;
//! - `bucket fill ENDPOINT BUCKET OBJECTS`: the same objects for another endpoint;
//! - `bucket move ENDPOINT BUCKET FROM TO`: what it costs at least to move what lies below a prefix: each object is copied and
//!   deleted, without a look at anything.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool of benches that fails as it stops"
)]

use std::sync::Arc;
use std::time::Duration;

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
        ["serve", bucket, objects] => serve(bucket, number(objects)),
        ["fill", endpoint, bucket, objects] => fill(&gateway(endpoint, bucket), bucket, number(objects)).await,
        ["move", endpoint, bucket, from, to] => move_all(&gateway(endpoint, bucket), bucket, from, to).await,
        _ => panic!("bucket serve BUCKET OBJECTS, fill ENDPOINT BUCKET OBJECTS, or move ENDPOINT BUCKET FROM TO"),
    }
}

fn number(text: &str) -> u64 {
    text.parse().expect("a number of objects")
}

fn serve(bucket: &str, objects: u64) {
    let key = |name| std::env::var(name).expect(name);
    let builder = s3core_gateway::Gateway::builder().keys(&key("AWS_ACCESS_KEY_ID"), &key("AWS_SECRET_ACCESS_KEY"));
    let endpoint = builder.bucket(bucket).request_log(0).start().expect("an endpoint");
    endpoint.set_backdating(Duration::from_secs(86_400));
    endpoint.seed(bucket, b"x", keys(objects)).expect("objects");
    endpoint.set_backdating(Duration::ZERO);
    println!("{}", endpoint.endpoint());
    for _ in std::io::stdin().lines() {
        println!("{}", endpoint.request_counts().values().sum::<u64>());
        endpoint.reset_requests();
    }
}

async fn fill(gateway: &Gateway, bucket: &str, objects: u64) {
    let puts = keys(objects).map(|key| async move {
        gateway.run(PutObject::new(bucket, &key, Bytes::from_static(b"x"))).await.expect("a PUT");
    });
    futures::stream::iter(puts).buffer_unordered(AT_ONCE).for_each(|()| async {}).await;
}

fn keys(objects: u64) -> impl Iterator<Item = String> {
    let first = date(2022, 1, 1);
    (0..objects).map(move |number| {
        let day = first.checked_add(i64::try_from(number % DAYS).unwrap().days()).unwrap();
        format!("events/day={day}/part-{number:08}-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9.c000.snappy.parquet")
    })
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
