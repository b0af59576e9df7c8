//! What requests say besides their own operation.

use rstest::rstest;

use super::*;
use crate::gateway::{CustomerKey, Encryption};

const CUSTOMERS_KEY: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

#[rstest]
#[case("", Encryption::AsTheBucket)]
#[case("fs.s3a.encryption.algorithm=aes256", Encryption::Gateway)]
#[case("fs.s3a.server-side-encryption-algorithm=AES256", Encryption::Gateway)]
#[case(
    "fs.s3a.encryption.algorithm=SSE-KMS",
    Encryption::KeyService { key: None, context: None, dual: false }
)]
#[case(
    "fs.s3a.encryption.algorithm=DSSE-KMS fs.s3a.server-side-encryption.key=k fs.s3a.encryption.context=b=2,a=1",
    Encryption::KeyService { key: Some("k".into()), context: Some("eyJhIjoiMSIsImIiOiIyIn0=".into()), dual: true }
)]
#[case(
    "fs.s3a.encryption.algorithm=AES256 fs.s3a.bucket.lake.encryption.algorithm=SSE-KMS",
    Encryption::KeyService { key: None, context: None, dual: false }
)]
#[case(
    &format!("fs.s3a.endpoint=https://rgw fs.s3a.encryption.algorithm=SSE-C fs.s3a.encryption.key={CUSTOMERS_KEY}"),
    Encryption::Customer(CustomerKey::from_base64(CUSTOMERS_KEY).unwrap())
)]
fn encryption_is_understood_as_s3a_spells_it(#[case] text: &str, #[case] encryption: Encryption) {
    assert_eq!(World::hadoop(text).options().gateway.requests.encryption, encryption);
}

#[rstest]
#[case("algorithm=SSE-C", ErrorKind::UnusableEncryption, "no encryption key was declared in fs.s3a.encryption.key")]
#[case("algorithm=SSE-C fs.s3a.encryption.key=short", ErrorKind::UnusableEncryption, "256 bits")]
#[case(
    "algorithm=SSE-C fs.s3a.endpoint=http://rgw fs.s3a.encryption.key=swordfish",
    ErrorKind::UnusableEncryption,
    "use an https:// endpoint"
)]
#[case("algorithm=AES256 fs.s3a.encryption.key=swordfish", ErrorKind::UnusableEncryption, "SSE-KMS or SSE-C")]
#[case("algorithm=ROT13", ErrorKind::UnusableEncryption, "Unknown encryption algorithm ROT13")]
#[case("algorithm=ROT13", ErrorKind::UnusableEncryption, "SSE-KMS")]
#[case("algorithm=CSE-KMS fs.s3a.encryption.key=k", ErrorKind::Unsupported, "left out on purpose")]
#[case("algorithm=CSE-CUSTOM", ErrorKind::Unsupported, "SSE-C")]
#[case("algorithm=SSE-KMS fs.s3a.encryption.context=project", ErrorKind::UnusableEncryption, "project=lake")]
fn encryption_that_cannot_be_names_the_remedy(#[case] text: &str, #[case] kind: ErrorKind, #[case] part: &str) {
    let error = World::hadoop(&format!("fs.s3a.encryption.{text}")).error();
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.message().contains(part), "{error}");
    assert!(!error.message().contains("swordfish"), "{error}");
}

#[rstest]
#[case("PublicRead", "public-read")]
#[case("public-read", "public-read")]
#[case("BucketOwnerFullControl", "bucket-owner-full-control")]
#[case("Private", "private")]
fn canned_acls_have_s3as_names_and_s3s(#[case] written: &str, #[case] sent: &str) {
    let options = World::hadoop(&format!("fs.s3a.acl.default={written}")).options();
    assert_eq!(options.gateway.requests.acl.as_deref(), Some(sent));
}

#[test]
fn headers_of_ones_own_are_pairs() {
    let headers = |text: &str| World::hadoop(&format!("fs.s3a.client.s3.custom.headers={text}"));
    let given = headers("x-site=berlin,x-team=a;b").options().gateway.requests.headers;
    let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap())).collect();
    assert_eq!(given, [("x-site", "berlin"), ("x-team", "a, b")]);
    for wrong in ["x-site", "=swordfish", "x@site=swordfish", "x-site=a,sword@fish=b", "x-site=\u{e9}swordfish"] {
        let error = headers(wrong).error();
        assert!(error.message().contains("fs.s3a.client.s3.custom.headers"), "{error}");
        assert!(!error.message().contains("sword"), "{error}");
    }
    let options = headers("x-site=berlin").options();
    assert_eq!(explained(&options, "custom.headers").0, "***");
    assert!(!format!("{:?} {:?}", options, options.gateway.requests).contains("berlin"));
}

#[rstest]
fn headers_that_requests_need_themselves_are_refused(
    #[values("Host", "range", "Content-Length", "authorization", "X-Amz-Date", "x-amz-copy-source", "if-match")]
    name: &str,
) {
    let error = World::hadoop(&format!("fs.s3a.client.s3.custom.headers=x-site=a,{name}=b")).error();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains(&name.to_lowercase()), "{error}");
}

#[test]
fn a_tenant_is_one_word() {
    let tenant = |name: &str| World::hadoop(&format!("fs.s3core.bucket.lake.tenant={name}"));
    assert_eq!(tenant("science_1").options().gateway.requests.tenant.as_deref(), Some("science_1"));
    assert_eq!(tenant("science_1").resolve_for("other").unwrap().gateway.requests.tenant, None);
    assert!(tenant("science:lake").error().message().contains("letters, digits and underscores"));
}
