//! Conditions of reads and writes (RFC 9110 section 13, and where S3 servers differ from it).

use http::HeaderMap;
use s3s::dto::{ETag, ETagCondition, Timestamp};
use s3s::{S3Error, S3ErrorCode, S3Result};
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::operations::attributes::text;
use crate::operations::no_such_key;
use crate::quirks::Behaviour;
use crate::storage::object::Object;

/// The conditions of GetObject, HeadObject and of a copy's source.
#[derive(Debug, Default)]
pub(super) struct ReadConditions {
    pub(super) if_match: Option<ETagCondition>,
    pub(super) if_none_match: Option<ETagCondition>,
    pub(super) if_modified_since: Option<Timestamp>,
    pub(super) if_unmodified_since: Option<Timestamp>,
}

/// Which condition does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmet {
    /// 412.
    PreconditionFailed,
    /// 304 for a read, 412 for a copy.
    NotModified,
}

impl ReadConditions {
    /// ETags go before dates: a date counts only where its ETag condition was not sent.
    pub(super) fn check(&self, object: &Object) -> Result<(), Unmet> {
        let modified = object.modified.div_euclid(1000);
        if let Some(condition) = &self.if_match {
            if !matches(condition, object) {
                return Err(Unmet::PreconditionFailed);
            }
        } else if self.if_unmodified_since.as_ref().is_some_and(|since| modified > seconds(since)) {
            return Err(Unmet::PreconditionFailed);
        }
        if let Some(condition) = &self.if_none_match {
            if matches(condition, object) {
                return Err(Unmet::NotModified);
            }
        } else if self.if_modified_since.as_ref().is_some_and(|since| modified <= seconds(since)) {
            return Err(Unmet::NotModified);
        }
        Ok(())
    }
}

fn matches(condition: &ETagCondition, object: &Object) -> bool {
    condition.is_any() || condition.as_etag().is_some_and(|etag| etag.value() == object.etag)
}

fn seconds(time: &Timestamp) -> i64 {
    OffsetDateTime::from(time.clone()).unix_timestamp()
}

/// Checks `If-Match` and `If-None-Match` of a write against the object that has the key now.
/// `unquotes` tells whether the server takes the quotes off an ETag before it compares.
pub(super) fn check_write(
    headers: &HeaderMap,
    existing: Option<&Object>,
    behaviour: &Behaviour,
    unquotes: bool,
) -> S3Result<()> {
    let same = |value: &str, object: &Object| {
        value == "*" || if unquotes { unquote(value) == object.etag } else { value == object.etag }
    };
    if let (Some(value), Some(object)) = (text(headers, "if-none-match"), existing)
        && same(value, object)
    {
        return Err(precondition_failed());
    }
    if let Some(value) = text(headers, "if-match") {
        match existing {
            None if behaviour.put_if_match_missing_is_404 => return Err(no_such_key()),
            Some(object) if same(value, object) => {}
            _ => return Err(precondition_failed()),
        }
    }
    Ok(())
}

/// The conditions of a delete.
#[derive(Debug, Default)]
pub(super) struct DeleteConditions {
    pub(super) etag: Option<ETagCondition>,
    pub(super) size: Option<i64>,
    pub(super) modified: Option<Timestamp>,
    /// Radosgw's `x-amz-delete-if-unmodified-since`, in seconds since 1970.
    pub(super) unmodified_since: Option<i64>,
}

impl DeleteConditions {
    /// A key that is not there can be deleted under any condition.
    pub(super) fn check(&self, existing: Option<&Object>) -> S3Result<()> {
        let Some(object) = existing else {
            return Ok(());
        };
        let modified = object.modified.div_euclid(1000);
        let holds = self.etag.as_ref().is_none_or(|condition| matches(condition, object))
            && self.size.is_none_or(|size| u64::try_from(size) == Ok(object.data.length()))
            && self.modified.as_ref().is_none_or(|time| seconds(time) == modified)
            && self.unmodified_since.is_none_or(|time| modified <= time);
        if holds { Ok(()) } else { Err(precondition_failed()) }
    }
}

/// Reads `x-amz-delete-if-unmodified-since`, which has a form of its own.
pub(super) fn unmodified_since(headers: &HeaderMap) -> S3Result<Option<i64>> {
    let Some(value) = text(headers, "x-amz-delete-if-unmodified-since") else {
        return Ok(None);
    };
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    PrimitiveDateTime::parse(value, format)
        .map(|time| Some(time.assume_utc().unix_timestamp()))
        .map_err(|_| S3ErrorCode::InvalidArgument.into())
}

pub(super) fn precondition_failed() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::PreconditionFailed,
        "At least one of the pre-conditions you specified did not hold",
    )
}

