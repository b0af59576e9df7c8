//! ListObjectsV2: one page of a bucket's keys, in order.

use std::borrow::Cow;
use std::time::SystemTime;

use http::Method;
use serde::Deserialize;

use crate::gateway::{Exchange, OperationRequest};
use crate::http::Response;
use crate::{Error, ErrorKind, Result};

use super::answer::Document;
use super::encoding::decoded;
use super::request::about_bucket;
use super::xml::CommonPrefix;
use super::{etag, timestamp};

/// Asks for one page of keys.
#[derive(Debug, Clone, Default)]
pub struct ListObjectsV2 {
    /// Bucket.
    pub bucket: String,
    /// Only keys that begin so.
    pub prefix: String,
    /// Keys with this text behind the prefix are reported once, by their common prefix.
    pub delimiter: Option<String>,
    /// Only keys after this one. Ignored by the gateway beside a token.
    pub start_after: Option<String>,
    /// Where the previous page ended ([`ObjectPage::next`]).
    pub continuation_token: Option<String>,
    /// Most entries of the page; gateways lower it to their own limit (AWS 1000, Radosgw's
    /// `rgw_max_listing_results` 5000).
    pub max_keys: Option<u32>,
}

impl ListObjectsV2 {
    /// All keys that begin with `prefix`.
    pub fn new(bucket: &str, prefix: &str) -> Self {
        Self { bucket: bucket.to_owned(), prefix: prefix.to_owned(), ..Self::default() }
    }
}

/// One page of keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectPage {
    /// Objects, by key.
    pub objects: Vec<ListedObject>,
    /// What the keys that were rolled up begin with, delimiter included.
    pub common_prefixes: Vec<String>,
    /// The token of the next page; `None` on the last one.
    pub next: Option<String>,
}

/// An object as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Key.
    pub key: String,
    /// Length in bytes.
    pub length: u64,
    /// ETag without quotes.
    pub etag: Option<String>,
    /// When it was written; whole seconds on Radosgw from Tentacle on.
    pub modified: Option<SystemTime>,
    /// Storage class.
    pub storage_class: Option<String>,
}

impl Exchange for ListObjectsV2 {
    type Output = ObjectPage;

