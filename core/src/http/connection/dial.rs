//! Opens connections: name lookup, TCP, TLS, HTTP.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt};
use rustls::pki_types::ServerName;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::TrustSettings;
use super::failure;
use super::http1::Connection;
use super::proxy::ProxySettings;
use super::quick_ack::QuickAckStream;
use super::trust::Trust;
use crate::Result;
use crate::http::Endpoint;

/// How long one address may take before the next is tried beside it (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// First probe of an unused or waiting connection, and the pause between probes: routers between forget connections
/// that are silent, and a CompleteMultipartUpload may take minutes.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// A port that speaks TLS answers the first message of a handshake at once, and an error message waits for it.
const PROBE_LIMIT: Duration = Duration::from_secs(2);

/// Opens connections.
pub(super) struct Dialer {
    trust: Trust,
}

/// What a TLS session is made with.
type Tls = (TlsConnector, ServerName<'static>);

/// What a connection is waiting for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stage {
    Lookup,
    Connect,
    /// Everything until the proxy has opened the way.
    Proxy,
    Handshake,
}

impl Dialer {
    pub(super) fn new(settings: &TrustSettings) -> Result<Self> {
        Ok(Self { trust: Trust::new(settings)? })
    }

    /// Opens a connection within `limit`, through a proxy where there is one.
    pub(super) async fn dial(
        &self,
        endpoint: &Endpoint,
        proxy: Option<&ProxySettings>,
        limit: Duration,
    ) -> Result<Connection> {
        let mut stage = Stage::Lookup;
        let opened = async {
            match proxy {
                None => self.open(endpoint, &mut stage).await,
                Some(proxy) => self.open_through(proxy, endpoint, &mut stage).await,
            }
        };
        match timeout(limit, opened).await {
            Ok(outcome) => outcome,
            Err(_) => Err(failure::connect_timed_out(endpoint, stage, limit)),
        }
    }

    async fn open(&self, endpoint: &Endpoint, stage: &mut Stage) -> Result<Connection> {
        // Before any connection: without certificates there is none to make.
        let tls = self.tls_where_spoken(endpoint)?;
        let tcp = QuickAckStream::new(connect(endpoint, stage).await?);
        speak(endpoint, tls, tcp, stage).await
    }

    async fn open_through(&self, proxy: &ProxySettings, endpoint: &Endpoint, stage: &mut Stage) -> Result<Connection> {
        let tls = self.tls_where_spoken(endpoint)?;
        let tls_of_proxy = self.tls_where_spoken(&proxy.endpoint)?;
        *stage = Stage::Proxy;
        let unreachable = |cause| failure::proxy_unreachable(proxy, cause);
        let tcp = connect(&proxy.endpoint, &mut Stage::Proxy).await.map_err(unreachable)?;
        let tcp = QuickAckStream::new(tcp);
        match tls_of_proxy {
            None => pass(proxy, endpoint, tls, tcp, stage).await,
            Some((connector, name)) => {
                let stream = connector.connect(name, tcp).await;
                let stream = stream.map_err(|cause| unreachable(failure::handshake(&proxy.endpoint, cause)))?;
                pass(proxy, endpoint, tls, stream, stage).await
            }
        }
    }

    fn tls_where_spoken(&self, endpoint: &Endpoint) -> Result<Option<Tls>> {
        if endpoint.tls { self.tls(endpoint).map(Some) } else { Ok(None) }
    }

    fn tls(&self, endpoint: &Endpoint) -> Result<Tls> {
        let name = ServerName::try_from(endpoint.host.clone()).map_err(|cause| failure::host_name(endpoint, cause))?;
        Ok((TlsConnector::from(self.trust.tls(endpoint)?), name))
    }

