//! Every way in which a connection fails: its kind, its words, and that it fails in time.

use std::time::{Duration, Instant};

use http::Method;
use rstest::rstest;
use s3core::http::connection::TransportSettings;
use s3core::http::payload::Piece;
use s3core::http::{Endpoint, Limits, Payload};
use s3core::{Error, ErrorKind};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpSocket, TcpStream};

use crate::server::{Server, answer_all, read_head, read_request, wait_for_end, write};
use crate::{LONG, PATIENT, SHORT, get, no_trust, put, read, request, send, transport, transport_with};

fn assert_error(error: &Error, kind: ErrorKind, words: &[&str]) {
    assert_eq!(error.kind(), kind, "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{error} does not name {word}");
    }
}

/// A limit was waited out, and not twice.
fn assert_took(start: Instant, limit: Duration) {
    let took = start.elapsed();
    assert!(took >= limit && took < limit * 2 + Duration::from_secs(2), "took {took:?} for a limit of {limit:?}");
}

#[tokio::test]
async fn a_closed_port_is_unreachable_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Endpoint { tls: false, host: "127.0.0.1".into(), port: listener.local_addr().unwrap().port() };
    drop(listener);
    let start = Instant::now();
    let error = send(&transport(), &endpoint, get(), PATIENT).await.unwrap_err();
    assert_error(&error, ErrorKind::Unreachable, &[&endpoint.to_string(), "refuses", "fs.s3a.endpoint"]);
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[tokio::test]
async fn a_name_without_address_is_an_unknown_host() {
    let endpoint = Endpoint { tls: false, host: "no-such-gateway.invalid".into(), port: 80 };
    let limits = Limits { connect: Duration::from_secs(5), ..PATIENT };
    let error = send(&transport(), &endpoint, get(), limits).await.unwrap_err();
    assert_error(&error, ErrorKind::UnknownHost, &["no-such-gateway.invalid", "fs.s3a.endpoint"]);
}

#[tokio::test]
async fn a_silent_address_is_unreachable_after_the_connect_limit() {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    // Once the queue of connections that nobody accepts is full, the kernel ignores further ones.
    let mut waiting = Vec::new();
    while let Ok(Ok(stream)) = tokio::time::timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        waiting.push(stream);
    }
    let endpoint = Endpoint { tls: false, host: "127.0.0.1".into(), port: address.port() };
    let start = Instant::now();
    let error = send(&transport(), &endpoint, get(), Limits { connect: SHORT, ..PATIENT }).await.unwrap_err();
    assert_error(&error, ErrorKind::Unreachable, &[&endpoint.to_string(), "firewall"]);
    assert_took(start, SHORT);
}

#[tokio::test]
async fn a_server_that_does_not_shake_hands_is_unreachable_after_the_connect_limit() {
    let server = Server::start(|mut stream, _| async move { wait_for_end(&mut stream).await }).await;
    let trust =
        s3core::http::connection::TrustSettings { additional: vec![crate::tls::Authority::new().der()], ..no_trust() };
    let transport = transport_with(TransportSettings { trust, ..TransportSettings::default() });
    let start = Instant::now();
    let limits = Limits { connect: SHORT, ..PATIENT };
    let error = send(&transport, &server.tls_endpoint("localhost"), get(), limits).await.unwrap_err();
    assert_error(&error, ErrorKind::Unreachable, &["https://localhost", "TLS handshake"]);
    assert_took(start, SHORT);
}

#[tokio::test]
async fn an_answer_that_does_not_come_times_out() {
    let server = Server::start(|mut stream, _| async move { wait_for_end(&mut stream).await }).await;
    for request in [get(), put(1000)] {
        let start = Instant::now();
        let limits = Limits { answer: SHORT, ..PATIENT };
        let error = send(&transport(), &server.endpoint(), request, limits).await.unwrap_err();
        assert_error(&error, ErrorKind::TimedOut, &[&server.endpoint().to_string(), "did not answer"]);
        assert_took(start, SHORT);
    }
}

