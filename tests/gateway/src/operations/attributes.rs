//! The headers that a writer sends with an object and a reader gets back.

use http::HeaderMap;
use s3s::dto::Metadata;
use s3s::{S3Error, S3ErrorCode, S3Result};

use crate::front::summary::percent_decode;
use crate::operations::Operations;
use crate::operations::acl::canned;
use crate::operations::answers::custom;
use crate::storage::object::Attributes;

const KEPT: [&str; 6] =
    ["content-type", "content-encoding", "content-language", "content-disposition", "cache-control", "expires"];

impl Operations {
    /// Reads the attributes that the headers of a writing request state.
    pub(super) fn attributes(&self, headers: &HeaderMap, metadata: Option<Metadata>) -> S3Result<Attributes> {
        let mut attributes = Attributes {
            storage_class: self.storage_class(headers)?,
            acl: canned(headers)?,
            metadata: metadata.into_iter().flatten().collect(),
            ..Attributes::default()
        };
        for name in KEPT {
            if let Some(value) = text(headers, name) {
                attributes.headers.insert(name.to_owned(), value.to_owned());
            }
        }
        // aws-chunked is how the body travels, not what it is.
        if let Some(encoding) = attributes.headers.remove("content-encoding") {
            let encodings: Vec<_> = encoding.split(',').map(str::trim).filter(|name| *name != "aws-chunked").collect();
            if !encodings.is_empty() {
                attributes.headers.insert("content-encoding".to_owned(), encodings.join(","));
            }
        }
        if let Some(tags) = text(headers, "x-amz-tagging") {
            attributes.tags = parse_tags(tags)?;
        }
        Ok(attributes)
    }

    /// The storage class asked for, or the default one.
    pub(super) fn storage_class(&self, headers: &HeaderMap) -> S3Result<String> {
        let class = text(headers, "x-amz-storage-class").unwrap_or("STANDARD");
        let behaviour = self.behaviour();
        if behaviour.storage_classes.contains(&class) || self.storage_classes.iter().any(|known| known == class) {
            Ok(class.to_owned())
        } else {
            Err(custom(
                behaviour.storage_class_error,
                http::StatusCode::BAD_REQUEST,
                "The storage class you specified is not valid",
            ))
        }
    }
}

/// The value of a header, when it is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// At most ten tags in the form of a query string.
fn parse_tags(tags: &str) -> S3Result<Vec<(String, String)>> {
    let decode = |text: &str| percent_decode(&text.replace('+', " "));
    let pairs: Vec<_> = tags
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(key), decode(value))
        })
        .collect();
    check_tags(&pairs)?;
    Ok(pairs)
}

/// Refuses what S3 refuses: more than ten tags, and a key twice.
pub(super) fn check_tags(tags: &[(String, String)]) -> S3Result<()> {
    if tags.len() > 10 {
        return Err(custom("BadRequest", http::StatusCode::BAD_REQUEST, "Object tags cannot be greater than 10"));
    }
    let mut keys: Vec<_> = tags.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.len() < tags.len() {
        return Err(S3Error::with_message(S3ErrorCode::InvalidTag, "Cannot provide multiple Tags with the same key"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_a_query_string() {
        let tags = parse_tags("a=1&b%20c=d+e%2F&empty").unwrap();
        let expected = [("a", "1"), ("b c", "d e/"), ("empty", "")];
        assert_eq!(tags, expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn eleven_tags_and_double_keys_are_refused() {
        let many: Vec<_> = (0..11).map(|number| format!("k{number}=v")).collect();
        assert!(parse_tags(&many.join("&")).is_err());
        assert!(parse_tags("a=1&a=2").is_err());
    }
}
