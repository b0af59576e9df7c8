//! The real transport against local servers that do exactly what a test says.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod failures;
mod framing;
mod proxies;
#[path = "../support/proxy.rs"]
mod proxy;
#[cfg(target_os = "linux")]
mod quick_ack;
mod reuse;
mod server;
mod tls;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method};
use s3core::http::connection::TrustSettings;
use s3core::http::connection::{HttpTransport, TransportSettings};
use s3core::http::payload::Piece;
use s3core::http::{Endpoint, Limits, Payload, Request, Response, Transport};

/// A limit that a test waits out.
const SHORT: Duration = Duration::from_millis(300);
/// Far more than anything here takes: a test that gets here hangs.
const LONG: Duration = Duration::from_secs(20);

const PATIENT: Limits = Limits { connect: LONG, answer: LONG, idle: LONG };

fn transport() -> HttpTransport {
    transport_with(TransportSettings { trust: no_trust(), ..TransportSettings::default() })
}

fn transport_with(settings: TransportSettings) -> HttpTransport {
    HttpTransport::new(settings).unwrap()
}

fn no_trust() -> TrustSettings {
    TrustSettings { ca_file: None, additional: Vec::new(), use_system_store: false }
}

fn request(method: Method, payload: Payload) -> Request {
    Request { method, path_and_query: "/bucket/key?x=1".into(), headers: HeaderMap::new(), payload }
}

fn get() -> Request {
    request(Method::GET, Payload::empty())
}

/// A PUT of one piece of `length` bytes.
fn put(length: usize) -> Request {
    request(Method::PUT, Payload::from_pieces(vec![Piece::Memory(Bytes::from(vec![7; length]))]))
}

/// Sends and fails the test where that hangs.
async fn send(
    transport: &HttpTransport,
    endpoint: &Endpoint,
    request: Request,
    limits: Limits,
) -> s3core::Result<Response> {
    tokio::time::timeout(LONG, transport.send(endpoint, request, limits)).await.expect("the request hangs")
}

/// Reads a body to its end.
async fn read(response: Response) -> s3core::Result<Vec<u8>> {
    let mut body = response.body;
    let mut all = Vec::new();
    while let Some(frame) = tokio::time::timeout(LONG, body.next()).await.expect("the body hangs") {
        all.extend_from_slice(&frame?);
    }
    Ok(all)
}
