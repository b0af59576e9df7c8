//! PutObject: a whole object in one request.

use std::collections::BTreeMap;

use http::Method;

use crate::gateway::{Concern, Exchange, Gateway, OperationRequest};
use crate::http::{Payload, Response};
use crate::{Error, ErrorKind, Result};

use super::condition::{WriteCondition, WriteId, ask_to_settle, leaves_doubt, present};
use super::delete_object::DeleteObject;
use super::digest::PayloadDigest;
use super::object_head::ObjectHead;
use super::request::{about_object, set_header, set_header_if_some, set_metadata, set_payload};
use super::{answer, encryption};

/// What is stored beside an object's bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectAttributes {
    /// Content type; `None` leaves it to the gateway (`binary/octet-stream`).
    pub content_type: Option<String>,
    /// Storage class; `None` is the bucket's default.
    pub storage_class: Option<String>,
    /// User metadata: names without the prefix `x-amz-meta-`.
    pub metadata: BTreeMap<String, String>,
    /// Other headers that S3 keeps with an object, by their names in lower case.
    pub headers: BTreeMap<&'static str, String>,
}

/// See [`ObjectAttributes::headers`].
const HEADERS: [&str; 4] = ["cache-control", "content-disposition", "content-encoding", "content-language"];

impl ObjectAttributes {
    /// Those of an object that is made anew elsewhere.
    pub(crate) fn of(head: &ObjectHead) -> Self {
        let kept = HEADERS.iter().filter_map(|name| Some((*name, head.others.get(name)?.clone())));
        Self {
            content_type: head.content_type.clone(),
            storage_class: head.storage_class.clone(),
            metadata: head.metadata.clone(),
            headers: kept.chain(head.expires.clone().map(|time| ("expires", time))).collect(),
        }
    }

    pub(super) fn set(&self, request: &mut OperationRequest) -> Result<()> {
        set_header_if_some(request, "content-type", self.content_type.as_deref())?;
        set_header_if_some(request, "x-amz-storage-class", self.storage_class.as_deref())?;
        self.headers.iter().try_for_each(|(name, value)| set_header(request, name, value))?;
        self.metadata.iter().try_for_each(|(name, value)| set_metadata(request, name, value))
    }

    /// Names the storage class where it is the likely reason for a refusal: Radosgw says only "InvalidArgument".
    pub(super) fn explain(&self, error: Error) -> Error {
        explain_storage_class(self.storage_class.as_deref(), error)
    }
}

/// See [`ObjectAttributes::explain`].
pub(super) fn explain_storage_class(storage_class: Option<&str>, error: Error) -> Error {
    match (storage_class, error.service_code()) {
        (Some(class), Some("InvalidArgument" | "InvalidStorageClass")) => {
            let message =
                format!("the gateway probably has no storage class {class}: check fs.s3a.create.storage.class");
            error.restated(ErrorKind::BadRequest, message)
        }
        _ => error,
    }
}

/// Writes an object; the answer is its ETag, without quotes.
///
/// Fails with `AlreadyExists` or `PreconditionFailed` where the condition does not hold. A conditional write needs
/// [`PutObject::write_id`], which is how it is recognised after an attempt of unknown outcome: the same request sent
/// again would be refused because of itself.
#[derive(Debug, Clone)]
pub struct PutObject {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// The bytes.
    pub payload: Payload,
    /// What the gateway checks the bytes against; computed from the payload where it is `None`.
    pub digest: Option<PayloadDigest>,
    /// What must hold for the write to happen.
    pub condition: WriteCondition,
    /// Marks the object as made by this write.
    pub write_id: Option<WriteId>,
    /// What is stored beside the bytes.
    pub attributes: ObjectAttributes,
    in_doubt: bool,
}

impl PutObject {
    /// Unconditionally, without attributes.
    pub fn new(bucket: &str, key: &str, payload: impl Into<Payload>) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            payload: payload.into(),
            digest: None,
            condition: WriteCondition::Always,
            write_id: None,
            attributes: ObjectAttributes::default(),
            in_doubt: false,
        }
    }

    fn digest(&mut self) -> Result<PayloadDigest> {
        let digest = self.digest.map_or_else(|| PayloadDigest::of(&self.payload), Ok)?;
        self.digest = Some(digest);
        Ok(digest)
    }
}

