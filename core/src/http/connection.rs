//! The real transport: hyper over TCP or TLS, one small pool of connections per endpoint.

mod body;
mod dial;
mod exchange;
mod failure;
mod http1;
mod pool;
mod proxy;
mod quick_ack;
mod shared;
mod trust;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;

use crate::Result;
use crate::http::{Endpoint, Limits, Request, Response, Transport};

use dial::Dialer;
use pool::Pool;

pub use proxy::ProxySettings;
pub use shared::SharedTransports;
pub use trust::TrustSettings;

/// How connections are made and kept. The settings of [`HttpTransport::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportSettings {
    /// Whose certificates are trusted.
    pub trust: TrustSettings,
    /// What every connection goes through, but those of [`Transport::send_directly`].
    pub proxy: Option<ProxySettings>,
    /// Most connections to one endpoint at the same time; further requests wait for their turn, first come first
    /// served.
    pub maximum_connections: usize,
    /// How long an unused connection is kept. Radosgw closes one after 65 s (its frontend's `request_timeout_ms`), so
    /// a shorter limit keeps requests off connections that are just being closed.
    pub idle_connection_limit: Duration,
}

impl Default for TransportSettings {
    fn default() -> Self {
        Self {
            trust: TrustSettings { ca_file: None, additional: Vec::new(), use_system_store: true },
            proxy: None,
            maximum_connections: 64,
            idle_connection_limit: Duration::from_secs(50),
        }
    }
}

/// [`Transport`] over the network. Needs a tokio runtime with I/O and time when it sends.
pub struct HttpTransport {
    dialer: Arc<Dialer>,
    proxy: Option<ProxySettings>,
    maximum_connections: usize,
    idle_connection_limit: Duration,
    pools: Mutex<HashMap<(Endpoint, Way), Arc<Pool>>>,
}

/// How an endpoint is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Way {
    /// Through the proxy, where there is one.
    Usual,
    /// Past it.
    Direct,
}

impl HttpTransport {
    /// A transport without connections. Nothing is sent; the operating system's certificates are read when the first
    /// TLS connection is made.
    ///
    /// # Errors
    /// `InvalidOption` where the CA file cannot be read or holds no certificate.
    pub fn new(settings: TransportSettings) -> Result<Self> {
        Ok(Self {
            dialer: Arc::new(Dialer::new(&settings.trust)?),
            proxy: settings.proxy,
            maximum_connections: settings.maximum_connections.max(1),
            idle_connection_limit: settings.idle_connection_limit,
            pools: Mutex::default(),
        })
    }

    fn pool(&self, endpoint: &Endpoint, way: Way) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (endpoint.clone(), way);
        if let Some(pool) = pools.get(&place) {
            return Arc::clone(pool);
        }
        let proxy = self.proxy.clone().filter(|_| way == Way::Usual);
        let pool = Arc::new(Pool::new(endpoint.clone(), proxy, self.maximum_connections, self.idle_connection_limit));
        pools.insert(place, Arc::clone(&pool));
        pool
    }

    fn send_by(
        &self,
        way: Way,
        endpoint: &Endpoint,
        request: Request,
        limits: Limits,
    ) -> BoxFuture<'static, Result<Response>> {
        let pool = self.pool(endpoint, way);
        let dialer = Arc::clone(&self.dialer);
        Box::pin(exchange::exchange(pool, dialer, request, limits))
    }
}

impl Transport for HttpTransport {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        self.send_by(Way::Usual, endpoint, request, limits)
    }

    fn send_directly(
        &self,
        endpoint: &Endpoint,
        request: Request,
        limits: Limits,
    ) -> BoxFuture<'static, Result<Response>> {
        self.send_by(Way::Direct, endpoint, request, limits)
    }
}
