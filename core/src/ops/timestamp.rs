//! Times as gateways write them in XML, ISO 8601 with milliseconds or without, and as they take them. Dates in headers
//! are [`http`](crate::http)'s.

use std::time::SystemTime;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;

use crate::{Error, ErrorKind, Result};

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
