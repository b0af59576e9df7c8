//! What a request asks for, as far as the log and the faults need to know.

use http::{HeaderMap, Method, Uri};

/// A request in short. The `s3s` crate parses requests for itself; this must agree with it only in
/// the operation's name.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    pub(crate) operation: &'static str,
    pub(crate) method: Method,
    pub(crate) bucket: String,
    pub(crate) key: String,
    /// As sent.
    pub(crate) query: String,
    /// The `Range` header.
    pub(crate) range: Option<String>,
}

impl Summary {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap) -> Self {
        let path = percent_decode(uri.path());
        let path = path.strip_prefix('/').unwrap_or(&path);
        let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let mut summary = Self {
            operation: "",
            method: method.clone(),
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            query: uri.query().unwrap_or_default().to_owned(),
            range: text("range"),
        };
        summary.operation = summary.operation(headers.contains_key("x-amz-copy-source"));
        summary
    }

    /// The value of a query parameter; empty when it has none.
    pub(crate) fn query_value(&self, name: &str) -> Option<String> {
        self.query.split('&').find_map(|pair| {
            let (found, value) = pair.split_once('=').unwrap_or((pair, ""));
            (found == name).then(|| percent_decode(value))
        })
    }

    /// The key, or for lists the prefix.
    pub(crate) fn key_or_prefix(&self) -> String {
        if self.key.is_empty() { self.query_value("prefix").unwrap_or_default() } else { self.key.clone() }
    }

    fn operation(&self, copies: bool) -> &'static str {
        let has = |name: &str| self.query_value(name).is_some();
        match (self.bucket.is_empty(), self.key.is_empty(), &self.method) {
            (true, _, &Method::GET) => "ListBuckets",
            (false, true, &Method::GET) if has("location") => "GetBucketLocation",
            (false, true, &Method::GET) if has("versioning") => "GetBucketVersioning",
            (false, true, &Method::GET) if has("lifecycle") => "GetBucketLifecycleConfiguration",
            (false, true, &Method::GET) if has("uploads") => "ListMultipartUploads",
            (false, true, &Method::GET) if self.query_value("list-type").as_deref() == Some("2") => "ListObjectsV2",
            (false, true, &Method::GET) => "ListObjects",
            (false, true, &Method::HEAD) => "HeadBucket",
            (false, true, &Method::PUT) if has("lifecycle") => "PutBucketLifecycleConfiguration",
            (false, true, &Method::PUT) => "CreateBucket",
            (false, true, &Method::DELETE) if has("lifecycle") => "DeleteBucketLifecycle",
            (false, true, &Method::DELETE) => "DeleteBucket",
            (false, true, &Method::POST) if has("delete") => "DeleteObjects",
            (false, false, &Method::GET) if has("acl") => "GetObjectAcl",
            (false, false, &Method::GET) if has("attributes") => "GetObjectAttributes",
            (false, false, &Method::GET) if has("tagging") => "GetObjectTagging",
            (false, false, &Method::GET) if has("uploadId") => "ListParts",
            (false, false, &Method::GET) => "GetObject",
            (false, false, &Method::HEAD) => "HeadObject",
            (false, false, &Method::PUT) if has("acl") => "PutObjectAcl",
            (false, false, &Method::PUT) if has("tagging") => "PutObjectTagging",
            (false, false, &Method::PUT) if has("uploadId") && copies => "UploadPartCopy",
            (false, false, &Method::PUT) if has("uploadId") => "UploadPart",
            (false, false, &Method::PUT) if copies => "CopyObject",
            (false, false, &Method::PUT) => "PutObject",
            (false, false, &Method::POST) if has("uploads") => "CreateMultipartUpload",
            (false, false, &Method::POST) if has("uploadId") => "CompleteMultipartUpload",
            (false, false, &Method::DELETE) if has("tagging") => "DeleteObjectTagging",
            (false, false, &Method::DELETE) if has("uploadId") => "AbortMultipartUpload",
            (false, false, &Method::DELETE) => "DeleteObject",
            _ => "Other",
        }
    }
}

/// Decodes `%41`; what is no escape stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escaped = tail.split_at_checked(2).filter(|_| first == b'%');
        match escaped.and_then(|(digits, after)| Some((hexadecimal_pair(digits)?, after))) {
            Some((byte, after)) => {
                decoded.push(byte);
                rest = after;
            }
            None => {
                decoded.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn hexadecimal_pair(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(Method::GET, "/", "ListBuckets")]
    #[case(Method::GET, "/bucket?list-type=2&prefix=a%2Fb", "ListObjectsV2")]
    #[case(Method::GET, "/bucket/?prefix=x", "ListObjects")]
    #[case(Method::GET, "/bucket?uploads", "ListMultipartUploads")]
    #[case(Method::GET, "/bucket/a?uploadId=1", "ListParts")]
    #[case(Method::PUT, "/bucket/a?uploadId=1&partNumber=2", "UploadPart")]
    #[case(Method::POST, "/bucket/a?uploadId=1", "CompleteMultipartUpload")]
    #[case(Method::POST, "/bucket/a?uploads", "CreateMultipartUpload")]
    #[case(Method::POST, "/bucket?delete", "DeleteObjects")]
    #[case(Method::PUT, "/bucket/a?acl", "PutObjectAcl")]
    #[case(Method::DELETE, "/bucket?lifecycle", "DeleteBucketLifecycle")]
    #[case(Method::PATCH, "/bucket", "Other")]
    fn names_the_operation(#[case] method: Method, #[case] uri: &str, #[case] operation: &str) {
        let summary = Summary::new(&method, &uri.parse().unwrap(), &HeaderMap::new());
        assert_eq!(summary.operation, operation);
    }

    #[test]
    fn copies_are_told_by_their_header() {
        let headers = HeaderMap::from_iter([("x-amz-copy-source".parse().unwrap(), HeaderValue::from_static("b/k"))]);
        let name = |uri: &str| Summary::new(&Method::PUT, &uri.parse().unwrap(), &headers).operation;
        assert_eq!(name("/bucket/a"), "CopyObject");
        assert_eq!(name("/bucket/a?uploadId=1&partNumber=1"), "UploadPartCopy");
    }

    #[test]
    fn decodes_keys_and_prefixes() {
        let summary = |uri: &str| Summary::new(&Method::GET, &uri.parse().unwrap(), &HeaderMap::new());
        let object = summary("/bucket/a%20b/%C3%BC%zz?versionId=1");
        assert_eq!((object.bucket.as_str(), object.key.as_str()), ("bucket", "a b/ü%zz"));
        assert_eq!(summary("/bucket?list-type=2&prefix=a%2Fb").key_or_prefix(), "a/b");
    }
}