impl Exchange for PutObject {
    type Output = String;

    fn operation(&self) -> &'static str {
        "PutObject"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        if self.condition != WriteCondition::Always && self.write_id.is_none() {
            return Err(Error::new(ErrorKind::Internal, "a conditional write without a write id"));
        }
        let mut request = about_object(Method::PUT, &self.bucket, &self.key)?;
        request.concern = Concern::Makes;
        self.attributes.set(&mut request)?;
        self.condition.set(&mut request)?;
        if let Some(write_id) = self.write_id {
            set_metadata(&mut request, WriteId::METADATA, &write_id.to_string())?;
        }
        let digest = self.digest()?;
        set_payload(&mut request, self.payload.clone(), &digest)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<String> {
        let digest = self.digest()?;
        match answer::without_document(response).await {
            Ok(response) => answer::written_etag(&response, &digest),
            Err(error) if self.in_doubt && error.status() == Some(412) => Err(ask_to_settle(&error)),
            Err(error) => Err(self.attributes.explain(self.condition.explain(error))),
        }
    }

    async fn prepare(&mut self, gateway: &Gateway) -> Result<()> {
        encryption::make_sure(gateway, &self.bucket, &self.key).await
    }

    /// The gateway encrypted when it was asked last, and no longer does.
    async fn undo(&mut self, gateway: &Gateway, _: String) {
        gateway.encrypting().found_of_writes(false);
        if let Err(failure) = gateway.run(DeleteObject::new(&self.bucket, &self.key)).await {
            tracing::warn!(%failure, bucket = self.bucket, key = self.key, "an object is there unencrypted: remove it");
        }
    }