    fn operation(&self) -> &'static str {
        "ListObjectsV2"
    }

    fn place(&self) -> (&str, &str) {
        (&self.bucket, &self.prefix)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let mut request = about_bucket(Method::GET, &self.bucket);
        request.query = vec![("list-type", "2".to_owned()), ("encoding-type", "url".to_owned())];
        if !self.prefix.is_empty() {
            request.query.push(("prefix", self.prefix.clone()));
        }
        let optional = [
            ("delimiter", self.delimiter.clone()),
            ("start-after", self.start_after.clone()),
            ("continuation-token", self.continuation_token.clone()),
            ("max-keys", self.max_keys.map(|number| number.to_string())),
        ];
        request.query.extend(optional.into_iter().filter_map(|(name, value)| Some((name, value?))));
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<ObjectPage> {
        let document = Document::read(response, "ListBucketResult").await?;
        let result: ListBucketResult<'_> = document.parse()?;
        result.into_page().map_err(|error| document.blame(error))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListBucketResult<'a> {
    #[serde(borrow, default)]
    encoding_type: Option<Cow<'a, str>>,
    #[serde(default)]
    is_truncated: bool,
    #[serde(default)]
    next_continuation_token: Option<String>,
    #[serde(borrow, default)]
    contents: Vec<Contents<'a>>,
    #[serde(borrow, default)]
    common_prefixes: Vec<CommonPrefix<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Contents<'a> {
    #[serde(borrow)]
    key: Cow<'a, str>,
    #[serde(borrow, default)]
    last_modified: Cow<'a, str>,
    #[serde(borrow, default, rename = "ETag")]
    etag: Cow<'a, str>,
    #[serde(default)]
    size: u64,
    #[serde(default)]
    storage_class: Option<String>,
}

impl ListBucketResult<'_> {
    fn into_page(self) -> Result<ObjectPage> {
        let is_encoded = self.encoding_type.is_some_and(|kind| kind == "url");
        let key = |text: Cow<'_, str>| {
            if is_encoded { decoded(text) } else { Ok(text.into_owned()) }
        };
        let objects = self.contents.into_iter().map(|entry| {
            Ok(ListedObject {
                key: key(entry.key)?,
                length: entry.size,
                etag: etag::bare(&entry.etag),
                modified: timestamp::from_xml(&entry.last_modified),
                storage_class: entry.storage_class,
            })
        });
        let next = self.next_continuation_token.filter(|token| self.is_truncated && !token.is_empty());
        if self.is_truncated && next.is_none() {
            return Err(Error::new(ErrorKind::Corrupted, "the listing goes on, and the gateway does not say where"));
        }
        Ok(ObjectPage {
            objects: objects.collect::<Result<_>>()?,
            common_prefixes: self.common_prefixes.into_iter().map(|entry| key(entry.prefix)).collect::<Result<_>>()?,
            next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::scripted::{Answer, play};

    /// As Radosgw writes it: Owner, no milliseconds from Tentacle on, an ETag with quotes as references.
    const RADOSGW: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListBucketResult \
        xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>lake</Name><Prefix>t%2F</Prefix><MaxKeys>2</MaxKeys>\
        <Delimiter>%2F</Delimiter><IsTruncated>true</IsTruncated><EncodingType>url</EncodingType>\
        <KeyCount>3</KeyCount><NextContinuationToken>t/x y+&amp;\u{e9}</NextContinuationToken>\
        <Contents><Key>t/a%20b%2Bc</Key><LastModified>2025-11-14T22:13:20.123Z</LastModified>\
        <ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag><Size>1</Size><StorageClass>COLD</StorageClass>\
        <Owner><ID>dev</ID><DisplayName>dev</DisplayName></Owner><Type>Normal</Type></Contents>\
        <Contents><Key>t%2Fline%0D%0A%01</Key><LastModified>2025-11-14T22:13:20Z</LastModified>\
        <ETag>abc-2</ETag><Size>5368709120</Size></Contents>\
        <CommonPrefixes><Prefix>t%2Fd%C3%A9%2F</Prefix></CommonPrefixes></ListBucketResult>";

    #[tokio::test(start_paused = true)]
    async fn a_page_is_read() {
        let mut list = ListObjectsV2::new("lake", "t/");
        list.delimiter = Some("/".into());
        list.start_after = Some("t/0".into());
        list.max_keys = Some(2);
        let played = play(list, [Answer::new(200, RADOSGW)]).await;
        let line = &played.lines()[0];
        for parameter in
            ["list-type=2", "encoding-type=url", "prefix=t%2F", "delimiter=%2F", "start-after=t%2F0", "max-keys=2"]
        {
            assert!(line.contains(parameter), "{line}");
        }
        let page = played.outcome.unwrap();
        assert_eq!(page.next.as_deref(), Some("t/x y+&\u{e9}"));
        assert_eq!(page.common_prefixes, ["t/d\u{e9}/"]);
        let [first, second] = &page.objects[..] else { panic!("{page:?}") };
        assert_eq!((first.key.as_str(), first.length), ("t/a b+c", 1));
        assert_eq!(first.etag.as_deref(), Some("0cc175b9c0f1b6a831c399e269772661"));
        assert_eq!(first.storage_class.as_deref(), Some("COLD"));
        assert_eq!((second.key.as_str(), second.length), ("t/line\r\n\u{1}", 5 << 30));
        assert_eq!((second.etag.as_deref(), second.storage_class.as_deref()), (Some("abc-2"), None));
        let earlier = first.modified.unwrap().duration_since(second.modified.unwrap()).unwrap();
        assert_eq!(earlier.as_millis(), 123);
    }

    #[tokio::test(start_paused = true)]
    async fn without_encoding_keys_stay_as_they_are() {
        let page = "<ListBucketResult><Contents><Key>a%20b+c &lt;&#x41;</Key></Contents></ListBucketResult>";
        let page = play(ListObjectsV2::new("b", ""), [Answer::new(200, page)]).await.outcome.unwrap();
        assert_eq!(page.objects[0].key, "a%20b+c <A");
        assert_eq!((page.next, page.objects[0].length, page.objects[0].modified), (None, 0, None));
    }

    #[tokio::test(start_paused = true)]
    async fn an_empty_page_is_a_page() {
        for page in [
            "<ListBucketResult/>",
            "<ListBucketResult><IsTruncated>false</IsTruncated><NextContinuationToken/></ListBucketResult>",
        ] {
            let page = play(ListObjectsV2::new("b", "p"), [Answer::new(200, page)]).await.outcome.unwrap();
            assert_eq!(page, ObjectPage::default());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_page_that_is_cut_off_is_asked_for_again() {
        let cut = RADOSGW.split_at(RADOSGW.len() / 2).0;
        let list = ListObjectsV2::new("b", "");
        let played = play(list, [Answer::new(200, cut), Answer::new(200, "<ListBucketResult/>")]).await;
        assert_eq!(played.outcome.unwrap(), ObjectPage::default());
    }

    #[tokio::test(start_paused = true)]
    async fn a_listing_that_goes_on_nowhere_is_an_error() {
        let attempts = crate::gateway::retry::RetryPolicy::default().brief_attempts as usize;
        let page = "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>";
        let played = play(ListObjectsV2::new("b", ""), (0..attempts).map(|_| Answer::new(200, page))).await;
        assert_eq!(played.outcome.unwrap_err().kind(), ErrorKind::Corrupted);
    }

    #[tokio::test(start_paused = true)]
    async fn a_web_page_is_no_listing() {
        let page = "<html><body>Welcome to the web</body></html>";
        let error = play(ListObjectsV2::new("b", ""), [Answer::new(200, page)]).await.outcome.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongProtocol);
        assert!(error.message().contains("Welcome to the web"), "{error}");
    }

    #[test]
    fn no_damage_makes_reading_panic() {
        let read = |document: &[u8]| {
            let text = crate::ops::xml::text(document)?;
            crate::ops::xml::root(text);
            crate::ops::xml::parse::<ListBucketResult<'_>>(text)?.into_page()
        };
        let document = RADOSGW.as_bytes();
        let cut = (0..document.len()).map(|end| document[..end].to_vec());
        let replaced = (0..document.len()).flat_map(|at| {
            [b'<', b'>', b'&', b'/', b'"', b'9', 0, 0xff].map(|byte| {
                let mut damaged = document.to_vec();
                damaged[at] = byte;
                damaged
            })
        });
        for damaged in cut.chain(replaced) {
            if let Err(error) = read(&damaged) {
                assert_eq!(error.kind(), ErrorKind::Corrupted, "{}", String::from_utf8_lossy(&damaged));
            }
        }
        assert_eq!(read(document).unwrap().objects.len(), 2);
    }

    #[test]
    fn pages_are_read_fast() {
        const PAGES: u32 = 4;
        let entry = "<Contents><Key>warehouse/table/year%3D2013/month%3D1/part-00000-0a1b.snappy.parquet</Key>\
            <LastModified>2025-11-14T22:13:20.123Z</LastModified><ETag>&quot;0cc175b9c0f1b6a831c399e269772661&quot;</ETag>\
            <Size>1048576</Size><StorageClass>STANDARD</StorageClass><Owner><ID>dev</ID><DisplayName>dev</DisplayName>\
            </Owner><Type>Normal</Type></Contents>";
        let document =
            format!("<ListBucketResult><EncodingType>url</EncodingType>{}</ListBucketResult>", entry.repeat(5000));
        let started = std::time::Instant::now();
        for _ in 0..PAGES {
            let result: ListBucketResult<'_> = crate::ops::xml::parse(&document).unwrap();
            assert_eq!(result.into_page().unwrap().objects.len(), 5000);
        }
        let seconds = started.elapsed().as_secs_f64() / f64::from(PAGES);
        println!("listing: {:.0} entries/s", 5000.0 / seconds);
        // An optimised build reads more than half a million; this bound only catches quadratic behaviour.
        assert!(seconds < 2.0, "{seconds} s for one page");
    }
}
