//! CreateBucket: makes a bucket.

use http::Method;

use crate::gateway::{Exchange, Gateway, GatewaySettings, OperationRequest};
use crate::http::Response;
use crate::{Error, Result};

use super::answer;
use super::condition::leaves_doubt;
use super::request::{about_bucket, set_document};
use super::xml;

/// Makes a bucket. Fails with `AlreadyExists` for somebody else's and, depending on the gateway, for an own one.
#[derive(Debug, Clone)]
pub struct CreateBucket {
    /// Bucket.
    pub bucket: String,
    /// Region to name in the request. AWS wants its own region there unless it is us-east-1; Radosgw takes the name of
    /// a zone group and refuses any other.
    pub location: Option<String>,
    in_doubt: bool,
}

impl CreateBucket {
    /// A bucket where these settings point.
    pub fn new(bucket: &str, settings: &GatewaySettings) -> Self {
        let host = settings.endpoint.host.to_ascii_lowercase();
        let is_aws = [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|domain| host.ends_with(domain));
        let location = (is_aws && settings.region != "us-east-1").then(|| settings.region.clone());
        Self { bucket: bucket.to_owned(), location, in_doubt: false }
    }
}

impl Exchange for CreateBucket {
    type Output = ();

    fn operation(&self) -> &'static str {
        "CreateBucket"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::PUT, &self.bucket);
        if let Some(location) = &self.location {
            let mut document = format!("<CreateBucketConfiguration xmlns=\"{}\">", xml::NAMESPACE);
            xml::append(&mut document, "LocationConstraint", location);
            document.push_str("</CreateBucketConfiguration>");
            set_document(&mut request, document)?;
        }
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        match answer::without_document(response).await {
            Ok(_) => Ok(()),
            Err(error) if self.in_doubt && error.service_code() == Some("BucketAlreadyOwnedByYou") => Ok(()),
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
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play, settings};

    fn create(host: &str, region: &str) -> CreateBucket {
        let mut settings = settings();
        settings.endpoint.host = host.to_owned();
        settings.region = region.to_owned();
        CreateBucket::new("lake", &settings)
    }

    #[tokio::test(start_paused = true)]
    async fn only_aws_is_told_a_region() {
        let played = play(create("s3.eu-west-1.amazonaws.com", "eu-west-1"), [Answer::new(200, "")]).await;
        assert!(played.body(0).contains("<LocationConstraint>eu-west-1</LocationConstraint>"));
        for (host, region) in [("s3.amazonaws.com", "us-east-1"), ("ceph.example.org", "eu-west-1")] {
            let played = play(create(host, region), [Answer::new(200, "")]).await;
            assert_eq!(played.body(0), "");
            assert!(played.outcome.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_that_an_own_attempt_made_is_success() {
        let owned = || Answer::error(409, "BucketAlreadyOwnedByYou");
        let played = play(create("h", "r"), [Answer::Failure(ErrorKind::Disconnected), owned()]).await;
        assert!(played.outcome.is_ok());
        let played = play(create("h", "r"), [owned()]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
}
