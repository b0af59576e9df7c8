//! A proxy that speaks TLS itself, one that is none, and what goes past it.

use s3core::ErrorKind;
use s3core::http::connection::{HttpTransport, ProxySettings, TransportSettings, TrustSettings};
use s3core::http::{Endpoint, Transport};

use crate::proxy::Proxy;
use crate::server::{Server, answer_all, read_request, write};
use crate::tls::{Authority, acceptor, for_localhost, serve};
use crate::{PATIENT, get, no_trust, read, send, transport_with};

const ANSWER: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n12345";

fn through(port: u16, tls: bool, trusted: Vec<Vec<u8>>) -> HttpTransport {
    let endpoint = Endpoint { tls, host: "localhost".into(), port };
    transport_with(TransportSettings {
        trust: TrustSettings { additional: trusted, ..no_trust() },
        proxy: ProxySettings::new(endpoint, None),
        ..TransportSettings::default()
    })
}

#[tokio::test]
async fn a_proxy_that_speaks_tls_tunnels_tls() {
    let authority = Authority::new();
    let server = serve(authority.issue(for_localhost())).await;
    let acceptor = acceptor(authority.issue(for_localhost()));
    let proxy = Proxy::over(None, move |stream| {
        let acceptor = acceptor.clone();
        async move { acceptor.accept(stream).await.ok() }
    })
    .await;
    let transport = through(proxy.port, true, vec![authority.der()]);
    for _ in 0..2 {
        let answer = send(&transport, &server.tls_endpoint("localhost"), get(), PATIENT).await.unwrap();
        assert_eq!(read(answer).await.unwrap(), b"12345");
    }
    assert_eq!(proxy.seen(), [format!("CONNECT localhost:{} HTTP/1.1", server.tls_endpoint("localhost").port)]);

    let other = through(proxy.port, true, vec![Authority::new().der()]);
    let error = send(&other, &server.tls_endpoint("localhost"), get(), PATIENT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UntrustedCertificate, "{error}");
    assert!(error.message().contains("the proxy https://localhost"), "{error}");
}

#[tokio::test]
async fn a_wrong_protocol_of_the_proxy_is_named() {
    let server = Server::start(|mut stream, _| async move {
        let _ = read_request(&mut stream).await;
        write(&mut stream, "220 mail.example.org ESMTP\r\n").await;
    })
    .await;
    let authority = Authority::new();
    let endpoint = Endpoint { tls: true, host: "localhost".into(), port: 1 };
    let no_proxy = through(server.endpoint().port, false, vec![authority.der()]);
    let error = send(&no_proxy, &endpoint, get(), PATIENT).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongProtocol, "{error}");
    assert!(error.message().contains("fs.s3a.proxy.port"), "{error}");

    let proxy = Proxy::start(None).await;
    let error = send(&through(proxy.port, true, vec![authority.der()]), &endpoint, get(), PATIENT).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::WrongProtocol | ErrorKind::Disconnected), "{error:?}");
    assert!(error.message().contains(&format!("the proxy https://localhost:{}", proxy.port)), "{error}");
}

#[tokio::test]
async fn services_of_the_machine_are_asked_past_the_proxy() {
    let server = Server::start(|stream, _| answer_all(stream, ANSWER)).await;
    let proxy = Proxy::start(None).await;
    let transport = through(proxy.port, false, Vec::new());
    let answer = transport.send_directly(&server.endpoint(), get(), PATIENT).await.unwrap();
    assert_eq!(read(answer).await.unwrap(), b"12345");
    assert!(proxy.seen().is_empty());
    let answer = send(&transport, &server.endpoint(), get(), PATIENT).await.unwrap();
    assert_eq!(read(answer).await.unwrap(), b"12345");
    let port = server.endpoint().port;
    assert_eq!(proxy.seen(), [format!("GET http://127.0.0.1:{port}/bucket/key?x=1 HTTP/1.1")]);
}
