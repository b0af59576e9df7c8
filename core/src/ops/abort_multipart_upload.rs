//! AbortMultipartUpload: throws an upload and its parts away.

use http::Method;

use crate::gateway::{Exchange, Gateway, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer;
use super::condition::leaves_doubt;
use super::request::about_object;

/// Aborts an upload. That there is none any more is success too, unless [`AbortMultipartUpload::must_exist`].
#[derive(Debug, Clone)]
pub struct AbortMultipartUpload {
    /// Bucket.
    pub bucket: String,
    /// Key of the object that will not be.
    pub key: String,
    /// Which upload.
    pub upload_id: String,
    /// `NotFound` where there is none, unless an earlier attempt may have aborted it.
    pub must_exist: bool,
    in_doubt: bool,
}

impl AbortMultipartUpload {
    /// The upload of that id.
    pub fn new(bucket: &str, key: &str, upload_id: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            upload_id: upload_id.to_owned(),
            must_exist: false,
            in_doubt: false,
        }
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
            Err(error) if error.kind() == ErrorKind::NotFound && (!self.must_exist || self.in_doubt) => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn settle(&mut self, _gateway: &Gateway, failure: &Error) -> Result<Option<()>> {
        self.in_doubt |= leaves_doubt(failure);
        Ok(None)
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

    #[tokio::test(start_paused = true)]
    async fn one_that_was_never_there_is_an_error_where_it_must_exist() {
        let abort = || AbortMultipartUpload { must_exist: true, ..AbortMultipartUpload::new("b", "k", "u") };
        let played = play(abort(), [Answer::error(404, "NoSuchUpload")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::NotFound);
        let played = play(abort(), [Answer::error(500, "InternalError"), Answer::error(404, "NoSuchUpload")]).await;
        assert!(played.outcome.is_ok());
    }
}
