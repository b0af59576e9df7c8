//! Certificate checks: chains as usual, and certificates that are themselves in a store.
//!
//! Java trusts a server's certificate when it is itself in the trust store. rustls builds chains to authorities only
//! and refuses a self-signed certificate that is marked as an authority, which is what `openssl req -x509` makes.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use x509_parser::prelude::{ASN1Time, FromDer, X509Certificate};

/// See the module.
pub(super) struct Verifier {
    /// Missing where no trusted certificate can be an authority.
    chains: Option<Arc<WebPkiServerVerifier>>,
    /// SHA-256 of every trusted certificate.
    trusted: HashSet<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    /// `None` where nothing is trusted.
    pub(super) fn new(
        roots: RootCertStore,
        trusted: &[CertificateDer<'_>],
        provider: &Arc<CryptoProvider>,
    ) -> Option<Self> {
        let chains = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider)).build().ok();
        let trusted: HashSet<_> = trusted.iter().map(fingerprint).collect();
        (!trusted.is_empty()).then(|| Self { chains, trusted, provider: Arc::clone(provider) })
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> [u8; 32] {
    Sha256::digest(certificate.as_ref()).into()
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let refusal = match &self.chains {
            Some(chains) => match chains.verify_server_cert(end_entity, intermediates, name, ocsp_response, now) {
                Ok(verified) => return Ok(verified),
                Err(refusal) => refusal,
            },
            None => CertificateError::UnknownIssuer.into(),
        };
        if !self.trusted.contains(&fingerprint(end_entity)) {
            return Err(refusal);
        }
        verify_validity(end_entity, now)?;
        verify_server_name(&ParsedCertificate::try_from(end_entity)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

fn verify_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let (_, parsed) = X509Certificate::from_der(certificate.as_ref()).map_err(|_| CertificateError::BadEncoding)?;
    let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
    let now = ASN1Time::from_timestamp(seconds).map_err(|_| CertificateError::BadEncoding)?;
    if now < parsed.validity().not_before {
        Err(CertificateError::NotValidYet)
    } else if now > parsed.validity().not_after {
        Err(CertificateError::Expired)
    } else {
        Ok(())
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").field("trusted", &self.trusted.len()).finish_non_exhaustive()
    }
}
