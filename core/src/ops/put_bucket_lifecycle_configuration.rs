//! PutBucketLifecycleConfiguration: replaces a bucket's lifecycle rules.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html>

use http::Method;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer;
use super::lifecycle_rule::{LifecycleConfiguration, MINIMUM_SIZE};
use super::request::{about_bucket, set_document, set_header_if_some};

/// Replaces all lifecycle rules of a bucket. No gateway knows a condition for it: two writers at a time lose rules.
///
/// Radosgw takes rules with a storage class that it does not have, and then does nothing with them.
#[derive(Debug, Clone)]
pub struct PutBucketLifecycleConfiguration {
    /// Bucket.
    pub bucket: String,
    /// The rules: at least one, and at most 1000 (AWS; Radosgw's `rgw_lc_max_rules`).
    pub configuration: LifecycleConfiguration,
}

impl PutBucketLifecycleConfiguration {
    /// These rules for this bucket.
    pub fn new(bucket: &str, configuration: LifecycleConfiguration) -> Self {
        Self { bucket: bucket.to_owned(), configuration }
    }
}

impl Exchange for PutBucketLifecycleConfiguration {
    type Output = ();

    fn operation(&self) -> &'static str {
        "PutBucketLifecycleConfiguration"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        if self.configuration.rules.is_empty() {
            let message = "a lifecycle configuration has at least one rule: DeleteBucketLifecycle removes all";
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let mut request = about_bucket(Method::PUT, &self.bucket);
        request.query.push(("lifecycle", String::new()));
        set_header_if_some(&mut request, MINIMUM_SIZE, self.configuration.minimum_size.as_deref())?;
        set_document(&mut request, self.configuration.document())?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        answer::without_document(response).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::LifecycleRule;
    use crate::ops::scripted::{Answer, play};

    fn put() -> PutBucketLifecycleConfiguration {
        let rules = vec![LifecycleRule::transition("s3core-1", "a/", 0, "COLD").unwrap()];
        let configuration = LifecycleConfiguration { rules, minimum_size: Some("varies_by_storage_class".into()) };
        PutBucketLifecycleConfiguration::new("lake", configuration)
    }

    #[tokio::test(start_paused = true)]
    async fn rules_are_sent_with_their_digest() {
        let played = play(put(), [Answer::new(200, "")]).await;
        assert!(played.lines()[0].starts_with("PUT /lake?lifecycle"), "{:?}", played.lines());
        let body = played.body(0);
        assert!(body.contains("<Rule><ID>s3core-1</ID><Filter><Prefix>a/</Prefix></Filter><Status>Enabled"), "{body}");
        assert!(played.header(0, "content-md5").is_some());
        assert_eq!(played.header(0, MINIMUM_SIZE), Some("varies_by_storage_class"));
        assert!(played.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_told() {
        let error = play(put(), [Answer::error(400, "MalformedXML")]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::BadRequest);
        let empty = PutBucketLifecycleConfiguration::new("lake", LifecycleConfiguration::default());
        assert_eq!(play(empty, []).await.outcome.unwrap_err().kind(), ErrorKind::Internal);
    }
}
