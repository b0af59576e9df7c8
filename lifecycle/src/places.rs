//! Directories and keys, to find those that a unit meets: that lie in it, or around it. There may be as many as objects.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Directories (empty, or up to a slash) and keys, each with something that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Places<T>(BTreeMap<String, T>);

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Places<T> {
    /// Adds a place; of one that is there already the first stays.
    pub fn add(&mut self, place: String, known: T) {
        self.0.entry(place).or_insert(known);
    }

    /// One of the places that a unit meets: that lie in it, that are it, or that are directories around it.
    pub fn meeting(&self, unit: &str) -> Option<&T> {
        self.around(unit).or_else(|| {
            let inside = self
                .0
                .range::<str, _>((Bound::Included(unit), Bound::Unbounded))
                .next()
                .filter(|(place, _)| place.starts_with(unit));
            inside.filter(|_| unit.is_empty() || unit.ends_with('/')).map(|(_, known)| known)
        })
    }

    /// The innermost place that is the unit or a directory around it.
    pub fn around(&self, unit: &str) -> Option<&T> {
        if self.0.is_empty() {
            return None;
        }
        let exact = self.0.get(unit);
        exact.or_else(|| directories_above(unit).find_map(|directory| self.0.get(directory)))
    }
}

/// The directories above a key or a directory, from the innermost to the whole bucket.
pub fn directories_above(place: &str) -> impl Iterator<Item = &str> {
    let name = place.strip_suffix('/').unwrap_or(place);
    let slashes = name.rmatch_indices('/').filter_map(|(at, _)| place.get(..=at));
    slashes.chain((!place.is_empty()).then_some(""))
}

/// Whether one of two prefixes lies in the other, or is it.
pub fn are_nested(one: &str, other: &str) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

/// What two prefixes begin with.
pub fn common_prefix<'a>(one: &'a str, other: &str) -> &'a str {
    let difference = one.char_indices().zip(other.chars()).find(|((_, own), other)| own != other);
    let end = difference.map_or_else(|| one.len().min(other.len()), |((index, _), _)| index);
    one.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("a/b/", Some("a/b/"))]
    #[case("a/b/c", Some("a/b/"))]
    #[case("a/b/c/", Some("a/b/"))]
    #[case("a/", Some("a/b/"))]
    #[case("a/bc", None)]
    #[case("x/key", Some("x/key"))]
    #[case("x/key2", None)]
    #[case("x/ke", None)]
    #[case("x/key/", None)]
    #[case("x/", Some("x/key"))]
    #[case("y/z", None)]
    fn units_meet_what_is_in_them_and_around_them(#[case] unit: &str, #[case] met: Option<&str>) {
        let mut places = Places::default();
        for place in ["a/b/", "x/key", "x/keys"] {
            places.add(place.to_owned(), place);
        }
        assert_eq!(places.meeting(unit).copied(), met);
    }

    #[test]
    fn prefixes_end_between_characters() {
        let both = |one, other| common_prefix(one, other).to_owned();
        assert_eq!(both("t/day=01/", "t/day=12/"), "t/day=");
        assert_eq!(both("t/", "t/"), "t/");
        assert_eq!(both("t/ä/", "t/ö/"), "t/");
        assert_eq!(both("t/a/", "t/a/b/"), "t/a/");
    }

    #[test]
    fn a_whole_bucket_meets_everything() {
        let mut places = Places::default();
        places.add("a/b/".to_owned(), 1);
        assert_eq!(places.meeting(""), Some(&1));
        let mut whole = Places::default();
        whole.add(String::new(), 2);
        assert_eq!((whole.meeting("a"), whole.meeting("a/b/"), whole.meeting("")), (Some(&2), Some(&2), Some(&2)));
        assert_eq!(Places::<u8>::default().meeting(""), None);
    }
}
