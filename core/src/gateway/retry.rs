//! Decides whether a failed attempt is followed by another, and when. No I/O, no clock, no randomness of its own:
//! the caller says what time it is and rolls the dice, so that a simulation runs the same decisions.

use std::time::{Duration, Instant};

use crate::Error;
use crate::error::{ErrorKind, Repeat};

/// When to give up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Until the endpoint has answered once, everything fails within this time: a wrong address is a mistake that
    /// its user waits for.
    pub first_contact: Duration,
    /// After that, how long one operation waits for a gateway that is busy, resharding (503, 504: a bucket of 20
    /// million objects blocks its writers for minutes on releases before Tentacle) or away.
    pub patience: Duration,
    /// Attempts in all at what broke on the way or failed inside the gateway, without progress in between.
    pub brief_attempts: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { first_contact: Duration::from_secs(30), patience: Duration::from_secs(600), brief_attempts: 8 }
    }
}

/// The time since a gateway that has never answered was first asked. It is the gateway's, not the operation's: a caller
/// that asks for one thing after the other is told of a wrong address once, not each time after half a minute.
#[derive(Debug, Default)]
pub struct FirstContact {
    began: Option<Instant>,
    last: Option<Instant>,
}

/// Whoever comes back after this pause (to a notebook, say) begins anew.
const NEW_APPROACH: Duration = Duration::from_secs(60);
/// Longest attempt at a gateway that has never answered.
const LONGEST_FIRST_ATTEMPT: Duration = Duration::from_secs(10);
/// Shortest one, when the time is spent.
const SHORTEST_FIRST_ATTEMPT: Duration = Duration::from_secs(2);

impl FirstContact {
    /// Notes an attempt at `now`; returns when the first of this approach was made.
    pub fn approach(&mut self, now: Instant) -> Instant {
        let is_new = self.last.is_none_or(|last| now.saturating_duration_since(last) > NEW_APPROACH);
        self.last = Some(now);
        match self.began {
            Some(began) if !is_new => began,
            _ => *self.began.insert(now),
        }
    }

    /// How long an attempt at `now` may take.
    pub fn longest_attempt(&self, policy: &RetryPolicy, now: Instant) -> Duration {
        let spent = self.began.map_or(Duration::ZERO, |began| now.saturating_duration_since(began));
        let reserve = SHORTEST_FIRST_ATTEMPT * 2;
        policy
            .first_contact
            .saturating_sub(reserve)
            .saturating_sub(spent)
            .clamp(SHORTEST_FIRST_ATTEMPT, LONGEST_FIRST_ATTEMPT)
    }
}

/// Whether there is another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Send it again after this pause.
    Again {
        /// The pause.
        after: Duration,
    },
    /// The failure is final.
    Final,
}

/// The attempts of one operation so far.
#[derive(Debug)]
pub struct RetryState {
    policy: RetryPolicy,
    started: Instant,
    failures: u32,
    brief_failures: u32,
    /// Bytes since failures are counted.
    progress: u64,
}

/// First pause; doubled with each failure.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest pause: a reshard ends at an unknown moment, and ten seconds late is late enough.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Bytes between two failures that make them two troubles rather than one: more than any proxy sends before it breaks.
const PROGRESS: u64 = 256 << 10;
/// Without an answer so far, the name or address is more likely wrong than the gateway away for a moment, so that
/// connection failures get this share of [`RetryPolicy::first_contact`].
const FIRST_CONTACT_CONNECTING: f64 = 0.4;

impl RetryState {
    /// An operation whose time counts from `started`: its own beginning, or that of the first contact.
    pub fn new(policy: &RetryPolicy, started: Instant) -> Self {
        Self { policy: *policy, started, failures: 0, brief_failures: 0, progress: 0 }
    }

    /// An attempt failed at `now` after it had brought the operation `bytes` further: once that is enough to speak of
    /// progress, what follows is counted from here. A long transfer over a bad network ends when it stands still, not
    /// when it has been interrupted often.
    pub fn progressed(&mut self, bytes: u64, now: Instant) {
        self.progress += bytes;
        if self.progress >= PROGRESS {
            *self = Self::new(&self.policy, now);
        }
    }

    /// Sets how long a gateway that has answered is waited for.
    pub fn wait_as_long_as(&mut self, patience: Duration) {
        self.policy.patience = patience;
    }

    /// What follows `failure`. `dice` is a random number from 0 to 1 that spreads the pauses of many clients.
    pub fn after(&mut self, failure: &Error, endpoint_has_answered: bool, now: Instant, dice: f64) -> Verdict {
        let repeat = failure.kind().row().repeat;
        if repeat == Repeat::Never {
            return Verdict::Final;
        }
        self.failures += 1;
        if repeat == Repeat::Briefly {
            self.brief_failures += 1;
            if self.brief_failures >= self.policy.brief_attempts {
                return Verdict::Final;
            }
        }
        let after = self.pause(failure, dice);
        if now.saturating_duration_since(self.started) + after > self.time_allowed(failure, endpoint_has_answered) {
            return Verdict::Final;
        }
        Verdict::Again { after }
    }

