//! Fills a bucket of the embedded endpoint for `benches/plan.sh`: `fill ENDPOINT BUCKET OBJECTS`, with keys from the
//! environment. The objects lie in 400 day partitions of `events/`.

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
use s3core::ops::PutObject;

const DAYS: u64 = 400;
const AT_ONCE: usize = 32;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let [_, endpoint, bucket, objects] = arguments.as_slice() else { panic!("fill ENDPOINT BUCKET OBJECTS") };
    let objects: u64 = objects.parse().expect("a number of objects");
    let explicit = vec![("endpoint".to_owned(), endpoint.clone())];
    let environment = |name: &str| std::env::var(name).ok();
    let sources = Sources { explicit, hadoop: Vec::new(), environment: &environment, home: None };
    let options = Options::resolve(bucket, &sources).expect("keys");
    let transport = Arc::new(HttpTransport::new(options.transport.clone()).expect("a transport"));
    let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
    let gateway = Gateway::new(options.gateway, environment);
    let first = date(2022, 1, 1);
    let puts = futures::stream::iter(0..objects).map(|number| {
        let gateway = gateway.clone();
        let day = first.checked_add(i64::try_from(number % DAYS).unwrap().days()).unwrap();
        let key = format!("events/day={day}/part-{number:08}-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9.c000.snappy.parquet");
        async move { gateway.run(PutObject::new(bucket, &key, Bytes::from_static(b"x"))).await.expect("a PUT") }
    });
    puts.buffer_unordered(AT_ONCE).for_each(|_| async {}).await;
}
