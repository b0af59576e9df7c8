//! DeleteObjects: removes up to 1000 objects with one request.

use http::Method;
use serde::Deserialize;

use crate::error::Repeat;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::failure;
use super::request::{about_bucket, set_document};
use super::xml::{self, ErrorDocument};

/// Removes objects; the answer lists those that were not removed. Keys that did not exist count as removed.
///
/// Radosgw works on 16 of them at a time (`rgw_multi_obj_del_max_aio`).
#[derive(Debug, Clone)]
pub struct DeleteObjects {
    /// Bucket.
    pub bucket: String,
    /// Keys, at most [`DeleteObjects::MOST_KEYS`], each one that [`DeleteObjects::can_name`].
    pub keys: Vec<String>,
    /// What no further attempt will change.
    refused: Vec<DeleteFailure>,
}

impl DeleteObjects {
    /// Most keys of one request (AWS; Radosgw's `rgw_delete_multi_obj_max_num`).
    pub const MOST_KEYS: usize = 1000;

    /// These keys of a bucket.
    pub fn new(bucket: &str, keys: Vec<String>) -> Self {
        Self { bucket: bucket.to_owned(), keys, refused: Vec::new() }
    }

    /// Whether the request's XML can name the key. A key with control characters needs
    /// [`DeleteObject`](super::DeleteObject).
    pub fn can_name(key: &str) -> bool {
        xml::can_hold(key)
    }
}

/// An object that was not removed.
#[derive(Debug, Clone)]
pub struct DeleteFailure {
    /// Its key.
    pub key: String,
    /// Why; names the bucket and the key.
    pub error: Error,
}

impl Exchange for DeleteObjects {
    type Output = Vec<DeleteFailure>;

    fn operation(&self) -> &'static str {
        "DeleteObjects"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        if self.keys.is_empty() || self.keys.len() > Self::MOST_KEYS {
            let message = format!("one request removes 1 to {} objects, not {}", Self::MOST_KEYS, self.keys.len());
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let mut document = String::with_capacity(128 * self.keys.len());
        document.extend(["<Delete xmlns=\"", xml::NAMESPACE, "\"><Quiet>true</Quiet>"]);
        for key in &self.keys {
            if key.is_empty() || !Self::can_name(key) {
                let message = format!("no XML document can name the key {key:?}");
                return Err(Error::new(ErrorKind::InvalidPath, message).at(&self.bucket, key));
            }
            document.push_str("<Object>");
            xml::append(&mut document, "Key", key);
            document.push_str("</Object>");
        }
        document.push_str("</Delete>");
        let mut request = about_bucket(Method::POST, &self.bucket);
        request.deletes = self.keys.len();
        request.query.push(("delete", String::new()));
        set_document(&mut request, document)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<Vec<DeleteFailure>> {
        let document = Document::read(response, "DeleteResult").await?;
        let DeleteResult { error } = document.parse()?;
        let failures = error.into_iter().filter_map(|failed| self.failure(&document, failed));
        // A busy gateway says so key by key, under a status of success: those keys are asked for again, alone.
        let (refused, busy): (Vec<_>, Vec<_>) =
            failures.partition(|failure| failure.error.kind().row().repeat == Repeat::Never);
        self.refused.extend(refused);
        let Some(first) = busy.first().map(|failure| failure.error.clone()) else {
            return Ok(std::mem::take(&mut self.refused));
        };
        self.keys = busy.into_iter().map(|failure| failure.key).collect();
        Err(first)
    }
}

impl DeleteObjects {
    fn failure(&self, document: &Document, FailedKey { key, code, message }: FailedKey) -> Option<DeleteFailure> {
        let told = ErrorDocument { code, message, ..ErrorDocument::default() };
        let error = document.blame(failure::under_success(&told)).during(self.operation()).at(&self.bucket, &key);
        let was_missing = error.kind() == ErrorKind::NotFound;
        (!was_missing).then_some(DeleteFailure { key, error })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DeleteResult {
    #[serde(default)]
    error: Vec<FailedKey>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[derive(Default)]
struct FailedKey {
    key: String,
    code: Option<String>,
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn keys_are_named_and_failures_are_listed() {
        let answer = "<DeleteResult><Error><Key>b&lt;</Key><Code>AccessDenied</Code><Message>no</Message></Error>\
                      <Error><Key>c</Key><Code>MethodNotAllowed</Code></Error>\
                      <Error><Key>d</Key><Code>NoSuchKey</Code></Error></DeleteResult>";
        let keys = ["a&\r\n", "b<", "c", "d"].map(str::to_owned);
        let played = play(DeleteObjects::new("lake", keys.into()), [Answer::new(200, answer)]).await;
        assert!(played.lines()[0].starts_with("POST /lake?delete"), "{:?}", played.lines());
        let body = played.body(0);
        assert!(body.contains("<Quiet>true</Quiet><Object><Key>a&amp;&#13;"), "{body}");
        assert!(played.header(0, "content-md5").is_some());
        let failures = played.outcome.unwrap();
        let [first, second] = &failures[..] else { panic!("{failures:?}") };
        assert_eq!((first.key.as_str(), first.error.kind()), ("b<", ErrorKind::AccessDenied));
        assert_eq!(first.error.location().as_deref(), Some("s3a://lake/b<"));
        assert_eq!((second.key.as_str(), second.error.kind()), ("c", ErrorKind::Unsupported));
    }

    #[tokio::test(start_paused = true)]
    async fn keys_that_a_busy_gateway_left_are_asked_for_again_alone() {
        let busy = "<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>\
                    <Error><Key>b</Key><Code>SlowDown</Code></Error>\
                    <Error><Key>c</Key><Code>InternalError</Code></Error></DeleteResult>";
        let keys = ["a", "b", "c", "d"].map(str::to_owned);
        let answers = [Answer::new(200, busy), Answer::new(200, "<DeleteResult></DeleteResult>")];
        let played = play(DeleteObjects::new("lake", keys.into()), answers).await;
        let again = played.body(1);
        assert!(again.contains("<Key>b</Key></Object><Object><Key>c</Key></Object></Delete>"), "{again}");
        assert_eq!(played.outcome.unwrap().into_iter().map(|failure| failure.key).collect::<Vec<_>>(), ["a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_success_is_empty() {
        let answer = "<?xml version=\"1.0\"?><DeleteResult xmlns=\"urn:x\"></DeleteResult>";
        let played = play(DeleteObjects::new("b", vec!["a".into()]), [Answer::new(200, answer)]).await;
        assert!(played.outcome.unwrap().is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn what_xml_cannot_name_is_not_sent() {
        assert!(!DeleteObjects::can_name("a\u{1}") && DeleteObjects::can_name("a\t\r\n\u{e9}"));
        let outcome = play(DeleteObjects::new("b", vec!["a\u{1}".into()]), []).await.outcome;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::InvalidPath);
        let outcome = play(DeleteObjects::new("b", vec!["a".into(); 1001]), []).await.outcome;
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Internal);
    }
}
