//! Which connections are used again, and which are closed.

use std::time::Duration;

use http::Method;
use rstest::rstest;
use s3core::http::Payload;
use s3core::http::connection::TransportSettings;
use tokio::sync::mpsc;

use crate::server::{Server, answer_all, read_request, wait_for_end, write};
use crate::{LONG, PATIENT, SHORT, get, no_trust, put, read, request, send, transport, transport_with};

const FIVE_BYTES: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345";

#[rstest]
#[case::get(Method::GET, FIVE_BYTES)]
#[case::chunked(Method::GET, "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n0\r\n\r\n")]
#[case::not_found(Method::GET, "HTTP/1.1 404 Not Found\r\ncontent-length: 5\r\n\r\n12345")]
#[tokio::test]
async fn a_body_read_to_its_end_frees_the_connection(#[case] method: Method, #[case] answer: &'static str) {
    let server = Server::start(move |stream, _| answer_all(stream, answer)).await;
    let transport = transport();
    for _ in 0..20 {
        let response =
            send(&transport, &server.endpoint(), request(method.clone(), Payload::empty()), PATIENT).await.unwrap();
        assert_eq!(read(response).await.unwrap(), b"12345");
    }
    for _ in 0..5 {
        assert_eq!(
            read(send(&transport, &server.endpoint(), put(100_000), PATIENT).await.unwrap()).await.unwrap(),
            b"12345"
        );
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn the_last_byte_frees_the_connection_even_when_nobody_asks_for_the_end() {
    let server = Server::start(|stream, _| answer_all(stream, FIVE_BYTES)).await;
    let transport = transport();
    let mut responses = Vec::new();
    for _ in 0..5 {
        let mut response = send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap();
        assert_eq!(response.body.next().await.unwrap().unwrap(), "12345");
        responses.push(response);
    }
    assert_eq!(server.accepted(), 1);
}

#[rstest]
#[case::head(Method::HEAD, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")]
#[case::no_content(Method::DELETE, "HTTP/1.1 204 No Content\r\n\r\n")]
#[case::not_modified(Method::GET, "HTTP/1.1 304 Not Modified\r\n\r\n")]
#[case::empty(Method::PUT, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")]
#[tokio::test]
async fn an_answer_without_body_frees_the_connection_unread(#[case] method: Method, #[case] answer: &'static str) {
    let server = Server::start(move |stream, _| answer_all(stream, answer)).await;
    let transport = transport();
    for _ in 0..5 {
        send(&transport, &server.endpoint(), request(method.clone(), Payload::empty()), PATIENT).await.unwrap();
    }
    assert_eq!(server.accepted(), 1);
}

#[tokio::test]
async fn an_unread_body_closes_the_connection() {
    let (ended, mut has_ended) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let ended = ended.clone();
        async move {
            read_request(&mut stream).await;
            write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n12345").await;
            wait_for_end(&mut stream).await;
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let transport = transport();
    drop(send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap());
    tokio::time::timeout(LONG, has_ended.recv()).await.expect("the connection stays open").unwrap();
    drop(send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap());
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn a_request_given_up_closes_its_connection() {
    let (ended, mut has_ended) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let ended = ended.clone();
        async move {
            wait_for_end(&mut stream).await;
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let transport = transport();
    let given_up = tokio::time::timeout(SHORT, send(&transport, &server.endpoint(), put(1000), PATIENT)).await;
    assert!(given_up.is_err());
    tokio::time::timeout(LONG, has_ended.recv()).await.expect("the connection stays open").unwrap();
}

#[tokio::test]
async fn a_connection_that_the_gateway_closed_meanwhile_costs_nothing() {
    let server = Server::start(|mut stream, _| async move {
        read_request(&mut stream).await;
        write(&mut stream, FIVE_BYTES).await;
    })
    .await;
    let transport = transport();
    for round in 1..=5 {
        let response = send(&transport, &server.endpoint(), put(1000), PATIENT).await.unwrap();
        assert_eq!(read(response).await.unwrap(), b"12345");
        assert_eq!(server.accepted(), round);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_connection_that_the_gateway_announces_to_close_is_not_used_again() {
    let server = Server::start(|stream, _| {
        answer_all(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\n\r\n12345")
    })
    .await;
    let transport = transport();
    for round in 1..=3 {
        let response = send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap();
        assert_eq!(read(response).await.unwrap(), b"12345");
        assert_eq!(server.accepted(), round);
    }
}

#[tokio::test]
async fn an_unused_connection_is_closed_after_the_idle_limit() {
    let (ended, mut has_ended) = mpsc::channel(1);
    let server = Server::start(move |mut stream, _| {
        let ended = ended.clone();
        async move {
            read_request(&mut stream).await;
            write(&mut stream, FIVE_BYTES).await;
            wait_for_end(&mut stream).await;
            ended.send(()).await.unwrap();
        }
    })
    .await;
    let transport = transport_with(TransportSettings {
        idle_connection_limit: SHORT,
        trust: no_trust(),
        ..TransportSettings::default()
    });
    for _ in 0..2 {
        read(send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(2), has_ended.recv())
            .await
            .expect("the connection stays open")
            .unwrap();
    }
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn the_connection_used_last_is_used_next() {
    let server = Server::start(|mut stream, number| async move {
        while read_request(&mut stream).await.is_some() {
            write(&mut stream, &format!("HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n{number}")).await;
        }
    })
    .await;
    let transport = transport();
    let endpoint = server.endpoint();
    let first = send(&transport, &endpoint, get(), PATIENT).await.unwrap();
    let second = send(&transport, &endpoint, get(), PATIENT).await.unwrap();
    assert_eq!(read(second).await.unwrap(), b"1");
    assert_eq!(read(first).await.unwrap(), b"0");
    for _ in 0..3 {
        assert_eq!(read(send(&transport, &endpoint, get(), PATIENT).await.unwrap()).await.unwrap(), b"0");
    }
    assert_eq!(server.accepted(), 2);
}

#[tokio::test]
async fn there_are_never_more_connections_than_the_maximum_and_turns_come_in_order() {
    let server = Server::start(|mut stream, _| async move {
        while let Some((head, _)) = read_request(&mut stream).await {
            tokio::time::sleep(Duration::from_millis(10)).await;
            let body = head.split_ascii_whitespace().nth(1).unwrap();
            write(&mut stream, &format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())).await;
        }
    })
    .await;
    let transport =
        transport_with(TransportSettings { maximum_connections: 2, trust: no_trust(), ..TransportSettings::default() });
    let transport = std::sync::Arc::new(transport);
    let (done, mut order) = mpsc::unbounded_channel();
    for number in 0..12 {
        let (transport, endpoint, done) = (transport.clone(), server.endpoint(), done.clone());
        tokio::spawn(async move {
            let path_and_query = format!("/{number:02}");
            let response =
                send(&transport, &endpoint, s3core::http::Request { path_and_query, ..get() }, PATIENT).await;
            done.send(String::from_utf8(read(response.unwrap()).await.unwrap()).unwrap()).unwrap();
        });
        tokio::task::yield_now().await;
    }
    drop(done);
    let mut seen = Vec::new();
    while let Some(path) = order.recv().await {
        seen.push(path);
    }
    // Two are under way at a time, so neighbours may change places.
    for (index, path) in seen.iter().enumerate() {
        let number: usize = path[1..].parse().unwrap();
        assert!(number.abs_diff(index) <= 1, "{seen:?}");
    }
    assert_eq!(seen.len(), 12);
    assert_eq!(server.accepted(), 2);
}