/// The ETag without quotes.
pub(super) fn unquote(etag: &str) -> &str {
    etag.strip_prefix('"').and_then(|etag| etag.strip_suffix('"')).unwrap_or(etag)
}

/// An ETag for an answer.
pub(super) fn etag(value: &str) -> ETag {
    ETag::Strong(value.to_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use rstest::rstest;

    use super::*;
    use crate::quirks::Quirks;
    use crate::storage::blob::Data;
    use crate::storage::object::Attributes;

    const MODIFIED: i64 = 1_700_000_000;

    #[rstest]
    #[case::matching(Some("\"abc\""), None, None, None, Ok(()))]
    #[case::bare(Some("abc"), None, None, None, Ok(()))]
    #[case::any(Some("*"), None, None, None, Ok(()))]
    #[case::other(Some("\"x\""), None, None, None, Err(Unmet::PreconditionFailed))]
    #[case::none_match(None, Some("\"abc\""), None, None, Err(Unmet::NotModified))]
    #[case::none_match_other(None, Some("\"x\""), None, None, Ok(()))]
    #[case::not_modified(None, None, Some(0), None, Err(Unmet::NotModified))]
    #[case::modified(None, None, Some(-1), None, Ok(()))]
    #[case::unmodified(None, None, None, Some(0), Ok(()))]
    #[case::changed(None, None, None, Some(-1), Err(Unmet::PreconditionFailed))]
    #[case::etag_beats_date(Some("\"abc\""), None, None, Some(-1), Ok(()))]
    #[case::none_match_beats_date(None, Some("\"x\""), Some(0), None, Ok(()))]
    fn read_conditions(
        #[case] if_match: Option<&str>,
        #[case] if_none_match: Option<&str>,
        #[case] if_modified_since: Option<i64>,
        #[case] if_unmodified_since: Option<i64>,
        #[case] expected: Result<(), Unmet>,
    ) {
        let time = |offset: i64| OffsetDateTime::from_unix_timestamp(MODIFIED + offset).unwrap().into();
        let conditions = ReadConditions {
            if_match: if_match.map(|value| value.parse().unwrap()),
            if_none_match: if_none_match.map(|value| value.parse().unwrap()),
            if_modified_since: if_modified_since.map(time),
            if_unmodified_since: if_unmodified_since.map(time),
        };
        assert_eq!(conditions.check(&object()), expected);
    }

    #[rstest]
    #[case(Quirks::Aws, "if-match", "\"abc\"", true)]
    #[case(Quirks::Aws, "if-match", "abc", true)]
    #[case(Quirks::Pacific, "if-match", "\"abc\"", false)]
    #[case(Quirks::Pacific, "if-match", "abc", true)]
    #[case(Quirks::Pacific, "if-match", "*", true)]
    #[case(Quirks::Reef, "if-match", "\"abc\"", false)]
    #[case(Quirks::Tentacle, "if-match", "\"abc\"", true)]
    #[case(Quirks::Pacific, "if-none-match", "*", false)]
    fn write_conditions(
        #[case] quirks: Quirks,
        #[case] header: &'static str,
        #[case] value: &'static str,
        #[case] holds: bool,
    ) {
        let headers = HeaderMap::from_iter([(header.parse().unwrap(), HeaderValue::from_static(value))]);
        let behaviour = quirks.behaviour();
        let checked = check_write(&headers, Some(&object()), behaviour, behaviour.put_if_match_unquotes);
        assert_eq!(checked.is_ok(), holds);
    }

    #[test]
    fn delete_date_has_its_own_form() {
        let header = |value| {
            HeaderMap::from_iter([(
                "x-amz-delete-if-unmodified-since".parse().unwrap(),
                HeaderValue::from_static(value),
            )])
        };
        assert_eq!(unmodified_since(&header("2023-11-14 22:13:20")).unwrap(), Some(MODIFIED));
        assert!(unmodified_since(&header("Tue, 14 Nov 2023 22:13:20 GMT")).is_err());
        for (offset, holds) in [(-1, false), (0, true), (1, true)] {
            let conditions =
                DeleteConditions { unmodified_since: Some(MODIFIED + offset), ..DeleteConditions::default() };
            assert_eq!(conditions.check(Some(&object())).is_ok(), holds);
        }
    }

    fn object() -> Object {
        Object {
            key: "key".to_owned(),
            etag: "abc".to_owned(),
            modified: MODIFIED * 1000 + 500,
            attributes: Attributes::default(),
            checksums: Vec::new(),
            parts: Vec::new(),
            data: Data::default(),
        }
    }
}
