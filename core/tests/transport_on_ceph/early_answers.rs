//! Refused uploads: the answer arrives, whatever of the body was still to come.

use bytes::Bytes;
use http::Method;
use s3core::http::Payload;

use crate::client::Client;
use crate::support::{Place, Service};

#[tokio::test]
async fn a_large_upload_with_a_wrong_signature_is_told_so() {
    let place = Place::at(Service::Ceph).await;
    let client = Client::of(&place);
    for _ in 0..5 {
        // What was signed has another path: the gateway refuses the head.
        let mut request = client.sign(Method::PUT, "k", &[], Bytes::new());
        request.path_and_query.push_str("-and-more");
        request.payload = Payload::from(Bytes::from(vec![0; 64 << 20]));
        let response = client.send(request).await.unwrap();
        assert_eq!(response.status, 403);
        let answer = response.body.collect(1 << 20).await.unwrap();
        assert!(String::from_utf8_lossy(&answer).contains("SignatureDoesNotMatch"), "{answer:?}");
    }
    let body = Bytes::from_static(b"after the refusals");
    assert_eq!(client.exchange(Method::PUT, "k", &[], body.clone()).await.unwrap().0, 200);
    assert_eq!(client.exchange(Method::GET, "k", &[], Bytes::new()).await.unwrap(), (200, body));
}
