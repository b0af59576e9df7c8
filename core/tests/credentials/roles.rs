//! Roles of a real Ceph, taken on by its STS.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use s3core::ErrorKind;
use s3core::environment::Environment;
use s3core::fs::{CreateOptions, Existing, FileSystem};

use crate::skew::Wrong;
use crate::support::admin::make_role;
use crate::support::files::Files;
use crate::support::{Place, Service, content, environment};

const TRUST: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Principal":{"AWS":["arn:aws:iam:::user/dev"]},"Action":["sts:AssumeRole"]}]}"#;
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::*"}]}"#;
const READING: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow",
    "Action":["s3:GetObject","s3:ListBucket"],"Resource":"arn:aws:s3:::*"}]}"#;

const CLASS: &str = "org.apache.hadoop.fs.s3a.auth.AssumedRoleCredentialProvider";

/// The bucket of `place` under the role `arn`, with further options.
fn in_role(place: &Place, arn: &str, options: &[(&str, &str)]) -> FileSystem {
    in_role_and_world(environment(), place, arn, options)
}

fn in_role_and_world(world: Environment, place: &Place, arn: &str, options: &[(&str, &str)]) -> FileSystem {
    let mut all = vec![
        ("fs.s3a.aws.credentials.provider", CLASS),
        ("fs.s3a.assumed.role.arn", arn),
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ("fs.s3a.multipart.size", "8M"),
    ];
    all.extend(options);
    Files::in_world(world, &place.running.url, &place.bucket, &all, 64 << 20)
}

async fn write(files: &FileSystem, path: &str, bytes: &Bytes) -> s3core::Result<()> {
    let options = CreateOptions { existing: Existing::IsReplaced, ..CreateOptions::default() };
    let mut writer = files.create_file(path, options).await?;
    writer.write(bytes).await?;
    writer.close().await.map(|_| ())
}

#[tokio::test]
async fn a_role_may_do_what_its_policy_says() {
    let place = Place::at(Service::Sts).await;
    place.put("a", "x").await;
    let arn = make_role(&place.gateway, "S3CoreReader", TRUST, READING).await;
    let files = in_role(&place, &arn, &[("fs.s3a.assumed.role.session.name", "jim@example.org")]);
    assert_eq!(files.status("a").await.unwrap().length, 1);
    let error = write(&files, "b", &Bytes::from_static(b"y")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
}

#[tokio::test]
async fn a_policy_of_the_session_narrows_the_roles_own() {
    let place = Place::at(Service::Sts).await;
    place.put("a", "x").await;
    let arn = make_role(&place.gateway, "S3CoreWriter", TRUST, EVERYTHING).await;
    write(&in_role(&place, &arn, &[]), "b", &Bytes::from_static(b"y")).await.unwrap();
    let narrowed = in_role(&place, &arn, &[("fs.s3a.assumed.role.policy", READING)]);
    assert_eq!(narrowed.status("b").await.unwrap().length, 1);
    let error = write(&narrowed, "c", &Bytes::from_static(b"z")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
}

#[tokio::test]
async fn a_role_that_is_not_there_is_named() {
    let place = Place::at(Service::Sts).await;
    let files = in_role(&place, "arn:aws:iam:::role/S3CoreNobody", &[]);
    let error = files.status("a").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
    for part in ["S3CoreNobody", &place.running.url] {
        assert!(error.message().contains(part), "{error}");
    }
}

#[tokio::test]
async fn sessions_of_a_few_seconds_last_as_long_as_the_upload() {
    let place = Place::at(Service::Sts).await;
    let arn = make_role(&place.gateway, "S3CoreWriter", TRUST, EVERYTHING).await;
    let files = in_role(&place, &arn, &[("fs.s3a.assumed.role.session.duration", "3s")]);
    let options = CreateOptions { existing: Existing::IsReplaced, ..CreateOptions::default() };
    let mut writer = files.create_file("large", options).await.unwrap();
    let bytes = content(48 << 20, 3);
    for piece in bytes.chunks(8 << 20) {
        writer.write(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1500)).await;
    }
    writer.close().await.unwrap();
    assert_eq!(place.get("large").await, bytes);
}

/// A clock that is ten minutes slow is not refused, and takes keys for good ones that are not.
#[tokio::test]
async fn a_session_that_has_expired_on_the_gateways_clock_is_begun_anew() {
    let place = Place::at(Service::Sts).await;
    place.put("a", "x").await;
    let arn = make_role(&place.gateway, "S3CoreWriter", TRUST, EVERYTHING).await;
    let world = Environment { clock: Arc::new(Wrong(-600)), ..environment() };
    let files = in_role_and_world(world, &place, &arn, &[("fs.s3a.assumed.role.session.duration", "3s")]);
    for _ in 0..2 {
        assert_eq!(files.status("a").await.unwrap().length, 1);
        tokio::time::sleep(Duration::from_secs(4)).await;
    }
    write(&files, "b", &Bytes::from_static(b"y")).await.unwrap();
    let counts = files.gateway().statistics().snapshot();
    let retries: u64 = counts.values().map(|counts| counts.retries).sum();
    assert_eq!(retries, 2, "{counts:?}");
}
