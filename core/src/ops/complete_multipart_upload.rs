//! CompleteMultipartUpload: makes the object of its parts visible.
//!
//! The one operation whose repetition is dangerous. Radosgw answers 500 "This multipart completion is already in
//! progress" for an upload that is being completed, was completed and replaced since, or was aborted; AWS answers
//! NoSuchUpload after a success whose answer was lost. So after every attempt that may have been done, the object
//! itself is looked at, and then the upload.

use std::time::Duration;

use http::Method;
use serde::Deserialize;

use crate::gateway::{Concern, Exchange, Gateway, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::condition::{WriteCondition, ask_to_settle, leaves_doubt, present};
use super::list_parts::ListParts;
use super::object_head::ObjectHead;
use super::request::{about_object, set_document};
use super::{etag, multipart_etag, xml};

/// In Radosgw's message to a completion while another of the same upload holds its lock (for ten minutes,
/// `rgw_mp_lock_max_time`, where a gateway died in it), and to one of an upload that is gone.
const IN_PROGRESS: &str = "completion is already in progress";

/// How much longer than for other operations is waited while another completion of the same upload holds its lock: the
/// usual patience is as long as the lock of a gateway that died, and somebody has to find it open.
const AFTER_THE_LOCK: Duration = Duration::from_secs(60);

/// A part that belongs to the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedPart {
    /// Which part, from 1.
    pub number: u32,
    /// ETag without quotes, as the upload of the part answered.
    pub etag: String,
}

/// Completes an upload; the answer is the object's ETag, without quotes.
///
/// Fails with `NotFound` where the upload was aborted, and with `AlreadyExists` where `condition` says so on gateways
/// that know conditions on this operation (Radosgw before 20.2.1 ignores them and replaces the object).
#[derive(Debug, Clone)]
pub struct CompleteMultipartUpload {
    /// Bucket.
    pub bucket: String,
    /// Key of the object to be.
    pub key: String,
    /// Which upload.
    pub upload_id: String,
    /// Every part that was sent, by their numbers, at least one: Radosgw refuses to leave any out (InvalidPart).
    pub parts: Vec<CompletedPart>,
    /// Length of all parts in bytes; the object is recognised by it and by its ETag.
    pub length: u64,
    /// What must hold for the object to become visible.
    pub condition: WriteCondition,
    in_doubt: bool,
}

impl CompleteMultipartUpload {
    /// Unconditionally.
    pub fn new(bucket: &str, key: &str, upload_id: &str, parts: Vec<CompletedPart>, length: u64) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            upload_id: upload_id.to_owned(),
            parts,
            length,
            condition: WriteCondition::Always,
            in_doubt: false,
        }
    }

    /// The same, where an earlier process may have completed the upload: that it is gone is then no failure if the object
    /// is the one that it would have made.
    #[must_use]
    pub fn perhaps_done(mut self) -> Self {
        self.in_doubt = true;
        self
    }

    /// Whether `failure` of a completion says that there is no object, rather than nothing.
    pub(crate) fn is_refused(failure: &Error) -> bool {
        failure.status().is_some_and(|status| (400..500).contains(&status)) && failure.kind() != ErrorKind::Throttled
    }

    fn expected_etag(&self) -> Option<String> {
        multipart_etag(self.parts.iter().map(|part| part.etag.as_str()))
    }

    /// Whether the object is this upload's for certain: ETags are digests of the parts' ETags.
    fn surely_made(&self, head: &ObjectHead) -> bool {
        !head.has_opaque_etag && head.length == self.length && self.expected_etag() == head.etag
    }

    /// Whether the object can be this upload's: where ETags are no MD5s, its length and number of parts must do. An
    /// object that was there before may have both.
    fn may_have_made(&self, head: &ObjectHead) -> bool {
        let etag = head.etag.as_deref().unwrap_or_default();
        let parts = etag.rsplit_once('-').is_some_and(|(_, number)| number == self.parts.len().to_string());
        let is_comparable = !head.has_opaque_etag && self.expected_etag().is_some();
        head.length == self.length && if is_comparable { self.surely_made(head) } else { parts }
    }
}

impl Exchange for CompleteMultipartUpload {
    type Output = String;

