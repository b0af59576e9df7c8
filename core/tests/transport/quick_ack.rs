//! Small answers written in two pieces by a server with Nagle's algorithm on, as Radosgw's frontend does it.

use std::time::{Duration, Instant};

use rstest::rstest;
use s3core::http::Endpoint;
use s3core::http::connection::HttpTransport;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::server::{Server, read_request, write};
use crate::tls::{Authority, acceptor, for_localhost, trusting};
use crate::{PATIENT, get, read, send, transport};

/// Linux acknowledges the first segments of a connection at once by itself: these requests are not measured.
const WARM_UP: usize = 30;
const REQUESTS: usize = 21;
const ROUNDS: usize = 3;
/// Linux delays an acknowledgement by at least 40 ms.
const WITHOUT_DELAY: Duration = Duration::from_millis(20);

async fn answer_in_two_pieces(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    while read_request(&mut stream).await.is_some() {
        write(&mut stream, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n").await;
        write(&mut stream, "12345").await;
    }
}

#[rstest]
#[case::plain(false)]
#[case::beneath_tls(true)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_in_two_pieces_do_not_wait_for_a_delayed_acknowledgement(#[case] tls: bool) {
    let authority = Authority::new();
    let acceptor = acceptor(authority.issue(for_localhost()));
    let server = Server::start(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            if tls {
                answer_in_two_pieces(acceptor.accept(stream).await.unwrap()).await;
            } else {
                answer_in_two_pieces(stream).await;
            }
        }
    })
    .await;
    let (transport, endpoint) = if tls {
        (trusting(vec![authority.der()]), server.tls_endpoint("localhost"))
    } else {
        (transport(), server.endpoint())
    };
    let mut fastest = Duration::MAX;
    for _ in 0..ROUNDS {
        fastest = fastest.min(median(&transport, &endpoint).await);
    }
    assert!(fastest < WITHOUT_DELAY, "{fastest:?}");
    assert_eq!(server.accepted(), 1);
}

async fn median(transport: &HttpTransport, endpoint: &Endpoint) -> Duration {
    let mut times = Vec::new();
    for _ in 0..WARM_UP + REQUESTS {
        let start = Instant::now();
        assert_eq!(read(send(transport, endpoint, get(), PATIENT).await.unwrap()).await.unwrap(), b"12345");
        times.push(start.elapsed());
    }
    let mut measured = times.split_off(WARM_UP);
    measured.sort();
    measured[REQUESTS / 2]
}
