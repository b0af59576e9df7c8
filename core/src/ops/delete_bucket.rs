//! DeleteBucket: removes an empty bucket.

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer;
use super::request::about_bucket;

/// Removes a bucket. Fails with `DirectoryNotEmpty` while it holds objects; `NoSuchBucket` where there is none.
#[derive(Debug, Clone)]
pub struct DeleteBucket {
    /// Bucket.
    pub bucket: String,
}

impl DeleteBucket {
    /// The bucket of that name.
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned() }
    }
}

impl Exchange for DeleteBucket {
    type Output = ();

    fn operation(&self) -> &'static str {
        "DeleteBucket"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        Ok(about_bucket(Method::DELETE, &self.bucket))
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        answer::without_document(response).await?;
        Ok(())
    }
}
