//! A machine's clock, put right by what a gateway says.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;

use super::Clock;

/// The machine's clock and how far it is behind that of one gateway, which refuses requests that are 15 minutes old.
pub(crate) struct CorrectedClock {
    machine: Arc<dyn Clock>,
    /// Milliseconds to add.
    offset: AtomicI64,
}

/// Milliseconds that the offset changes by before anybody is told.
const NOTED: u64 = 60_000;

impl CorrectedClock {
    /// The machine's own time.
    pub(crate) fn new(machine: Arc<dyn Clock>) -> Self {
        Self { machine, offset: AtomicI64::new(0) }
    }

    /// The same machine's own time.
    pub(crate) fn of_the_machine(&self) -> Self {
        Self::new(Arc::clone(&self.machine))
    }

    /// From now on it is `time` now.
    pub(crate) fn set(&self, time: SystemTime) {
        let machine = self.machine.wall();
        let milliseconds = |ahead: Duration| i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        let offset = match time.duration_since(machine) {
            Ok(behind) => milliseconds(behind),
            Err(ahead) => -milliseconds(ahead.duration()),
        };
        let change = offset.saturating_sub(self.offset.swap(offset, Ordering::Relaxed));
        if change.unsigned_abs() > NOTED {
            tracing::warn!(offset_ms = offset, "this machine's clock differs from the service's, whose time is used");
        } else {
            tracing::debug!(offset_ms = offset, "the service's time is used");
        }
    }

    /// Milliseconds that are added to the machine's time.
    pub(crate) fn offset(&self) -> i64 {
        self.offset.load(Ordering::Relaxed)
    }
}

impl Clock for CorrectedClock {
    fn wall(&self) -> SystemTime {
        let machine = self.machine.wall();
        let offset = self.offset();
        let distance = Duration::from_millis(offset.unsigned_abs());
        let corrected = if offset < 0 { machine.checked_sub(distance) } else { machine.checked_add(distance) };
        corrected.unwrap_or(machine)
    }

    fn monotonic(&self) -> Instant {
        self.machine.monotonic()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        self.machine.sleep(pause)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) struct Fixed(pub(crate) SystemTime);

    impl Clock for Fixed {
        fn wall(&self) -> SystemTime {
            self.0
        }

        fn monotonic(&self) -> Instant {
            Instant::now()
        }

        fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn the_gateways_time_is_taken_over_in_both_directions() {
        let machine = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000);
        let clock = CorrectedClock::new(Arc::new(Fixed(machine)));
        assert_eq!(clock.wall(), machine);
        assert_eq!(clock.of_the_machine().wall(), machine);
        for gateway in [machine + Duration::from_secs(7200), machine - Duration::from_secs(7200), machine] {
            clock.set(gateway);
            assert_eq!(clock.wall(), gateway);
        }
    }
}
