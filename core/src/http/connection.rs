//! The real transport: hyper over TCP or TLS, one small pool of connections per endpoint.

mod body;
mod dial;
mod exchange;
mod failure;
mod http1;
mod pool;
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

pub use shared::SharedTransports;
pub use trust::TrustSettings;

/// How connections are made and kept. The settings of [`HttpTransport::new`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportSettings {
    /// Whose certificates are trusted.
    pub trust: TrustSettings,
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
            maximum_connections: 64,
            idle_connection_limit: Duration::from_secs(50),
        }
    }
}

/// [`Transport`] over the network. Needs a tokio runtime with I/O and time when it sends.
pub struct HttpTransport {
    dialer: Arc<Dialer>,
    maximum_connections: usize,
    idle_connection_limit: Duration,
    pools: Mutex<HashMap<Endpoint, Arc<Pool>>>,
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
            maximum_connections: settings.maximum_connections.max(1),
            idle_connection_limit: settings.idle_connection_limit,
            pools: Mutex::default(),
        })
    }

    fn pool(&self, endpoint: &Endpoint) -> Arc<Pool> {
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.get(endpoint) {
            return Arc::clone(pool);
        }
        let pool = Arc::new(Pool::new(endpoint.clone(), self.maximum_connections, self.idle_connection_limit));
        pools.insert(endpoint.clone(), Arc::clone(&pool));
        pool
    }
}

impl Transport for HttpTransport {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        let pool = self.pool(endpoint);
        let dialer = Arc::clone(&self.dialer);
        Box::pin(exchange::exchange(pool, dialer, request, limits))
    }
}
