//! HeadObject: length, ETag and metadata of an object.

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
/// Fails with `NotFound` also where the bucket is missing: the answer to HEAD has no body that would tell.
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
}

impl HeadObject {
    /// Without conditions.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), if_match: None, if_none_match: None }
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
