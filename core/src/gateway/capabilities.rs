//! What a gateway has been seen to honour. Unknown means absent: a gateway that ignores a condition header is treated
//! as one that has none.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::environment::Clock;

/// Something that S3 services differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Capability {
    /// PutObject with `If-None-Match: *` fails where the key exists.
    ExclusivePut,
    /// PutObject with the bare ETag in `If-Match` replaces the object that has it, and no other.
    ConditionalPut,
    /// PutObject with the quoted right ETag in `If-Match` succeeds (Radosgw before 20.2.1 wants the bare one).
    QuotedIfMatch,
    /// CompleteMultipartUpload honours `If-None-Match: *` (Radosgw from 20.2.1; before, it silently overwrites).
    ExclusiveComplete,
    /// DeleteObject honours `If-Match` (Radosgw from 20.2.1; before, it silently deletes).
    ConditionalDelete,
    /// DeleteObject honours Radosgw's `x-amz-delete-if-unmodified-since`.
    DeleteIfUnmodifiedSince,
}

impl Capability {
    /// Every capability, in the order of documentation.
    pub const ALL: [Self; 6] = [
        Self::ExclusivePut,
        Self::ConditionalPut,
        Self::QuotedIfMatch,
        Self::ExclusiveComplete,
        Self::ConditionalDelete,
        Self::DeleteIfUnmodifiedSince,
    ];
}

/// A finding holds for an hour: gateways are upgraded under running programs.
pub(super) const VALIDITY: Duration = Duration::from_secs(3600);

/// What has been found out about one gateway.
pub struct Capabilities {
    clock: Arc<dyn Clock>,
    findings: Mutex<HashMap<Capability, (bool, Instant)>>,
}

impl Capabilities {
    /// Nothing is known yet.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, findings: Mutex::new(HashMap::new()) }
    }

    /// Whether the gateway is known to have it; unknown means no.
    pub fn has(&self, capability: Capability) -> bool {
        self.finding(capability) == Some(true)
    }

    /// What is known; `None` where it was never found out, or too long ago.
    pub fn finding(&self, capability: Capability) -> Option<bool> {
        let findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        let (has, found) = findings.get(&capability)?;
        (self.clock.monotonic().saturating_duration_since(*found) < VALIDITY).then_some(*has)
    }

    /// Remembers a finding.
    pub fn found(&self, capability: Capability, has: bool) {
        let now = self.clock.monotonic();
        self.findings.lock().unwrap_or_else(PoisonError::into_inner).insert(capability, (has, now));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::SystemClock;

    #[tokio::test(start_paused = true)]
    async fn unknown_means_absent_and_findings_expire() {
        let capabilities = Capabilities::new(Arc::new(SystemClock));
        assert!(!capabilities.has(Capability::ExclusivePut));
        capabilities.found(Capability::ExclusivePut, true);
        assert!(capabilities.has(Capability::ExclusivePut));
        tokio::time::advance(VALIDITY).await;
        assert_eq!(capabilities.finding(Capability::ExclusivePut), None);
    }
}
