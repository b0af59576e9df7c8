//! GetObjectAcl: who may do what with an object. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html>

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::access_control_list::{AccessControlList, ROOT};
use super::answer::Document;
use super::request::about_object;

/// Asks for an object's access control list.
///
/// Fails with `NotFound` where there is no object, and with `AccessDenied` for who may read the object, but not its list.
#[derive(Debug, Clone)]
pub struct GetObjectAcl {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
}

impl GetObjectAcl {
    /// The list of this object.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }
}

impl Exchange for GetObjectAcl {
    type Output = AccessControlList;

    fn operation(&self) -> &'static str {
        "GetObjectAcl"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::GET, &self.bucket, &self.key)?;
        request.query.push(("acl", String::new()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<AccessControlList> {
        let document = Document::read(response, ROOT).await?;
        document.text().and_then(str::parse).map_err(|error| document.blame(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn the_list_is_kept_as_it_came() {
        let answer = "<?xml version=\"1.0\"?><AccessControlPolicy xmlns=\"urn:x\"><Owner><ID>dev</ID></Owner>\
                      <AccessControlList/></AccessControlPolicy>";
        let played = play(GetObjectAcl::new("lake", "k"), [Answer::new(200, answer)]).await;
        assert!(played.lines()[0].starts_with("GET /lake/k?acl"), "{:?}", played.lines());
        assert_eq!(played.outcome.unwrap().as_str(), answer);
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_told() {
        for (status, code, kind) in
            [(403, "AccessDenied", ErrorKind::AccessDenied), (404, "NoSuchKey", ErrorKind::NotFound)]
        {
            let played = play(GetObjectAcl::new("b", "k"), [Answer::error(status, code)]).await;
            assert_eq!(played.outcome.unwrap_err().kind(), kind, "{code}");
        }
    }
}
