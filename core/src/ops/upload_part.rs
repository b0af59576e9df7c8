//! UploadPart: one part of a multipart upload.

use http::Method;

use crate::Result;
use crate::gateway::{Concern, Exchange, OperationRequest};
use crate::http::{Payload, Response};

use super::answer;
use super::digest::PayloadDigest;
use super::request::{about_object, set_payload};

/// Sends a part; the answer is its ETag, without quotes. Sending a part again replaces it.
#[derive(Debug, Clone)]
pub struct UploadPart {
    /// Bucket.
    pub bucket: String,
    /// Key of the object to be.
    pub key: String,
    /// Which upload.
    pub upload_id: String,
    /// Which part, 1 to 10000.
    pub part_number: u32,
    /// The part's bytes; all parts but the last have at least 5 MiB.
    pub payload: Payload,
    /// What the gateway checks the bytes against; computed from the payload where it is `None`.
    pub digest: Option<PayloadDigest>,
}

impl UploadPart {
    /// A part of an upload.
    pub fn new(bucket: &str, key: &str, upload_id: &str, part_number: u32, payload: impl Into<Payload>) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            upload_id: upload_id.to_owned(),
            part_number,
            payload: payload.into(),
            digest: None,
        }
    }

    fn digest(&mut self) -> Result<PayloadDigest> {
        let digest = self.digest.map_or_else(|| PayloadDigest::of(&self.payload), Ok)?;
        self.digest = Some(digest);
        Ok(digest)
    }
}

impl Exchange for UploadPart {
    type Output = String;

    fn operation(&self) -> &'static str {
        "UploadPart"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::PUT, &self.bucket, &self.key)?;
        request.concern = Concern::AddsPart;
        request.query = vec![("partNumber", self.part_number.to_string()), ("uploadId", self.upload_id.clone())];
        let digest = self.digest()?;
        set_payload(&mut request, self.payload.clone(), &digest)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<String> {
        let digest = self.digest()?;
        let response = answer::without_document(response).await?;
        answer::written_etag(&response, &digest)
    }
}
