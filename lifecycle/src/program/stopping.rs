//! Whether this process is asked to end.

use std::sync::Arc;

use tokio::sync::watch;

/// Whether this process is asked to end. Clones are the same question.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopping(Arc<watch::Sender<bool>>);

impl Stopping {
    /// Asks it to end.
    pub(super) fn ask(&self) {
        self.0.send_replace(true);
    }

    pub(super) fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is asked.
    pub(super) async fn asked(&self) {
        let mut receiver = self.0.subscribe();
        // The sender lives as long as this.
        let _ = receiver.wait_for(|is_asked| *is_asked).await;
    }
}
