//! Decides whether held keys are used, and whether new ones are to be issued. No I/O and no clock of its own.

use std::time::{Duration, SystemTime};

/// What is done with held keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    /// They are good.
    Use,
    /// They are good, and new ones are to be there before they expire.
    UseAndRenew,
    /// New ones are waited for.
    Renew,
}

/// New keys are asked for so long before the old ones expire: what is on its way then, a part of a gigabyte over a slow
/// line, still arrives with keys that are good.
const AHEAD: Duration = Duration::from_secs(300);
/// Keys that were issued for a short time are renewed in the last third of it.
const SHORT_LIVES: u32 = 3;
/// After a renewal in advance has failed, the next one waits for so long.
const PAUSE: Duration = Duration::from_secs(10);
/// Keys that were issued as expired ones: the clock is wrong, or the instance metadata service is in trouble and wants
/// them used nevertheless ("static stability"). They are used, and so long after asked for again.
const OVERDUE: Duration = Duration::from_secs(60);

/// The age of keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Age {
    issued: SystemTime,
    expires: Option<SystemTime>,
    refused: bool,
    doubted: bool,
    failed: Option<SystemTime>,
}

impl Age {
    /// Keys that were issued at `issued`.
    pub(super) fn new(issued: SystemTime, expires: Option<SystemTime>) -> Self {
        Self { issued, expires, refused: false, doubted: false, failed: None }
    }

    /// The gateway did not take them.
    pub(super) fn refused(&mut self) {
        self.refused = true;
    }

    /// The gateway refused what was signed with them and did not say why: others are asked for, and these used until then.
    /// Whether it makes sense to ask now.
    pub(super) fn doubt(&mut self, now: SystemTime) -> bool {
        self.doubted = true;
        !self.renewal_has_just_failed(now)
    }

    /// A renewal in advance has failed.
    pub(super) fn renewal_failed(&mut self, now: SystemTime) {
        self.failed = Some(now);
    }

    /// How long ago they were issued.
    pub(super) fn since(&self, now: SystemTime) -> Duration {
        now.duration_since(self.issued).unwrap_or_default()
    }

    fn renewal_has_just_failed(&self, now: SystemTime) -> bool {
        self.failed.and_then(|failed| now.duration_since(failed).ok()).is_some_and(|passed| passed < PAUSE)
    }

    pub(super) fn decide(&self, now: SystemTime) -> Decision {
        if self.refused {
            return Decision::Renew;
        }
        match self.at(now) {
            Decision::Use if self.doubted && !self.renewal_has_just_failed(now) => Decision::UseAndRenew,
            decision => decision,
        }
    }

    fn at(&self, now: SystemTime) -> Decision {
        let Some(expires) = self.expires else {
            return Decision::Use;
        };
        let Ok(life) = expires.duration_since(self.issued) else {
            return if self.since(now) < OVERDUE { Decision::Use } else { Decision::Renew };
        };
        match expires.duration_since(now) {
            Err(_) => Decision::Renew,
            Ok(left) if left.is_zero() => Decision::Renew,
            Ok(left) if left > AHEAD.min(life / SHORT_LIVES) => Decision::Use,
            Ok(_) if self.renewal_has_just_failed(now) => Decision::Use,
            Ok(_) => Decision::UseAndRenew,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn at(second: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 + second)
    }

    #[rstest]
    #[case::an_hour(3600, 3299, Decision::Use)]
    #[case::five_minutes_before_its_end(3600, 3300, Decision::UseAndRenew)]
    #[case::at_its_end(3600, 3600, Decision::Renew)]
    #[case::long_after(3600, 9999, Decision::Renew)]
    #[case::half_a_minute(30, 19, Decision::Use)]
    #[case::its_last_third(30, 20, Decision::UseAndRenew)]
    fn keys_are_renewed_before_they_expire(#[case] life: u64, #[case] passed: u64, #[case] decision: Decision) {
        assert_eq!(Age::new(at(0), Some(at(life))).decide(at(passed)), decision);
    }

    #[test]
    fn keys_without_end_last_until_they_are_refused() {
        let mut age = Age::new(at(0), None);
        assert_eq!(age.decide(at(1_000_000)), Decision::Use);
        age.refused();
        assert_eq!(age.decide(at(0)), Decision::Renew);
    }

    #[test]
    fn doubted_keys_are_used_while_others_are_asked_for() {
        let mut age = Age::new(at(0), None);
        assert!(age.doubt(at(100)));
        assert_eq!(age.decide(at(100)), Decision::UseAndRenew);
        age.renewal_failed(at(101));
        assert!(!age.doubt(at(102)));
        assert_eq!(age.decide(at(102)), Decision::Use);
        assert_eq!(age.decide(at(111)), Decision::UseAndRenew);
        let mut age = Age::new(at(0), Some(at(3600)));
        age.doubt(at(100));
        assert_eq!(age.decide(at(3600)), Decision::Renew);
    }

    #[test]
    fn after_a_failed_renewal_the_old_keys_do_for_a_while() {
        let mut age = Age::new(at(0), Some(at(3600)));
        age.renewal_failed(at(3400));
        assert_eq!(age.decide(at(3401)), Decision::Use);
        assert_eq!(age.decide(at(3410)), Decision::UseAndRenew);
        assert_eq!(age.decide(at(3600)), Decision::Renew);
    }

    #[test]
    fn keys_that_were_issued_as_expired_ones_are_used_for_a_minute() {
        let age = Age::new(at(100), Some(at(50)));
        assert_eq!(age.decide(at(100)), Decision::Use);
        assert_eq!(age.decide(at(159)), Decision::Use);
        assert_eq!(age.decide(at(160)), Decision::Renew);
    }

    #[test]
    fn a_clock_that_goes_back_does_no_harm() {
        let age = Age::new(at(100), Some(at(3700)));
        assert_eq!(age.decide(at(0)), Decision::Use);
        assert_eq!(age.since(at(0)), Duration::ZERO);
    }
}
