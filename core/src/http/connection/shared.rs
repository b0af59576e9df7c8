//! The connections of a process: configurations that reach gateways in the same way share them.

use std::sync::{Arc, Mutex, PoisonError};

use crate::Result;
use crate::http::Transport;

use super::{HttpTransport, TransportSettings};

/// One [`HttpTransport`] for each [`TransportSettings`] that was asked for; none is ever dropped.
#[derive(Default)]
pub struct SharedTransports {
    known: Mutex<Vec<(TransportSettings, Arc<HttpTransport>)>>,
}

impl SharedTransports {
    /// No transports yet.
    pub const fn new() -> Self {
        Self { known: Mutex::new(Vec::new()) }
    }

    /// The transport with these settings. Nothing is sent.
    ///
    /// # Errors
    /// Those of [`HttpTransport::new`].
    pub fn get(&self, settings: TransportSettings) -> Result<Arc<dyn Transport>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, transport)) = known.iter().find(|(others, _)| *others == settings) {
            return Ok(Arc::clone(transport) as _);
        }
        let transport = Arc::new(HttpTransport::new(settings.clone())?);
        known.push((settings, Arc::clone(&transport)));
        Ok(transport)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_settings_share_connections_and_others_do_not() {
        let transports = SharedTransports::new();
        let of = |maximum_connections| {
            let settings = TransportSettings { maximum_connections, ..TransportSettings::default() };
            transports.get(settings).unwrap()
        };
        assert!(Arc::ptr_eq(&of(3), &of(3)));
        assert!(!Arc::ptr_eq(&of(3), &of(4)));
    }
}
