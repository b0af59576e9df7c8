//! TLS: who is trusted, and what is said about those who are not.

use std::io::Write;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rstest::rstest;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use s3core::http::connection::TrustSettings;
use s3core::http::connection::{HttpTransport, TransportSettings};
use s3core::{ErrorKind, Result};
use tokio_rustls::TlsAcceptor;

use crate::server::{Server, answer_all, read_request, write};
use crate::{PATIENT, get, no_trust, put, read, send, transport, transport_with};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345";

/// A certificate authority.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
    der: Vec<u8>,
}

/// A server's certificate and its key.
pub(crate) struct Identity {
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("a private authority")
    }

    fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        Self { pem: certificate.pem(), der: certificate.der().to_vec(), issuer: Issuer::new(params, key) }
    }

    pub(crate) fn der(&self) -> Vec<u8> {
        self.der.clone()
    }

    pub(crate) fn issue(&self, params: CertificateParams) -> Identity {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        Identity { certificate, key }
    }
}

/// A certificate for `names` without an issuer besides itself.
fn self_signed(params: CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    Identity { certificate, key }
}

/// As `openssl req -x509` makes it: marked as an authority.
fn marked_as_authority(mut params: CertificateParams) -> CertificateParams {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params
}

pub(crate) fn for_localhost() -> CertificateParams {
    let mut params = CertificateParams::new(vec!["localhost".into(), "127.0.0.1".into()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "localhost");
    params
}

fn expired(mut params: CertificateParams) -> CertificateParams {
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(2021, 1, 1);
    params
}

pub(crate) fn acceptor(identity: Identity) -> TlsAcceptor {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![identity.certificate], PrivateKeyDer::Pkcs8(identity.key.serialize_der().into()))
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

pub(crate) async fn serve(identity: Identity) -> Server {
    let acceptor = acceptor(identity);
    Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(stream) = acceptor.accept(stream).await {
                answer_all(stream, ANSWER).await;
            }
        }
    })
    .await
}

pub(crate) fn trusting(additional: Vec<Vec<u8>>) -> HttpTransport {
    let trust = TrustSettings { additional, ..no_trust() };
    transport_with(TransportSettings { trust, ..TransportSettings::default() })
}

async fn fetch(transport: &HttpTransport, server: &Server, host: &str) -> Result<Vec<u8>> {
    read(send(transport, &server.tls_endpoint(host), get(), PATIENT).await?).await
}

async fn refusal(transport: &HttpTransport, server: &Server, words: &[&str]) {
    let error = fetch(transport, server, "localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedCertificate, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not name {word}");
    }
}

#[tokio::test]
async fn an_authority_is_trusted_from_the_host_language_and_from_a_file() {
    let authority = Authority::new();
    let server = serve(authority.issue(for_localhost())).await;
    let from_host = trusting(vec![authority.der()]);
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(authority.pem.as_bytes()).unwrap();
    let trust = TrustSettings { ca_file: Some(file.path().into()), ..no_trust() };
    let from_file = transport_with(TransportSettings { trust, ..TransportSettings::default() });
    for transport in [from_host, from_file] {
        for host in ["localhost", "127.0.0.1"] {
            assert_eq!(fetch(&transport, &server, host).await.unwrap(), b"12345");
        }
    }
}

#[rstest]
#[case::plain(for_localhost())]
#[case::marked_as_authority(marked_as_authority(for_localhost()))]
#[tokio::test]
async fn a_self_signed_certificate_is_trusted_when_it_is_in_a_store(#[case] params: CertificateParams) {
    let identity = self_signed(params);
    let der = identity.certificate.to_vec();
    let server = serve(identity).await;
    assert_eq!(fetch(&trusting(vec![Authority::new().der(), der]), &server, "localhost").await.unwrap(), b"12345");
    refusal(&trusting(vec![Authority::new().der()]), &server, &["not trusted", "fs.s3core.ssl.ca.file", "JVM"]).await;
}

#[tokio::test]
async fn a_server_certificate_in_a_store_is_trusted_without_its_issuer() {
    let identity = Authority::new().issue(for_localhost());
    let der = identity.certificate.to_vec();
    let server = serve(identity).await;
    assert_eq!(fetch(&trusting(vec![der]), &server, "localhost").await.unwrap(), b"12345");
}