    async fn settle(&mut self, gateway: &Gateway, failure: &Error) -> Result<Option<String>> {
        self.in_doubt |= leaves_doubt(failure);
        let Some(write_id) = self.write_id.filter(|_| self.in_doubt && self.condition != WriteCondition::Always) else {
            return Ok(None);
        };
        let Some(head) = present(gateway, &self.bucket, &self.key).await? else {
            return Ok(None);
        };
        if write_id.made(&head) {
            return Ok(head.etag);
        }
        match &self.condition {
            WriteCondition::IfMatch(etag) if head.etag.as_ref() == Some(etag) => Ok(None),
            condition => {
                let refusal = Error::new(ErrorKind::PreconditionFailed, "another writer was first");
                Err(condition.explain(refusal.answered(412, None, None)).at(&self.bucket, &self.key))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::ops::scripted::{Answer, play};

    const ID: &str = "0000000000000000000000000000002a";

    fn put(condition: WriteCondition) -> PutObject {
        let mut put = PutObject::new("b", "k", Bytes::from_static(b"hello"));
        put.digest = Some(PayloadDigest::with_md5(&put.payload).unwrap());
        put.condition = condition;
        put.write_id = Some(WriteId::new(42));
        put
    }

    fn stored() -> Answer {
        Answer::new(200, "").header("etag", "\"5d41402abc4b2a76b9719d911017c592\"")
    }

    fn present(etag: &str, write_id: &str) -> Answer {
        let head = Answer::new(200, "").header("etag", etag).header("content-length", "5");
        head.header("x-amz-meta-s3core-write-id", write_id)
    }

    #[tokio::test(start_paused = true)]
    async fn everything_that_is_stored_is_sent() {
        let mut put = put(WriteCondition::IfMatch("abc".into()));
        put.attributes = ObjectAttributes {
            content_type: Some("text/plain".into()),
            storage_class: Some("COLD".into()),
            metadata: [("owner".to_owned(), "me".to_owned())].into(),
            ..ObjectAttributes::default()
        };
        let played = play(put, [stored()]).await;
        assert_eq!(played.outcome.as_deref().unwrap(), "5d41402abc4b2a76b9719d911017c592");
        assert_eq!(played.lines(), ["PUT /b/k"]);
        for (name, value) in [
            ("content-md5", "XUFAKrxLKna5cZ2REBfFkg=="),
            ("content-type", "text/plain"),
            ("x-amz-storage-class", "COLD"),
            ("x-amz-meta-owner", "me"),
            ("x-amz-meta-s3core-write-id", ID),
            ("if-match", "abc"),
        ] {
            assert_eq!(played.header(0, name), Some(value), "{name}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_condition_is_told_by_its_meaning() {
        let played = play(put(WriteCondition::IfAbsent), [Answer::error(412, "PreconditionFailed")]).await;
        assert_eq!(played.header(0, "if-none-match"), Some("*"));
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::AlreadyExists);
        let condition = WriteCondition::IfMatch("abc".into());
        let played = play(put(condition), [Answer::error(412, "PreconditionFailed")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::PreconditionFailed);
    }

    #[tokio::test(start_paused = true)]
    async fn an_own_write_whose_answer_was_lost_is_recognised() {
        for lost in
            [Answer::Failure(ErrorKind::Disconnected), Answer::error(500, "InternalError"), Answer::new(504, "")]
        {
            let played = play(put(WriteCondition::IfAbsent), [lost, present("e", ID)]).await;
            assert_eq!(played.lines(), ["PUT /b/k", "HEAD /b/k"]);
            assert_eq!(played.outcome.unwrap(), "e");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn somebody_elses_object_refuses_the_write() {
        let lost = Answer::Failure(ErrorKind::Disconnected);
        let played = play(put(WriteCondition::IfAbsent), [lost, present("e", "other")]).await;
        let error = played.outcome.unwrap_err();
        assert_eq!((error.kind(), error.location().as_deref()), (ErrorKind::AlreadyExists, Some("s3a://b/k")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_done_is_sent_again() {
        let lost = Answer::Failure(ErrorKind::Disconnected);
        let played = play(put(WriteCondition::IfAbsent), [lost, Answer::new(404, ""), stored()]).await;
        assert_eq!(played.lines(), ["PUT /b/k", "HEAD /b/k", "PUT /b/k"]);
        assert!(played.outcome.is_ok());

        let lost = Answer::Failure(ErrorKind::TimedOut);
        let condition = WriteCondition::IfMatch("e".into());
        let played = play(put(condition), [lost, present("e", "other"), stored()]).await;
        assert_eq!(played.lines(), ["PUT /b/k", "HEAD /b/k", "PUT /b/k"]);
        assert!(played.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_first_attempt_that_is_done_late_refuses_the_second_and_is_recognised() {
        let played = play(
            put(WriteCondition::IfAbsent),
            [
                Answer::Failure(ErrorKind::TimedOut),
                Answer::new(404, ""),
                Answer::error(412, "PreconditionFailed"),
                present("e", ID),
            ],
        )
        .await;
        assert_eq!(played.lines(), ["PUT /b/k", "HEAD /b/k", "PUT /b/k", "HEAD /b/k"]);
        assert_eq!(played.outcome.unwrap(), "e");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_without_doubt_is_final() {
        let busy = Answer::error(503, "SlowDown");
        let played = play(put(WriteCondition::IfAbsent), [busy, Answer::error(412, "PreconditionFailed")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[tokio::test(start_paused = true)]
    async fn an_unconditional_write_is_just_repeated() {
        let played = play(put(WriteCondition::Always), [Answer::Failure(ErrorKind::Disconnected), stored()]).await;
        assert_eq!(played.lines(), ["PUT /b/k", "PUT /b/k"]);
        assert!(played.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn another_etag_than_the_md5_that_was_sent_is_corruption() {
        let other = || Answer::new(200, "").header("etag", "\"00000000000000000000000000000000\"");
        let attempts = crate::gateway::retry::RetryPolicy::default().brief_attempts as usize;
        let played = play(put(WriteCondition::Always), (0..attempts).map(|_| other())).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::Corrupted);
        let encrypted = other().header("x-amz-server-side-encryption", "aws:kms");
        assert!(play(put(WriteCondition::Always), [encrypted]).await.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn an_unknown_storage_class_is_named() {
        let mut put = put(WriteCondition::Always);
        put.attributes.storage_class = Some("ARCTIC".into());
        let error = play(put, [Answer::error(400, "InvalidArgument")]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        assert!(error.message().contains("ARCTIC"), "{error}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_conditional_write_needs_a_write_id() {
        let mut put = put(WriteCondition::IfAbsent);
        put.write_id = None;
        assert_eq!(play(put, []).await.outcome.unwrap_err().kind(), ErrorKind::Internal);
    }
}
