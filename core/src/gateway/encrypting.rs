//! What has been seen of a gateway that is asked to encrypt: some take the wish and store the bytes as they are.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use crate::environment::Clock;

use super::capabilities::VALIDITY;
use super::request_settings::Encryption;

/// Whether encryption is asked for, and what became of it.
pub struct Encrypting {
    is_wanted: bool,
    clock: Arc<dyn Clock>,
    of_writes: Mutex<Option<(bool, Instant)>>,
    of_copies: Mutex<Option<(bool, Instant)>>,
}

impl Encrypting {
    pub(super) fn new(wanted: &Encryption, clock: Arc<dyn Clock>) -> Self {
        let is_wanted = *wanted != Encryption::AsTheBucket;
        Self { is_wanted, clock, of_writes: Mutex::default(), of_copies: Mutex::default() }
    }

    /// Whether the options ask for it.
    pub fn is_wanted(&self) -> bool {
        self.is_wanted
    }

    /// Whether what is written has been seen to be encrypted, within the last hour.
    pub fn of_writes(&self) -> Option<bool> {
        self.still_holds(&self.of_writes)
    }

    /// Whether what CopyObject makes has been seen to be encrypted, within the last hour.
    pub fn of_copies(&self) -> Option<bool> {
        self.still_holds(&self.of_copies)
    }

    /// Remembers a finding.
    pub fn found_of_writes(&self, are_encrypted: bool) {
        self.remember(&self.of_writes, are_encrypted);
    }

    /// Remembers a finding.
    pub fn found_of_copies(&self, are_encrypted: bool) {
        self.remember(&self.of_copies, are_encrypted);
    }

    fn still_holds(&self, finding: &Mutex<Option<(bool, Instant)>>) -> Option<bool> {
        let (outcome, when) = (*finding.lock().unwrap_or_else(PoisonError::into_inner))?;
        (self.clock.monotonic().saturating_duration_since(when) < VALIDITY).then_some(outcome)
    }

    fn remember(&self, finding: &Mutex<Option<(bool, Instant)>>, outcome: bool) {
        *finding.lock().unwrap_or_else(PoisonError::into_inner) = Some((outcome, self.clock.monotonic()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::SystemClock;

    #[tokio::test(start_paused = true)]
    async fn findings_hold_for_an_hour() {
        let encrypting = Encrypting::new(&Encryption::Gateway, Arc::new(SystemClock));
        assert!(encrypting.is_wanted() && encrypting.of_writes().is_none());
        encrypting.found_of_writes(true);
        encrypting.found_of_copies(false);
        assert_eq!((encrypting.of_writes(), encrypting.of_copies()), (Some(true), Some(false)));
        tokio::time::advance(VALIDITY).await;
        assert_eq!((encrypting.of_writes(), encrypting.of_copies()), (None, None));
        assert!(!Encrypting::new(&Encryption::AsTheBucket, Arc::new(SystemClock)).is_wanted());
    }
}
