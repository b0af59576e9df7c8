//! Directories that follow each other in a listing.

/// What their keys begin with.
pub(super) fn common_prefix<'a>(first: &'a str, last: &str) -> &'a str {
    let same = first.char_indices().zip(last.chars()).find(|((_, one), other)| one != other);
    let end = same.map_or_else(|| first.len().min(last.len()), |((index, _), _)| index);
    first.get(..end).unwrap_or_default()
}

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
    fn prefixes_end_between_characters() {
        let both = |first, last| common_prefix(first, last).to_owned();
        assert_eq!(both("t/day=01/", "t/day=12/"), "t/day=");
        assert_eq!(both("t/", "t/"), "t/");
        assert_eq!(both("t/ä/", "t/ö/"), "t/");
        assert_eq!(both("t/a/", "t/a/b/"), "t/a/");
    }

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
