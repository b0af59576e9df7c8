//! Whoever keeps what was read is told when it changes.

use std::time::Instant;

use crate::environment::Environment;

use super::{Gateway, OperationRequest};

/// Is told of changes to objects.
pub trait Watcher: Send + Sync {
    /// A request that changes the object `key` goes out `now`, or has ended. Empty where it is about several keys.
    fn changing(&self, key: &str, now: Instant);
}

/// Tells of a change when it begins and when it has ended, also where nobody waits for its end.
pub(super) struct Change<'a> {
    watcher: &'a dyn Watcher,
    environment: &'a Environment,
    key: String,
}

impl<'a> Change<'a> {
    pub(super) fn of(gateway: &'a Gateway, request: &OperationRequest) -> Option<Self> {
        let watcher = gateway.shared.watcher.as_deref().filter(|_| !request.method.is_safe())?;
        let change = Self { watcher, environment: gateway.environment(), key: request.key.clone() };
        change.tell();
        Some(change)
    }

    fn tell(&self) {
        self.watcher.changing(&self.key, self.environment.clock.monotonic());
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}
