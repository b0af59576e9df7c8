//! Keys that are wrong: the message names where they come from, and not where they might have.

use std::fs;

use rstest::rstest;
use s3core::config::{Options, Sources};
use s3core::gateway::Gateway;
use s3core::ops::ListObjectsV2;
use s3core::{Error, ErrorKind};

use crate::issuer::{Issuer, document};
use crate::support::{EMBEDDED, Place, Service, environment};

type Pairs<'a> = &'a [(&'a str, &'a str)];

/// Where somebody has written keys.
#[derive(Default)]
struct Written<'a> {
    explicit: Pairs<'a>,
    hadoop: Pairs<'a>,
    variables: Pairs<'a>,
    profile: &'a str,
}

impl Written<'_> {
    /// What a listing of the bucket fails with.
    async fn refused(&self, place: &Place) -> Error {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir(home.path().join(".aws")).unwrap();
        fs::write(home.path().join(".aws/credentials"), self.profile).unwrap();
        let owned = |pairs: Pairs<'_>| {
            pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect::<Vec<_>>()
        };
        let mut hadoop = owned(self.hadoop);
        hadoop.push(("fs.s3a.endpoint".to_owned(), place.running.url.clone()));
        let environment_of =
            |name: &str| self.variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        let sources = Sources {
            explicit: owned(self.explicit),
            hadoop,
            environment: &environment_of,
            home: Some(home.path().to_owned()),
        };
        let options = Options::resolve(&place.bucket, &sources).unwrap();
        let gateway = Gateway::new(options.gateway, environment());
        gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap_err()
    }
}

#[rstest]
#[tokio::test]
async fn a_wrong_secret_key_is_looked_for_where_it_comes_from(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let place = Place::at(service).await;
    let known = place.running.access_key.as_str();
    let bucket_keys = ["access.key", "secret.key"].map(|key| format!("fs.s3a.bucket.{}.{key}", place.bucket));
    let [access, secret] = &bucket_keys;
    let profile = format!("[dev]\naws_access_key_id={known}\naws_secret_access_key=wrong\n");
    let cases = [
        (
            Written { explicit: &[("access_key", known), ("secret_key", "wrong")], ..Written::default() },
            "argument secret_key",
        ),
        (Written { hadoop: &[(access, known), (secret, "wrong")], ..Written::default() }, secret.as_str()),
        (
            Written {
                hadoop: &[("fs.s3core.access.key", known), ("fs.s3a.secret.key", "wrong")],
                ..Written::default()
            },
            "fs.s3a.secret.key",
        ),
        (
            Written {
                variables: &[("AWS_ACCESS_KEY_ID", known), ("AWS_SECRET_ACCESS_KEY", "wrong")],
                ..Written::default()
            },
            "AWS_SECRET_ACCESS_KEY",
        ),
        (
            Written { explicit: &[("profile", "dev")], profile: &profile, ..Written::default() },
            "profile dev in ~/.aws/credentials",
        ),
    ];
    for (written, name) in cases {
        let error = written.refused(&place).await;
        assert_eq!(error.kind(), ErrorKind::BadCredentials, "{error:?}");
        assert!(error.message().ends_with(&format!("check {name}")), "{name}: {error}");
    }
}

#[rstest]
#[tokio::test]
async fn an_unknown_access_key_is_looked_for_where_it_comes_from(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let place = Place::at(service).await;
    let variables = &[("AWS_ACCESS_KEY_ID", "nobody"), ("AWS_SECRET_ACCESS_KEY", "secret")];
    let error = Written { variables, ..Written::default() }.refused(&place).await;
    assert_eq!(error.kind(), ErrorKind::BadCredentials, "{error:?}");
    assert!(error.message().ends_with("check AWS_ACCESS_KEY_ID"), "{error}");
}

#[tokio::test]
async fn the_keys_of_a_platform_are_its_own_affair() {
    let place = Place::at(EMBEDDED).await;
    let answer = document(&place.running.access_key, "wrong", "a-token", std::time::Duration::from_secs(3600));
    let issuer = Issuer::start(move |_, _| (200, answer.clone())).await;
    let url = format!("{}/keys", issuer.url);
    let variables = &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url.as_str())];
    let error = Written { variables, ..Written::default() }.refused(&place).await;
    assert!(error.message().ends_with(&format!("check container credentials at {}", issuer.url)), "{error}");
}

#[rstest]
#[tokio::test]
async fn who_sends_no_keys_is_told_so(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let place = Place::at(service).await;
    let error = Written { explicit: &[("anonymous", "true")], ..Written::default() }.refused(&place).await;
    assert_eq!(error.kind(), ErrorKind::AccessDenied, "{error:?}");
    assert!(error.message().contains("unsigned") && error.message().contains("fs.s3core.anonymous"), "{error}");
}
