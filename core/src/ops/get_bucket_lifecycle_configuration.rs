//! GetBucketLifecycleConfiguration: a bucket's lifecycle rules.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html>

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer::Document;
use super::lifecycle_rule::{LifecycleConfiguration, MINIMUM_SIZE, ROOT};
use super::request::about_bucket;

/// Asks for a bucket's lifecycle rules; a bucket without any has an empty configuration.
///
/// Radosgw answers with what it has understood of a rule, in its own words and in the order of the ids: elements that it does
/// not know (sizes before Squid) are gone from the moment the rule was put, so that the rule is about more objects than it
/// says.
#[derive(Debug, Clone)]
pub struct GetBucketLifecycleConfiguration {
    /// Bucket.
    pub bucket: String,
}

impl GetBucketLifecycleConfiguration {
    /// The rules of this bucket.
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned() }
    }
}

impl Exchange for GetBucketLifecycleConfiguration {
    type Output = LifecycleConfiguration;

    fn operation(&self) -> &'static str {
        "GetBucketLifecycleConfiguration"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::GET, &self.bucket);
        request.query.push(("lifecycle", String::new()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<LifecycleConfiguration> {
        let minimum_size = response.header(MINIMUM_SIZE).map(str::to_owned);
        match Document::read(response, ROOT).await {
            Ok(document) => {
                let rules = LifecycleConfiguration::read(&document).map_err(|error| document.blame(error))?;
                Ok(LifecycleConfiguration { rules, minimum_size })
            }
            Err(error) if error.service_code() == Some("NoSuchLifecycleConfiguration") => {
                Ok(LifecycleConfiguration::default())
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    fn get() -> GetBucketLifecycleConfiguration {
        GetBucketLifecycleConfiguration::new("lake")
    }

    #[tokio::test(start_paused = true)]
    async fn rules_are_read() {
        let rule =
            "<Rule><ID>a</ID><Prefix>p/</Prefix><Status>Enabled</Status><Expiration><Days>1</Days></Expiration></Rule>";
        let answer =
            format!("<?xml version=\"1.0\"?><LifecycleConfiguration xmlns=\"urn:x\">{rule}</LifecycleConfiguration>");
        let answer = Answer::new(200, answer).header(MINIMUM_SIZE, "varies_by_storage_class");
        let played = play(get(), [answer]).await;
        assert!(played.lines()[0].starts_with("GET /lake?lifecycle"), "{:?}", played.lines());
        let configuration = played.outcome.unwrap();
        assert_eq!(configuration.minimum_size.as_deref(), Some("varies_by_storage_class"));
        let [found] = &configuration.rules[..] else { panic!("{configuration:?}") };
        assert_eq!((found.xml(), found.id(), found.filter().prefix.as_str()), (rule, "a", "p/"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_without_rules_has_an_empty_configuration() {
        for answer in [
            Answer::error(404, "NoSuchLifecycleConfiguration"),
            Answer::new(200, "<LifecycleConfiguration></LifecycleConfiguration>"),
        ] {
            assert_eq!(play(get(), [answer]).await.outcome.unwrap(), LifecycleConfiguration::default());
        }
        for (status, code, kind) in
            [(404, "NoSuchBucket", ErrorKind::NoSuchBucket), (403, "AccessDenied", ErrorKind::AccessDenied)]
        {
            assert_eq!(play(get(), [Answer::error(status, code)]).await.outcome.unwrap_err().kind(), kind, "{code}");
        }
    }
}
