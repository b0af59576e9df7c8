//! GetObject: an object's bytes, or a range of them, handed on as they arrive.
//!
//! The exchange remembers what has arrived. After a broken attempt the next one asks for the rest only, and only of the
//! object that the first answer was about.

use std::ops::Range;

use bytes::Bytes;
use http::header::{IF_MATCH, IF_NONE_MATCH, RANGE};
use http::{Method, StatusCode};

use crate::gateway::{Concern, Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::object_head::ObjectHead;
use super::request::{about_object, set_header, set_header_if_some};
use super::{etag, failure};

/// Takes an object's bytes as they arrive.
pub trait Sink: Send {
    /// Called once, before the first bytes: what object it is, how long, and which bytes of it will come.
    ///
    /// # Errors
    /// Ends the operation with that error.
    fn head(&mut self, head: &ObjectHead) -> Result<()>;

    /// Called with the next bytes, each byte once and in order, however many attempts it took. Must not block.
    ///
    /// # Errors
    /// Ends the operation with that error.
    fn frame(&mut self, frame: Bytes) -> Result<()>;
}

impl<S: Sink + ?Sized> Sink for &mut S {
    fn head(&mut self, head: &ObjectHead) -> Result<()> {
        (**self).head(head)
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        (**self).frame(frame)
    }
}

/// Keeps the frames.
impl Sink for Vec<Bytes> {
    fn head(&mut self, _head: &ObjectHead) -> Result<()> {
        Ok(())
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        self.push(frame);
        Ok(())
    }
}

/// Which bytes of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteRange {
    /// From this offset to the end.
    From(u64),
    /// So many bytes (at least 1) from an offset, or fewer where the object ends before.
    At {
        /// Offset of the first byte.
        start: u64,
        /// Number of bytes.
        length: u64,
    },
    /// The last so many bytes (at least 1), or all where the object is shorter.
    Last(u64),
}

impl ByteRange {
    fn header(self) -> Result<String> {
        match self {
            Self::At { length: 0, .. } | Self::Last(0) => {
                Err(Error::new(ErrorKind::InvalidOption, "a range of no bytes cannot be asked for"))
            }
            Self::From(start) => Ok(format!("bytes={start}-")),
            Self::At { start, length } => Ok(format!("bytes={start}-{}", start.saturating_add(length - 1))),
            Self::Last(length) => Ok(format!("bytes=-{length}")),
        }
    }