    fn operation(&self) -> &'static str {
        "CompleteMultipartUpload"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        if self.parts.is_empty() {
            return Err(Error::new(ErrorKind::Internal, "an upload of no parts cannot be completed"));
        }
        let mut request = about_object(Method::POST, &self.bucket, &self.key)?;
        request.query.push(("uploadId", self.upload_id.clone()));
        request.concern = Concern::Completes;
        self.condition.set(&mut request)?;
        let mut document = String::with_capacity(96 * self.parts.len() + 128);
        document.extend(["<CompleteMultipartUpload xmlns=\"", xml::NAMESPACE, "\">"]);
        for part in &self.parts {
            document.push_str("<Part>");
            xml::append(&mut document, "PartNumber", &part.number.to_string());
            xml::append(&mut document, "ETag", &etag::quoted(&part.etag));
            document.push_str("</Part>");
        }
        document.push_str("</CompleteMultipartUpload>");
        set_document(&mut request, document)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<String> {
        let document = match Document::read(response, "CompleteMultipartUploadResult").await {
            Ok(document) => document,
            Err(error) if error.message().contains(IN_PROGRESS) => {
                self.in_doubt = true;
                // An earlier attempt may take as long as it likes; settling tells whether there is one.
                let message = error.message().to_owned();
                return Err(error.restated(ErrorKind::Throttled, message));
            }
            Err(error)
                if self.in_doubt && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PreconditionFailed) =>
            {
                return Err(ask_to_settle(&error));
            }
            Err(error) => return Err(self.condition.explain(error)),
        };
        let CompleteMultipartUploadResult { etag } = document.parse()?;
        // Pacific answers with an empty ETag.
        match etag::bare(&etag).or_else(|| self.expected_etag()) {
            Some(etag) => Ok(etag),
            None => Err(document.blame(Error::new(ErrorKind::Corrupted, "the gateway did not name the object's ETag"))),
        }
    }

    fn patience(&self, usual: Duration) -> Duration {
        if self.in_doubt { usual + AFTER_THE_LOCK } else { usual }
    }

    async fn settle(&mut self, gateway: &Gateway, failure: &Error) -> Result<Option<String>> {
        self.in_doubt |= leaves_doubt(failure);
        if !self.in_doubt {
            return Ok(None);
        }
        if let Some(head) = present(gateway, &self.bucket, &self.key).await?.filter(|head| self.surely_made(head)) {
            return Ok(head.etag);
        }
        let upload = ListParts { max_parts: Some(1), ..ListParts::new(&self.bucket, &self.key, &self.upload_id) };
        match gateway.run(upload).await {
            Ok(_) => Ok(None),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                // It was completed since the object was looked at, or its object can be told by nothing else.
                if let Some(head) =
                    present(gateway, &self.bucket, &self.key).await?.filter(|head| self.may_have_made(head))
                {
                    return Ok(head.etag);
                }
                let message = "the upload is gone and the object is not the one it would have made: \
                               it was aborted, or its object was replaced or deleted since";
                let error = Error::new(ErrorKind::NotFound, message).caused_by(error);
                Err(error.during("CompleteMultipartUpload").at(&self.bucket, &self.key))
            }
            Err(error) => Err(error),
        }
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct CompleteMultipartUploadResult {
    #[serde(rename = "ETag")]
    etag: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    const PARTS: [&str; 2] = ["5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7"];
    const ETAG: &str = "065947336a2f2a95ba8899f3675c3be6-2";
    const COMPLETE: &str = "POST /b/k?uploadId=u";
    const LIST_PARTS: &str = "GET /b/k?max-parts=1&uploadId=u";

    fn complete() -> CompleteMultipartUpload {
        let parts = (1..).zip(PARTS).map(|(number, etag)| CompletedPart { number, etag: etag.into() });
        CompleteMultipartUpload::new("b", "k", "u", parts.collect(), 10)
    }

    fn completed(etag: &str) -> Answer {
        Answer::new(
            200,
            format!(
                "  \n<?xml version=\"1.0\"?>\n\n<CompleteMultipartUploadResult xmlns=\"{}\"><Location>l</Location>\
                 <Bucket>b</Bucket><Key>k</Key><ETag>{etag}</ETag></CompleteMultipartUploadResult>",
                xml::NAMESPACE
            ),
        )
    }

    fn present(length: u64, etag: &str) -> Answer {
        Answer::new(200, "").header("content-length", length.to_string()).header("etag", etag)
    }

    fn parts_there() -> Answer {
        Answer::new(200, "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>")
    }

    /// Without the order of the query's parameters.
    fn lines<T>(played: &crate::ops::scripted::Played<T>) -> Vec<String> {
        let sorted = |line: String| match line.split_once('?') {
            Some((path, query)) => {
                let mut query: Vec<_> = query.split('&').collect();
                query.sort_unstable();
                format!("{path}?{}", query.join("&"))
            }
            None => line,
        };
        played.lines().into_iter().map(sorted).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn every_form_of_the_etag_is_understood() {
        for etag in
            ["", ETAG, "&quot;065947336a2f2a95ba8899f3675c3be6-2&quot;", "\"065947336a2f2a95ba8899f3675c3be6-2\""]
        {
            let played = play(complete(), [completed(etag)]).await;
            assert_eq!(played.outcome.as_deref().unwrap(), ETAG, "{etag}");
            let body = played.body(0);
            assert!(body.contains("<Part><PartNumber>1</PartNumber><ETag>&quot;5d41402abc4b2a76b9719d911017c592&quot;</ETag></Part><Part>"), "{body}");
            assert!(played.header(0, "content-md5").is_some());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_under_status_200_leaves_doubt() {
        let hidden = || Answer::new(200, "\n\n<Error><Code>InternalError</Code></Error>");
        let played = play(complete(), [hidden(), present(10, ETAG)]).await;
        assert_eq!(lines(&played), [COMPLETE, "HEAD /b/k"]);
        assert_eq!(played.outcome.unwrap(), ETAG);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_cut_off_leaves_doubt() {
        let cut = Answer::new(200, "<CompleteMultipartUploadResult><Location>");
        let played = play(complete(), [cut, present(10, ETAG)]).await;
        assert_eq!(played.outcome.unwrap(), ETAG);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_done_is_sent_again_while_the_upload_exists() {
        for old in [Answer::new(404, ""), present(10, "other"), present(11, ETAG)] {
            let failed = Answer::error(500, "InternalError");
            let played = play(complete(), [failed, old, parts_there(), completed("")]).await;
            assert_eq!(lines(&played), [COMPLETE, "HEAD /b/k", LIST_PARTS, COMPLETE]);
            assert_eq!(played.outcome.unwrap(), ETAG);
        }
    }

    fn in_progress() -> Answer {
        let message = "This multipart completion is already in progress";
        Answer::new(500, format!("<Error><Code>InternalError</Code><Message>{message}</Message></Error>"))
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_the_gateway_still_works_on_is_waited_for() {
        let first = [Answer::Failure(ErrorKind::Disconnected), Answer::new(404, ""), parts_there()];
        let waiting = (0..20).flat_map(|_| [in_progress(), Answer::new(404, ""), parts_there()]);
        let last = [in_progress(), present(10, ETAG)];
        let played = play(complete(), first.into_iter().chain(waiting).chain(last)).await;
        assert_eq!(played.outcome.unwrap(), ETAG);
    }

    #[tokio::test(start_paused = true)]
    async fn an_aborted_upload_fails_at_once() {
        let gone = Answer::error(404, "NoSuchUpload");
        let played = play(complete(), [in_progress(), Answer::new(404, ""), gone, Answer::new(404, "")]).await;
        assert_eq!(lines(&played), [COMPLETE, "HEAD /b/k", LIST_PARTS, "HEAD /b/k"]);
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::NotFound);
        let played = play(complete(), [Answer::error(404, "NoSuchUpload")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_that_shows_late_is_recognised() {
        // AWS: the first attempt is done after the look at the object, and the second finds no upload.
        let played = play(
            complete(),
            [
                Answer::Failure(ErrorKind::TimedOut),
                Answer::new(404, ""),
                parts_there(),
                Answer::error(404, "NoSuchUpload"),
                present(10, ETAG),
            ],
        )
        .await;
        assert_eq!(played.outcome.unwrap(), ETAG);
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_gateway_is_asked_again_without_a_look() {
        let played = play(complete(), [Answer::error(503, "SlowDown"), completed("")]).await;
        assert_eq!(lines(&played), [COMPLETE, COMPLETE]);
        assert!(played.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn encrypted_objects_are_recognised_by_length_and_parts() {
        let head = |etag| present(10, etag).header("x-amz-server-side-encryption", "aws:kms");
        let lost = || Answer::Failure(ErrorKind::Disconnected);
        let gone = Answer::error(404, "NoSuchUpload");
        let played = play(complete(), [lost(), head("0123-2"), gone, head("0123-2")]).await;
        assert_eq!(played.outcome.unwrap(), "0123-2");
        // An older object of that length and number of parts, while the upload is still there.
        let pending = Answer::new(200, "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>");
        let played = play(complete(), [lost(), head("0123-2"), pending, completed("\"4567-2\"")]).await;
        assert_eq!(lines(&played), [COMPLETE, "HEAD /b/k", LIST_PARTS, COMPLETE]);
        assert_eq!(played.outcome.unwrap(), "4567-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_condition_is_told_by_its_meaning() {
        let mut complete = complete();
        complete.condition = WriteCondition::IfAbsent;
        let played = play(complete, [Answer::error(412, "PreconditionFailed")]).await;
        assert_eq!(played.header(0, "if-none-match"), Some("*"));
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
}
