//! How many listings are under way.

use std::sync::Arc;

use clap::Args;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Listings under way at once, where nothing else was asked for.
const AT_ONCE: usize = 8;

/// How hard listings work the gateway.
#[derive(Debug, Clone, Copy, Args)]
pub struct Pace {
    /// Listings under way at once.
    #[arg(long, value_name = "NUMBER", default_value_t = AT_ONCE)]
    pub at_once: usize,
}

impl Default for Pace {
    fn default() -> Self {
        Self { at_once: AT_ONCE }
    }
}

/// Lets so many requests through at a time. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(super) fn new(pace: Pace) -> Self {
        Self(Arc::new(Semaphore::new(pace.at_once.max(1))))
    }

    /// Waits until a request may begin; it is under way as long as the answer is kept.
    pub(super) async fn pass(&self) -> Option<SemaphorePermit<'_>> {
        self.0.acquire().await.ok()
    }
}
