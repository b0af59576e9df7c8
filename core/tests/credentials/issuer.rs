//! An HTTP server that issues keys as a test says.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Method and path, `GET /keys`.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
}

impl Asked {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

type Script = dyn Fn(&Asked, usize) -> (u16, String) + Send + Sync;

/// The server; it ends with the test's runtime.
pub(crate) struct Issuer {
    /// `http://127.0.0.1:1234`.
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Issuer {
    /// Answers each request with the status and body that `script` gives; its second argument counts them from 1.
    pub(crate) async fn start(script: impl Fn(&Asked, usize) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (asked, script): (Arc<Mutex<Vec<_>>>, Arc<Script>) = (Arc::default(), Arc::new(script));
        let log = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&script)));
            }
        });
        Self { url, asked }
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

async fn serve(stream: TcpStream, log: Arc<Mutex<Vec<Asked>>>, script: Arc<Script>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let mut asked = Asked { line: line.trim().trim_end_matches(" HTTP/1.1").to_owned(), headers: Vec::new() };
        loop {
            let mut header = String::new();
            stream.read_line(&mut header).await?;
            let Some((name, value)) = header.trim().split_once(": ") else { break };
            asked.headers.push((name.to_ascii_lowercase(), value.to_owned()));
        }
        let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
        stream.read_exact(&mut vec![0; length]).await?;
        let number = {
            let mut log = log.lock().unwrap();
            log.push(asked.clone());
            log.len()
        };
        let (status, body) = script(&asked, number);
        let answer = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// The document with which platforms issue keys.
pub(crate) fn document(access_key: &str, secret_key: &str, token: &str, life: Duration) -> String {
    let expires = OffsetDateTime::from(SystemTime::now() + life).format(&Rfc3339).unwrap();
    format!(
        "{{\"Code\":\"Success\",\"AccessKeyId\":\"{access_key}\",\"SecretAccessKey\":\"{secret_key}\",\
         \"Token\":\"{token}\",\"Expiration\":\"{expires}\"}}"
    )
}
