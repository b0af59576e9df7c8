//! Pieces of answers that several operations share.

use s3s::dto::{Owner, Timestamp};
use s3s::{S3Error, S3ErrorCode};
use time::OffsetDateTime;

use crate::storage::WriteError;

/// A LastModified of `milliseconds` since 1970.
pub(super) fn timestamp(milliseconds: i64) -> Timestamp {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
        .into()
}

/// A length as S3's types have it.
pub(super) fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A count as S3's types have it.
pub(super) fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// The one owner of everything.
pub(super) fn owner() -> Owner {
    Owner { display_name: Some("s3core".to_owned()), id: Some("s3core".to_owned()) }
}

/// Percent-encodes as `encoding-type=url` asks: all but letters, digits, `-._~` and `/`.
pub(super) fn url_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push_str(&crate::storage::hexadecimal(&[byte]).to_ascii_uppercase());
        }
    }
    encoded
}

/// An error whose code the `s3s` crate does not know.
pub(super) fn custom(code: &'static str, status: http::StatusCode, message: &'static str) -> S3Error {
    let mut error = S3Error::with_message(S3ErrorCode::Custom(code.into()), message);
    error.set_status_code(status);
    error
}

/// What a failed write is to the client.
pub(super) fn write_error(error: WriteError<S3Error>) -> S3Error {
    match error {
        WriteError::Refused(error) => error,
        WriteError::NoSuchBucket => S3ErrorCode::NoSuchBucket.into(),
        WriteError::NoSuchUpload => no_such_upload(),
        WriteError::System(error) => S3Error::internal_error(error),
    }
}

/// For writes without a condition.
pub(super) fn plain_write_error(error: WriteError<()>) -> S3Error {
    match error {
        WriteError::Refused(()) | WriteError::NoSuchBucket => S3ErrorCode::NoSuchBucket.into(),
        WriteError::NoSuchUpload => no_such_upload(),
        WriteError::System(error) => S3Error::internal_error(error),
    }
}

pub(super) fn no_such_upload() -> S3Error {
    S3Error::with_message(
        S3ErrorCode::NoSuchUpload,
        "The specified upload does not exist. It may have been aborted or completed.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodes_what_xml_cannot_hold() {
        assert_eq!(url_encode("a/b c+\u{1}ü~"), "a/b%20c%2B%01%C3%BC~");
    }
}
