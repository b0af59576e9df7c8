//! Containers and instances: what they are asked, and that nobody waits where there is no such platform.

use std::time::{Duration, Instant};

use rstest::rstest;
use s3core::ErrorKind;
use s3core::config::{Options, Sources};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::transfer::budget::MemoryBudget;

use crate::issuer::{Issuer, document};
use crate::support::{EMBEDDED, Place, environment};

const HOUR: Duration = Duration::from_secs(3600);

/// The bucket of `place`, with keys from where these variables say.
fn files(place: &Place, hadoop: &[(&str, &str)], variables: &[(&str, &str)]) -> FileSystem {
    let sources = Sources {
        explicit: vec![("endpoint".to_owned(), place.running.url.clone())],
        hadoop: hadoop.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
        environment: &|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()),
        home: None,
    };
    let options = Options::resolve(&place.bucket, &sources).unwrap();
    FileSystem::new(&options, environment(), MemoryBudget::new(64 << 20), WorkPaths::new())
}

fn issued(place: &Place) -> String {
    document(&place.running.access_key, &place.running.secret_key, "a-token", HOUR)
}

#[tokio::test]
async fn a_container_shows_the_token_of_its_file() {
    let place = Place::at(EMBEDDED).await;
    place.put("a", "x").await;
    let answer = issued(&place);
    let issuer = Issuer::start(move |asked, _| match asked.header("authorization") {
        Some("first" | "second") => (200, answer.clone()),
        _ => (403, String::new()),
    })
    .await;
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("token");
    let url = format!("{}/v1/credentials?id=7", issuer.url);
    let variables = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str()),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token.to_str().unwrap()),
    ];
    for text in ["first\n", "second"] {
        std::fs::write(&token, text).unwrap();
        assert_eq!(files(&place, &[], &variables).status("a").await.unwrap().length, 1);
    }
    assert!(issuer.asked().iter().all(|asked| asked.line == "GET /v1/credentials?id=7"), "{:?}", issuer.asked());
    std::fs::write(&token, "wrong").unwrap();
    let error = files(&place, &[], &variables).status("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoCredentials, "{error:?}");
    assert!(error.message().contains("403") && error.message().contains(&issuer.url), "{error}");
}

#[tokio::test]
async fn an_instance_is_asked_by_version_two_of_the_service() {
    let place = Place::at(EMBEDDED).await;
    place.put("a", "x").await;
    let answer = issued(&place);
    let issuer = Issuer::start(move |asked, _| {
        let has_token = asked.header("x-aws-ec2-metadata-token") == Some("opaque==");
        match asked.line.as_str() {
            "PUT /latest/api/token" if asked.header("x-aws-ec2-metadata-token-ttl-seconds").is_some() => {
                (200, "opaque==".to_owned())
            }
            "GET /latest/meta-data/iam/security-credentials/" if has_token => (200, "reader\n".to_owned()),
            "GET /latest/meta-data/iam/security-credentials/reader" if has_token => (200, answer.clone()),
            _ => (401, String::new()),
        }
    })
    .await;
    let class = "org.apache.hadoop.fs.s3a.auth.IAMInstanceCredentialsProvider";
    let files = files(
        &place,
        &[("fs.s3a.aws.credentials.provider", class)],
        &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &issuer.url)],
    );
    let all = futures::future::join_all((0..20).map(|_| files.status("a"))).await;
    assert!(all.into_iter().all(|status| status.unwrap().length == 1));
    assert_eq!(issuer.asked().len(), 3, "one renewal for all: {:?}", issuer.asked());
}

/// S3A's own list of providers ends with the instance, on machines of every kind.
#[rstest]
#[case::nobody_listens("http://127.0.0.1:9", Duration::from_millis(500))]
#[case::packets_vanish("http://192.0.2.1", Duration::from_millis(2500))]
#[tokio::test]
async fn where_there_is_no_instance_nobody_waits_for_it(#[case] endpoint: &str, #[case] limit: Duration) {
    let place = Place::at(EMBEDDED).await;
    let files = files(
        &place,
        &[("fs.s3core.credentials.provider", "static,instance")],
        &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", endpoint)],
    );
    let began = Instant::now();
    for _ in 0..5 {
        let error = files.status("a").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoCredentials, "{error:?}");
        assert!(error.message().contains(endpoint) && error.message().contains("fs.s3a.access.key"), "{error}");
    }
    assert!(began.elapsed() < limit, "{:?}", began.elapsed());
}

/// Where nobody else is asked, an instance that is slow or has too much to do is waited for.
#[tokio::test]
async fn an_instance_that_is_busy_for_a_while_is_waited_for() {
    let place = Place::at(EMBEDDED).await;
    place.put("a", "x").await;
    let answer = issued(&place);
    let issuer = Issuer::start(move |asked, number| match (asked.line.as_str(), number) {
        (_, 1) => (429, String::new()),
        ("PUT /latest/api/token", _) => (200, "opaque".to_owned()),
        ("GET /latest/meta-data/iam/security-credentials/", _) => (200, "reader".to_owned()),
        _ => (200, answer.clone()),
    })
    .await;
    let variables = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", issuer.url.as_str())];
    let busy = files(&place, &[("fs.s3core.credentials.provider", "instance")], &variables);
    assert_eq!(busy.status("a").await.unwrap().length, 1);

    let silent = [("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")];
    let patience = ("fs.s3core.retry.first.contact", "0");
    let alone = files(&place, &[("fs.s3core.credentials.provider", "instance"), patience], &silent);
    let error = alone.status("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error:?}");
}

#[tokio::test]
async fn keys_of_the_configuration_are_used_before_any_platform_is_asked() {
    let place = Place::at(EMBEDDED).await;
    place.put("a", "x").await;
    let issuer = Issuer::start(|_, _| (500, String::new())).await;
    let keys = [
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
    ];
    let files = files(&place, &keys, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &issuer.url)]);
    assert_eq!(files.status("a").await.unwrap().length, 1);
    assert!(issuer.asked().is_empty());
}
