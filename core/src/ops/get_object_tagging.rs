//! GetObjectTagging: an object's tags. <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html>

use std::collections::BTreeMap;

use http::Method;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer::Document;
use super::element::Element;
use super::request::about_object;

/// Asks for an object's tags; an object without any has an empty set.
///
/// Fails with `NotFound` where there is no object.
#[derive(Debug, Clone)]
pub struct GetObjectTagging {
    /// Bucket.
    pub bucket: String,
    /// Key.
    pub key: String,
}

impl GetObjectTagging {
    /// The tags of this object.
    pub fn new(bucket: &str, key: &str) -> Self {
        Self { bucket: bucket.to_owned(), key: key.to_owned() }
    }
}

impl Exchange for GetObjectTagging {
    type Output = BTreeMap<String, String>;

    fn operation(&self) -> &'static str {
        "GetObjectTagging"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::GET, &self.bucket, &self.key)?;
        request.query.push(("tagging", String::new()));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<BTreeMap<String, String>> {
        match Document::read(response, "Tagging").await {
            Ok(document) => tags(&document).map_err(|error| document.blame(error)),
            Err(error) if error.service_code() == Some("NoSuchTagSet") => Ok(BTreeMap::new()),
            Err(error) => Err(error),
        }
    }
}

/// Blanks in keys and values count.
fn tags(document: &Document) -> Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for set in Element::inside(document.text()?)?.into_iter().filter(|element| element.name == "TagSet") {
        for tag in set.children()?.into_iter().filter(|element| element.name == "Tag") {
            let (mut key, mut value) = (String::new(), String::new());
            for part in tag.children()? {
                match part.name.as_str() {
                    "Key" => key = part.text()?,
                    "Value" => value = part.text()?,
                    _ => {}
                }
            }
            tags.insert(key, value);
        }
    }
    Ok(tags)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    fn owned(tags: &[(&str, &str)]) -> BTreeMap<String, String> {
        tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn tags_come_as_they_were_written() {
        let answer = "<?xml version=\"1.0\"?>\n<Tagging xmlns=\"urn:x\"><TagSet><Tag><Key> a b </Key><Value>1&lt;2</Value>\
                      </Tag><Tag><Value/><Key>empty</Key></Tag></TagSet></Tagging>";
        let played = play(GetObjectTagging::new("lake", "k"), [Answer::new(200, answer)]).await;
        assert!(played.lines()[0].starts_with("GET /lake/k?tagging"), "{:?}", played.lines());
        assert_eq!(played.outcome.unwrap(), owned(&[(" a b ", "1<2"), ("empty", "")]));
    }

    #[tokio::test(start_paused = true)]
    async fn no_tags_are_an_empty_set() {
        let none = || GetObjectTagging::new("lake", "k");
        let empty = Answer::new(200, "<Tagging><TagSet></TagSet></Tagging>");
        assert!(play(none(), [empty]).await.outcome.unwrap().is_empty());
        assert!(play(none(), [Answer::error(404, "NoSuchTagSet")]).await.outcome.unwrap().is_empty());
        let missing = play(none(), [Answer::error(404, "NoSuchKey")]).await.outcome.unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::NotFound);
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_cut_off_is_asked_for_again() {
        let cut = Answer::new(200, "<Tagging><TagSet><Tag><Key>a</Key>");
        let whole = Answer::new(200, "<Tagging><TagSet><Tag><Key>a</Key><Value>1</Value></Tag></TagSet></Tagging>");
        assert_eq!(play(GetObjectTagging::new("b", "k"), [cut, whole]).await.outcome.unwrap(), owned(&[("a", "1")]));
    }
}
