//! ListParts: one page of the parts that an upload has.

use std::time::SystemTime;

use http::Method;
use serde::Deserialize;

use crate::Result;
use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;

use super::answer::Document;
use super::request::about_object;
use super::{etag, timestamp};

/// Asks for the parts of an upload. Fails with `NotFound` where it was completed or aborted.
#[derive(Debug, Clone)]
pub struct ListParts {
    /// Bucket.
    pub bucket: String,
    /// Key of the object to be.
    pub key: String,
    /// Which upload.
    pub upload_id: String,
    /// Only parts with greater numbers ([`PartPage::next`]).
    pub part_number_marker: Option<u32>,
    /// Most entries of the page; gateways have their own limit (1000).
    pub max_parts: Option<u32>,
}

impl ListParts {
    /// The first page.
    pub fn new(bucket: &str, key: &str, upload_id: &str) -> Self {
        Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            upload_id: upload_id.to_owned(),
            part_number_marker: None,
            max_parts: None,
        }
    }
}

/// One page of parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartPage {
    /// Parts by number.
    pub parts: Vec<ListedPart>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<u32>,
}

/// A part as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedPart {
    /// Which part, from 1.
    pub number: u32,
    /// Length in bytes.
    pub length: u64,
    /// ETag without quotes.
    pub etag: Option<String>,
    /// When it was sent.
    pub modified: Option<SystemTime>,
}

impl Exchange for ListParts {
    type Output = PartPage;

    fn operation(&self) -> &'static str {
        "ListParts"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_object(Method::GET, &self.bucket, &self.key)?;
        request.query.push(("uploadId", self.upload_id.clone()));
        let numbers = [("part-number-marker", self.part_number_marker), ("max-parts", self.max_parts)];
        request.query.extend(numbers.into_iter().filter_map(|(name, value)| Some((name, value?.to_string()))));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<PartPage> {
        let document = Document::read(response, "ListPartsResult").await?;
        let result: ListPartsResult = document.parse()?;
        Ok(result.into_page())
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct ListPartsResult {
    is_truncated: bool,
    next_part_number_marker: Option<u32>,
    part: Vec<Part>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Part {
    part_number: u32,
    size: u64,
    #[serde(rename = "ETag")]
    etag: String,
    last_modified: String,
}

impl ListPartsResult {
    fn into_page(self) -> PartPage {
        let last = self.part.last().map(|part| part.part_number);
        let parts = self.part.into_iter().map(|part| ListedPart {
            number: part.part_number,
            length: part.size,
            etag: etag::bare(&part.etag),
            modified: timestamp::from_xml(&part.last_modified),
        });
        PartPage {
            parts: parts.collect(),
            next: self.next_part_number_marker.or(last).filter(|_| self.is_truncated && last.is_some()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn a_page_is_read() {
        let answer = "<ListPartsResult><Bucket>b</Bucket><PartNumberMarker>1</PartNumberMarker>\
            <NextPartNumberMarker>3</NextPartNumberMarker><MaxParts>2</MaxParts><IsTruncated>true</IsTruncated>\
            <Owner><ID>dev</ID></Owner><Part><LastModified>2025-11-14T22:13:20Z</LastModified><PartNumber>2</PartNumber>\
            <ETag>&quot;x&quot;</ETag><Size>7</Size></Part><Part><PartNumber>3</PartNumber><ETag>y</ETag><Size>8</Size>\
            </Part></ListPartsResult>";
        let mut list = ListParts::new("b", "k", "u");
        list.part_number_marker = Some(1);
        let played = play(list, [Answer::new(200, answer)]).await;
        assert!(played.lines()[0].contains("part-number-marker=1"), "{:?}", played.lines());
        let page = played.outcome.unwrap();
        assert_eq!(page.next, Some(3));
        assert_eq!(page.parts.iter().map(|part| (part.number, part.length)).collect::<Vec<_>>(), [(2, 7), (3, 8)]);
        assert_eq!(page.parts[0].etag.as_deref(), Some("x"));
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_that_is_gone_is_not_found() {
        let played = play(ListParts::new("b", "k", "u"), [Answer::error(404, "NoSuchUpload")]).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::NotFound);
    }
}
