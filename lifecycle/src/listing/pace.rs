//! How hard listings work the gateway.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use clap::Args;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};

/// Listings under way at once, where nothing else was asked for.
const AT_ONCE: usize = 8;

/// How hard listings work the gateway. A gateway that answers 503 is given time besides.
#[derive(Debug, Clone, Copy, Args)]
pub struct Pace {
    /// Listings under way at once.
    #[arg(long, value_name = "NUMBER", default_value_t = AT_ONCE)]
    pub at_once: usize,
    /// Listings begun in a second at most. Without it: as many as the gateway answers.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub requests_per_second: Option<u32>,
}

impl Default for Pace {
    fn default() -> Self {
        Self { at_once: AT_ONCE, requests_per_second: None }
    }
}

/// Lets requests through at a pace. Clones share it.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    slots: Arc<Semaphore>,
    /// Between two requests, and when the next may begin.
    interval: Option<Duration>,
    next: Arc<Mutex<Option<Instant>>>,
}

impl Gate {
    pub(super) fn new(pace: Pace) -> Self {
        let interval = pace.requests_per_second.map(|number| Duration::from_secs(1) / number.max(1));
        Self { slots: Arc::new(Semaphore::new(pace.at_once.max(1))), interval, next: Arc::default() }
    }

    /// Waits until a request may begin; it is under way as long as the answer is kept.
    pub(super) async fn pass(&self) -> Option<SemaphorePermit<'_>> {
        let slot = self.slots.acquire().await.ok();
        if let Some(interval) = self.interval {
            let turn = {
                let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
                let turn = next.map_or_else(Instant::now, |next| next.max(Instant::now()));
                *next = Some(turn + interval);
                turn
            };
            sleep_until(turn).await;
        }
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_requests_begin_in_a_second_than_were_asked_for() {
        let gate = Gate::new(Pace { at_once: 4, requests_per_second: Some(10) });
        let started = Instant::now();
        for _ in 0..21 {
            gate.pass().await;
        }
        assert_eq!(started.elapsed(), Duration::from_secs(2));
        // Time that nobody used is not made up for.
        tokio::time::advance(Duration::from_secs(5)).await;
        let again = Instant::now();
        for _ in 0..11 {
            gate.pass().await;
        }
        assert_eq!(again.elapsed(), Duration::from_secs(1));
    }
}
