//! HeadBucket: whether a bucket exists and may be used.

use std::time::SystemTime;

use http::Method;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{ErrorKind, Result};

use super::answer;
use super::request::about_bucket;

/// Asks for a bucket; the answer is also how to learn the gateway's time. Fails with `NoSuchBucket` or `AccessDenied`.
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

/// A bucket that exists and may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BucketHead {
    /// The gateway's time when it answered (its `Date` header), in whole seconds.
    pub date: Option<SystemTime>,
}

impl Exchange for HeadBucket {
    type Output = BucketHead;

    fn operation(&self) -> &'static str {
        "HeadBucket"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        Ok(about_bucket(Method::HEAD, &self.bucket))
    }

    async fn read(&mut self, response: Response) -> Result<BucketHead> {
        match answer::without_document(response).await {
            Ok(response) => Ok(BucketHead { date: response.date("date") }),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(error.restated(ErrorKind::NoSuchBucket, "the bucket does not exist: check its name"))
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

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

    #[tokio::test(start_paused = true)]
    async fn the_gateways_time_is_told() {
        let wanted = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_158_400);
        for (date, expected) in [("Fri, 14 Nov 2025 22:13:20 GMT", Some(wanted)), ("yesterday", None)] {
            let answer = Answer::new(200, "").header("date", date);
            assert_eq!(play(HeadBucket::new("lake"), [answer]).await.outcome.unwrap().date, expected);
        }
    }
}
