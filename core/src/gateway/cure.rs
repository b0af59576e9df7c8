//! Refusals that end when the next request is signed with another time or other keys. Each is tried once in an operation:
//! that is no patience, and the retry policy is not asked.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::credentials::{CredentialCache, Keys};
use crate::environment::{Clock, CorrectedClock};
use crate::http::Response;
use crate::{Error, ErrorKind};

/// What was changed since a request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cure {
    /// The clock was set by the gateway's.
    Clock,
    /// Other keys are to be had.
    Keys,
}

/// Answers to HEAD have no body and so no reason. Where the clocks are so far apart, it is the clock: gateways allow 15
/// minutes, and networks delay nothing for long.
const APART: Duration = Duration::from_secs(600);

/// The header `Date` counts whole seconds: keys that have expired within the second were good at its beginning.
const DATE_STEP: Duration = Duration::from_secs(1);

/// An attempt, as far as its refusal is judged by it.
pub(super) struct Attempt {
    /// What it was signed with.
    pub(super) keys: Arc<Keys>,
    /// The gateway's time when it answered.
    pub(super) answered: Option<SystemTime>,
    /// Our own time then.
    pub(super) received: SystemTime,
}

impl Attempt {
    pub(super) fn new(keys: Arc<Keys>, response: &Response, clock: &CorrectedClock) -> Self {
        let answered = if response.status.is_client_error() { response.date("date") } else { None };
        Self { keys, answered, received: clock.wall() }
    }

    /// Changes what `refusal` was due to, if that can be changed.
    pub(super) fn cure(&self, refusal: &Error, clock: &CorrectedClock, credentials: &CredentialCache) -> Option<Cure> {
        if let Some(time) = self.answered
            && self.is_about_time(refusal, time)
        {
            clock.set(time);
            return Some(Cure::Clock);
        }
        let reason = self.is_about_keys(refusal)?;
        credentials.refuse(&self.keys, reason).then_some(Cure::Keys)
    }

    fn is_about_time(&self, refusal: &Error, time: SystemTime) -> bool {
        let apart = time.duration_since(self.received).unwrap_or_else(|ahead| ahead.duration());
        match refusal.kind() {
            ErrorKind::ClockSkew => true,
            ErrorKind::AccessDenied => refusal.service_code().is_none() && apart > APART,
            _ => false,
        }
    }

    /// Whether it is certain that the keys were the reason; `None` where they were not.
    fn is_about_keys(&self, refusal: &Error) -> Option<bool> {
        match refusal.kind() {
            ErrorKind::BadCredentials => Some(true),
            // Radosgw does not say that a session has expired.
            ErrorKind::AccessDenied if self.answered.is_some_and(|time| self.keys.have_expired(time + DATE_STEP)) => {
                Some(true)
            }
            ErrorKind::AccessDenied => refusal.service_code().is_none().then_some(false),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// The gateway answers at 10.x s, and its header says 10.
    #[rstest]
    #[case::long_before(5_000, Some(true))]
    #[case::at_the_beginning_of_the_second(10_000, Some(true))]
    #[case::within_the_second(10_900, Some(true))]
    #[case::later(12_000, None)]
    fn a_refusal_is_about_keys_that_had_expired(#[case] expires: u64, #[case] reason: Option<bool>) {
        let at = |milliseconds| SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds);
        let answered = Some(at(10_000));
        let attempt = Attempt { keys: Arc::new(Keys::that_expire(at(expires))), answered, received: at(10_950) };
        let refusal = Error::new(ErrorKind::AccessDenied, "no").answered(403, Some("AccessDenied".into()), None);
        assert_eq!(attempt.is_about_keys(&refusal), reason);
    }
}
