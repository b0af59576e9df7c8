use std::time::{Duration, UNIX_EPOCH};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use rstest::rstest;
use sha2::{Digest, Sha256};

use super::*;
use crate::ErrorKind;
use crate::credentials::{Credentials, ProviderChain};
use crate::gateway::RequestSettings;
use crate::gateway::retry::RetryPolicy;
use crate::http::{Limits, Payload};

const LIMIT: Duration = Duration::from_secs(1);

fn settings(host: &str, path_style: bool) -> GatewaySettings {
    GatewaySettings {
        endpoint: Endpoint { tls: true, host: host.into(), port: 443 },
        endpoint_is_assumed: false,
        path_style,
        region: "us-east-1".into(),
        credentials: ProviderChain::anonymous(),
        limits: Limits { connect: LIMIT, answer: LIMIT, idle: LIMIT },
        retry: RetryPolicy::default(),
        user_agent: "test".into(),
        requests: RequestSettings::default(),
    }
}

fn keys(session_token: Option<&str>) -> Identity {
    Identity::from(&Credentials {
        access_key: "AKIAIOSFODNN7EXAMPLE".into(),
        secret_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
        session_token: session_token.map(str::to_owned),
    })
}

fn operation(
    method: Method,
    key: &str,
    query: &[(&'static str, &str)],
    headers: &[(&'static str, &'static str)],
) -> OperationRequest {
    OperationRequest {
        query: query.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(),
        headers: headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect(),
        ..OperationRequest::new(method, "examplebucket", key)
    }
}

fn signer() -> Signer {
    Signer::new(&settings("gateway.example", true))
}

fn the_time_of_the_examples() -> SystemTime {
    // 2013-05-24T00:00:00Z
    UNIX_EPOCH + Duration::from_secs(1_369_353_600)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).map(|value| value.to_str().unwrap())
}

/// The examples of "Authenticating Requests: Using the Authorization Header" in the S3 API reference.
#[rstest]
#[case::get_object(
    operation(Method::GET, "test.txt", &[], &[("range", "bytes=0-9")]),
    "/test.txt",
    "host;range;x-amz-content-sha256;x-amz-date",
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
)]
#[case::put_object(
    OperationRequest {
        payload: Payload::from(Bytes::from_static(b"Welcome to Amazon S3.")),
        payload_hash: PayloadHash::Sha256(Sha256::digest(b"Welcome to Amazon S3.").into()),
        ..operation(
            Method::PUT,
            "test$file.text",
            &[],
            &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
        )
    },
    "/test%24file.text",
    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
)]
#[case::get_bucket_lifecycle(
    operation(Method::GET, "", &[("lifecycle", "")], &[]),
    "/?lifecycle",
    "host;x-amz-content-sha256;x-amz-date",
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
)]
#[case::list_objects(
    operation(Method::GET, "", &[("prefix", "J"), ("max-keys", "2")], &[]),
    "/?max-keys=2&prefix=J",
    "host;x-amz-content-sha256;x-amz-date",
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
)]
fn the_published_examples_come_out(
    #[case] operation: OperationRequest,
    #[case] path_and_query: &str,
    #[case] signed_headers: &str,
    #[case] signature: &str,
) {
    let signer = Signer::new(&settings("s3.amazonaws.com", false));
    assert_eq!(signer.endpoint("examplebucket").authority(), "examplebucket.s3.amazonaws.com");
    let request = signer.sign(operation, Some(&keys(None)), the_time_of_the_examples()).unwrap();
    assert_eq!(request.path_and_query, path_and_query);
    assert_eq!(
        text(&request.headers, "authorization").unwrap(),
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
             SignedHeaders={signed_headers}, Signature={signature}"
        )
    );
    assert_eq!(text(&request.headers, "x-amz-date"), Some("20130524T000000Z"));
    assert!(request.headers["authorization"].is_sensitive());
}

#[test]
fn every_x_amz_header_is_signed_and_the_user_agent_is_not() {
    let keys = keys(Some("a+token/="));
    let headers =
        [("content-md5", "x"), ("if-none-match", "*"), ("x-amz-copy-source", "b/k"), ("x-amz-meta-a", " b  c ")];
    let request =
        signer().sign(operation(Method::PUT, "k", &[], &headers), Some(&keys), the_time_of_the_examples()).unwrap();
    let authorization = text(&request.headers, "authorization").unwrap();
    let signed = "content-md5;host;if-none-match;x-amz-content-sha256;x-amz-copy-source;x-amz-date;x-amz-meta-a;x-amz-security-token";
    assert!(authorization.contains(&format!("SignedHeaders={signed},")), "{authorization}");
    assert_eq!(text(&request.headers, "x-amz-security-token"), Some("a+token/="));
    assert!(request.headers["x-amz-security-token"].is_sensitive());
    assert_eq!(text(&request.headers, "user-agent"), Some(format!("test s3core/{}", crate::VERSION).as_str()));
    assert!(!request.headers.contains_key("host"));
}

