//! What the headers of HeadObject and GetObject say about an object.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::SystemTime;

use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_RANGE};

use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::request::METADATA_PREFIX;
use super::{etag, timestamp};

/// An object's properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Length of the whole object in bytes, also in the answer to a ranged read.
    pub length: u64,
    /// The bytes of the object that the answer holds; all of them for HeadObject.
    pub range: Range<u64>,
    /// ETag without quotes.
    pub etag: Option<String>,
    /// When it was written; whole seconds.
    pub modified: Option<SystemTime>,
    /// Content type.
    pub content_type: Option<String>,
    /// When caches are to forget it, as it was written.
    pub expires: Option<String>,
    /// Storage class; gateways leave it out where it is STANDARD.
    pub storage_class: Option<String>,
    /// User metadata: the headers `x-amz-meta-*` without that prefix, in lower case.
    pub metadata: BTreeMap<String, String>,
    /// Number of its tags.
    pub tags: u32,
    /// Whether the ETag is something else than an MD5, because the object is encrypted with SSE-KMS or SSE-C.
    pub has_opaque_etag: bool,
    /// Other headers that describe the object, by their names in lower case: those that S3A shows as attributes.
    pub others: BTreeMap<&'static str, String>,
}

/// See [`ObjectHead::others`].
const OTHERS: [&str; 11] = [
    "cache-control",
    "content-disposition",
    "content-encoding",
    "content-language",
    "x-amz-archive-status",
    "x-amz-object-lock-legal-hold",
    "x-amz-object-lock-mode",
    "x-amz-object-lock-retain-until-date",
    "x-amz-replication-status",
    "x-amz-server-side-encryption",
    "x-amz-version-id",
];

