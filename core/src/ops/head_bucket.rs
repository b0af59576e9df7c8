//! HeadBucket: whether a bucket exists and may be used.

use http::Method;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{ErrorKind, Result};

use super::answer;
use super::request::about_bucket;

/// Asks for a bucket. Fails with `NoSuchBucket` or `AccessDenied`.
#[derive(Debug, Clone)]
pub struct HeadBucket {
    /// Bucket.
    pub bucket: String,
}

impl HeadBucket {
    /// The bucket of that name.
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned() }
    }
}

impl Exchange for HeadBucket {
    type Output = ();

    fn operation(&self) -> &'static str {
        "HeadBucket"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        Ok(about_bucket(Method::HEAD, &self.bucket))
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        match answer::without_document(response).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(error.restated(ErrorKind::NoSuchBucket, "the bucket does not exist: check its name"))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_missing_bucket_is_no_missing_object() {
        let error = play(HeadBucket::new("lake"), [Answer::new(404, "")]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSuchBucket);
        assert_eq!(error.location().as_deref(), Some("s3a://lake/"));
        let error = play(HeadBucket::new("lake"), [Answer::new(403, "")]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AccessDenied);
    }
}
