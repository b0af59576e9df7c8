//! Keys that end while something is under way.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3core::ErrorKind;
use s3core::fs::{CreateOptions, Existing, FileSystem};
use s3core_gateway::Fault;

use crate::issuer::{Issuer, document};
use crate::support::files::Files;
use crate::support::{EMBEDDED, Place, content};

/// Keys of `place` from a platform that gives each of them so long a life.
async fn issued_anew(place: &Place, life: Duration) -> (Issuer, FileSystem) {
    let keys = (place.running.access_key.clone(), place.running.secret_key.clone());
    let issuer =
        Issuer::start(move |_, number| (200, document(&keys.0, &keys.1, &format!("token-{number}"), life))).await;
    let url = format!("{}/keys", issuer.url);
    let options = [
        ("fs.s3core.credentials.provider", "container"),
        ("fs.s3core.container.credentials.uri", url.as_str()),
        ("fs.s3a.multipart.size", "8M"),
    ];
    let files = Files::reaching(&place.running.url, &place.bucket, &options, 64 << 20);
    (issuer, files)
}

async fn write(files: &FileSystem, path: &str, bytes: &Bytes) -> s3core::Result<()> {
    let options = CreateOptions { existing: Existing::IsReplaced, ..CreateOptions::default() };
    let mut writer = files.create_file(path, options).await?;
    writer.write(bytes).await?;
    writer.close().await.map(|_| ())
}

#[tokio::test]
async fn an_upload_goes_on_with_new_keys_when_its_token_expires() {
    let place = Place::at(EMBEDDED).await;
    let (issuer, files) = issued_anew(&place, Duration::from_secs(3600)).await;
    let expired = place.faults().add(Fault::error(400, "ExpiredToken").operation("UploadPart").nth(3));
    let bytes = content(40 << 20, 7);
    write(&files, "large", &bytes).await.unwrap();
    assert_eq!(place.faults().injected_by(expired), 1);
    assert_eq!(issuer.asked().len(), 2, "new keys once");
    assert_eq!(place.get("large").await, bytes);
}

#[tokio::test]
async fn keys_that_are_refused_again_are_an_error_and_no_endless_loop() {
    let place = Place::at(EMBEDDED).await;
    let (issuer, files) = issued_anew(&place, Duration::from_secs(3600)).await;
    let expired = place.faults().add(Fault::error(403, "InvalidToken").operation("PutObject"));
    let error = write(&files, "small", &Bytes::from_static(b"x")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials, "{error:?}");
    assert!(error.message().contains(&issuer.url), "{error}");
    assert_eq!(place.faults().injected_by(expired), 2);
    assert_eq!(issuer.asked().len(), 2);
}

#[tokio::test]
async fn keys_that_stay_the_same_are_tried_once() {
    let place = Place::at(EMBEDDED).await;
    let keys = [
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
    ];
    let files = Files::reaching(&place.running.url, &place.bucket, &keys, 64 << 20);
    let expired = place.faults().add(Fault::error(400, "ExpiredToken"));
    let error = files.status("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadCredentials, "{error:?}");
    assert_eq!(place.faults().injected_by(expired), 1);
}

#[tokio::test]
async fn keys_are_renewed_before_they_expire_while_requests_go_on() {
    let place = Place::at(EMBEDDED).await;
    let (issuer, files) = issued_anew(&place, Duration::from_secs(3)).await;
    place.put("a", "x").await;
    let files = Arc::new(files);
    let until = tokio::time::Instant::now() + Duration::from_secs(8);
    let mut slowest = Duration::ZERO;
    while tokio::time::Instant::now() < until {
        let began = std::time::Instant::now();
        files.status("a").await.unwrap();
        slowest = slowest.max(began.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = issuer.asked().len();
    assert!((3..=5).contains(&asked), "every two seconds: {asked}");
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
}
