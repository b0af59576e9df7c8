//! Times as gateways write them: HTTP dates in headers, ISO 8601 in XML, with milliseconds or without.

use std::time::SystemTime;

use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::{Error, ErrorKind, Result};

const HTTP_DATE: &[BorrowedFormatItem<'static>] = format_description!(
    "[weekday repr:short], [day padding:zero] [month repr:short] [year] [hour]:[minute]:[second] GMT"
);

/// A `Last-Modified` header.
pub(super) fn from_header(text: &str) -> Option<SystemTime> {
    PrimitiveDateTime::parse(text.trim(), HTTP_DATE).ok().map(|date| date.assume_utc().into())
}

/// A `LastModified` element.
pub(super) fn from_xml(text: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(text.trim(), &Rfc3339).ok().map(SystemTime::from)
}

/// The form that Radosgw's `x-amz-delete-if-unmodified-since` takes: whole seconds of UTC. An HTTP date gives 400.
///
/// # Errors
/// `InvalidOption` for a time that no calendar holds.
pub(super) fn for_deletion(time: SystemTime) -> Result<String> {
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok().and_then(|age| i64::try_from(age.as_secs()).ok());
    seconds
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|time| time.format(format_description!("[year]-[month]-[day] [hour]:[minute]:[second]")).ok())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOption, "the time is before 1970 or after 9999"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(milliseconds: u64) -> Option<SystemTime> {
        Some(SystemTime::UNIX_EPOCH + Duration::from_millis(milliseconds))
    }

    #[test]
    fn headers_have_whole_seconds() {
        assert_eq!(from_header("Fri, 14 Nov 2025 22:13:20 GMT"), at(1_763_158_400_000));
        assert_eq!(from_header("yesterday"), None);
    }

    #[test]
    fn listings_come_with_and_without_milliseconds() {
        assert_eq!(from_xml("2025-11-14T22:13:20.123Z"), at(1_763_158_400_123));
        assert_eq!(from_xml("2025-11-14T22:13:20Z"), at(1_763_158_400_000));
        assert_eq!(from_xml("2025-11-14"), None);
        assert_eq!(from_xml(""), None);
    }

    #[test]
    fn deletions_name_whole_seconds() {
        assert_eq!(for_deletion(at(1_763_158_400_999).unwrap()).unwrap(), "2025-11-14 22:13:20");
    }
}
