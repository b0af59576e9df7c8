//! Connections to one endpoint: how many there may be, and which of them are free.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::failure;
use super::http1::Connection;
use super::proxy::ProxySettings;
use crate::Result;
use crate::http::Endpoint;

/// The right to have one connection open.
pub(super) struct Lease {
    pool: Arc<Pool>,
    _permit: OwnedSemaphorePermit,
}

impl Lease {
    /// The connection that was used last, if any is free.
    pub(super) fn reuse(&self) -> Option<Connection> {
        self.pool.take()
    }

    /// Ends the lease and keeps the connection for the next request.
    pub(super) fn give_back(self, connection: Connection) {
        self.pool.put(connection);
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.pool.lock().last_turn = Instant::now();
    }
}

/// The connections to one endpoint.
pub(super) struct Pool {
    pub(super) endpoint: Endpoint,
    /// What its connections go through.
    pub(super) proxy: Option<ProxySettings>,
    /// Whether the endpoint has spoken HTTP yet.
    has_answered: AtomicBool,
    maximum: usize,
    turns: Arc<Semaphore>,
    idle_limit: Duration,
    idle: Mutex<Idle>,
}

struct Idle {
    /// Free since when; the last one was used last and is used next, so that the others can grow old.
    connections: Vec<(Connection, Instant)>,
    is_swept: bool,
    /// When a turn ended last.
    last_turn: Instant,
}

impl Pool {
    pub(super) fn new(endpoint: Endpoint, proxy: Option<ProxySettings>, maximum: usize, idle_limit: Duration) -> Self {
        Self {
            endpoint,
            proxy,
            has_answered: AtomicBool::new(false),
            maximum,
            turns: Arc::new(Semaphore::new(maximum)),
            idle_limit,
            idle: Mutex::new(Idle { connections: Vec::new(), is_swept: false, last_turn: Instant::now() }),
        }
    }

    /// Waits for a turn, first come first served.
    ///
    /// # Errors
    /// `TimedOut` when no turn ends for `limit`: the others' answers are not being read.
    pub(super) async fn lease(self: &Arc<Self>, limit: Duration) -> Result<Lease> {
        let mut turn = std::pin::pin!(Arc::clone(&self.turns).acquire_owned());
        let mut deadline = Instant::now() + limit;
        loop {
            match timeout_at(deadline, &mut turn).await {
                Ok(Ok(permit)) => return Ok(Lease { pool: Arc::clone(self), _permit: permit }),
                Err(_) if self.lock().last_turn + limit > deadline => deadline = self.lock().last_turn + limit,
                Ok(Err(_)) | Err(_) => return Err(failure::no_turn(&self.endpoint, self.maximum, limit)),
            }
        }
    }

    pub(super) fn has_answered(&self) -> bool {
        self.has_answered.load(Ordering::Relaxed)
    }

    pub(super) fn answered(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    fn take(&self) -> Option<Connection> {
        let mut idle = self.lock();
        while let Some((connection, since)) = idle.connections.pop() {
            if since.elapsed() < self.idle_limit {
                return Some(connection);
            }
        }
        None
    }

    fn put(self: &Arc<Self>, mut connection: Connection) {
        if !connection.is_open() {
            return;
        }
        let mut idle = self.lock();
        idle.connections.push((connection, Instant::now()));
        if !idle.is_swept {
            idle.is_swept = true;
            tokio::spawn(Self::sweep(Arc::downgrade(self), self.idle_limit));
        }
    }

    /// Closes connections that stay unused, until there are none.
    async fn sweep(pool: Weak<Self>, pause: Duration) {
        loop {
            tokio::time::sleep(pause).await;
            let Some(pool) = pool.upgrade() else { return };
            let mut idle = pool.lock();
            idle.connections
                .retain_mut(|(connection, since)| since.elapsed() < pool.idle_limit && connection.is_open());
            if idle.connections.is_empty() {
                idle.is_swept = false;
                return;
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
