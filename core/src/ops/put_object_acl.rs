//! PutObjectAcl: says who may do what with an object. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html>

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::access_control_list::AccessControlList;
use super::answer;
use super::request::{about_object, set_document};

/// Replaces an object's access control list.
///
/// Radosgw before Reef sets the object's modification time to now.
///
/// The owner in the list must be the object's: `AccessDenied` otherwise, `BadRequest` on Radosgw from Tentacle on. Fails with
/// `Unsupported` where the bucket takes no lists (AWS, "bucket owner enforced"), and with `BadRequest` where somebody in the
/// list does not exist any more.
#[derive(Debug, Clone)]
pub struct PutObjectAcl {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// The list.
    pub list: AccessControlList,
}

impl PutObjectAcl {
    /// This list for this object.
    pub fn new(bucket: &str, key: &str, list: AccessControlList) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), list }
    }
}

impl Exchange for PutObjectAcl {
    type Output = ();

    fn operation(&self) -> &'static str {
        "PutObjectAcl"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::PUT, &self.bucket, &self.key)?;
        request.query.push(("acl", String::new()));
        set_document(&mut request, self.list.as_str().to_owned())?;
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

    const LIST: &str = "<AccessControlPolicy xmlns=\"urn:x\"><Owner><ID>dev</ID></Owner><AccessControlList/>\
                        </AccessControlPolicy>";

    #[tokio::test(start_paused = true)]
    async fn the_list_goes_back_as_it_came() {
        let played = play(PutObjectAcl::new("lake", "k", LIST.parse().unwrap()), [Answer::new(200, "")]).await;
        assert!(played.lines()[0].starts_with("PUT /lake/k?acl"), "{:?}", played.lines());
        assert_eq!(played.body(0), LIST);
        assert!(played.header(0, "content-md5").is_some());
        assert!(played.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_bucket_without_lists_says_so() {
        let refused = Answer::error(400, "AccessControlListNotSupported");
        let error = play(PutObjectAcl::new("b", "k", LIST.parse().unwrap()), [refused]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("owner"), "{error}");
    }
}
