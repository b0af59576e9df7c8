//! Directories that follow each other in a listing.

/// What a listing starts after so that a directory comes first. Between its name and its slash there is room for all that
/// begins with the name and a space, a hyphen or a dot, which may be directories of any size.
pub(super) fn just_before(directory: &str) -> String {
    format!("{}.{HIGHEST}", directory.strip_suffix('/').unwrap_or(directory))
}

/// Sorts after what names are made of; the characters beyond it are passed over one by one.
const HIGHEST: char = '\u{FFFD}';

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_start_with_the_directory() {
        let before = just_before("t/a/");
        for other in ["t/a", "t/a b", "t/a-b/c", "t/a.b/c", "t/a.", "t/Z/"] {
            assert!(other < before.as_str(), "{other}");
        }
        for own in ["t/a/", "t/a/b", "t/a0", "t/b"] {
            assert!(own > before.as_str(), "{own}");
        }
    }
}
