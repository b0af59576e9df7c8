//! Rules for bucket names.

use crate::{Error, ErrorKind, Result};

/// Checks a bucket name before anything is sent.
///
/// In path style the name is a piece of the path, and what Radosgw takes with `rgw_relaxed_s3_bucket_names` is let
/// through: underscores, upper case, up to 255 characters. Otherwise it is a host name, and the rules of the S3 user
/// guide ("bucket naming rules") hold.
///
/// # Errors
/// `InvalidPath` with the rule and what to do.
pub(super) fn check(bucket: &str, path_style: bool) -> Result<()> {
    let fail = |rule: &str| Err(Error::new(ErrorKind::InvalidPath, format!("bucket name \"{bucket}\": {rule}")));
    if bucket.is_empty() {
        return fail("it is empty; write s3a://BUCKET/path");
    }
    let most = if path_style { 255 } else { 63 };
    if !(3..=most).contains(&bucket.len()) {
        return fail(&format!("it has {} characters, S3 takes 3 to {most}", bucket.len()));
    }
    let starts_well = bucket.starts_with(|c: char| c.is_ascii_alphanumeric());
    if path_style {
        if !bucket.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)) {
            return fail("S3 takes letters, digits, dots, hyphens and (Ceph, relaxed names) underscores only");
        }
        return if starts_well { Ok(()) } else { fail("it must begin with a letter or digit") };
    }
    if bucket.contains(|c: char| c == '_' || c.is_ascii_uppercase()) {
        return fail(
            "underscores and upper case cannot be part of a host name; set fs.s3core.path.style.access=true, \
             or use another bucket",
        );
    }
    if !bucket.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ".-".contains(c)) {
        return fail("S3 takes lower-case letters, digits, dots and hyphens only");
    }
    if !starts_well || !bucket.ends_with(|c: char| c.is_ascii_alphanumeric()) || bucket.contains("..") {
        return fail("it must begin and end with a letter or digit and hold no two dots in a row");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("lake", true)]
    #[case("lake", false)]
    #[case("data.lake-2", false)]
    #[case("data_lake", true)]
    #[case("DataLake", true)]
    fn good_names(#[case] bucket: &str, #[case] path_style: bool) {
        assert!(check(bucket, path_style).is_ok());
    }

    #[rstest]
    #[case("", true, "empty")]
    #[case("ab", true, "3 to 255")]
    #[case(&"a".repeat(256), true, "3 to 255")]
    #[case(&"a".repeat(64), false, "3 to 63")]
    #[case("data lake", true, "letters, digits")]
    #[case("data/lake", true, "letters, digits")]
    #[case("größe", true, "letters, digits")]
    #[case("...", true, "begin with")]
    #[case("data_lake", false, "path.style.access=true")]
    #[case("DataLake", false, "path.style.access=true")]
    #[case("data..lake", false, "two dots")]
    #[case("-lake", false, "begin and end")]
    #[case("lake-", false, "begin and end")]
    fn bad_names(#[case] bucket: &str, #[case] path_style: bool, #[case] rule: &str) {
        let error = check(bucket, path_style).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPath);
        assert!(error.message().contains(rule), "{error}");
    }
}