#[rstest]
#[case(PayloadHash::Unsigned, "UNSIGNED-PAYLOAD")]
#[case(PayloadHash::Empty, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")]
#[case(PayloadHash::Sha256([0xa5; 32]), "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5")]
fn the_body_is_declared_and_never_aws_chunked(#[case] payload_hash: PayloadHash, #[case] declared: &str) {
    let operation = OperationRequest { payload_hash, ..operation(Method::PUT, "k", &[], &[]) };
    let request = signer().sign(operation, Some(&keys(None)), the_time_of_the_examples()).unwrap();
    assert_eq!(text(&request.headers, "x-amz-content-sha256"), Some(declared));
    assert!(!request.headers.contains_key("content-encoding"));
}

#[test]
fn without_credentials_nothing_is_signed() {
    let request = signer().sign(operation(Method::GET, "k", &[], &[]), None, the_time_of_the_examples()).unwrap();
    assert_eq!(request.headers.keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["user-agent"]);
}

#[rstest]
#[case::path_style("gateway.example", true, "bucket", "gateway.example", "/bucket/a//b")]
#[case::virtual_host("gateway.example", false, "bucket", "bucket.gateway.example", "/a//b")]
#[case::no_bucket("gateway.example", false, "", "gateway.example", "/a//b")]
#[case::dots_match_no_wildcard("gateway.example", false, "my.bucket", "gateway.example", "/my.bucket/a//b")]
#[case::no_host_name("gateway.example", false, "my_bucket", "gateway.example", "/my_bucket/a//b")]
#[case::address("10.0.0.1", false, "bucket", "10.0.0.1", "/bucket/a//b")]
#[case::address_six("::1", false, "bucket", "[::1]", "/bucket/a//b")]
fn buckets_stand_in_the_path_or_in_the_host(
    #[case] host: &str,
    #[case] path_style: bool,
    #[case] bucket: &str,
    #[case] authority: &str,
    #[case] path: &str,
) {
    let signer = Signer::new(&settings(host, path_style));
    let operation = OperationRequest { bucket: bucket.into(), ..operation(Method::GET, "a//b", &[], &[]) };
    assert_eq!(signer.endpoint(bucket).authority(), authority);
    assert_eq!(signer.sign(operation, Some(&keys(None)), the_time_of_the_examples()).unwrap().path_and_query, path);
}

#[rstest]
#[case("", "/examplebucket")]
#[case("/leading", "/examplebucket//leading")]
#[case("a/../b/./c", "/examplebucket/a/../b/./c")]
#[case("a+b c%20", "/examplebucket/a%2Bb%20c%2520")]
fn keys_are_never_normalized(#[case] key: &str, #[case] path: &str) {
    let request = signer().sign(operation(Method::GET, key, &[], &[]), None, the_time_of_the_examples()).unwrap();
    assert_eq!(request.path_and_query, path);
}

#[test]
fn a_header_that_is_no_text_is_refused() {
    let mut operation = operation(Method::PUT, "k", &[], &[]);
    operation.headers.insert("x-amz-meta-a", HeaderValue::from_bytes(b"\xff").unwrap());
    let error = signer().sign(operation, Some(&keys(None)), the_time_of_the_examples()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.to_string().contains("x-amz-meta-a"));
}

#[test]
fn a_tenants_bucket_is_named_with_it_in_path_and_copy_source() {
    let mut settings = settings("gateway.example", false);
    settings.requests.tenant = Some("science".into());
    let signer = Signer::new(&settings);
    let source = Some(("examplebucket".to_owned(), "a b".to_owned()));
    let operation = OperationRequest { copy_source: source, ..operation(Method::PUT, "k", &[], &[]) };
    assert_eq!(signer.endpoint("examplebucket").authority(), "gateway.example");
    let request = signer.sign(operation, Some(&keys(None)), the_time_of_the_examples()).unwrap();
    assert_eq!(request.path_and_query, "/science%3Aexamplebucket/k");
    assert_eq!(text(&request.headers, "x-amz-copy-source"), Some("science%3Aexamplebucket/a%20b"));
    assert!(text(&request.headers, "authorization").unwrap().contains(";x-amz-copy-source;"));
}
