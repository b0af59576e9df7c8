//! Requests, answers and the transport that carries them.
//!
//! The seam is [`Transport`]: one request to one endpoint, one answer, no retries, no S3. [`connection`] holds the
//! real one (hyper, rustls, TCP_QUICKACK).

pub mod connection;
pub mod payload;

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{Stream, StreamExt};
use http::{HeaderMap, Method, StatusCode};
use time::PrimitiveDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

pub use payload::{Payload, PayloadBody, Piece};

use crate::Result;

/// Carries one request to an endpoint and brings back the head of the answer and its body.
///
/// Errors are of the kinds `Unreachable`, `UnknownHost`, `TimedOut`, `Disconnected`, `UntrustedCertificate` and
/// `WrongProtocol`. A request that provably never left may be put on a second connection inside the transport (a
/// pooled connection that the gateway had closed meanwhile); nothing else is repeated here.
pub trait Transport: Send + Sync {
    /// Sends `request` to `endpoint`.
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>>;

    /// The same, past any proxy: to services of this machine or its platform.
    fn send_directly(
        &self,
        endpoint: &Endpoint,
        request: Request,
        limits: Limits,
    ) -> BoxFuture<'static, Result<Response>> {
        self.send(endpoint, request, limits)
    }
}

/// One signed request.
#[derive(Debug, Clone)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Percent-encoded path and query, beginning with a slash.
    pub path_and_query: String,
    /// Every header but `host` and `content-length`, which the transport adds (`host` is [`Endpoint::authority`]).
    pub headers: HeaderMap,
    /// The body.
    pub payload: Payload,
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Name lookup, TCP connect and TLS handshake together.
    pub connect: Duration,
    /// From the last byte of the request to the head of the answer.
    pub answer: Duration,
    /// Longest pause inside a body, in both directions.
    pub idle: Duration,
}

/// Head and body of an answer.
pub struct Response {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, not yet read.
    pub body: ResponseBody,
}

impl Response {
    /// A header as text; `None` where it is absent or not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// A header that holds a date, in whole seconds.
    pub fn date(&self, name: &str) -> Option<SystemTime> {
        date(self.header(name)?)
    }
}

const HTTP_DATE: &[BorrowedFormatItem<'static>] = format_description!(
    "[weekday repr:short], [day padding:zero] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

fn date(text: &str) -> Option<SystemTime> {
    PrimitiveDateTime::parse(text.trim(), HTTP_DATE).ok().map(|date| date.assume_utc().into())
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response").field("status", &self.status).field("headers", &self.headers).finish_non_exhaustive()
    }
}

/// A body as it arrives. Dropping it unread gives the connection up.
pub struct ResponseBody {
    frames: Pin<Box<dyn Stream<Item = Result<Bytes>> + Send>>,
}

impl ResponseBody {
    /// A body of these frames.
    pub fn new(frames: impl Stream<Item = Result<Bytes>> + Send + 'static) -> Self {
        Self { frames: Box::pin(frames) }
    }

    /// The next bytes, or `None` at the end. Fails with `Disconnected` or `TimedOut`.
    pub async fn next(&mut self) -> Option<Result<Bytes>> {
        self.frames.next().await
    }

    /// The whole body, when it holds at most `limit` bytes.
    ///
    /// # Errors
    /// `Corrupted` above the limit, besides the transport's.
    pub async fn collect(mut self, limit: usize) -> Result<Bytes> {
        let mut all = Vec::new();
        while let Some(frame) = self.next().await {
            let frame = frame?;
            if all.len() + frame.len() > limit {
                return Err(crate::Error::new(
                    crate::ErrorKind::Corrupted,
                    format!("the answer is longer than {limit} bytes, which no answer of this operation is"),
                ));
            }
            all.extend_from_slice(&frame);
        }
        Ok(all.into())
    }
}

/// Scheme, host and port of a gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// Whether TLS is spoken.
    pub tls: bool,
    /// Host name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

impl Endpoint {
    /// `host` or `host:port` as it stands in the `host` header: the port is left out where it is the scheme's own.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == (if self.tls { 443 } else { 80 }) { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", if self.tls { "https" } else { "http" }, self.authority())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_whole_seconds() {
        let wanted = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_158_400);
        assert_eq!(date("Fri, 14 Nov 2025 22:13:20 GMT"), Some(wanted));
        assert_eq!(date("yesterday"), None);
    }
}