    /// Whether a port that did not answer plain HTTP answers the first message of a TLS handshake.
    pub(super) async fn is_tls_port(endpoint: &Endpoint) -> bool {
        let probe = async {
            let hello = client_hello(&endpoint.host)?;
            let mut tcp = connect(endpoint, &mut Stage::Connect).await.ok()?;
            tcp.write_all(&hello).await.ok()?;
            let mut record = [0; 2];
            tcp.read_exact(&mut record).await.ok()?;
            // Content type handshake or alert, then the major version 3 of every TLS record (RFC 8446, section 5.1).
            Some(matches!(record, [21 | 22, 3]))
        };
        timeout(PROBE_LIMIT, probe).await.ok().flatten().unwrap_or(false)
    }
}

/// Asks the proxy at the other end for a tunnel where the endpoint speaks TLS, and speaks HTTP.
async fn pass<S>(
    proxy: &ProxySettings,
    endpoint: &Endpoint,
    tls: Option<Tls>,
    mut stream: S,
    stage: &mut Stage,
) -> Result<Connection>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    if tls.is_some() {
        proxy.tunnel(&mut stream, endpoint).await?;
    }
    speak(endpoint, tls, stream, stage).await
}

/// Speaks TLS, where the endpoint does, and HTTP.
async fn speak<S>(endpoint: &Endpoint, tls: Option<Tls>, stream: S, stage: &mut Stage) -> Result<Connection>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let opened = if let Some((connector, name)) = tls {
        *stage = Stage::Handshake;
        let stream = connector.connect(name, stream).await;
        Connection::new(stream.map_err(|cause| failure::handshake(endpoint, cause))?).await
    } else {
        Connection::new(stream).await
    };
    opened.map_err(|cause| failure::unanswered(endpoint, cause))
}

fn client_hello(host: &str) -> Option<Vec<u8>> {
    let name = ServerName::try_from(host.to_owned()).ok()?;
    let config = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let mut session = rustls::ClientConnection::new(Arc::new(config), name).ok()?;
    let mut hello = Vec::new();
    session.write_tls(&mut hello).ok()?;
    Some(hello)
}

/// Connects to the first address that answers. Each gets a head start over the next.
async fn connect(endpoint: &Endpoint, stage: &mut Stage) -> Result<TcpStream> {
    let addresses = tokio::net::lookup_host((endpoint.host.as_str(), endpoint.port))
        .await
        .map_err(|cause| failure::lookup(endpoint, cause))?;
    *stage = Stage::Connect;
    let mut untried = by_turns(addresses.collect()).into_iter();
    let mut attempts = FuturesUnordered::new();
    let mut last = None;
    loop {
        if let Some(address) = untried.next() {
            attempts.push(connect_to(address));
        } else if attempts.is_empty() {
            let cause = last.unwrap_or_else(|| io::Error::from(io::ErrorKind::AddrNotAvailable));
            return Err(failure::connect(endpoint, cause));
        }
        let outcome = if untried.len() == 0 {
            attempts.next().await
        } else {
            timeout(HEAD_START, attempts.next()).await.ok().flatten()
        };
        match outcome {
            Some(Ok(stream)) => return Ok(stream),
            Some(Err(cause)) => last = Some(cause),
            None => {}
        }
    }
}

/// IPv6 and IPv4 by turns, beginning with the kind that the resolver puts first.
fn by_turns(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|address| address.is_ipv6() == first_is_v6);
    let mut second = second.into_iter();
    let mut ordered: Vec<_> = first.into_iter().flat_map(|address| [Some(address), second.next()]).flatten().collect();
    ordered.extend(second);
    ordered
}

async fn connect_to(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let probes = TcpKeepalive::new().with_time(KEEP_ALIVE).with_interval(KEEP_ALIVE);
    SockRef::from(&stream).set_tcp_keepalive(&probes)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_kinds_take_turns() {
        let parse = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<SocketAddr>>();
        let addresses = parse(&["[::1]:1", "[::2]:1", "1.1.1.1:1", "[::3]:1", "1.1.1.2:1", "1.1.1.3:1", "1.1.1.4:1"]);
        let ordered = parse(&["[::1]:1", "1.1.1.1:1", "[::2]:1", "1.1.1.2:1", "[::3]:1", "1.1.1.3:1", "1.1.1.4:1"]);
        assert_eq!(by_turns(addresses), ordered);
    }
}
