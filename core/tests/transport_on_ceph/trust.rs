//! TLS with a private authority and with a self-signed certificate, and the wrong scheme on either port.

use bytes::Bytes;
use http::Method;
use rstest::rstest;
use s3core::gateway::GatewaySettings;
use s3core::http::Endpoint;
use s3core::http::connection::TrustSettings;
use s3core::{ErrorKind, Result};

use crate::client::Client;
use crate::support::{Place, Running, Service, gateway_settings};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run this through tests/ceph/with-ceph.sh --tls"))
}

/// The place's keys at the endpoint that a variable names.
fn settings(place: &Place, endpoint: &str) -> GatewaySettings {
    let Running { access_key, secret_key, .. } = &place.running;
    let (access_key, secret_key) = (access_key.clone(), secret_key.clone());
    gateway_settings(&Running { url: variable(endpoint), access_key, secret_key, embedded: None })
}

fn trust(file: &str) -> TrustSettings {
    TrustSettings { ca_file: Some(variable(file).into()), additional: Vec::new(), use_system_store: true }
}

async fn put_and_get(client: &Client) -> Result<()> {
    let content = Bytes::from((0..9_000_000u32).map(|i| (i % 251) as u8).collect::<Vec<_>>());
    assert_eq!(client.exchange(Method::PUT, "k", &[], content.clone()).await?.0, 200);
    let (status, read) = client.exchange(Method::GET, "k", &[], Bytes::new()).await?;
    assert!(status == 200 && read == content, "the content differs");
    Ok(())
}

#[rstest]
#[case::private_authority("S3CORE_TEST_TLS_ENDPOINT", "S3CORE_TEST_CA_FILE", "S3CORE_TEST_SELF_SIGNED_FILE")]
#[case::self_signed("S3CORE_TEST_SELF_SIGNED_ENDPOINT", "S3CORE_TEST_SELF_SIGNED_FILE", "S3CORE_TEST_CA_FILE")]
#[tokio::test]
async fn a_gateway_is_trusted_by_the_file_that_fits(#[case] endpoint: &str, #[case] right: &str, #[case] wrong: &str) {
    let place = Place::at(Service::Ceph).await;
    let settings = settings(&place, endpoint);
    put_and_get(&Client::new(&settings, trust(right), &place.bucket)).await.unwrap();
    let error = put_and_get(&Client::new(&settings, trust(wrong), &place.bucket)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedCertificate, "{error}");
    assert!(error.to_string().contains("fs.s3core.ssl.ca.file"), "{error}");
}

#[rstest]
#[case::http_on_tls("S3CORE_TEST_TLS_ENDPOINT", "use https://")]
#[case::https_on_http("S3CORE_TEST_ENDPOINT", "use http://")]
#[tokio::test]
async fn the_wrong_scheme_is_told_with_the_right_one(#[case] endpoint: &str, #[case] remedy: &str) {
    let place = Place::at(Service::Ceph).await;
    let mut settings = settings(&place, endpoint);
    settings.endpoint = Endpoint { tls: !settings.endpoint.tls, ..settings.endpoint };
    let error = put_and_get(&Client::new(&settings, trust("S3CORE_TEST_CA_FILE"), &place.bucket)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongProtocol, "{error}");
    assert!(error.to_string().contains(remedy), "{error}");
}
