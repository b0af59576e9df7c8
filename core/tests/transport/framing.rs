//! What a request looks like on the wire.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use rstest::rstest;
use s3core::http::payload::Piece;
use s3core::http::{Payload, Request};
use tokio::sync::mpsc;

use crate::server::{Server, header, read_request, write};
use crate::{PATIENT, get, put, request, send, transport};

/// What the server received for `request`.
async fn on_the_wire(request: Request) -> (String, Vec<u8>, String) {
    let (seen, mut requests) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let seen = seen.clone();
        async move {
            seen.send(read_request(&mut stream).await.unwrap()).await.unwrap();
            write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    send(&transport(), &server.endpoint(), request, PATIENT).await.unwrap();
    let (head, body) = requests.recv().await.unwrap();
    (head, body, server.endpoint().authority())
}

#[rstest]
#[case::get(get(), None)]
#[case::head(request(Method::HEAD, Payload::empty()), None)]
#[case::delete(request(Method::DELETE, Payload::empty()), None)]
#[case::empty_put(request(Method::PUT, Payload::empty()), Some("0"))]
#[case::empty_post(request(Method::POST, Payload::empty()), Some("0"))]
#[case::put(put(1234), Some("1234"))]
#[tokio::test]
async fn lengths_are_exact_and_bodies_never_chunked(#[case] request: Request, #[case] length: Option<&str>) {
    let method = request.method.clone();
    let (head, _, authority) = on_the_wire(request).await;
    assert!(head.starts_with(&format!("{method} /bucket/key?x=1 HTTP/1.1\r\n")), "{head}");
    assert_eq!(header(&head, "content-length"), length, "{head}");
    assert_eq!(header(&head, "host"), Some(authority.as_str()), "{head}");
    for absent in ["transfer-encoding", "expect"] {
        assert_eq!(header(&head, absent), None, "{head}");
    }
}

#[tokio::test]
async fn pieces_arrive_in_order_and_the_payload_stays_whole() {
    let pieces: Vec<Bytes> = (0..200u32).map(|i| Bytes::from(vec![i as u8; (i * 997 % 70_000) as usize])).collect();
    let payload = Payload::from_pieces(pieces.iter().cloned().map(Piece::Memory).collect());
    let expected = pieces.concat();
    for _ in 0..2 {
        let (head, body, _) = on_the_wire(request(Method::PUT, payload.clone())).await;
        assert_eq!(header(&head, "content-length"), Some(expected.len().to_string().as_str()));
        assert!(body == expected, "the body differs");
    }
}

#[tokio::test]
async fn the_target_and_the_headers_are_sent_as_they_are() {
    let mut headers = HeaderMap::new();
    headers.insert("range", HeaderValue::from_static("bytes=0-9"));
    let path_and_query = "//a//..%2F/%C3%BC%20+?prefix=a%20b&uploads".to_owned();
    let (head, _, _) = on_the_wire(Request { path_and_query: path_and_query.clone(), headers, ..get() }).await;
    assert!(head.starts_with(&format!("GET {path_and_query} HTTP/1.1\r\n")), "{head}");
    assert_eq!(header(&head, "range"), Some("bytes=0-9"));
}
