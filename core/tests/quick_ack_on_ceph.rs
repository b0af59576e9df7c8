//! The gateway's defaults delay small answers until somebody acknowledges their heads: s3core does so at once.
//!
//! A program of its own, so that no other test competes for the processor meanwhile. Run through
//! `tests/ceph/with-ceph.sh`.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

#[path = "transport_on_ceph/client.rs"]
mod client;
mod support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Method;
use http::header::HOST;
use http_body::Body;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use client::Client;
use support::{Place, Service};

const KEY: &str = "small";
/// Linux acknowledges the first segments of a connection at once by itself: these rounds are not measured.
const WARM_UP: usize = 30;
const REQUESTS: usize = 31;
/// Whatever else the machine does makes a round slower, never faster: the fastest one counts.
const ROUNDS: usize = 4;

#[tokio::test]
async fn a_small_object_arrives_at_once_where_delayed_acknowledgements_wait_40_ms() {
    let place = Place::at(Service::Ceph).await;
    let client = Client::of(&place);
    let content = Bytes::from(vec![1; 1000]);
    assert_eq!(client.exchange(Method::PUT, KEY, &[], content.clone()).await.unwrap().0, 200);

    let (mut ours, mut peer) = (Duration::MAX, Duration::MAX);
    for _ in 0..ROUNDS {
        ours = ours.min(median_of_ours(&client, &content).await);
        peer = peer.min(median_of_delayed_acknowledgements(&client, content.len() as u64).await);
    }
    let ratio = peer.as_secs_f64() / ours.as_secs_f64();
    println!(
        "GET of {} bytes, p50: s3core {ours:.2?}, delayed acknowledgements {peer:.2?}, ratio {ratio:.0}",
        content.len()
    );
    assert!(ours < Duration::from_millis(2), "s3core: {ours:?}");
    assert!(ratio > 5.0, "s3core {ours:?}, delayed acknowledgements {peer:?}");
}

async fn median_of_ours(client: &Client, content: &Bytes) -> Duration {
    let mut times = Vec::new();
    for _ in 0..WARM_UP + REQUESTS {
        let request = client.sign(Method::GET, KEY, &[], Bytes::new());
        let start = Instant::now();
        let response = client.send(request).await.unwrap();
        assert_eq!(response.body.collect(1 << 20).await.unwrap(), content);
        times.push(start.elapsed());
    }
    median(times.split_off(WARM_UP))
}

/// The same requests through hyper on a plain tokio stream.
async fn median_of_delayed_acknowledgements(client: &Client, length: u64) -> Duration {
    let endpoint = client.endpoint();
    let stream = TcpStream::connect((endpoint.host.as_str(), endpoint.port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut sender, driver) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let driver = tokio::spawn(driver);
    let mut times = Vec::new();
    for _ in 0..WARM_UP + REQUESTS {
        let signed = client.sign(Method::GET, KEY, &[], Bytes::new());
        let mut request = hyper::Request::get(&signed.path_and_query).body(String::new()).unwrap();
        *request.headers_mut() = signed.headers;
        request.headers_mut().insert(HOST, endpoint.authority().parse().unwrap());
        sender.ready().await.unwrap();
        let start = Instant::now();
        let response = sender.send_request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut body = std::pin::pin!(response.into_body());
        let mut received = 0;
        while let Some(frame) = std::future::poll_fn(|context| body.as_mut().poll_frame(context)).await {
            received += frame.unwrap().into_data().unwrap().len() as u64;
        }
        assert_eq!(received, length);
        times.push(start.elapsed());
    }
    driver.abort();
    median(times.split_off(WARM_UP))
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}
