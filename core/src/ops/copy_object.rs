//! CopyObject: an object made of another one, inside the gateway.

use std::time::SystemTime;

use http::Method;
use serde::Deserialize;

use crate::gateway::{Concern, Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::put_object::{ObjectAttributes, explain_storage_class};
use super::request::{about_object, set_header, set_header_if_some, set_metadata};
use super::{etag, timestamp};

/// The object that is copied.
#[derive(Debug, Clone)]
pub struct CopySource {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Only where it has this ETag, without quotes; else `PreconditionFailed`. AWS reads the condition from one header
    /// and Radosgw from another (`x-amz-copy-if-match`), so both are sent.
    pub if_match: Option<String>,
}

impl CopySource {
    pub(super) fn set(&self, request: &mut OperationRequest) -> Result<()> {
        request.copy_source = Some((self.bucket.clone(), self.key.clone()));
        let etag = self.if_match.as_deref().map(etag::quoted);
        set_header_if_some(request, "x-amz-copy-source-if-match", etag.as_deref())?;
        set_header_if_some(request, "x-amz-copy-if-match", etag.as_deref())
    }
}

/// Copies an object of at most 5 GiB. Radosgw shares the bytes inside one storage class and copies none.
///
/// Fails with `NotFound` where there is no source.
#[derive(Debug, Clone)]
pub struct CopyObject {
    /// Where the copy goes.
    pub bucket: String,
    /// The copy's key.
    pub key: String,
    /// What is copied.
    pub source: CopySource,
    /// The copy's storage class; `None` is the bucket's default, not the source's.
    pub storage_class: Option<String>,
    /// Content type and user metadata of the copy in place of the source's. Its storage class is not looked at.
    pub replacement: Option<ObjectAttributes>,
}

impl CopyObject {
    /// With the source's content type and metadata; the source comes first, as with `cp`.
    pub fn new(source_bucket: &str, source_key: &str, bucket: &str, key: &str) -> Self {
        let source = CopySource { bucket: source_bucket.to_owned(), key: source_key.to_owned(), if_match: None };
        Self { bucket: bucket.to_owned(), key: key.to_owned(), source, storage_class: None, replacement: None }
    }
}

/// What a copy has become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedObject {
    /// ETag without quotes. Radosgw keeps the source's; AWS makes another for objects that were uploaded in parts.
    pub etag: String,
    /// When it was written.
    pub modified: Option<SystemTime>,
}

impl Exchange for CopyObject {
    type Output = CopiedObject;

    fn operation(&self) -> &'static str {
        "CopyObject"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::PUT, &self.bucket, &self.key)?;
        request.concern = Concern::Copies;
        self.source.set(&mut request)?;
        set_header_if_some(&mut request, "x-amz-storage-class", self.storage_class.as_deref())?;
        let directive = if self.replacement.is_some() { "REPLACE" } else { "COPY" };
        set_header(&mut request, "x-amz-metadata-directive", directive)?;
        if let Some(attributes) = &self.replacement {
            set_header_if_some(&mut request, "content-type", attributes.content_type.as_deref())?;
            for (name, value) in &attributes.metadata {
                set_metadata(&mut request, name, value)?;
            }
        }
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<CopiedObject> {
        copied(response, "CopyObjectResult")
            .await
            .map_err(|error| explain_storage_class(self.storage_class.as_deref(), error))
    }
}

/// Reads the answer to a copy. A gateway begins it before it knows the outcome (Radosgw to report its progress), so that
/// only an ETag in it means success.
pub(super) async fn copied(response: Response, root: &str) -> Result<CopiedObject> {
    let document = Document::read(response, root).await?;
    let result: CopyResult = document.parse()?;
    let etag = etag::bare(&result.etag).ok_or_else(|| {
        document.blame(Error::new(ErrorKind::Corrupted, "the gateway ended its answer without saying that it copied"))
    })?;
    Ok(CopiedObject { etag, modified: timestamp::from_xml(&result.last_modified) })
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct CopyResult {
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    fn copy() -> CopyObject {
        CopyObject::new("lake", "a b+/\u{e9}", "lake", "k")
    }

    #[tokio::test(start_paused = true)]
    async fn the_source_is_encoded_and_conditions_go_in_both_headers() {
        let mut copy = copy();
        copy.source.if_match = Some("abc".into());
        copy.storage_class = Some("COLD".into());
        let answer = "<CopyObjectResult><LastModified>2025-11-14T22:13:20Z</LastModified><ETag>&quot;e&quot;</ETag></CopyObjectResult>";
        let played = play(copy, [Answer::new(200, answer)]).await;
        for (name, value) in [
            ("x-amz-copy-source", "lake/a%20b%2B/%C3%A9"),
            ("x-amz-copy-source-if-match", "\"abc\""),
            ("x-amz-copy-if-match", "\"abc\""),
            ("x-amz-metadata-directive", "COPY"),
            ("x-amz-storage-class", "COLD"),
        ] {
            assert_eq!(played.header(0, name), Some(value), "{name}");
        }
        let copied = played.outcome.unwrap();
        assert_eq!(copied.etag, "e");
        assert!(copied.modified.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn metadata_can_be_replaced() {
        let mut copy = copy();
        copy.replacement = Some(ObjectAttributes {
            content_type: Some("text/plain".into()),
            metadata: [("owner".to_owned(), "me".to_owned())].into(),
            ..ObjectAttributes::default()
        });
        let played = play(copy, [Answer::new(200, "<CopyObjectResult><ETag>bare</ETag></CopyObjectResult>")]).await;
        assert_eq!(played.header(0, "x-amz-metadata-directive"), Some("REPLACE"));
        assert_eq!(played.header(0, "x-amz-meta-owner"), Some("me"));
        assert_eq!(played.header(0, "content-type"), Some("text/plain"));
        assert_eq!(played.outcome.unwrap().etag, "bare");
    }

    #[tokio::test(start_paused = true)]
    async fn only_an_etag_means_success() {
        let done = || Answer::new(200, "<CopyObjectResult><ETag>e</ETag></CopyObjectResult>");
        for broken in [
            "<Error><Code>InternalError</Code></Error>",
            // Radosgw reports progress before it knows the outcome.
            "<CopyObjectResult><Progress>4194304</Progress><Progress>8388608</Progress></CopyObjectResult>",
            "<CopyObjectResult><Progress>4194304</Progress>",
            "",
        ] {
            let played = play(copy(), [Answer::new(200, broken), done()]).await;
            assert_eq!(played.outcome.unwrap().etag, "e", "{broken}");
            assert_eq!(played.requests.len(), 2);
        }
        let hidden = Answer::new(200, "<Error><Code>NoSuchKey</Code></Error>");
        assert_eq!(play(copy(), [hidden]).await.outcome.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
