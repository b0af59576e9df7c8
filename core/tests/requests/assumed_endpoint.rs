//! Without an endpoint Amazon S3 is assumed, and a failure there says so: most who see it have forgotten the option.

use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream;
use http::{HeaderMap, StatusCode};
use rstest::rstest;
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemClock, SystemRandom};
use s3core::gateway::Gateway;
use s3core::http::{Endpoint, Limits, Request, Response, ResponseBody, Transport};
use s3core::ops::ListObjectsV2;
use s3core::{Error, ErrorKind, Result};

const ASSUMED: &str = "no fs.s3a.endpoint was set, so Amazon S3 was assumed (https://s3.us-east-1.amazonaws.com)";

/// What is answered in Amazon's place.
#[derive(Clone, Copy)]
enum Amazon {
    Refuses(u16, &'static str),
    Fails(ErrorKind),
}

impl Transport for Amazon {
    fn send(&self, endpoint: &Endpoint, _: Request, _: Limits) -> BoxFuture<'static, Result<Response>> {
        assert!(endpoint.host.ends_with("s3.us-east-1.amazonaws.com"), "{endpoint}");
        let answer = match *self {
            Self::Fails(kind) => Err(Error::new(kind, "no way there")),
            Self::Refuses(status, code) => {
                let body = Bytes::from(format!("<Error><Code>{code}</Code></Error>"));
                let status = StatusCode::from_u16(status).unwrap();
                Ok(Response { status, headers: HeaderMap::new(), body: ResponseBody::new(stream::iter([Ok(body)])) })
            }
        };
        Box::pin(async move { answer })
    }
}

async fn failure(amazon: Amazon, endpoint: &[(&str, &str)]) -> Error {
    let keys = [("fs.s3a.access.key", "k"), ("fs.s3a.secret.key", "s"), ("fs.s3core.retry.first.contact", "0")];
    let hadoop = keys.iter().chain(endpoint).map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let sources = Sources { explicit: Vec::new(), hadoop, environment: &|_| None, home: None };
    let options = Options::resolve("lake", &sources).unwrap();
    let environment =
        Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport: Arc::new(amazon) };
    Gateway::new(options.gateway, environment).run(ListObjectsV2::new("lake", "")).await.unwrap_err()
}

#[rstest]
#[case(Amazon::Refuses(403, "AccessDenied"), ErrorKind::AccessDenied)]
#[case(Amazon::Refuses(403, "InvalidAccessKeyId"), ErrorKind::BadCredentials)]
#[case(Amazon::Refuses(404, "NoSuchBucket"), ErrorKind::NoSuchBucket)]
#[case(Amazon::Fails(ErrorKind::Unreachable), ErrorKind::Unreachable)]
#[case(Amazon::Fails(ErrorKind::UnknownHost), ErrorKind::UnknownHost)]
#[case(Amazon::Fails(ErrorKind::TimedOut), ErrorKind::TimedOut)]
#[tokio::test(start_paused = true)]
async fn failures_say_that_amazon_was_assumed(#[case] amazon: Amazon, #[case] kind: ErrorKind) {
    let assumed = failure(amazon, &[]).await;
    assert_eq!(assumed.kind(), kind, "{assumed:?}");
    assert_eq!(assumed.message().matches(ASSUMED).count(), 1, "{assumed}");
    let named = failure(amazon, &[("fs.s3a.endpoint", "s3.us-east-1.amazonaws.com")]).await;
    assert!(named.kind() == kind && !named.message().contains("assumed"), "{named}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_another_kind_has_another_reason() {
    let error = failure(Amazon::Refuses(400, "InvalidArgument"), &[]).await;
    assert!(!error.message().contains("assumed"), "{error}");
}
