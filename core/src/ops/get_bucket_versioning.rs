//! GetBucketVersioning: whether a bucket keeps old versions.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html>

use http::Method;
use serde::Deserialize;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::request::about_bucket;

/// Whether a bucket keeps what is overwritten and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BucketVersioning {
    /// It never did.
    Off,
    /// It does: what is deleted lies beneath a delete marker.
    Enabled,
    /// It did, and does no more: old versions are still there, and a new one takes the place of the version "null".
    Suspended,
}

/// Asks whether a bucket keeps old versions.
#[derive(Debug, Clone)]
pub struct GetBucketVersioning {
    /// Bucket.
    pub bucket: String,
}

impl GetBucketVersioning {
    /// Of this bucket.
    pub fn new(bucket: &str) -> Self {
        Self { bucket: bucket.to_owned() }
    }
}

impl Exchange for GetBucketVersioning {
    type Output = BucketVersioning;

    fn operation(&self) -> &'static str {
        "GetBucketVersioning"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, "")
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::GET, &self.bucket);
        request.query.push(("versioning", String::new()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<BucketVersioning> {
        let document = Document::read(response, "VersioningConfiguration").await?;
        let VersioningConfiguration { status } = document.parse()?;
        match status.as_deref() {
            None | Some("") => Ok(BucketVersioning::Off),
            Some("Enabled") => Ok(BucketVersioning::Enabled),
            Some("Suspended") => Ok(BucketVersioning::Suspended),
            Some(other) => {
                let message = format!("the gateway says that versioning is {other:?}, which no S3 gateway does");
                Err(document.blame(Error::new(ErrorKind::WrongProtocol, message)))
            }
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct VersioningConfiguration {
    #[serde(default)]
    status: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_bucket_is_in_one_of_three_states() {
        for (status, expected) in [
            ("", BucketVersioning::Off),
            ("<Status>Enabled</Status>", BucketVersioning::Enabled),
            ("<MfaDelete>Disabled</MfaDelete><Status>Suspended</Status>", BucketVersioning::Suspended),
        ] {
            let answer = format!("<VersioningConfiguration xmlns=\"urn:x\">{status}</VersioningConfiguration>");
            let played = play(GetBucketVersioning::new("lake"), [Answer::new(200, answer)]).await;
            assert!(played.lines()[0].starts_with("GET /lake?versioning"), "{:?}", played.lines());
            assert_eq!(played.outcome.unwrap(), expected, "{status}");
        }
        let odd = "<VersioningConfiguration><Status>Perhaps</Status></VersioningConfiguration>";
        let error = play(GetBucketVersioning::new("lake"), [Answer::new(200, odd)]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongProtocol);
    }
}
