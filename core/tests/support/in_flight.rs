//! Counts requests that are under way at the same time.

#![allow(unreachable_pub, reason = "every test program uses its own part of this module")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use s3core::Result;
use s3core::environment::Environment;
use s3core::http::{Endpoint, Limits, Request, Response, Transport};

/// How long each of them takes at least, so that others begin meanwhile.
const AT_LEAST: Duration = Duration::from_millis(150);

/// A transport that counts the requests with this method and this in their query, such as `PUT` and `partNumber=`.
pub struct InFlight {
    inner: Arc<dyn Transport>,
    method: &'static str,
    query: &'static str,
    now: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl InFlight {
    /// Puts it before the transport of `environment`; the second value is the most that there ever were.
    pub fn before(
        environment: Environment,
        method: &'static str,
        query: &'static str,
    ) -> (Environment, Arc<AtomicUsize>) {
        let most = Arc::<AtomicUsize>::default();
        let counting =
            Self { inner: environment.transport, method, query, now: Arc::default(), most: Arc::clone(&most) };
        (Environment { transport: Arc::new(counting), ..environment }, most)
    }

    fn counts(&self, request: &Request) -> bool {
        let query = request.path_and_query.split_once('?').map_or("", |(_, query)| query);
        request.method == self.method && query.contains(self.query)
    }
}

impl Transport for InFlight {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        let is_counted = self.counts(&request);
        let sent = self.inner.send(endpoint, request, limits);
        if !is_counted {
            return sent;
        }
        let (now, most) = (Arc::clone(&self.now), Arc::clone(&self.most));
        Box::pin(async move {
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(AT_LEAST).await;
            let answer = sent.await;
            now.fetch_sub(1, Ordering::SeqCst);
            answer
        })
    }
}