impl ObjectHead {
    /// Reads the headers of an answer with status 200 or 206.
    ///
    /// # Errors
    /// `WrongProtocol` where they do not say how long the object is.
    pub(super) fn of(response: &Response) -> Result<Self> {
        let (length, range) = extent(response)?;
        let text = |name: &str| response.header(name).map(str::to_owned);
        let metadata = response
            .headers
            .iter()
            .filter_map(|(name, value)| {
                let name = name.as_str().strip_prefix(METADATA_PREFIX)?;
                Some((name.to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            })
            .collect();
        Ok(Self {
            length,
            range,
            etag: response.header("etag").and_then(etag::bare),
            modified: response.date("last-modified"),
            content_type: text("content-type"),
            expires: text("expires"),
            storage_class: text("x-amz-storage-class"),
            metadata,
            tags: response.header("x-amz-tagging-count").and_then(|count| count.parse().ok()).unwrap_or_default(),
            has_opaque_etag: has_opaque_etag(response),
            others: OTHERS.iter().filter_map(|name| Some((*name, text(name)?))).collect(),
        })
    }
}

impl ObjectHead {
    /// Until when nobody may remove this version (object lock, in either mode).
    pub fn retained_until(&self) -> Option<SystemTime> {
        self.others.get("x-amz-object-lock-retain-until-date").and_then(|date| timestamp::from_xml(date))
    }

    /// Whether a legal hold keeps this version.
    pub fn is_held(&self) -> bool {
        self.others.get("x-amz-object-lock-legal-hold").is_some_and(|hold| hold.eq_ignore_ascii_case("on"))
    }
}

/// Whether the ETag in this answer is no MD5 (SSE-KMS and SSE-C on AWS).
pub(super) fn has_opaque_etag(response: &Response) -> bool {
    response.header("x-amz-server-side-encryption").is_some_and(|kind| kind.starts_with("aws:kms"))
        || response.header("x-amz-server-side-encryption-customer-algorithm").is_some()
}

fn extent(response: &Response) -> Result<(u64, Range<u64>)> {
    if response.status == StatusCode::PARTIAL_CONTENT {
        let text = response.header(CONTENT_RANGE.as_str()).unwrap_or_default();
        return content_range(text).ok_or_else(|| {
            Error::new(ErrorKind::WrongProtocol, format!("a partial answer with the Content-Range {text:?}"))
        });
    }
    let length = response.header(CONTENT_LENGTH.as_str()).and_then(|length| length.parse().ok()).ok_or_else(|| {
        let message = "the answer does not say how long the object is (no Content-Length): \
                       something between s3core and the gateway rewrites answers";
        Error::new(ErrorKind::WrongProtocol, message)
    })?;
    Ok((length, 0..length))
}

/// `bytes 0-9/100`: total length and range.
fn content_range(text: &str) -> Option<(u64, Range<u64>)> {
    let (range, length) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (first, last) = range.split_once('-')?;
    let (first, last, length): (u64, u64, u64) =
        (first.trim().parse().ok()?, last.trim().parse().ok()?, length.trim().parse().ok()?);
    (first <= last && last < length).then(|| (length, first..last + 1))
}

#[cfg(test)]
mod tests {
    use futures::stream;
    use http::{HeaderMap, HeaderValue};

    use super::*;
    use crate::http::ResponseBody;

    fn answer(status: u16, headers: &[(&'static str, &'static str)]) -> Response {
        Response {
            status: StatusCode::from_u16(status).unwrap(),
            headers: headers
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect::<HeaderMap>(),
            body: ResponseBody::new(stream::empty()),
        }
    }

    #[test]
    fn a_whole_object() {
        let head = ObjectHead::of(&answer(
            200,
            &[
                ("content-length", "3"),
                ("etag", "\"abc\""),
                ("last-modified", "Fri, 14 Nov 2025 22:13:20 GMT"),
                ("x-amz-meta-owner", "me"),
                ("x-amz-storage-class", "COLD"),
                ("content-encoding", "gzip"),
            ],
        ))
        .unwrap();
        assert_eq!((head.length, head.range), (3, 0..3));
        assert_eq!(head.etag.as_deref(), Some("abc"));
        assert_eq!(head.metadata["owner"], "me");
        assert_eq!(head.storage_class.as_deref(), Some("COLD"));
        assert_eq!(head.others, BTreeMap::from([("content-encoding", "gzip".to_owned())]));
        assert!(head.modified.is_some());
        assert!(!head.has_opaque_etag);
    }

    #[test]
    fn locks_are_known() {
        let locked = ObjectHead::of(&answer(
            200,
            &[
                ("content-length", "0"),
                ("x-amz-object-lock-mode", "GOVERNANCE"),
                ("x-amz-object-lock-retain-until-date", "2030-01-01T00:00:00.000000000Z"),
                ("x-amz-object-lock-legal-hold", "ON"),
            ],
        ));
        let locked = locked.unwrap();
        let until = locked.retained_until().unwrap().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!((until.as_secs(), locked.is_held()), (1_893_456_000, true));
        let free = ObjectHead::of(&answer(200, &[("content-length", "0"), ("x-amz-object-lock-legal-hold", "OFF")]));
        assert_eq!(free.map(|free| (free.retained_until(), free.is_held())).unwrap(), (None, false));
    }

    #[test]
    fn a_range_knows_the_whole_length() {
        let head = ObjectHead::of(&answer(206, &[("content-range", "bytes 10-19/100"), ("content-length", "10")]));
        let head = head.unwrap();
        assert_eq!((head.length, head.range), (100, 10..20));
    }

    #[test]
    fn an_answer_without_length_is_refused() {
        assert_eq!(ObjectHead::of(&answer(200, &[])).unwrap_err().kind(), ErrorKind::WrongProtocol);
        for odd in ["", "bytes 5-4/9", "bytes 0-9/5", "bytes */9", "items 0-1/2", "bytes a-b/c"] {
            assert_eq!(content_range(odd), None, "{odd}");
        }
    }

    #[test]
    fn encrypted_objects_have_opaque_etags() {
        let head =
            ObjectHead::of(&answer(200, &[("content-length", "0"), ("x-amz-server-side-encryption", "aws:kms")]));
        assert!(head.unwrap().has_opaque_etag);
        let head = ObjectHead::of(&answer(200, &[("content-length", "0"), ("x-amz-server-side-encryption", "AES256")]));
        assert!(!head.unwrap().has_opaque_etag);
    }
}
