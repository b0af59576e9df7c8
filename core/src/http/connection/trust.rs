//! Whose certificates are trusted: the operating system's store, a PEM file, and what the host language trusts.

mod verifier;

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::failure;
use crate::http::Endpoint;
use crate::{Error, ErrorKind, Result};

use verifier::Verifier;

/// Whose certificates are trusted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustSettings {
    /// PEM file of more issuers.
    pub ca_file: Option<PathBuf>,
    /// More issuers as DER certificates, from the host language (the JVM's trust store).
    pub additional: Vec<Vec<u8>>,
    /// Whether the operating system's issuers are trusted.
    pub use_system_store: bool,
}

/// The trusted certificates, and the TLS settings made of them when they are first needed.
pub(super) struct Trust {
    given: Vec<CertificateDer<'static>>,
    use_system_store: bool,
    config: OnceLock<Option<Arc<ClientConfig>>>,
}

impl Trust {
    /// # Errors
    /// `InvalidOption` where the CA file cannot be read or holds no certificate.
    pub(super) fn new(settings: &TrustSettings) -> Result<Self> {
        let mut given: Vec<_> = settings.additional.iter().cloned().map(CertificateDer::from).collect();
        if let Some(path) = &settings.ca_file {
            let unreadable = |reason: String| {
                Error::new(ErrorKind::InvalidOption, format!("fs.s3core.ssl.ca.file: {}: {reason}", path.display()))
            };
            let before = given.len();
            for certificate in CertificateDer::pem_file_iter(path).map_err(|cause| unreadable(cause.to_string()))? {
                given.push(certificate.map_err(|cause| unreadable(cause.to_string()))?);
            }
            if given.len() == before {
                return Err(unreadable("the file holds no certificate in PEM form".to_owned()));
            }
        }
        Ok(Self { given, use_system_store: settings.use_system_store, config: OnceLock::new() })
    }

    /// # Errors
    /// `UntrustedCertificate` where no certificate is trusted at all.
    pub(super) fn tls(&self, endpoint: &Endpoint) -> Result<Arc<ClientConfig>> {
        self.config.get_or_init(|| self.load()).clone().ok_or_else(|| failure::no_certificates(endpoint))
    }

    fn load(&self) -> Option<Arc<ClientConfig>> {
        let mut certificates = self.given.clone();
        if self.use_system_store {
            let found = rustls_native_certs::load_native_certs();
            for error in &found.errors {
                tracing::debug!(%error, "a part of the operating system's certificate store was not read");
            }
            certificates.extend(found.certs);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(certificates.iter().cloned());
        let verifier = Verifier::new(roots, &certificates, &provider)?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .ok()?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        Some(Arc::new(config))
    }
}
