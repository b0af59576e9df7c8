//! AbortMultipartUpload: throws an upload and its parts away.

use http::Method;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{ErrorKind, Result};

use super::answer;
use super::request::about_object;

/// Aborts an upload. That there is none any more is success too.
#[derive(Debug, Clone)]
pub struct AbortMultipartUpload {
    /// Bucket.
    pub bucket: String,
    /// Key of the object that will not be.
    pub key: String,
    /// Which upload.
    pub upload_id: String,
}

impl AbortMultipartUpload {
    /// The upload of that id.
    pub fn new(bucket: &str, key: &str, upload_id: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), upload_id: upload_id.to_owned() }
    }
}

impl Exchange for AbortMultipartUpload {
    type Output = ();

    fn operation(&self) -> &'static str {
        "AbortMultipartUpload"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::DELETE, &self.bucket, &self.key)?;
        request.query.push(("uploadId", self.upload_id.clone()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        match answer::without_document(response).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_is_gone_is_success() {
        for answer in [Answer::new(204, ""), Answer::error(404, "NoSuchUpload")] {
            let played = play(AbortMultipartUpload::new("b", "k", "u"), [answer]).await;
            assert_eq!(played.lines(), ["DELETE /b/k?uploadId=u"]);
            assert!(played.outcome.is_ok());
        }
        let played = play(AbortMultipartUpload::new("b", "k", "u"), [Answer::error(403, "AccessDenied")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::AccessDenied);
    }
}
