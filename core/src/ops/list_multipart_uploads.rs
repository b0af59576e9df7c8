//! ListMultipartUploads: one page of the uploads that were begun and neither completed nor aborted.

use std::time::SystemTime;

use http::Method;
use serde::Deserialize;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer::Document;
use super::request::about_bucket;
use super::timestamp;

/// Asks for one page of uploads.
///
/// Keys come as they are, not with `encoding-type=url`: Radosgw encodes some of them then and does not say so.
#[derive(Debug, Clone, Default)]
pub struct ListMultipartUploads {
    /// Bucket.
    pub bucket: String,
    /// Only uploads of keys that begin so.
    pub prefix: String,
    /// Key and upload id at which the previous page ended ([`MultipartUploadPage::next`]).
    pub marker: Option<(String, String)>,
    /// Most entries of the page; gateways have their own limit (1000).
    pub max_uploads: Option<u32>,
}

impl ListMultipartUploads {
    /// The first page of the uploads to keys that begin with `prefix`.
    pub fn new(bucket: &str, prefix: &str) -> Self {
        Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), ..Self::default() }
    }
}

/// One page of uploads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MultipartUploadPage {
    /// Uploads by key.
    pub uploads: Vec<MultipartUpload>,
    /// Key and upload id at which the next page begins; `None` on the last one.
    pub next: Option<(String, String)>,
}

/// An upload under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultipartUpload {
    /// Key of the object to be.
    pub key: String,
    /// Its id.
    pub upload_id: String,
    /// When it was begun.
    pub initiated: Option<SystemTime>,
    /// Storage class of the object to be.
    pub storage_class: Option<String>,
}

impl Exchange for ListMultipartUploads {
    type Output = MultipartUploadPage;

    fn operation(&self) -> &'static str {
        "ListMultipartUploads"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.prefix)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::GET, &self.bucket);
        request.query.push(("uploads", String::new()));
        if !self.prefix.is_empty() {
            request.query.push(("prefix", self.prefix.clone()));
        }
        if let Some((key, upload_id)) = &self.marker {
            request.query.extend([("key-marker", key.clone()), ("upload-id-marker", upload_id.clone())]);
        }
        request.query.extend(self.max_uploads.map(|number| ("max-uploads", number.to_string())));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<MultipartUploadPage> {
        let document = Document::read(response, "ListMultipartUploadsResult").await?;
        let result: ListMultipartUploadsResult = document.parse()?;
        Ok(result.into_page())
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ListMultipartUploadsResult {
    is_truncated: bool,
    next_key_marker: String,
    next_upload_id_marker: String,
    upload: Vec<Upload>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Upload {
    key: String,
    upload_id: String,
    initiated: String,
    storage_class: Option<String>,
}

impl ListMultipartUploadsResult {
    fn into_page(self) -> MultipartUploadPage {
        let uploads = self.upload.into_iter().map(|upload| MultipartUpload {
            key: upload.key,
            upload_id: upload.upload_id,
            initiated: timestamp::from_xml(&upload.initiated),
            storage_class: upload.storage_class,
        });
        MultipartUploadPage {
            uploads: uploads.collect(),
            next: self.is_truncated.then_some((self.next_key_marker, self.next_upload_id_marker)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_page_is_read() {
        let answer = "<ListMultipartUploadsResult><NextKeyMarker>a b+%20&#13;</NextKeyMarker>\
            <NextUploadIdMarker>2~u</NextUploadIdMarker><IsTruncated>true</IsTruncated>\
            <Upload><Key>a b+%20&#13;</Key><UploadId>2~u</UploadId><StorageClass>STANDARD</StorageClass>\
            <Initiator><ID>dev</ID></Initiator><Initiated>2025-11-14T22:13:20.000Z</Initiated></Upload>\
            </ListMultipartUploadsResult>";
        let mut list = ListMultipartUploads::new("b", "a");
        list.marker = Some(("a".into(), "1".into()));
        let played = play(list, [Answer::new(200, answer)]).await;
        let line = &played.lines()[0];
        assert!(line.contains("key-marker=a") && line.contains("upload-id-marker=1"), "{line}");
        let page = played.outcome.unwrap();
        assert_eq!(page.next, Some(("a b+%20\r".to_owned(), "2~u".to_owned())));
        assert_eq!(page.uploads[0].key, "a b+%20\r");
        assert!(page.uploads[0].initiated.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_page_has_no_next() {
        let answer = Answer::new(200, "<ListMultipartUploadsResult><NextKeyMarker/></ListMultipartUploadsResult>");
        let page = play(ListMultipartUploads::new("b", ""), [answer]).await.outcome.unwrap();
        assert_eq!(page, MultipartUploadPage::default());
    }
}
