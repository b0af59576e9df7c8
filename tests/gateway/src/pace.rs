//! How slow the gateway is: a delay before each request, and a limit on bytes per second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Slowness of one gateway, adjustable while it runs.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    delay_nanoseconds: AtomicU64,
    /// 0 means no limit.
    bytes_per_second: AtomicU64,
    next: [Mutex<Option<Instant>>; 2],
}

/// Each direction has the whole bandwidth, as on a full-duplex link.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Direction {
    In,
    Out,
}

impl Pace {
    pub(crate) fn set_delay(&self, delay: Duration) {
        let nanoseconds = u64::try_from(delay.as_nanos()).unwrap_or(u64::MAX);
        self.delay_nanoseconds.store(nanoseconds, Ordering::Relaxed);
    }

    pub(crate) fn set_bandwidth(&self, bytes_per_second: Option<u64>) {
        self.bytes_per_second.store(bytes_per_second.unwrap_or(0), Ordering::Relaxed);
    }

    /// Waits as long as every request waits.
    pub(crate) async fn delay(&self) {
        let nanoseconds = self.delay_nanoseconds.load(Ordering::Relaxed);
        if nanoseconds > 0 {
            tokio::time::sleep(Duration::from_nanos(nanoseconds)).await;
        }
    }

    pub(crate) fn is_limited(&self) -> bool {
        self.bytes_per_second.load(Ordering::Relaxed) > 0
    }

    /// Takes bandwidth for this many bytes, and returns when they may pass; none means now.
    pub(crate) fn grant(&self, direction: Direction, bytes: usize) -> Option<Instant> {
        let rate = self.bytes_per_second.load(Ordering::Relaxed);
        if rate == 0 {
            return None;
        }
        let [inward, outward] = &self.next;
        let slot = match direction {
            Direction::In => inward,
            Direction::Out => outward,
        };
        let mut next = slot.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let start = next.map_or(now, |next| next.max(now));
        let end = start + Duration::from_secs_f64(bytes as f64 / rate as f64);
        *next = Some(end);
        Some(end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bandwidth_is_shared_in_each_direction() {
        let pace = Pace::default();
        assert_eq!(pace.grant(Direction::Out, 1_000_000), None);
        pace.set_bandwidth(Some(1_000_000));
        let start = Instant::now();
        pace.grant(Direction::Out, 500_000).unwrap();
        let out = pace.grant(Direction::Out, 500_000).unwrap() - start;
        let inward = pace.grant(Direction::In, 500_000).unwrap() - start;
        assert!((0.99..1.2).contains(&out.as_secs_f64()), "{out:?}");
        assert!((0.49..0.7).contains(&inward.as_secs_f64()), "{inward:?}");
    }
}
