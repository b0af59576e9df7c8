//! CreateMultipartUpload: begins an object that is sent in parts.

use http::Method;
use serde::Deserialize;

use crate::gateway::{Concern, Exchange, Gateway, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::encryption;
use super::put_object::ObjectAttributes;
use super::request::about_object;

/// Begins an upload; the answer is its id.
///
/// An attempt of unknown outcome is repeated, and may leave an upload without parts behind.
#[derive(Debug, Clone)]
pub struct CreateMultipartUpload {
    /// Bucket.
    pub bucket: String,
    /// Key of the object to be.
    pub key: String,
    /// What is stored beside the object's bytes.
    pub attributes: ObjectAttributes,
}

impl CreateMultipartUpload {
    /// Without attributes.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), attributes: ObjectAttributes::default() }
    }
}

impl Exchange for CreateMultipartUpload {
    type Output = String;

    fn operation(&self) -> &'static str {
        "CreateMultipartUpload"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::POST, &self.bucket, &self.key)?;
        request.concern = Concern::Makes;
        request.query.push(("uploads", String::new()));
        self.attributes.set(&mut request)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<String> {
        let document = Document::read(response, "InitiateMultipartUploadResult")
            .await
            .map_err(|error| self.attributes.explain(error))?;
        let InitiateMultipartUploadResult { upload_id } = document.parse()?;
        if upload_id.is_empty() {
            return Err(document.blame(Error::new(ErrorKind::Corrupted, "the gateway gave the upload no id")));
        }
        Ok(upload_id)
    }

    async fn undo(&mut self, gateway: &Gateway, id: String) {
        encryption::give_up(gateway, &self.bucket, &self.key, &id).await;
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct InitiateMultipartUploadResult {
    upload_id: String,
}
