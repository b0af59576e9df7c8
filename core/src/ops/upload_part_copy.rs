//! UploadPartCopy: a part of a multipart upload, made of another object inside the gateway.

use std::ops::Range;

use http::Method;

use crate::Result;
use crate::gateway::{Concern, Exchange, OperationRequest};
use crate::http::Response;

use super::copy_object::{CopiedObject, CopySource, copied};
use super::request::{about_object, set_header};

/// Copies bytes of an object into a part; the answer holds the part's ETag.
#[derive(Debug, Clone)]
pub struct UploadPartCopy {
    /// Bucket of the upload.
    pub bucket: String,
    /// Key of the upload.
    pub key: String,
    /// Which upload.
    pub upload_id: String,
    /// Which part, from 1.
    pub part_number: u32,
    /// What is copied.
    pub source: CopySource,
    /// Which bytes of it, at least one; `None` is all of them.
    pub range: Option<Range<u64>>,
}

impl Exchange for UploadPartCopy {
    type Output = CopiedObject;

    fn operation(&self) -> &'static str {
        "UploadPartCopy"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::PUT, &self.bucket, &self.key)?;
        request.concern = Concern::CopiesPart;
        request.query = vec![("partNumber", self.part_number.to_string()), ("uploadId", self.upload_id.clone())];
        self.source.set(&mut request)?;
        if let Some(range) = &self.range {
            let value = format!("bytes={}-{}", range.start, range.end.saturating_sub(1));
            set_header(&mut request, "x-amz-copy-source-range", &value)?;
        }
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<CopiedObject> {
        copied(response, "CopyPartResult").await
    }
}
