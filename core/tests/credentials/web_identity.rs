//! A role that a token gives a right to: the test is the identity provider that a real Ceph asks.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{CertifiedKey, KeyPair, SigningKey};
use s3core::ErrorKind;
use s3core::config::{Options, Sources};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::transfer::budget::MemoryBudget;

use crate::issuer::Issuer;
use crate::support::admin::{make_role, trust_issuer};
use crate::support::{Place, Service, environment};

const READING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::*"}]}"#;
const CLIENT: &str = "s3core-tests";

/// A token of the provider at `url`, signed with ES256 (RFC 7518, section 3.4).
fn token(url: &str, key: &KeyPair, life: Duration) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let encoded = |text: String| URL_SAFE_NO_PAD.encode(text);
    let head = encoded(r#"{"alg":"ES256","typ":"JWT","kid":"k"}"#.to_owned());
    let claims = encoded(format!(
        r#"{{"iss":"{url}","aud":"{CLIENT}","sub":"me","iat":{},"exp":{}}}"#,
        now.as_secs() - 10,
        (now + life).as_secs()
    ));
    let signed = format!("{head}.{claims}");
    let signature = URL_SAFE_NO_PAD.encode(fixed(&key.sign(signed.as_bytes()).unwrap()));
    format!("{signed}.{signature}")
}

/// Two integers of 32 bytes out of a DER sequence of two integers.
fn fixed(der: &[u8]) -> Vec<u8> {
    let mut rest = &der[2..];
    let mut out = Vec::new();
    for _ in 0..2 {
        let (integer, after) = rest[2..].split_at(usize::from(rest[1]));
        let integer: Vec<u8> = integer.iter().copied().skip_while(|byte| *byte == 0).collect();
        out.extend(std::iter::repeat_n(0, 32 - integer.len()));
        out.extend(integer);
        rest = after;
    }
    out
}

/// SHA-1 in capital letters, as providers are registered with it.
fn thumbprint(certificate: &[u8]) -> String {
    let mut openssl = Command::new("openssl")
        .args(["dgst", "-sha1", "-r"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    openssl.stdin.take().unwrap().write_all(certificate).unwrap();
    let printed = String::from_utf8(openssl.wait_with_output().unwrap().stdout).unwrap();
    printed.split(' ').next().unwrap().to_uppercase()
}

fn files(place: &Place, role: &str, token_file: &str) -> FileSystem {
    let sources = Sources {
        explicit: vec![("endpoint".to_owned(), place.running.url.clone())],
        // Unless somebody names Ceph's STS, the token of a platform is shown to Amazon's only.
        hadoop: vec![("fs.s3a.assumed.role.sts.endpoint".to_owned(), place.running.url.clone())],
        environment: &|name| match name {
            "AWS_WEB_IDENTITY_TOKEN_FILE" => Some(token_file.to_owned()),
            "AWS_ROLE_ARN" => Some(role.to_owned()),
            "AWS_ROLE_SESSION_NAME" => Some("a test".to_owned()),
            _ => None,
        },
        home: None,
    };
    let options = Options::resolve(&place.bucket, &sources).unwrap();
    FileSystem::new(&options, environment(), MemoryBudget::new(64 << 20), WorkPaths::new())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_trusted_provider_gives_the_role() {
    let place = Place::at(Service::Sts).await;
    place.put("a", "x").await;
    let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let certificate = STANDARD.encode(cert.der());
    let issuer = Issuer::start(move |asked, _| {
        let host = asked.header("host").unwrap().to_owned();
        match asked.line.as_str() {
            "GET /.well-known/openid-configuration" => (200, format!("{{\"jwks_uri\":\"http://{host}/certs\"}}")),
            "GET /certs" => (200, format!("{{\"keys\":[{{\"kid\":\"k\",\"x5c\":[\"{certificate}\"]}}]}}")),
            _ => (404, String::new()),
        }
    })
    .await;
    trust_issuer(&place.gateway, &issuer.url, CLIENT, &thumbprint(cert.der())).await;
    let name = issuer.url.strip_prefix("http://").unwrap();
    let trust = format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",
            "Principal":{{"Federated":["arn:aws:iam:::oidc-provider/{name}"]}},
            "Action":["sts:AssumeRoleWithWebIdentity"],
            "Condition":{{"StringEquals":{{"{name}:app_id":"{CLIENT}"}}}}}}]}}"#
    );
    let role = make_role(&place.gateway, &format!("S3CoreWeb{}", name.replace(['.', ':'], "")), &trust, READING).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");

    std::fs::write(&file, token(&issuer.url, &signing_key, Duration::from_secs(600)) + "\n").unwrap();
    let files_of_role = files(&place, &role, file.to_str().unwrap());
    assert_eq!(files_of_role.status("a").await.unwrap().length, 1);
    let error = files_of_role.make_directory("d").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");

    let stranger = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().signing_key;
    std::fs::write(&file, token(&issuer.url, &stranger, Duration::from_secs(600))).unwrap();
    let error = files(&place, &role, file.to_str().unwrap()).status("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
    assert!(error.message().contains(&role), "{error}");
}

#[tokio::test]
async fn a_token_file_that_is_not_there_is_named() {
    let place = Place::at(Service::Sts).await;
    let error = files(&place, "arn:aws:iam:::role/x", "/no/such/token").status("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoCredentials, "{error:?}");
    assert!(error.message().contains("/no/such/token"), "{error}");
}