#[rstest]
#[case::of_another_name("another authority", "issuer is in no store")]
#[case::of_the_same_name("a private authority", "another key")]
#[tokio::test]
async fn an_unknown_issuer_is_refused(#[case] trusted: &str, #[case] words: &str) {
    let server = serve(Authority::new().issue(for_localhost())).await;
    let transport = trusting(vec![Authority::named(trusted).der()]);
    refusal(&transport, &server, &["https://localhost", words, "fs.s3core.ssl.ca.file", "JVM"]).await;
}

#[tokio::test]
async fn without_any_certificate_nothing_is_trusted() {
    let server = serve(Authority::new().issue(for_localhost())).await;
    refusal(&transport(), &server, &["no CA certificate was found", "fs.s3core.ssl.ca.file"]).await;
}

#[rstest]
#[case::issued(false)]
#[case::self_signed(true)]
#[tokio::test]
async fn names_and_validity_count_for_issued_and_self_signed_certificates(#[case] is_self_signed: bool) {
    let other_name = CertificateParams::new(vec!["gateway.example".into()]).unwrap();
    let mut common_name_only = CertificateParams::new(Vec::new()).unwrap();
    common_name_only.distinguished_name.push(DnType::CommonName, "localhost");
    for (params, words) in [
        (expired(for_localhost()), "expired"),
        (other_name, "gateway.example"),
        (common_name_only, "common names do not count"),
    ] {
        let authority = Authority::new();
        let identity = if is_self_signed { self_signed(marked_as_authority(params)) } else { authority.issue(params) };
        let transport = trusting(vec![authority.der(), identity.certificate.to_vec()]);
        let server = serve(identity).await;
        refusal(&transport, &server, &[words]).await;
    }
}

#[tokio::test]
async fn large_bodies_and_reuse_work_beneath_tls() {
    let authority = Authority::new();
    let server = serve(authority.issue(for_localhost())).await;
    let transport = trusting(vec![authority.der()]);
    for _ in 0..3 {
        let response = send(&transport, &server.tls_endpoint("localhost"), put(8 << 20), PATIENT).await.unwrap();
        assert_eq!(read(response).await.unwrap(), b"12345");
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn http_to_a_tls_port_says_so() {
    let server = serve(Authority::new().issue(for_localhost())).await;
    let error = send(&transport(), &server.endpoint(), get(), PATIENT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongProtocol, "{error}");
    assert!(error.to_string().contains("use https://"), "{error}");
}

#[tokio::test]
async fn https_to_a_plain_port_says_so() {
    let server = Server::start(|mut stream, _| async move {
        let _ = tokio::time::timeout(std::time::Duration::from_millis(50), read_request(&mut stream)).await;
        write(&mut stream, "HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    let transport = trusting(vec![Authority::new().der()]);
    let error = fetch(&transport, &server, "localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongProtocol, "{error}");
    assert!(error.to_string().contains("use http://"), "{error}");
}

#[tokio::test]
async fn a_handshake_broken_off_is_a_disconnection() {
    let server = Server::start(|_, _| async {}).await;
    let transport = trusting(vec![Authority::new().der()]);
    let error = fetch(&transport, &server, "localhost").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("https port"), "{error}");
}

#[rstest]
#[case::missing("/nonexistent/ca.pem".into(), "/nonexistent/ca.pem")]
#[case::no_certificate("/proc/version".into(), "holds no certificate")]
fn a_ca_file_without_certificates_is_an_invalid_option(#[case] path: std::path::PathBuf, #[case] words: &str) {
    let trust = TrustSettings { ca_file: Some(path), ..no_trust() };
    let Err(error) = HttpTransport::new(TransportSettings { trust, ..TransportSettings::default() }) else {
        panic!("the file was accepted")
    };
    assert_eq!(error.kind(), ErrorKind::InvalidOption, "{error}");
    assert!(error.to_string().contains(words) && error.to_string().contains("fs.s3core.ssl.ca.file"), "{error}");
}
