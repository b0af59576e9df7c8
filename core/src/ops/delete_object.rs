//! DeleteObject: removes one object.

use std::time::SystemTime;

use http::Method;
use http::header::IF_MATCH;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer;
use super::request::{about_object, set_header, set_header_if_some};
use super::timestamp;

/// Removes an object. That there was none is success too.
///
/// The conditions hold only on gateways that know them: Radosgw before 20.2.1 ignores `If-Match` and deletes
/// (`unmodified_since` works there), AWS knows nothing of `unmodified_since`.
#[derive(Debug, Clone)]
pub struct DeleteObject {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// Only where the object has this ETag, without quotes; else `PreconditionFailed`.
    pub if_match: Option<String>,
    /// Only where the object was not written after this time, compared in whole seconds; else `PreconditionFailed`.
    /// Radosgw's own header, `x-amz-delete-if-unmodified-since`.
    pub unmodified_since: Option<SystemTime>,
}

impl DeleteObject {
    /// Unconditionally.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), if_match: None, unmodified_since: None }
    }
}

impl Exchange for DeleteObject {
    type Output = ();

    fn operation(&self) -> &'static str {
        "DeleteObject"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::DELETE, &self.bucket, &self.key)?;
        request.deletes = 1;
        set_header_if_some(&mut request, IF_MATCH.as_str(), self.if_match.as_deref())?;
        if let Some(time) = self.unmodified_since {
            set_header(&mut request, "x-amz-delete-if-unmodified-since", &timestamp::for_deletion(time)?)?;
        }
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        answer::without_document(response).await?;
        Ok(())
    }
}
