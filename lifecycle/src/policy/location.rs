//! `s3a://BUCKET/PATH/`: a directory in a bucket.

use std::str::FromStr;

/// Where s3life keeps its own state, in every bucket.
pub(crate) const CONTROL_PREFIX: &str = ".s3core/";

/// A directory in a bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The bucket.
    pub bucket: String,
    /// First letters of the keys in it: empty, or up to a slash.
    pub prefix: String,
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (scheme, rest) = text.split_once("://").unwrap_or_default();
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !matches!(scheme, "s3a" | "s3" | "s3n") || bucket.is_empty() {
            return Err(format!("`{text}` is no place in a bucket: write s3a://BUCKET/PATH/"));
        }
        let names: Vec<_> = path.split('/').filter(|name| !name.is_empty()).collect();
        if names.iter().any(|name| matches!(*name, "." | "..")) {
            return Err(format!("`{text}` leaves its bucket: write the path without . and .."));
        }
        let mut prefix = names.join("/");
        if !prefix.is_empty() {
            prefix.push('/');
        }
        if prefix.starts_with(CONTROL_PREFIX) {
            return Err(format!("`{text}` is where s3life keeps its own state: no policy may name it"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("s3a://lake/events/", "lake", "events/")]
    #[case("s3a://lake/events", "lake", "events/")]
    #[case("s3://lake//a//b", "lake", "a/b/")]
    #[case("s3a://lake", "lake", "")]
    fn places_are_prefixes(#[case] text: &str, #[case] bucket: &str, #[case] prefix: &str) {
        assert_eq!(text.parse(), Ok(Place { bucket: bucket.into(), prefix: prefix.into() }));
    }

    #[rstest]
    #[case("lake/events", "write s3a://")]
    #[case("hdfs://lake/events", "write s3a://")]
    #[case("s3a:///events", "write s3a://")]
    #[case("s3a://lake/../other", "without . and ..")]
    #[case("s3a://lake/.s3core/trash/", "its own state")]
    fn what_is_no_place_names_the_remedy(#[case] text: &str, #[case] part: &str) {
        let error = text.parse::<Place>().unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