    fn time_allowed(&self, failure: &Error, endpoint_has_answered: bool) -> Duration {
        if endpoint_has_answered {
            return self.policy.patience;
        }
        match failure.kind() {
            ErrorKind::Unreachable | ErrorKind::UnknownHost => {
                self.policy.first_contact.mul_f64(FIRST_CONTACT_CONNECTING)
            }
            _ => self.policy.first_contact.saturating_sub(LONGEST_FIRST_ATTEMPT),
        }
    }

    fn pause(&self, failure: &Error, dice: f64) -> Duration {
        let doubled = FIRST_PAUSE.saturating_mul(1 << (self.failures - 1).min(16)).min(LONGEST_PAUSE);
        let spread = doubled.mul_f64(0.5 + 0.5 * dice.clamp(0.0, 1.0));
        failure.retry_after_hint().map_or(spread, |asked| asked.min(LONGEST_PAUSE * 6).max(spread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs attempts that all fail as `kind`, each taking `attempt` long; returns how many there were and for how long.
    fn exhaust(kind: ErrorKind, answered: bool, attempt: Duration) -> (u32, Duration) {
        let start = Instant::now();
        let mut now = start;
        let mut state = RetryState::new(&RetryPolicy::default(), start);
        let mut attempts = 0;
        loop {
            attempts += 1;
            now += attempt;
            match state.after(&Error::new(kind, "x"), answered, now, 0.5) {
                Verdict::Again { after } => now += after,
                Verdict::Final => return (attempts, now - start),
            }
        }
    }

    #[test]
    fn a_missing_key_is_final_at_once() {
        assert_eq!(exhaust(ErrorKind::NotFound, true, Duration::ZERO).0, 1);
    }

    #[test]
    fn before_the_first_answer_everything_ends_within_thirty_seconds() {
        for row in ErrorKind::TABLE {
            for attempt in [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(10)] {
                let (_, took) = exhaust(row.kind, false, attempt);
                assert!(took <= Duration::from_secs(30), "{}: {took:?}", row.name);
            }
        }
    }

    #[test]
    fn one_operation_after_the_other_ends_within_thirty_seconds_too() {
        let policy = RetryPolicy::default();
        let (mut contact, start) = (FirstContact::default(), Instant::now());
        let mut now = start;
        for _ in 0..3 {
            let mut state = RetryState::new(&policy, contact.approach(now));
            loop {
                contact.approach(now);
                now += contact.longest_attempt(&policy, now);
                match state.after(&Error::new(ErrorKind::TimedOut, "x"), false, now, 0.5) {
                    Verdict::Again { after } => now += after,
                    Verdict::Final => break,
                }
            }
        }
        assert!(now - start <= Duration::from_secs(30), "{:?}", now - start);
        now += NEW_APPROACH * 2;
        contact.approach(now);
        assert_eq!(contact.longest_attempt(&policy, now), LONGEST_FIRST_ATTEMPT);
    }

    #[test]
    fn after_it_a_write_rides_out_ten_minutes_of_slow_down() {
        let (attempts, took) = exhaust(ErrorKind::Throttled, true, Duration::from_millis(5));
        assert!(took > Duration::from_secs(580) && took <= Duration::from_secs(600), "{took:?}");
        assert!(attempts < 100, "{attempts}");
    }

    #[test]
    fn a_gateway_that_fails_inside_is_asked_eight_times() {
        assert_eq!(exhaust(ErrorKind::Unavailable, true, Duration::from_millis(5)).0, 8);
    }

    #[test]
    fn attempts_are_counted_since_the_last_progress() {
        let start = Instant::now();
        let mut state = RetryState::new(&RetryPolicy::default(), start);
        let failure = Error::new(ErrorKind::Disconnected, "x");
        for minute in 0..30 {
            let now = start + Duration::from_secs(60 * minute);
            state.progressed(PROGRESS, now);
            assert_eq!(state.after(&failure, true, now, 1.0), Verdict::Again { after: FIRST_PAUSE });
        }
        state.progressed(PROGRESS - 1, start);
        let attempts = (0..20).take_while(|_| state.after(&failure, true, start, 1.0) != Verdict::Final).count();
        assert_eq!(attempts, RetryPolicy::default().brief_attempts as usize - 2);
    }

    #[test]
    fn the_gateways_own_pause_is_honoured() {
        let start = Instant::now();
        let mut state = RetryState::new(&RetryPolicy::default(), start);
        let failure = Error::new(ErrorKind::Throttled, "x").retry_after(Duration::from_secs(7));
        assert_eq!(state.after(&failure, true, start, 0.0), Verdict::Again { after: Duration::from_secs(7) });
    }
}