#[tokio::test]
async fn a_request_that_nobody_reads_times_out() {
    let server = Server::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        tokio::time::sleep(LONG).await;
    })
    .await;
    let start = Instant::now();
    let limits = Limits { idle: SHORT, ..PATIENT };
    let error = send(&transport(), &server.endpoint(), put(64 << 20), limits).await.unwrap_err();
    assert_error(&error, ErrorKind::TimedOut, &[&server.endpoint().to_string(), "took nothing"]);
    assert_took(start, SHORT);
}

#[tokio::test]
async fn a_slow_upload_that_moves_does_not_time_out() {
    let length = 24 << 20;
    let server = Server::start(move |mut stream, _| async move {
        read_head(&mut stream).await;
        let mut left = length;
        let mut buffer = vec![0; 1 << 20];
        while left > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
            left -= stream.read(&mut buffer).await.unwrap();
        }
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
    })
    .await;
    let limits = Limits { idle: Duration::from_millis(150), answer: Duration::from_millis(150), ..PATIENT };
    let start = Instant::now();
    let response = send(&transport(), &server.endpoint(), put(length), limits).await.unwrap();
    assert_eq!(response.status, 200);
    assert!(start.elapsed() > limits.idle, "too fast to show anything: {:?}", start.elapsed());
}

#[tokio::test]
async fn a_body_that_stalls_times_out() {
    let server = Server::start(|mut stream, _| async move {
        read_head(&mut stream).await;
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345").await;
        tokio::time::sleep(LONG).await;
    })
    .await;
    let limits = Limits { idle: SHORT, ..PATIENT };
    let mut response = send(&transport(), &server.endpoint(), get(), limits).await.unwrap();
    assert_eq!(response.body.next().await.unwrap().unwrap(), "12345");
    let start = Instant::now();
    let error = response.body.next().await.unwrap().unwrap_err();
    assert_error(&error, ErrorKind::TimedOut, &[&server.endpoint().to_string(), "5 bytes"]);
    assert_took(start, SHORT);
    assert!(response.body.next().await.is_none());
}

#[rstest]
#[case::counted("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n12345", ErrorKind::Disconnected, "5 bytes")]
#[case::chunked(
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n12345\r\n",
    ErrorKind::Disconnected,
    "5 bytes"
)]
#[case::of_unknown_length("HTTP/1.1 200 OK\r\n\r\n12345", ErrorKind::Corrupted, "Content-Length")]
#[case::old("HTTP/1.0 200 OK\r\n\r\n12345", ErrorKind::Corrupted, "Content-Length")]
#[tokio::test]
async fn a_cut_body_is_an_error(#[case] answer: &'static str, #[case] kind: ErrorKind, #[case] words: &str) {
    let server = Server::start(move |mut stream, _| async move {
        read_head(&mut stream).await;
        write(&mut stream, answer).await;
    })
    .await;
    let response = send(&transport(), &server.endpoint(), get(), PATIENT).await.unwrap();
    let error = read(response).await.unwrap_err();
    assert_error(&error, kind, &[&server.endpoint().to_string(), words]);
}

#[tokio::test]
async fn a_connection_closed_instead_of_an_answer_is_a_disconnection() {
    let server = Server::start(|mut stream, _| async move {
        // The probe for TLS sends no head.
        let _ = tokio::time::timeout(SHORT, read_head(&mut stream)).await;
    })
    .await;
    for request in [get(), put(1000), put(64 << 20)] {
        let error = send(&transport(), &server.endpoint(), request, PATIENT).await.unwrap_err();
        assert_error(&error, ErrorKind::Disconnected, &[&server.endpoint().to_string(), "without an answer"]);
    }
}

