//! The way through a proxy: a tunnel to endpoints that speak TLS, the whole URL in requests to others (RFC 9110, section
//! 9.3.6; RFC 9112, section 3.2.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::PROXY_AUTHORIZATION;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::failure;
use crate::http::Endpoint;
use crate::{Error, Result};

/// A proxy between here and every endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxySettings {
    /// Where it listens, and whether it speaks TLS itself.
    pub endpoint: Endpoint,
    authorization: Option<HeaderValue>,
}

/// Longest head of an answer to CONNECT.
const LONGEST_HEAD: usize = 16 << 10;

impl ProxySettings {
    /// The proxy at `endpoint`, which wants to know `user` by name and password, or nobody. `None` where these cannot be
    /// a header.
    pub fn new(endpoint: Endpoint, user: Option<(&str, &str)>) -> Option<Self> {
        let authorization = match user {
            None => None,
            Some((name, password)) => {
                let basic = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
                let mut header = HeaderValue::try_from(basic).ok()?;
                header.set_sensitive(true);
                Some(header)
            }
        };
        Some(Self { endpoint, authorization })
    }

    /// Whether requests to `endpoint` are for the proxy to read: they name the endpoint, and who asks.
    pub(super) fn reads_requests_to(&self, endpoint: &Endpoint) -> bool {
        !endpoint.tls
    }

    /// Value of the header `Proxy-Authorization`.
    pub(super) fn authorization(&self) -> Option<&HeaderValue> {
        self.authorization.as_ref()
    }

    /// Asks the proxy at the other end of `stream` for a tunnel to `endpoint`; what follows on `stream` is for the
    /// endpoint.
    ///
    /// # Errors
    /// `AccessDenied` where the proxy does not let this user or this endpoint pass, `Unreachable` where it finds no way,
    /// `WrongProtocol` where it is no proxy.
    pub(super) async fn tunnel<S>(&self, stream: &mut S, endpoint: &Endpoint) -> Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let host = if endpoint.host.contains(':') { format!("[{}]", endpoint.host) } else { endpoint.host.clone() };
        let target = format!("{host}:{}", endpoint.port);
        let mut request = format!("CONNECT {target} HTTP/1.1\r\nhost: {target}\r\n").into_bytes();
        if let Some(authorization) = &self.authorization {
            request.extend_from_slice(PROXY_AUTHORIZATION.as_str().as_bytes());
            request.extend_from_slice(b": ");
            request.extend_from_slice(authorization.as_bytes());
            request.extend_from_slice(b"\r\n");
        }
        request.extend_from_slice(b"\r\n");
        let head = async {
            stream.write_all(&request).await?;
            stream.flush().await?;
            read_head(stream).await
        };
        match head.await.map_err(|cause| failure::no_tunnel(self, endpoint, cause))? {
            Some(200..=299) => Ok(()),
            Some(status) => Err(self.refusal(endpoint, status)),
            None => Err(failure::no_proxy(self)),
        }
    }

    /// What the proxy's own answer with this status means.
    pub(super) fn refusal(&self, endpoint: &Endpoint, status: u16) -> Error {
        failure::refused_by_proxy(self, endpoint, status, self.authorization.is_some())
    }
}

/// The status of an answer, whose head is taken off `stream` to its last byte and no further. `None` where it is no
/// HTTP.
async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<Option<u16>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() == LONGEST_HEAD || !(b"HTTP/1.".starts_with(&head) || head.starts_with(b"HTTP/1.")) {
            return Ok(None);
        }
        head.push(stream.read_u8().await?);
    }
    let status = head.split(|byte| *byte == b' ').nth(1).and_then(|status| std::str::from_utf8(status).ok());
    Ok(status.and_then(|status| status.get(..3)?.parse().ok()))
}
