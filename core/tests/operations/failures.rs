//! What users see when something is wrong.

use std::io::Write;
use std::net::TcpListener;
use std::time::Duration;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::gateway::Gateway;
use s3core::ops::{HeadObject, ListObjectsV2, PutObject};
use s3core_gateway::Fault;

use crate::support::{
    EMBEDDED, Place, Running, Service, endpoint, environment, gateway_client, gateway_settings, keys,
};

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn wrong_keys_name_the_option(#[case] service: Service) {
    let running = endpoint(service);
    for (access_key, secret_key, option) in [
        ("NOSUCHACCESSKEY", running.secret_key.as_str(), "fs.s3a.access.key"),
        (running.access_key.as_str(), "not-the-secret", "fs.s3a.secret.key"),
    ] {
        let mut settings = gateway_settings(&running);
        settings.credentials = keys(access_key, secret_key);
        let gateway = Gateway::new(settings, environment());
        let error = gateway.run(ListObjectsV2::new("lake", "")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadCredentials, "{error:?}");
        assert!(error.message().contains(option), "{error:?}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("NOSUCHACCESSKEY") && !shown.contains("not-the-secret"), "{shown}");
        let error = gateway.run(HeadObject::new("lake", "k")).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied, "HEAD tells no more: {error:?}");
        assert!(error.message().contains(option), "{error:?}");
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_missing_bucket_is_told_apart_from_a_missing_object(#[case] service: Service) {
    let running = endpoint(service);
    let gateway = gateway_client(&running);
    let error = gateway.run(PutObject::new("no-such-bucket-here", "k", bytes::Bytes::new())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NoSuchBucket, "{error:?}");
}

#[tokio::test]
async fn a_web_server_is_no_gateway() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let page = "<html><body>It works!</body></html>";
            let answer = format!(
                "HTTP/1.1 404 Not Found\r\nContent-Type: text/html\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{page}",
                page.len()
            );
            let _ = stream.and_then(|mut stream| stream.write_all(answer.as_bytes()));
        }
    });
    let running = Running { url, access_key: "a".to_owned(), secret_key: "s".to_owned(), embedded: None };
    let error = gateway_client(&running).run(ListObjectsV2::new("lake", "")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongProtocol, "{error:?}");
    assert!(error.message().contains("It works!") && error.message().contains("fs.s3a.endpoint"), "{error:?}");
}

#[tokio::test]
async fn a_busy_gateway_is_waited_for() {
    let place = Place::at(EMBEDDED).await;
    place.faults().add(Fault::slow_down().operation("PutObject").times(3));
    place.put("k", "x").await;
    assert_eq!(place.faults().injected(), 3);
    place.faults().add(Fault::slow_down().operation("GetObject").times(1).retry_after(1));
    let started = std::time::Instant::now();
    assert_eq!(place.get("k").await, b"x");
    assert!(started.elapsed() >= Duration::from_secs(1), "Retry-After is honoured");
}

#[tokio::test]
async fn an_upload_corrupted_on_its_way_is_sent_again() {
    let place = Place::at(EMBEDDED).await;
    place.faults().add(Fault::corrupt_upload(3).operation("PutObject").times(1));
    place.put("k", "hello").await;
    assert_eq!(place.faults().injected(), 1);
    assert_eq!(place.get("k").await, b"hello");
}
