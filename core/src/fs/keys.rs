//! Paths and the keys that they stand for.

use crate::{Error, ErrorKind, Result};

/// Refuses a path that leaves the bucket. Hadoop resolves `..` inside a path and leaves those at its beginning: a proxy
/// before the gateway may take these for the way to another bucket.
///
/// # Errors
/// `InvalidPath`.
pub fn check_path(bucket: &str, path: &str) -> Result<()> {
    if path.split('/').next() != Some("..") {
        return Ok(());
    }
    let message = format!("the path leaves the bucket: nothing is above s3a://{bucket}/; remove the leading \"..\"");
    Err(Error::new(ErrorKind::InvalidPath, message).at(bucket, path))
}

/// Whether `path` is the root of the bucket.
pub(crate) fn is_root(path: &str) -> bool {
    path.is_empty()
}

/// The prefix of everything in the directory `path`, and the key of its marker: `a/b/`; empty for the root.
pub(crate) fn directory(path: &str) -> String {
    if is_root(path) { String::new() } else { format!("{path}/") }
}

/// The directory that `path` is in; `None` for the root.
pub(crate) fn parent(path: &str) -> Option<&str> {
    if is_root(path) { None } else { Some(path.rsplit_once('/').map_or("", |(parent, _)| parent)) }
}

/// The last name of `path`.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// `name` in the directory `parent`.
pub(crate) fn join(parent: &str, name: &str) -> String {
    if is_root(parent) { name.to_owned() } else { format!("{parent}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leaves_the_bucket() {
        for path in ["", "a/b", "..a", "a/..", ".hidden"] {
            assert!(check_path("lake", path).is_ok(), "{path}");
        }
        for path in ["..", "../a", "../other/a"] {
            assert_eq!(check_path("lake", path).unwrap_err().kind(), ErrorKind::InvalidPath, "{path}");
        }
    }

    #[test]
    fn paths_have_parents_and_names() {
        assert_eq!((parent("a/b/c"), name("a/b/c")), (Some("a/b"), "c"));
        assert_eq!((parent("a"), name("a")), (Some(""), "a"));
        assert_eq!(parent(""), None);
        assert_eq!((directory("a/b").as_str(), directory("").as_str()), ("a/b/", ""));
        assert_eq!((join("a", "b").as_str(), join("", "b").as_str()), ("a/b", "b"));
    }
}