    /// The bytes that this means in an object of that length.
    fn within(self, total: u64) -> Range<u64> {
        match self {
            Self::From(start) => start.min(total)..total,
            Self::At { start, length } => start.min(total)..start.saturating_add(length).min(total),
            Self::Last(length) => total.saturating_sub(length)..total,
        }
    }
}

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
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    fn whole(etag: &str, announced: usize, body: impl Into<Bytes>) -> Answer {
        Answer::new(200, body).header("etag", etag).header("content-length", announced.to_string())
    }

    fn part(etag: &str, range: &str, body: impl Into<Bytes>) -> Answer {
        Answer::new(206, body).header("etag", etag).header("content-range", format!("bytes {range}"))
    }

    #[tokio::test(start_paused = true)]
    async fn a_broken_attempt_is_followed_by_one_for_the_rest() {
        let mut frames = Vec::new();
        let played = play(
            GetObject::new("b", "k", &mut frames),
            [
                whole("\"e\"", 10, "0123").broken(),
                part("\"e\"", "4-9/10", "45").broken(),
                Answer::error(503, "SlowDown"),
                part("\"e\"", "6-9/10", "6789"),
            ],
        )
        .await;
        let head = played.outcome.as_ref().unwrap();
        assert_eq!((head.length, head.range.clone(), head.etag.as_deref()), (10, 0..10, Some("e")));
        assert_eq!([played.header(0, "range"), played.header(0, "if-match")], [None, None]);
        assert_eq!([played.header(1, "range"), played.header(1, "if-match")], [Some("bytes=4-9"), Some("\"e\"")]);
        assert_eq!(played.header(2, "range"), Some("bytes=6-9"));
        assert_eq!(played.header(3, "range"), Some("bytes=6-9"));
        drop(played);
        assert_eq!(frames.concat(), b"0123456789");
    }

    #[tokio::test(start_paused = true)]
    async fn a_read_goes_on_as_long_as_every_attempt_brings_something() {
        const STEP: usize = 300 << 10;
        const LENGTH: usize = 40 * STEP;
        let rest = |start: usize| part("e", &format!("{start}-{}/{LENGTH}", LENGTH - 1), vec![0; STEP]).broken();
        let answers = std::iter::once(whole("e", LENGTH, vec![0; STEP]).broken())
            .chain((1..40).map(|number| rest(number * STEP)));
        let mut frames = Vec::new();
        assert_eq!(play(GetObject::new("b", "k", &mut frames), answers).await.outcome.unwrap().length, LENGTH as u64);
        assert_eq!(frames.concat().len(), LENGTH);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_ends_early_is_resumed_too() {
        let mut frames = Vec::new();
        let mut get = GetObject::new("b", "k", &mut frames);
        get.range = Some(ByteRange::At { start: 2, length: 4 });
        let played = play(get, [part("e", "2-5/10", "23"), part("e", "4-5/10", "45")]).await;
        assert_eq!(played.outcome.as_ref().unwrap().range, 2..6);
        assert_eq!(played.header(0, "range"), Some("bytes=2-5"));
        assert_eq!(played.header(1, "range"), Some("bytes=4-5"));
        drop(played);
        assert_eq!(frames.concat(), b"2345");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_may_break_after_the_last_byte() {
        let played = play(GetObject::new("b", "k", Vec::new()), [whole("e", 4, "0123").broken()]).await;
        assert_eq!(played.outcome.unwrap().length, 4);
    }

    #[tokio::test(start_paused = true)]
    async fn an_object_replaced_between_attempts_is_changed() {
        for second in [Answer::error(412, "PreconditionFailed"), part("f", "2-3/4", "zz"), part("e", "2-4/5", "zzz")] {
            let mut frames = Vec::new();
            let played = play(GetObject::new("b", "k", &mut frames), [whole("e", 4, "01").broken(), second]).await;
            assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::Changed);
            assert_eq!(frames.concat(), b"01");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_callers_conditions_are_told_apart() {
        let mut get = GetObject::new("b", "k", Vec::new());
        get.if_match = Some("e".into());
        let played = play(get, [Answer::error(412, "PreconditionFailed")]).await;
        assert_eq!(played.header(0, "if-match"), Some("\"e\""));
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::PreconditionFailed);

        let mut get = GetObject::new("b", "k", Vec::new());
        get.if_none_match = Some("e".into());
        let played = play(get, [Answer::new(304, "")]).await;
        assert_eq!(played.header(0, "if-none-match"), Some("\"e\""));
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::PreconditionFailed);
    }

    #[tokio::test(start_paused = true)]
    async fn ranges_end_where_the_object_does() {
        for (range, header, content_range, expected) in [
            (ByteRange::Last(3), "bytes=-3", "7-9/10", 7..10),
            (ByteRange::Last(99), "bytes=-99", "0-9/10", 0..10),
            (ByteRange::From(4), "bytes=4-", "4-9/10", 4..10),
            (ByteRange::At { start: 8, length: 50 }, "bytes=8-57", "8-9/10", 8..10),
            (ByteRange::At { start: 8, length: u64::MAX }, "bytes=8-18446744073709551615", "8-9/10", 8..10),
        ] {
            let body = "0123456789".get(expected.start as usize..expected.end as usize).unwrap();
            let mut get = GetObject::new("b", "k", Vec::new());
            get.range = Some(range);
            let played = play(get, [part("e", content_range, body)]).await;
            assert_eq!(played.header(0, "range"), Some(header));
            assert_eq!(played.outcome.unwrap().range, expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_range_behind_the_end_is_out_of_range() {
        let mut get = GetObject::new("b", "k", Vec::new());
        get.range = Some(ByteRange::From(10));
        let played = play(get, [Answer::error(416, "InvalidRange")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::OutOfRange);
    }

    #[tokio::test(start_paused = true)]
    async fn other_bytes_than_asked_for_are_refused() {
        let attempts = crate::gateway::retry::RetryPolicy::default().brief_attempts as usize;
        let answers = (0..attempts).map(|_| part("e", "0-4/10", "01234"));
        let mut get = GetObject::new("b", "k", Vec::new());
        get.range = Some(ByteRange::From(5));
        assert_eq!(play(get, answers).await.outcome.unwrap_err().kind(), ErrorKind::Corrupted);
        let mut get = GetObject::new("b", "k", Vec::new());
        get.range = Some(ByteRange::From(5));
        let outcome = play(get, [whole("e", 10, "0123456789")]).await.outcome;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Unsupported);
        let answers = (0..attempts).map(|_| whole("e", 3, "0123"));
        let outcome = play(GetObject::new("b", "k", Vec::new()), answers).await.outcome;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Corrupted);
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_object_has_a_head_and_no_frames() {
        let mut frames = Vec::new();
        let played = play(GetObject::new("b", "k", &mut frames), [whole("e", 0, "")]).await;
        assert_eq!(played.outcome.unwrap().length, 0);
        assert!(frames.concat().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn the_sinks_error_ends_the_read() {
        struct Full;
        impl Sink for Full {
            fn head(&mut self, _: &ObjectHead) -> Result<()> {
                Ok(())
            }
            fn frame(&mut self, _: Bytes) -> Result<()> {
                Err(Error::new(ErrorKind::Closed, "full"))
            }
        }
        let played = play(GetObject::new("b", "k", Full), [whole("e", 4, "0123")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn ranges_of_nothing_and_empty_keys_are_not_sent() {
        let mut get = GetObject::new("b", "k", Vec::new());
        get.range = Some(ByteRange::Last(0));
        assert_eq!(play(get, []).await.outcome.unwrap_err().kind(), ErrorKind::InvalidOption);
        let outcome = play(GetObject::new("b", "", Vec::new()), []).await.outcome;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidPath);
    }
}
