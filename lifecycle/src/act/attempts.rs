//! Attempts at what must be looked at before each of them, so that the gateway's own retries cannot be left to it.

use std::time::Duration;

use s3core::error::Repeat;
use s3core::{Error, Result};

use super::objects::Objects;

/// Attempts at a gateway that is busy or broken.
const ATTEMPTS: u32 = 20;
/// Between two of them.
const PAUSE: Duration = Duration::from_secs(1);

/// Attempts that are left.
pub(super) struct Attempts(u32);

impl Attempts {
    pub(super) fn new() -> Self {
        Self(ATTEMPTS)
    }

    /// Waits for the next attempt.
    ///
    /// # Errors
    /// `failure`, where another attempt cannot help or none is left.
    pub(super) async fn again(&mut self, objects: &Objects<'_>, failure: Error) -> Result<()> {
        self.0 -= 1;
        if self.0 == 0 || failure.kind().row().repeat == Repeat::Never {
            return Err(failure);
        }
        objects.gateway.environment().clock.sleep(PAUSE).await;
        Ok(())
    }
}
