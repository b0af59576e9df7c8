//! What `benches/lifecycle.sh` needs beside `s3life`, with keys from the environment:
//!
//! - `bucket serve PORT BUCKET OBJECTS`: an embedded endpoint with objects in 400 day partitions of `events/`, a day old, until it is
//!   killed; it prints its endpoint when they are there;
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

use futures::StreamExt;
use jiff::ToSpan;
use jiff::civil::date;
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemClock, SystemRandom};
use s3core::gateway::Gateway;
use s3core::http::connection::HttpTransport;
use s3core::ops::{CopyObject, DeleteObject, ListObjectsV2};

const DAYS: u64 = 400;
/// As many as `s3life apply` has under way: four units with eight requests each.
const AT_ONCE: usize = 32;

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", port, bucket, objects] => {
            let port = port.parse().expect("a port");
            let endpoint = serve(port, bucket, objects.parse().expect("a number of objects"));
            println!("{}", endpoint.endpoint());
            std::future::pending::<()>().await;
        }
        ["move", endpoint, bucket, from, to] => move_all(&gateway(endpoint, bucket), bucket, from, to).await,
        _ => panic!("bucket serve PORT BUCKET OBJECTS, or bucket move ENDPOINT BUCKET FROM TO"),
    }
}

fn serve(port: u16, bucket: &str, objects: u64) -> s3core_gateway::Gateway {
    let key = |name| std::env::var(name).expect(name);
    let (access_key, secret_key) = (key("AWS_ACCESS_KEY_ID"), key("AWS_SECRET_ACCESS_KEY"));
    let builder = s3core_gateway::Gateway::builder().port(port).keys(&access_key, &secret_key);
    let endpoint = builder.bucket(bucket).request_log(0).start().expect("an endpoint");
    endpoint.set_backdating(Duration::from_secs(86_400));
    let first = date(2022, 1, 1);
    let keys = (0..objects).map(|number| {
        let day = first.checked_add(i64::try_from(number % DAYS).unwrap().days()).unwrap();
        format!("events/day={day}/part-{number:08}-0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9.c000.snappy.parquet")
    });
    endpoint.seed(bucket, b"x", keys).expect("objects");
    endpoint.set_backdating(Duration::ZERO);
    endpoint
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
