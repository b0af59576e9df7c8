//! A forwarding proxy: tunnels, and requests that name the whole URL.

#![allow(unreachable_pub, reason = "every test program uses its own part of this module")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where its preparations fail")]

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Who may use the proxy: nobody needs a name, or `Proxy-Authorization` has this value.
type Wanted = Option<String>;

/// Listens on a free port of the loopback interface until it is dropped.
pub struct Proxy {
    /// Its port.
    pub port: u16,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy that wants this value of `Proxy-Authorization`, or none.
    pub async fn start(wanted: Wanted) -> Self {
        Self::over(wanted, |stream| async move { Some(stream) }).await
    }

    /// The same, where connections become something else (TLS) first.
    pub async fn over<F, S>(wanted: Wanted, accept: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Option<S>> + Send + 'static,
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let seen: Arc<Mutex<Vec<String>>> = Arc::default();
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (accepted, log, wanted) = (accept(stream), Arc::clone(&log), wanted.clone());
                tokio::spawn(async move {
                    if let Some(stream) = accepted.await {
                        let _ = serve(stream, wanted, &log).await;
                    }
                });
            }
        });
        Self { port, seen, task }
    }

    /// The first lines of the requests so far: `CONNECT host:443 HTTP/1.1`.
    pub fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One request: a connection is not used for a second one.
async fn serve(
    mut client: impl AsyncRead + AsyncWrite + Unpin,
    wanted: Wanted,
    log: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await?);
        if !head[0].is_ascii_uppercase() {
            return client.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").await;
        }
    }
    let head = String::from_utf8(head).unwrap();
    let (first, headers) = head.split_once("\r\n").unwrap();
    log.lock().unwrap().push(first.to_owned());
    let (authorization, others): (Vec<_>, Vec<_>) =
        headers.trim_end().lines().partition(|line| line.starts_with("proxy-authorization: "));
    let shown = authorization.first().and_then(|line| line.split_once(": ")).map(|(_, value)| value.to_owned());
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap(), words.next().unwrap());
    if wanted.is_some() && shown != wanted {
        let refusal = "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        client.write_all(refusal.as_bytes()).await?;
        return client.shutdown().await;
    }
    if method == "CONNECT" {
        let Ok(mut server) = TcpStream::connect(target).await else {
            client.write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n").await?;
            return client.shutdown().await;
        };
        client.write_all(b"HTTP/1.1 200 Connection established\r\nx-proxy: yes\r\n\r\n").await?;
        client.flush().await?;
        return copy_bidirectional(&mut client, &mut server).await.map(|_| ());
    }
    let (authority, path) = target.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut server = TcpStream::connect(authority).await?;
    let forwarded = format!("{method} /{path} HTTP/1.1\r\n{}\r\nconnection: close\r\n\r\n", others.join("\r\n"));
    server.write_all(forwarded.as_bytes()).await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}
