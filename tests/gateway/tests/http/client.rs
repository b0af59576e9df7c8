//! A signed HTTP client with one connection per request, plain enough to see how connections end.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use s3core_gateway::Gateway;

pub(crate) struct Client {
    address: String,
    access_key: String,
    secret_key: String,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    /// What arrived, which is less than content-length when the connection was cut.
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        String::from_utf8_lossy(&self.body).contains(text)
    }
}

impl Client {
    pub(crate) fn new(gateway: &Gateway) -> Self {
        Self {
            address: gateway.endpoint().trim_start_matches("http://").to_owned(),
            access_key: gateway.access_key().to_owned(),
            secret_key: gateway.secret_key().to_owned(),
        }
    }

    pub(crate) fn with_keys(&self, access_key: &str, secret_key: &str) -> Self {
        Self { address: self.address.clone(), access_key: access_key.to_owned(), secret_key: secret_key.to_owned() }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn put(&self, path: &str, body: &[u8]) -> Answer {
        self.send("PUT", path, &[], body)
    }

    /// Uploads parts; returns the path and the body that complete the upload.
    pub(crate) fn upload(&self, path: &str, parts: &[&[u8]]) -> (String, Vec<u8>) {
        let created = self.send("POST", &format!("{path}?uploads"), &[], b"");
        let text = String::from_utf8(created.body).unwrap();
        let id = text.split("<UploadId>").nth(1).unwrap().split('<').next().unwrap();
        let mut list = String::from("<CompleteMultipartUpload>");
        for (number, part) in (1..).zip(parts) {
            let answer = self.put(&format!("{path}?partNumber={number}&uploadId={id}"), part);
            let etag = answer.header("etag").unwrap();
            list += &format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>");
        }
        list += "</CompleteMultipartUpload>";
        (format!("{path}?uploadId={id}"), list.into_bytes())
    }

    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = self.try_send(method, path, headers, body).unwrap();
        if let Some(length) = answer.header("content-length").filter(|_| method != "HEAD") {
            assert_eq!(length, answer.body.len().to_string(), "{method} {path}");
        }
        answer
    }

    pub(crate) fn try_send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> io::Result<Answer> {
        let mut stream = TcpStream::connect(&self.address)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.address);
        head += &format!("content-length: {}\r\n", body.len());
        for (name, value) in headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .chain(self.signature(method, path, headers, body))
        {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        stream.write_all(&[head.as_bytes(), body].concat())?;
        let mut received = Vec::new();
        stream.read_to_end(&mut received)?;
        let end = received.windows(4).position(|window| window == b"\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
        let head = String::from_utf8_lossy(&received[..end]).into_owned();
        let mut lines = head.lines();
        Ok(Answer {
            status: lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap(),
            headers: lines
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
                .collect(),
            body: received.split_off(end + 4),
        })
    }

    fn signature(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Vec<(String, String)> {
        let identity = Credentials::new(&self.access_key, &self.secret_key, None, None, "test").into();
        let mut settings = SigningSettings::default();
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("s3")
            .time(SystemTime::now())
            .settings(settings)
            .build()
            .unwrap()
            .into();
        let uri = format!("http://{}{path}", self.address);
        let request = SignableRequest::new(method, uri, headers.iter().copied(), SignableBody::Bytes(body)).unwrap();
        let (instructions, _) = sign(request, &parameters).unwrap().into_parts();
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}
