//! Everything through a proxy, and what is said where that does not work.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rstest::rstest;
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemClock, SystemRandom};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::http::connection::HttpTransport;
use s3core::transfer::budget::MemoryBudget;
use s3core::{ErrorKind, Result};
use socket2::{Domain, Socket, Type};

use crate::support::proxy::Proxy;
use crate::support::{Place, Service, content};
use crate::{read, write};

/// `Basic` of `alice:wonder`.
const ALICE: &str = "Basic YWxpY2U6d29uZGVy";
const NAMED: &[(&str, &str)] = &[("fs.s3a.proxy.username", "alice"), ("fs.s3a.proxy.password", "wonder")];

/// The bucket of `place` through a proxy at `port`, by a transport as the options say.
fn files(place: &Place, port: u16, options: &[(&str, &str)]) -> Result<FileSystem> {
    let mut hadoop = vec![
        ("fs.s3a.endpoint", place.running.url.clone()),
        ("fs.s3a.access.key", place.running.access_key.clone()),
        ("fs.s3a.secret.key", place.running.secret_key.clone()),
        ("fs.s3a.multipart.size", "8M".to_owned()),
        ("fs.s3core.ssl.ca.file", std::env::var("S3CORE_TEST_CA_FILE").unwrap()),
        ("fs.s3a.proxy.host", "127.0.0.1".to_owned()),
        ("fs.s3a.proxy.port", port.to_string()),
    ];
    hadoop.extend(options.iter().map(|(key, value)| (*key, (*value).to_owned())));
    let hadoop = hadoop.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    let sources = Sources { explicit: Vec::new(), hadoop, environment: &|_| None, home: None };
    let settings = Options::resolve(&place.bucket, &sources)?;
    let transport = Arc::new(HttpTransport::new(settings.transport.clone())?);
    let world = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
    Ok(FileSystem::new(&settings, world, MemoryBudget::new(64 << 20), WorkPaths::new()))
}

/// A port that nobody listens on, and that nobody else gets while the socket lives.
fn closed_port() -> (Socket, u16) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port)
}

#[rstest]
#[case::plain(Service::Ceph, "PUT http://127.0.0.1:")]
#[case::tls(Service::Tls, "CONNECT 127.0.0.1:")]
#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_through_the_proxy(#[case] service: Service, #[case] start: &str) {
    let place = Place::at(service).await;
    for (wanted, options) in [(None, [].as_slice()), (Some(ALICE.to_owned()), NAMED)] {
        let proxy = Proxy::start(wanted).await;
        let files = files(&place, proxy.port, options).unwrap();
        for (name, length) in [("a b/ü%20", 1000), ("large", 20 << 20)] {
            let bytes = content(length, 3);
            write(&files, name, &bytes).await.unwrap();
            assert!(read(&files, name).await.unwrap() == bytes, "{name}");
        }
        let seen = proxy.seen();
        assert!(seen.iter().any(|line| line.starts_with(start)), "{seen:?}");
    }
}

#[rstest]
#[case::plain(Service::Ceph)]
#[case::tls(Service::Tls)]
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_must_be_known_to_the_proxy(#[case] service: Service) {
    let place = Place::at(service).await;
    let proxy = Proxy::start(Some(ALICE.to_owned())).await;
    let other = [("fs.s3a.proxy.username", "alice"), ("fs.s3a.proxy.password", "wrong")];
    for (options, words) in [([].as_slice(), "wants a name"), (&other, "does not accept")] {
        let before = proxy.seen().len();
        let failure = write(&files(&place, proxy.port, options).unwrap(), "a", b"x").await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::AccessDenied, "{failure:?}");
        assert!(failure.message().contains(words) && failure.message().contains("fs.s3a.proxy.username"), "{failure}");
        assert!(!failure.to_string().contains("wrong"), "{failure}");
        assert_eq!(proxy.seen().len() - before, 1, "it is asked once");
    }
}

#[rstest]
#[case::plain(Service::Ceph)]
#[case::tls(Service::Tls)]
#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_is_not_there_is_named(#[case] service: Service) {
    let place = Place::at(service).await;
    let (_held, gone) = closed_port();
    let files = files(&place, gone, &[("fs.s3core.retry.first.contact", "1s")]).unwrap();
    let began = Instant::now();
    let failure = write(&files, "a", b"x").await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Unreachable, "{failure:?}");
    assert!(failure.message().contains(&format!("the proxy http://127.0.0.1:{gone}")), "{failure}");
    assert!(failure.message().contains("fs.s3a.proxy.host"), "{failure}");
    assert!(began.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_the_proxy_cannot_reach_is_named() {
    let mut place = Place::at(Service::Tls).await;
    let proxy = Proxy::start(None).await;
    let (_held, port) = closed_port();
    let gone = format!("https://127.0.0.1:{port}");
    let real = std::mem::replace(&mut place.running.url, gone.clone());
    let files = files(&place, proxy.port, &[("fs.s3core.retry.first.contact", "1s")]).unwrap();
    place.running.url = real;
    let failure = write(&files, "a", b"x").await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Unreachable, "{failure:?}");
    assert!(failure.message().contains(&gone) && failure.message().contains("finds no way"), "{failure}");
}
