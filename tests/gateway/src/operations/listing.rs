//! ListObjects in both versions.

use s3s::dto::*;
use s3s::{S3Error, S3ErrorCode, S3Request, S3Response, S3Result};

use crate::operations::answers::{count, length, owner, timestamp, url_encode};
use crate::operations::conditions::etag;
use crate::operations::{Answer, Operations};
use crate::storage::bucket::{ListEntry, ListPage, ListQuery};
use crate::storage::hexadecimal;

const DEFAULT_MAX_KEYS: usize = 1000;

pub(super) async fn version_2(
    gateway: &Operations,
    request: S3Request<ListObjectsV2Input>,
) -> Answer<ListObjectsV2Output> {
    let input = request.input;
    let after = match &input.continuation_token {
        Some(token) => Some(decode_token(token)?),
        None => input.start_after.clone(),
    };
    let listing = Listing {
        bucket: &input.bucket,
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        after: after.as_deref(),
        max_keys: input.max_keys,
    };
    let (page, max_keys) = listing.page(gateway)?;
    let encode = encoder(input.encoding_type.as_ref());
    let next = page.entries.last().filter(|_| page.truncated);
    let next_continuation_token = next.map(|entry| encode_token(entry.name()));
    let owner = (input.fetch_owner == Some(true)).then(owner);
    let key_count = count(page.entries.len());
    let truncated = page.truncated;
    let (contents, common_prefixes) = contents(page, encode, owner.as_ref());
    Ok(S3Response::new(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: Some(encode(&input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| encode(&delimiter)),
        start_after: input.start_after.map(|key| encode(&key)),
        encoding_type: input.encoding_type,
        max_keys: Some(max_keys),
        key_count: Some(key_count),
        is_truncated: Some(truncated),
        continuation_token: input.continuation_token,
        next_continuation_token,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        request_charged: None,
    }))
}

pub(super) async fn version_1(gateway: &Operations, request: S3Request<ListObjectsInput>) -> Answer<ListObjectsOutput> {
    let input = request.input;
    let listing = Listing {
        bucket: &input.bucket,
        prefix: input.prefix.as_deref(),
        delimiter: input.delimiter.as_deref(),
        after: input.marker.as_deref().filter(|marker| !marker.is_empty()),
        max_keys: input.max_keys,
    };
    let (page, max_keys) = listing.page(gateway)?;
    let encode = encoder(input.encoding_type.as_ref());
    // Without a delimiter the last key serves as the marker, and S3 names none.
    let named = page.truncated && input.delimiter.is_some();
    let next_marker = page.entries.last().filter(|_| named).map(|entry| encode(entry.name()));
    let truncated = page.truncated;
    let (contents, common_prefixes) = contents(page, encode, Some(&owner()));
    Ok(S3Response::new(ListObjectsOutput {
        name: Some(input.bucket),
        prefix: Some(encode(&input.prefix.unwrap_or_default())),
        delimiter: input.delimiter.map(|delimiter| encode(&delimiter)),
        marker: Some(encode(&input.marker.unwrap_or_default())),
        encoding_type: input.encoding_type,
        max_keys: Some(max_keys),
        is_truncated: Some(truncated),
        next_marker,
        contents: Some(contents),
        common_prefixes: Some(common_prefixes),
        request_charged: None,
    }))
}

/// What both versions ask for.
struct Listing<'a> {
    bucket: &'a str,
    prefix: Option<&'a str>,
    delimiter: Option<&'a str>,
    after: Option<&'a str>,
    max_keys: Option<i32>,
}

impl Listing<'_> {
    /// The page, and the number of keys the answer says it may hold.
    fn page(&self, gateway: &Operations) -> S3Result<(ListPage, i32)> {
        let bucket = gateway.bucket(self.bucket)?;
        let asked = match self.max_keys {
            None => DEFAULT_MAX_KEYS,
            Some(asked) => usize::try_from(asked)
                .map_err(|_| S3Error::with_message(S3ErrorCode::InvalidArgument, "max-keys must not be negative"))?,
        };
        let limit = asked.min(gateway.behaviour().max_keys);
        let page = bucket.list(&ListQuery {
            prefix: self.prefix.unwrap_or_default(),
            delimiter: self.delimiter,
            after: self.after,
            limit,
        });
        Ok((page, count(limit)))
    }
}

fn contents(page: ListPage, encode: fn(&str) -> String, owner: Option<&Owner>) -> (Vec<Object>, Vec<CommonPrefix>) {
    let mut objects = Vec::new();
    let mut prefixes = Vec::new();
    for entry in page.entries {
        match entry {
            ListEntry::CommonPrefix(prefix) => prefixes.push(CommonPrefix { prefix: Some(encode(&prefix)) }),
            ListEntry::Object(object) => objects.push(Object {
                key: Some(encode(&object.key)),
                e_tag: Some(etag(&object.etag)),
                size: Some(length(object.data.length())),
                last_modified: Some(timestamp(object.modified)),
                storage_class: Some(object.attributes.storage_class.clone().into()),
                owner: owner.cloned(),
                ..Object::default()
            }),
        }
    }
    (objects, prefixes)
}

/// How names stand in the answer.
pub(super) fn encoder(encoding: Option<&EncodingType>) -> fn(&str) -> String {
    if encoding.is_some_and(|encoding| encoding.as_str() == EncodingType::URL) { url_encode } else { str::to_owned }
}

/// The last name of a page; the digits keep clients from making their own.
fn encode_token(name: &str) -> String {
    hexadecimal(name.as_bytes())
}

fn decode_token(token: &str) -> S3Result<String> {
    let invalid =
        || S3Error::with_message(S3ErrorCode::InvalidArgument, "The continuation token provided is incorrect");
    let mut bytes = Vec::with_capacity(token.len() / 2);
    for pair in token.as_bytes().chunks(2) {
        let digits = std::str::from_utf8(pair).map_err(|_| invalid())?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| invalid())?);
    }
    String::from_utf8(bytes).map_err(|_| invalid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_go_round() {
        assert_eq!(decode_token(&encode_token("a/ü\u{1}")).unwrap(), "a/ü\u{1}");
        for wrong in ["x", "zz", "ff", "ü"] {
            assert!(decode_token(wrong).is_err(), "{wrong}");
        }
    }
}
