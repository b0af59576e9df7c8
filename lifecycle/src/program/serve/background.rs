//! What goes on beside the rounds: signals, and the metrics.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tracing::info;

use crate::metrics::{self, Metrics};
use crate::program::output::Failure;
use crate::program::stopping::Stopping;

/// What goes on beside the rounds, until it is dropped.
pub(super) struct Background(Runtime);

impl Background {
    pub(super) fn start(
        stopping: &Stopping,
        address: Option<SocketAddr>,
        metrics: &Arc<Metrics>,
    ) -> Result<Self, Failure> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("s3life-serve").enable_all().build()?;
        runtime.block_on(async {
            let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
            let stopping = stopping.clone();
            tokio::spawn(async move {
                let _ = tokio::select! { one = terminate.recv() => one, other = interrupt.recv() => other };
                info!("asked to end");
                stopping.ask();
            });
            let Some(address) = address else { return Ok(()) };
            let unusable = |failure| {
                Failure::Usage(format!("metrics cannot be served at {address}: {failure}; name another --metrics"))
            };
            let listener = TcpListener::bind(address).await.map_err(unusable)?;
            let address = listener.local_addr().map_err(unusable)?;
            info!(%address, "metrics are served");
            tokio::spawn(metrics::serve(listener, Arc::clone(metrics)));
            Ok::<_, Failure>(())
        })?;
        Ok(Self(runtime))
    }

    /// Waits for so long, or until the process is asked to end.
    pub(super) fn sleep(&self, pause: Duration, stopping: &Stopping) {
        let _ = self.0.block_on(async { timeout(pause, stopping.asked()).await });
    }
}
