//! Finds the name that a user may have meant.

/// The one of `known` that is nearest to `name`, when it is near enough to be a slip of the pen, or the one that
/// `name` is the beginning of.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<_> = known.into_iter().collect();
    let slip = known
        .iter()
        .copied()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .min()
        .filter(|(distance, _)| *distance <= (name.len() / 3).max(2))
        .map(|(_, candidate)| candidate);
    slip.or_else(|| known.into_iter().find(|candidate| name.len() >= 4 && candidate.starts_with(name)))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("endpont", Some("endpoint"))]
    #[case("acces.key", Some("access.key"))]
    #[case("path.style", Some("path.style.access"))]
    #[case("colour", None)]
    fn slips_are_recognised(#[case] name: &str, #[case] meant: Option<&str>) {
        assert_eq!(nearest(name, ["access.key", "endpoint", "path.style.access"]), meant);
    }
}
