//! What is no YAML, in words of a policy.

use serde_saphyr::{Error, Location};

use super::finding::Finding;

/// What the YAML reader has found.
pub(super) fn finding(failure: &Error) -> Finding {
    let at = failure.location().unwrap_or(Location::UNKNOWN);
    Finding::at(at, message(failure.without_snippet()))
}

/// Parts of the reader's messages, and what is to be said in their place.
const WORDS: [(&str, &str); 14] = [
    ("found a tab", "a tab stands here: YAML is indented with spaces"),
    ("unclosed bracket", "this bracket is not closed: add the one that belongs to it"),
    ("misplaced bracket", "no bracket was opened that this one closes: remove it, or put the value in quotes"),
    ("unclosed quote", "the text that begins here has no quote at its end: add it"),
    ("trailing content", "a quote in a line before this is not closed, or text follows the end of a quoted one"),
    ("illegal placement of ':'", "a bracket in a line before this is not closed: add the one that belongs to it"),
    ("parsing a flow", "a bracket before this is not closed, or a comma is missing before this"),
    (
        "mapping values are not allowed",
        "no `name: value` can stand here: indent it like its neighbours, or put a value with `: ` in it in quotes",
    ),
    (
        "block collection",
        "an entry of the list, `- `, is expected here: what belongs to one entry begins in one column",
    ),
    (
        "block mapping",
        "the line is indented in another way than its neighbours: names of one mapping begin in one column",
    ),
    ("simple key expected", "`: ` and a value are missing behind this name"),
    ("unknown anchor", "a value that begins with `*` refers to another: put it in quotes, as in \"*.parquet\""),
    ("unexpected character", "no value begins with this character: put it in quotes"),
    ("multiple YAML documents", "a second document begins behind `---`: a policy is one, make it two files"),
];

fn message(failure: &Error) -> String {
    if let Error::DuplicateMappingKey { key: Some(key), .. } = failure {
        return format!("`{key}` stands here for the second time: remove one of the two");
    }
    let text = failure.to_string();
    if let Some((_, words)) = WORDS.iter().find(|(part, _)| text.contains(part)) {
        return (*words).to_owned();
    }
    // The place is said beside it.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    format!("the file is no YAML from here on ({text}): compare it with the example in docs/lifecycle.md")
}
