//! PutObjectTagging: replaces an object's tags. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectTagging.html>

use std::collections::BTreeMap;

use http::Method;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::request::{about_object, set_document};
use super::{answer, xml};

/// Replaces all tags of an object, at most ten; none removes them.
///
/// Radosgw before Reef sets the object's modification time to now.
#[derive(Debug, Clone)]
pub struct PutObjectTagging {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
    /// The tags: values by their keys.
    pub tags: BTreeMap<String, String>,
}

impl PutObjectTagging {
    /// These tags for this object.
    pub fn new(bucket: &str, key: &str, tags: BTreeMap<String, String>) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned(), tags }
    }
}

impl Exchange for PutObjectTagging {
    type Output = ();

    fn operation(&self) -> &'static str {
        "PutObjectTagging"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut document = format!("<Tagging xmlns=\"{}\"><TagSet>", xml::NAMESPACE);
        for (key, value) in &self.tags {
            if !xml::can_hold(key) || !xml::can_hold(value) {
                let message = format!("no XML document can name the tag {key:?}={value:?}");
                return Err(Error::new(ErrorKind::InvalidOption, message));
            }
            document.push_str("<Tag>");
            xml::append(&mut document, "Key", key);
            xml::append(&mut document, "Value", value);
            document.push_str("</Tag>");
        }
        document.push_str("</TagSet></Tagging>");
        let mut request = about_object(Method::PUT, &self.bucket, &self.key)?;
        request.query.push(("tagging", String::new()));
        set_document(&mut request, document)?;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<()> {
        answer::without_document(response).await.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    fn put(key: &str, value: &str) -> PutObjectTagging {
        PutObjectTagging::new("lake", "k", [(key.to_owned(), value.to_owned())].into())
    }

    #[tokio::test(start_paused = true)]
    async fn tags_are_sent_with_their_digest() {
        let played = play(put("a<b", " 1 "), [Answer::new(200, "")]).await;
        assert!(played.lines()[0].starts_with("PUT /lake/k?tagging"), "{:?}", played.lines());
        let body = played.body(0);
        assert!(body.contains("<TagSet><Tag><Key>a&lt;b</Key><Value> 1 </Value></Tag></TagSet>"), "{body}");
        assert!(played.header(0, "content-md5").is_some());
        assert!(played.outcome.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_are_told() {
        for (status, code, kind) in
            [(400, "InvalidTag", ErrorKind::BadRequest), (404, "NoSuchKey", ErrorKind::NotFound)]
        {
            let error = play(put("a", "1"), [Answer::error(status, code)]).await.outcome.unwrap_err();
            assert_eq!(error.kind(), kind, "{code}");
        }
        assert_eq!(play(put("a\u{1}", "1"), []).await.outcome.unwrap_err().kind(), ErrorKind::InvalidOption);
    }
}
