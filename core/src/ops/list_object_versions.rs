//! ListObjectVersions: one page of a bucket's versions and delete markers.
//! <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>

use std::time::SystemTime;

use http::Method;
use serde::Deserialize;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::element::Element;
use super::encoding::decoded;
use super::request::about_bucket;
use super::{etag, timestamp, xml};

/// Asks for one page of versions: by key, and those of one key from the newest to the oldest.
///
/// A bucket that keeps no versions lists each object as the version "null".
#[derive(Debug, Clone, Default)]
pub struct ListObjectVersions {
    /// Bucket.
    pub bucket: String,
    /// Only keys that begin so.
    pub prefix: String,
    /// Key and version id at which the previous page ended ([`VersionPage::next`]).
    pub marker: Option<(String, String)>,
    /// Most entries of the page; gateways have their own limit (1000).
    pub max_keys: Option<u32>,
}

impl ListObjectVersions {
    /// All versions of keys that begin with `prefix`.
    pub fn new(bucket: &str, prefix: &str) -> Self {
        Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), ..Self::default() }
    }
}

/// One page of versions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VersionPage {
    /// Versions and delete markers, in the gateway's order.
    pub versions: Vec<ListedVersion>,
    /// The marker of the next page; `None` on the last one. It is the last entry, not what the gateway calls next:
    /// Radosgw does not encode that as it encodes keys.
    pub next: Option<(String, String)>,
}

/// A version, or a delete marker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedVersion {
    /// Key.
    pub key: String,
    /// Its id; "null" for what was written while the bucket kept no versions.
    pub version_id: String,
    /// Whether it is what a reader without version id finds.
    pub is_latest: bool,
    /// Whether it only says that the object was deleted.
    pub is_delete_marker: bool,
    /// Length in bytes; 0 of a delete marker.
    pub length: u64,
    /// ETag without quotes; none of a delete marker.
    pub etag: Option<String>,
    /// When it was written.
    pub modified: Option<SystemTime>,
    /// Storage class.
    pub storage_class: Option<String>,
}

impl Exchange for ListObjectVersions {
    type Output = VersionPage;

    fn operation(&self) -> &'static str {
        "ListObjectVersions"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.prefix)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::GET, &self.bucket);
        request.query = vec![("versions", String::new()), ("encoding-type", "url".to_owned())];
        if !self.prefix.is_empty() {
            request.query.push(("prefix", self.prefix.clone()));
        }
        if let Some((key, version)) = &self.marker {
            request.query.extend([("key-marker", key.clone()), ("version-id-marker", version.clone())]);
        }
        request.query.extend(self.max_keys.map(|number| ("max-keys", number.to_string())));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<VersionPage> {
        let document = Document::read(response, ROOT).await?;
        document.text().and_then(page).map_err(|error| document.blame(error))
    }
}

const ROOT: &str = "ListVersionsResult";

/// Versions and delete markers come mixed.
fn page(text: &str) -> Result<VersionPage> {
    let mut entries = Vec::new();
    let (mut is_encoded, mut is_truncated) = (false, false);
    for element in Element::inside(text)? {
        match element.name.as_str() {
            "EncodingType" => is_encoded = element.text()? == "url",
            "IsTruncated" => is_truncated = element.text()? == "true",
            "Version" => entries.push((xml::parse::<Entry>(element.xml)?, false)),
            "DeleteMarker" => entries.push((xml::parse::<Entry>(element.xml)?, true)),
            _ => {}
        }
    }
    let versions =
        entries.into_iter().map(|(entry, is_delete_marker)| entry.into_version(is_encoded, is_delete_marker));
    let versions = versions.collect::<Result<Vec<_>>>()?;
    let next = match versions.last().filter(|_| is_truncated) {
        Some(last) => Some((last.key.clone(), last.version_id.clone())),
        None if is_truncated => {
            return Err(Error::new(ErrorKind::Corrupted, "the listing goes on, and the gateway does not say where"));
        }
        None => None,
    };
    Ok(VersionPage { versions, next })
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    key: String,
    version_id: String,
    #[serde(default)]
    is_latest: bool,
    #[serde(default)]
    last_modified: String,
    #[serde(default, rename = "ETag")]
    etag: String,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    storage_class: Option<String>,
}

impl Entry {
    fn into_version(self, is_encoded: bool, is_delete_marker: bool) -> Result<ListedVersion> {
        Ok(ListedVersion {
            key: if is_encoded { decoded(self.key.into())? } else { self.key },
            version_id: self.version_id,
            is_latest: self.is_latest,
            is_delete_marker,
            length: self.size,
            etag: etag::bare(&self.etag),
            modified: timestamp::from_xml(&self.last_modified),
            storage_class: self.storage_class,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    #[tokio::test(start_paused = true)]
    async fn versions_and_markers_come_mixed() {
        let answer = "<ListVersionsResult><Name>lake</Name><EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>\
            <NextKeyMarker>a b</NextKeyMarker><Version><Key>a%20b</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest>\
            <LastModified>2025-11-14T22:13:20.000Z</LastModified><ETag>&quot;e&quot;</ETag><Size>3</Size>\
            <StorageClass>COLD</StorageClass><Owner><ID>dev</ID></Owner></Version><DeleteMarker><Key>a%20b</Key>\
            <VersionId>m1</VersionId><IsLatest>false</IsLatest><LastModified>2025-11-14T22:13:19Z</LastModified></DeleteMarker>\
            <Version><Key>a%20b</Key><VersionId>null</VersionId><IsLatest>false</IsLatest><ETag>f</ETag><Size>1</Size></Version>\
            </ListVersionsResult>";
        let mut list = ListObjectVersions::new("lake", "a");
        list.marker = Some(("a".into(), "null".into()));
        list.max_keys = Some(3);
        let played = play(list, [Answer::new(200, answer)]).await;
        let line = &played.lines()[0];
        for parameter in ["versions", "key-marker=a", "version-id-marker=null", "max-keys=3", "prefix=a"] {
            assert!(line.contains(parameter), "{line}");
        }
        let page = played.outcome.unwrap();
        assert_eq!(page.next, Some(("a b".to_owned(), "null".to_owned())));
        let shown = page.versions.iter().map(|version| {
            (
                version.key.as_str(),
                version.version_id.as_str(),
                version.is_latest,
                version.is_delete_marker,
                version.length,
            )
        });
        let expected = [("a b", "v2", true, false, 3), ("a b", "m1", false, true, 0), ("a b", "null", false, false, 1)];
        assert_eq!(shown.collect::<Vec<_>>(), expected);
        assert_eq!(page.versions[0].etag.as_deref(), Some("e"));
        assert_eq!(page.versions[0].storage_class.as_deref(), Some("COLD"));
        assert!(page.versions[1].etag.is_none() && page.versions[1].modified.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_page_is_the_last_one() {
        let empty = "<ListVersionsResult><IsTruncated>false</IsTruncated></ListVersionsResult>";
        let played = play(ListObjectVersions::new("b", ""), [Answer::new(200, empty)]).await;
        assert_eq!(played.outcome.unwrap(), VersionPage::default());
        let endless = "<ListVersionsResult><IsTruncated>true</IsTruncated></ListVersionsResult>";
        assert_eq!(page(endless).unwrap_err().kind(), ErrorKind::Corrupted);
    }
}