#[tokio::test]
async fn a_port_that_speaks_something_else_is_a_wrong_protocol() {
    let server = Server::start(|mut stream, _| async move {
        write(&mut stream, "SSH-2.0-OpenSSH_9.2p1\r\n").await;
        wait_for_end(&mut stream).await;
    })
    .await;
    let error = send(&transport(), &server.endpoint(), get(), PATIENT).await.unwrap_err();
    assert_error(&error, ErrorKind::WrongProtocol, &["does not speak HTTP", "fs.s3a.endpoint"]);
}

#[tokio::test]
async fn waiting_for_a_turn_ends_and_says_why() {
    let server =
        Server::start(|stream, _| answer_all(stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345")).await;
    let transport =
        transport_with(TransportSettings { maximum_connections: 1, trust: no_trust(), ..TransportSettings::default() });
    let unread = send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap();
    let start = Instant::now();
    let limits = Limits { answer: SHORT, ..PATIENT };
    let error = send(&transport, &server.endpoint(), get(), limits).await.unwrap_err();
    assert_error(&error, ErrorKind::TimedOut, &["all 1 connections", "fs.s3a.connection.maximum"]);
    assert_took(start, SHORT);
    assert_eq!(read(unread).await.unwrap(), b"12345");
    assert_eq!(send(&transport, &server.endpoint(), get(), limits).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_long_wait_is_no_failure_while_others_get_their_turn() {
    let server = Server::start(|mut stream, _| async move {
        while read_request(&mut stream).await.is_some() {
            tokio::time::sleep(SHORT / 2).await;
            write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    })
    .await;
    let transport =
        transport_with(TransportSettings { maximum_connections: 1, trust: no_trust(), ..TransportSettings::default() });
    let start = Instant::now();
    let limits = Limits { answer: SHORT, ..PATIENT };
    let endpoint = server.endpoint();
    let answers = futures::future::join_all((0..6).map(|_| send(&transport, &endpoint, get(), limits))).await;
    assert!(answers.into_iter().all(|answer| answer.unwrap().status == 200));
    assert!(start.elapsed() > SHORT * 2, "too fast to show anything: {:?}", start.elapsed());
}

#[tokio::test]
async fn a_part_on_disk_that_cannot_be_read_is_an_error_of_the_disk() {
    let server = Server::start(|stream, _| answer_all(stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")).await;
    let file = std::sync::Arc::new(tempfile::tempfile().unwrap());
    let payload = Payload::from_pieces(vec![Piece::File { file, offset: 0, length: 1000 }]);
    let error = send(&transport(), &server.endpoint(), request(Method::PUT, payload), PATIENT).await.unwrap_err();
    assert_error(&error, ErrorKind::LocalDisk, &["on disk"]);
}

/// Radosgw refuses an upload on its head alone and closes the connection with the body unread.
#[rstest]
#[case::and_closes(true)]
#[case::and_waits(false)]
#[tokio::test]
async fn an_answer_before_the_end_of_the_request_is_read_and_its_connection_not_reused(#[case] closes: bool) {
    // More than one read takes, less than a new connection's window.
    let explanation = "denied".repeat(8_000);
    let expected = explanation.clone();
    let server = Server::start(move |mut stream, number| {
        let explanation = explanation.clone();
        async move {
            read_head(&mut stream).await;
            if number == 0 {
                let length = explanation.len();
                write(&mut stream, &format!("HTTP/1.1 403 Forbidden\r\ncontent-length: {length}\r\n\r\n")).await;
                tokio::time::sleep(Duration::from_millis(20)).await;
                write(&mut stream, &explanation).await;
                if !closes {
                    tokio::time::sleep(LONG).await;
                }
            } else {
                write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        }
    })
    .await;
    let transport = transport();
    let response = send(&transport, &server.endpoint(), put(64 << 20), PATIENT).await.unwrap();
    assert_eq!(response.status, 403);
    assert!(read(response).await.unwrap() == expected.as_bytes(), "the answer is cut");
    assert_eq!(send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap().status, 200);
    assert_eq!(server.accepted(), 2);
}
