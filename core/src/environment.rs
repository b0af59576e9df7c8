//! What core takes from the world: clock, randomness and transport. Only bindings, programs and tests build the
//! real ones, so that a simulation runs the same code.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;

use crate::http::Transport;

/// Where time, chance and bytes come from. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// Wall clock for signatures, monotonic clock and timers for deadlines.
    pub clock: Arc<dyn Clock>,
    /// Jitter and write ids.
    pub random: Arc<dyn Random>,
    /// Carries requests to an endpoint.
    pub transport: Arc<dyn Transport>,
}

/// Time.
pub trait Clock: Send + Sync {
    /// Wall clock, for signatures.
    fn wall(&self) -> SystemTime;
    /// Monotonic clock, for deadlines.
    fn monotonic(&self) -> Instant;
    /// Ends after `pause`.
    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()>;
}

/// Chance.
pub trait Random: Send + Sync {
    /// A number from 0 (inclusive) to 1 (exclusive).
    fn unit(&self) -> f64;
    /// 128 random bits, for write ids.
    fn bits(&self) -> u128;
}

/// The system's clock and tokio's timers; needs a tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn unit(&self) -> f64 {
        rand::random()
    }

    fn bits(&self) -> u128 {
        rand::random()
    }
}

/// Memory limit of this process's container in bytes, where there is one: of cgroup v2, then v1, as a container sees
/// its own.
pub fn container_memory_limit() -> Option<u64> {
    /// cgroup v1 writes "no limit" as a number near 2^63.
    const NO_LIMIT: u64 = 1 << 60;
    ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .find_map(|text| text.trim().parse::<u64>().ok())
        .filter(|limit| *limit < NO_LIMIT)
}
