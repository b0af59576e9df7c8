//! In whose name requests are sent.
//!
//! [`ProviderChain`] says where keys come from: it is part of a gateway's settings, and nothing is asked before the first
//! request. [`CredentialCache`] holds the keys while they are good and has new ones issued in time; [`refresh`] decides
//! when, without I/O. Every provider sends its requests by the gateway's own transport.

mod cache;
pub(crate) mod chain;
mod container;
mod instance;
mod key_names;
mod metadata;
mod names;
mod process;
pub(crate) mod profile;
mod profile_keys;
mod provider;
mod refresh;
mod services;
mod sts;

use std::fmt;

pub(crate) use cache::{CredentialCache, Keys};
pub use provider::ProviderChain;

/// Access key, secret key and, for temporary ones, a session token. `Debug` shows the access key only.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Names the user; no secret.
    pub access_key: String,
    /// Signs requests.
    pub secret_key: String,
    /// Belongs to temporary keys.
    pub session_token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key", &self.access_key)
            .field("secret_key", &"***")
            .field("session_token", &self.session_token.as_ref().map(|_| "***"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secret() {
        let credentials = Credentials {
            access_key: "AKIA1".into(),
            secret_key: "swordfish".into(),
            session_token: Some("open sesame".into()),
        };
        let shown = format!("{credentials:?}");
        assert!(shown.contains("AKIA1"));
        assert!(!shown.contains("swordfish") && !shown.contains("sesame"), "{shown}");
    }
}
