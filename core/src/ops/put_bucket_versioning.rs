//! PutBucketVersioning: whether a bucket keeps old versions.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html>

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::request::{about_bucket, set_document};
use super::{answer, xml};

/// Lets a bucket keep old versions, or suspends that. There is no way back to a bucket that never did.
#[derive(Debug, Clone)]
pub struct PutBucketVersioning {
    /// Bucket.
    pub bucket: String,
    /// Whether it keeps them from now on.
    pub is_enabled: bool,
}

impl PutBucketVersioning {
    /// Of this bucket.
    pub fn new(bucket: &str, is_enabled: bool) -> Self {
        Self { bucket: bucket.to_owned(), is_enabled }
    }
}

impl Exchange for PutBucketVersioning {
    type Output = ();

    fn operation(&self) -> &'static str {
        "PutBucketVersioning"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut document = format!("<VersioningConfiguration xmlns=\"{}\">", xml::NAMESPACE);
        xml::append(&mut document, "Status", if self.is_enabled { "Enabled" } else { "Suspended" });
        document.push_str("</VersioningConfiguration>");
        let mut request = about_bucket(Method::PUT, &self.bucket);
        request.query.push(("versioning", String::new()));
        set_document(&mut request, document)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        answer::without_document(response).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn the_state_is_sent() {
        for (is_enabled, status) in [(true, "<Status>Enabled</Status>"), (false, "<Status>Suspended</Status>")] {
            let played = play(PutBucketVersioning::new("lake", is_enabled), [Answer::new(200, "")]).await;
            assert!(played.lines()[0].starts_with("PUT /lake?versioning"), "{:?}", played.lines());
            assert!(played.body(0).contains(status), "{}", played.body(0));
        }
        let played = play(PutBucketVersioning::new("lake", true), [Answer::error(403, "AccessDenied")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::AccessDenied);
    }
}
