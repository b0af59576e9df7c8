//! HeadObject: length, ETag and metadata of an object or one of its versions.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>

use http::Method;
use http::header::{IF_MATCH, IF_NONE_MATCH};

use crate::Result;
use crate::gateway::{Concern, Exchange, OperationRequest};
use crate::http::Response;

use super::object_head::ObjectHead;
use super::request::{about_object, set_header_if_some};
use super::{answer, etag};

/// Asks for an object's properties.
///
/// Fails with `NotFound` also where the bucket is missing: the answer to HEAD has no body that would tell. A delete marker
/// that is named by its version is `NotFound` on Radosgw, and `Unsupported` on AWS.
#[derive(Debug, Clone)]
pub struct HeadObject {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Only where the object has this ETag, without quotes; else `PreconditionFailed`.
    pub if_match: Option<String>,
    /// Only where the object has another ETag than this one, without quotes; else `PreconditionFailed`.
    pub if_none_match: Option<String>,
    /// Of this version; `None` is the latest.
    pub version_id: Option<String>,
}

impl HeadObject {
    /// Without conditions.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), if_match: None, if_none_match: None, version_id: None }
    }
}

impl Exchange for HeadObject {
    type Output = ObjectHead;

    fn operation(&self) -> &'static str {
        "HeadObject"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::HEAD, &self.bucket, &self.key)?;
        request.concern = Concern::Reads;
        request.query.extend(self.version_id.clone().map(|version| ("versionId", version)));
        let quoted = |etag: &Option<String>| etag.as_deref().map(etag::quoted);
        set_header_if_some(&mut request, IF_MATCH.as_str(), quoted(&self.if_match).as_deref())?;
        set_header_if_some(&mut request, IF_NONE_MATCH.as_str(), quoted(&self.if_none_match).as_deref())?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<ObjectHead> {
        let response = answer::without_document(response).await?;
        ObjectHead::of(&response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_version_is_named() {
        let mut head = HeadObject::new("lake", "k");
        head.version_id = Some("v1".into());
        let found = Answer::new(200, "").header("content-length", "3").header("x-amz-version-id", "v1");
        let played = play(head.clone(), [found]).await;
        assert_eq!(played.lines(), ["HEAD /lake/k?versionId=v1"]);
        assert_eq!(played.outcome.unwrap().others["x-amz-version-id"], "v1");
        let marker = Answer::new(405, "").header("x-amz-delete-marker", "true");
        assert_eq!(play(head, [marker]).await.outcome.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}
