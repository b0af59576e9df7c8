//! GetObject: an object's bytes, or a range of them, handed on as they arrive.
//!
//! The exchange remembers what has arrived. After a broken attempt the next one asks for the rest only, and only of the
//! object that the first answer was about.

mod range;
mod sink;

use std::ops::Range;

use http::header::{IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{Method, StatusCode};

use crate::gateway::{Concern, Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::object_head::ObjectHead;
use super::request::{about_object, set_header, set_header_if_some};
use super::{etag, failure};

pub use range::ByteRange;
pub use sink::Sink;

/// Asks for an object's bytes; the answer is what the first attempt was told about the object.
///
/// Fails with `PreconditionFailed` where a condition of the caller does not hold, `Changed` where the object was
/// replaced between two attempts, `Unsupported` where the gateway ignores ranges, `OutOfRange` where the range begins behind the object's end (any range of an empty
/// object does), and with the sink's own errors.
#[derive(Debug)]
pub struct GetObject<S> {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Which bytes; `None` is all of them.
    pub range: Option<ByteRange>,
    /// Only where the object has this ETag, without quotes.
    pub if_match: Option<String>,
    /// Only where the object has another ETag than this one, without quotes.
    pub if_none_match: Option<String>,
    /// Of this version; `None` is the latest.
    pub version_id: Option<String>,
    sink: S,
    begun: Option<Begun>,
}

/// What is known after the first answer.
#[derive(Debug)]
struct Begun {
    head: ObjectHead,
    missing: Range<u64>,
}

impl<S: Sink> GetObject<S> {
    /// The whole object, into `sink`: a `Vec<Bytes>`, say, or a mutable reference to it.
    pub fn new(bucket: &str, key: &str, sink: S) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            range: None,
            if_match: None,
            if_none_match: None,
            version_id: None,
            sink,
            begun: None,
        }
    }

    /// Checks the head of an answer against what was asked for, and against the first answer.
    fn begin(&mut self, response: &Response) -> Result<()> {
        let head = ObjectHead::of(response)?;
        if let Some(begun) = &self.begun {
            if head.etag != begun.head.etag || head.length != begun.head.length {
                return Err(self.changed());
            }
            return if head.range == begun.missing { Ok(()) } else { Err(other_range(&begun.missing, &head.range)) };
        }
        let expected = self.range.map_or(0..head.length, |range| range.within(head.length));
        if head.range != expected {
            return Err(match response.status {
                StatusCode::OK => {
                    Error::new(ErrorKind::Unsupported, "the gateway ignores ranges: it sends the whole object")
                }
                _ => other_range(&expected, &head.range),
            });
        }
        self.sink.head(&head)?;
        self.begun = Some(Begun { missing: head.range.clone(), head });
        Ok(())
    }

    fn changed(&self) -> Error {
        Error::new(ErrorKind::Changed, "the object was replaced while it was being read: read it again from the start")
    }

    fn refused(&self, error: Error) -> Error {
        match (error.status(), &self.if_match, &self.if_none_match) {
            (Some(412), _, _) if self.begun.is_some() => error.restated(ErrorKind::Changed, self.changed().message()),
            (Some(412), Some(etag), _) => {
                error.restated(ErrorKind::PreconditionFailed, format!("the object no longer has the ETag {etag}"))
            }
            (Some(304), _, Some(etag)) => {
                error.restated(ErrorKind::PreconditionFailed, format!("the object still has the ETag {etag}"))
            }
            _ => error,
        }
    }
}

fn other_range(expected: &Range<u64>, arrived: &Range<u64>) -> Error {
    let message = format!(
        "bytes {}-{} were asked for and the gateway sends {}-{}",
        expected.start, expected.end, arrived.start, arrived.end
    );
    Error::new(ErrorKind::Corrupted, message)
}

impl<S: Sink> Exchange for GetObject<S> {
    type Output = ObjectHead;

    fn operation(&self) -> &'static str {
        "GetObject"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::GET, &self.bucket, &self.key)?;
        request.concern = Concern::Reads;
        request.query.extend(self.version_id.clone().map(|version| ("versionId", version)));
        let (range, if_match) = match &self.begun {
            Some(Begun { head, missing }) if !missing.is_empty() => {
                let rest = ByteRange::At { start: missing.start, length: missing.end - missing.start };
                (Some(rest), head.etag.as_deref())
            }
            _ => (self.range, self.if_match.as_deref()),
        };
        if let Some(range) = range {
            set_header(&mut request, RANGE.as_str(), &range.header()?)?;
        }
        set_header_if_some(&mut request, IF_MATCH.as_str(), if_match.map(etag::quoted).as_deref())?;
        let if_none_match = self.if_none_match.as_deref().map(etag::quoted);
        set_header_if_some(&mut request, IF_NONE_MATCH.as_str(), if_none_match.as_deref())?;
        Ok(request)
    }

    fn progress(&self) -> u64 {
        self.begun.as_ref().map_or(0, |Begun { head, missing }| missing.start - head.range.start)
    }

    async fn read(&mut self, response: Response) -> Result<ObjectHead> {
        if !matches!(response.status, StatusCode::OK | StatusCode::PARTIAL_CONTENT) {
            let error = failure::translated(response).await;
            return Err(self.refused(error));
        }
        self.begin(&response)?;
        let Some(Begun { head, missing }) = &mut self.begun else {
            return Err(Error::new(ErrorKind::Internal, "a read without a beginning"));
        };
        let mut body = response.body;
        while let Some(frame) = body.next().await {
            // After the last byte the connection may break as it likes.
            let frame = match frame {
                Ok(frame) => frame,
                Err(_) if missing.is_empty() => break,
                Err(error) => return Err(error),
            };
            if frame.len() as u64 > missing.end - missing.start {
                return Err(Error::new(ErrorKind::Corrupted, "the gateway sent more bytes than it announced"));
            }
            missing.start += frame.len() as u64;
            self.sink.frame(frame)?;
        }
        if missing.is_empty() {
            return Ok(head.clone());
        }
        let message = format!("the answer ended {} bytes before its announced end", missing.end - missing.start);
        Err(Error::new(ErrorKind::Disconnected, message))
    }
}

#[cfg(test)]
mod tests;
