//! Keys and query values of every kind reach the gateway as they are.

use bytes::Bytes;
use http::Method;

use crate::client::Client;
use crate::support::{Place, Service};

const ODD_KEYS: &[&str] = &[
    "plain",
    "a//b",
    "/leading",
    "//two leading",
    "trailing/",
    "a/../b",
    "a/./b",
    "./a",
    "..",
    "a+b",
    "a b",
    " a ",
    "a%20b",
    "100%",
    "%",
    "day=2013-01-01/part-0.parquet",
    "a?b#c&d=e",
    "!*'();:@&=+$,[]{}|\\^`\"<>~-_.",
    "ü/日本語/\u{1F600}",
    "a\tb",
];

#[tokio::test]
async fn odd_keys_are_written_read_listed_and_deleted() {
    let place = Place::at(Service::Ceph).await;
    let client = Client::of(&place);
    for key in ODD_KEYS {
        let body = Bytes::from(format!("content of {key}"));
        assert_eq!(client.exchange(Method::PUT, key, &[], body.clone()).await.unwrap().0, 200, "PUT {key:?}");
    }
    for key in ODD_KEYS {
        let (status, body) = client.exchange(Method::GET, key, &[], Bytes::new()).await.unwrap();
        assert_eq!(status, 200, "GET {key:?}: {body:?}");
        assert_eq!(body, format!("content of {key}"));
        let listing = [("list-type", "2"), ("encoding-type", "url"), ("prefix", key)];
        let (status, listed) = client.exchange(Method::GET, "", &listing, Bytes::new()).await.unwrap();
        assert_eq!(status, 200, "list {key:?}: {listed:?}");
        let count = String::from_utf8_lossy(&listed).matches("<Contents>").count();
        assert_eq!(count, ODD_KEYS.iter().filter(|other| other.starts_with(key)).count(), "list {key:?}: {listed:?}");
    }
    for key in ODD_KEYS {
        assert_eq!(client.exchange(Method::DELETE, key, &[], Bytes::new()).await.unwrap().0, 204, "DELETE {key:?}");
    }
    let (_, listed) = client.exchange(Method::GET, "", &[("list-type", "2")], Bytes::new()).await.unwrap();
    assert!(!String::from_utf8_lossy(&listed).contains("<Contents>"), "{listed:?}");
}

#[tokio::test]
async fn a_body_that_is_not_the_signed_one_is_refused() {
    let place = Place::at(Service::Ceph).await;
    let client = Client::of(&place);
    let mut request = client.sign(Method::PUT, "k", &[], Bytes::from_static(b"signed"));
    request.payload = Bytes::from_static(b"forged").into();
    let response = client.send(request).await.unwrap();
    assert_eq!(response.status, 400);
    assert!(
        String::from_utf8_lossy(&response.body.collect(1 << 20).await.unwrap()).contains("XAmzContentSHA256Mismatch")
    );
    assert_eq!(client.exchange(Method::GET, "k", &[], Bytes::new()).await.unwrap().0, 404);
}
