//! DeleteBucketLifecycle: removes all lifecycle rules of a bucket.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html>

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer;
use super::request::about_bucket;

/// Removes all lifecycle rules. That there were none is success too.
#[derive(Debug, Clone)]
pub struct DeleteBucketLifecycle {
    /// Bucket.
    pub bucket: String,
}

impl DeleteBucketLifecycle {
    /// The rules of this bucket.
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned() }
    }
}

impl Exchange for DeleteBucketLifecycle {
    type Output = ();

    fn operation(&self) -> &'static str {
        "DeleteBucketLifecycle"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::DELETE, &self.bucket);
        request.query.push(("lifecycle", String::new()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        match answer::without_document(response).await {
            Err(error) if error.service_code() != Some("NoSuchLifecycleConfiguration") => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn only_the_rules_go() {
        let played = play(DeleteBucketLifecycle::new("lake"), [Answer::new(204, "")]).await;
        // Without its query it would remove the bucket.
        assert!(played.lines()[0].starts_with("DELETE /lake?lifecycle"), "{:?}", played.lines());
        assert!(played.outcome.is_ok());
        let none = Answer::error(404, "NoSuchLifecycleConfiguration");
        assert!(play(DeleteBucketLifecycle::new("lake"), [none]).await.outcome.is_ok());
        let refused = play(DeleteBucketLifecycle::new("lake"), [Answer::error(404, "NoSuchBucket")]).await.outcome;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::NoSuchBucket);
    }
}
