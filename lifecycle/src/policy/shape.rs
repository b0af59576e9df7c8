//! Whether a policy has the shape that its JSON Schema says. All that has not is said at once, in words of a policy.

use serde_json::{Map, Value};
use serde_saphyr::Location;

use super::document::At;
use super::finding::Finding;
use super::tree::Tree;

/// The part of JSON Schema that policies need.
pub(super) struct Shape<'a> {
    /// The whole schema, which others are named in.
    schema: &'a Value,
    findings: Vec<Finding>,
}

impl<'a> Shape<'a> {
    /// All in which a policy is not of this schema, and what is left of it without the entries of lists that are not.
    pub(super) fn check(schema: &'a Value, written: At<Tree>) -> (Vec<Finding>, Option<At<Tree>>) {
        let mut shape = Self { schema, findings: Vec::new() };
        let left = shape.value("the policy", schema, written);
        (shape.findings, left)
    }

    fn find(&mut self, at: Location, message: String) {
        self.findings.push(Finding::at(at, message));
    }

    /// `name` is what people call it. None where it is not of this schema.
    fn value(&mut self, name: &str, schema: &'a Value, written: At<Tree>) -> Option<At<Tree>> {
        let schema = self.meant(schema);
        if let Some(choices) = choices(schema) {
            return self.choice(name, &choices, &written).then_some(written);
        }
        let types = types(schema);
        let At { value, referenced, defined } = written;
        let left = match value {
            Tree::Nothing if types.contains(&"null") => Tree::Nothing,
            Tree::Map(entries) if types.contains(&"object") => Tree::Map(self.map(name, schema, referenced, entries)?),
            Tree::List(entries) if types.contains(&"array") => {
                let items = schema.get("items").unwrap_or(&Value::Null);
                let entry = format!("an entry of {name}");
                let left: Vec<_> = entries.into_iter().map(|one| self.value(&entry, items, one)).collect();
                let (all, left) = (left.len(), left.into_iter().flatten().collect::<Vec<_>>());
                // Where none is left nobody knows what it would have meant.
                if left.is_empty() && all > 0 {
                    return None;
                }
                Tree::List(left)
            }
            Tree::Number(number) if types.contains(&"integer") && u32::try_from(number).is_ok() => Tree::Number(number),
            Tree::Number(number) if types.contains(&"string") => Tree::Text(number.to_string()),
            Tree::Text(text) if types.contains(&"string") => Tree::Text(text),
            Tree::Nothing if std::ptr::eq(schema, self.schema) => {
                self.find(referenced, "the policy is empty: begin with `version: 1` and `datasets:`".to_owned());
                return None;
            }
            other => {
                let is_quoted = matches!(&other, Tree::Text(text) if text.parse::<u64>().is_ok());
                let wanted = match is_quoted && types.contains(&"integer") {
                    true => "it without quotes".to_owned(),
                    false => wanted(&types),
                };
                let message = format!("{name} is {}: write {wanted}", shown(&other));
                let hint = meaning(schema).map(|meaning| format!(" ({meaning})")).unwrap_or_default();
                self.find(referenced, message + &hint);
                return None;
            }
        };
        Some(At { value: left, referenced, defined })
    }

    /// What a schema refers to, and that of two which is not `null`.
    fn meant(&self, schema: &'a Value) -> &'a Value {
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        if let Some(found) = named.and_then(|pointer| self.schema.pointer(pointer)) {
            return self.meant(found);
        }
        let is_something = |one: &&Value| one.get("type").is_none_or(|kind| kind != "null");
        match schema.get("anyOf").and_then(Value::as_array).and_then(|any| any.iter().find(is_something)) {
            Some(one) => self.meant(one),
            None => schema,
        }
    }

    fn map(
        &mut self,
        name: &str,
        schema: &'a Value,
        at: Location,
        entries: Vec<(At<String>, At<Tree>)>,
    ) -> Option<Vec<(At<String>, At<Tree>)>> {
        let before = self.findings.len();
        let none = Map::new();
        let known = schema.get("properties").and_then(Value::as_object);
        // Of tags, which have any names.
        let others = schema.get("additionalProperties").filter(|others| others.is_object());
        for required in schema.get("required").and_then(Value::as_array).into_iter().flatten() {
            let Some(required) = required.as_str() else { continue };
            if entries.iter().any(|(key, _)| key.value == required) {
                continue;
            }
            let meaning = known.and_then(|known| known.get(required)).and_then(meaning).unwrap_or_default();
            let own = entries.iter().find(|(key, _)| key.value == "name").and_then(|(_, value)| match &value.value {
                Tree::Text(text) => Some(format!("{text} lacks")),
                _ => None,
            });
            let lacks = own.unwrap_or_else(|| format!("{name} lacks"));
            let at = entries.first().map_or(at, |(key, _)| key.referenced);
            self.find(at, format!("{lacks} `{required}`: add it ({meaning})"));
        }
        let mut left = Vec::with_capacity(entries.len());
        // An entry of a list in it may be missing, and not more.
        let mut is_whole = self.findings.len() == before;
        for (key, value) in entries {
            match known.and_then(|known| known.get(&key.value)).or(others) {
                Some(schema) => match self.value(&format!("`{}`", key.value), schema, value) {
                    Some(value) => left.push((key, value)),
                    None => is_whole = false,
                },
                None => {
                    let names: Vec<&str> = known.unwrap_or(&none).keys().map(String::as_str).collect();
                    let message = format!("{name} has no `{}`: {}", key.value, one_of(&key.value, &names));
                    self.find(key.referenced, message);
                    is_whole = false;
                }
            }
        }
        is_whole.then_some(left)
    }

    /// One of several words, or a word with something behind it. Returns whether it is.
    fn choice(&mut self, name: &str, choices: &[(&'a str, Option<&'a Value>)], written: &At<Tree>) -> bool {
        let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
        let found = |word: &str| choices.iter().find(|(known, _)| *known == word);
        let (at, message) = match &written.value {
            Tree::Text(text) => match found(text) {
                Some((_, None)) => return true,
                Some((word, Some(_))) => {
                    let message = format!("{name} is `{word}` without what belongs to it: write `{{{word}: …}}`");
                    (written.referenced, message)
                }
                None => (written.referenced, format!("{name} cannot be `{text}`: {}", one_of(text, &words))),
            },
            Tree::Map(entries) => match entries.as_slice() {
                [(key, value)] => match found(&key.value) {
                    Some((word, Some(schema))) => return self.belonging(word, schema, value),
                    Some((word, None)) => {
                        (key.referenced, format!("nothing belongs to `{word}`: write {name} as `{word}`"))
                    }
                    None => {
                        let message = format!("{name} cannot be `{}`: {}", key.value, one_of(&key.value, &words));
                        (key.referenced, message)
                    }
                },
                _ => (written.referenced, format!("{name} is one thing only: {}", one_of("", &words))),
            },
            other => (written.referenced, format!("{name} is {}: {}", shown(other), one_of("", &words))),
        };
        self.find(at, message);
        false
    }

    /// What stands behind a word: a single value, or another word.
    fn belonging(&mut self, word: &str, schema: &'a Value, value: &At<Tree>) -> bool {
        let name = format!("`{word}`");
        let schema = self.meant(schema);
        match (&value.value, choices(schema)) {
            (_, Some(choices)) => self.choice(&name, &choices, value),
            (Tree::Number(_) | Tree::Text(_), None) => true,
            (other, None) => {
                self.find(value.referenced, format!("{name} is {}: write {}", shown(other), wanted(&types(schema))));
                false
            }
        }
    }
}

/// The words that a value may be, with the schema of what belongs to them.
fn choices(schema: &Value) -> Option<Vec<(&str, Option<&Value>)>> {
    let all = schema.get("oneOf")?.as_array()?;
    all.iter()
        .map(|one| match one.get("const").and_then(Value::as_str) {
            Some(word) => Some((word, None)),
            None => {
                one.get("properties")?.as_object()?.iter().next().map(|(word, schema)| (word.as_str(), Some(schema)))
            }
        })
        .collect()
}

fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The first sentence of what a schema says it is for.
fn meaning(schema: &Value) -> Option<String> {
    let text = schema.get("description")?.as_str()?;
    let sentence = text.split_once(". ").map_or(text, |(first, _)| first);
    Some(sentence.trim_end_matches('.').replace('\n', " "))
}

fn shown(tree: &Tree) -> String {
    match tree {
        Tree::Nothing => "empty".to_owned(),
        Tree::Number(number) => format!("`{number}`"),
        Tree::Text(text) if text.parse::<u64>().is_ok() => format!("`{text}` in quotes"),
        Tree::Text(text) => format!("`{text}`"),
        Tree::List(_) => "a list".to_owned(),
        Tree::Map(_) => "a mapping".to_owned(),
    }
}

fn wanted(types: &[&str]) -> String {
    let word = |kind: &&&str| match **kind {
        "object" => Some("names with values"),
        "array" => Some("a list, each entry behind `- `"),
        "integer" => Some("a whole number"),
        "string" => Some("a single value"),
        _ => None,
    };
    types.iter().filter_map(|kind| word(&kind)).collect::<Vec<_>>().join(" or ")
}

/// What to write in place of a word.
fn one_of(word: &str, known: &[&str]) -> String {
    match known.iter().find(|known| is_near(word, known)) {
        Some(near) => format!("write `{near}`"),
        None => format!("write one of {}", known.join(", ")),
    }
}

/// Whether two words differ by a slip: one letter, or two beside each other.
fn is_near(word: &str, known: &str) -> bool {
    let (word, known): (Vec<char>, Vec<char>) = (word.to_lowercase().chars().collect(), known.chars().collect());
    if word.len() < 3 || word.len().abs_diff(known.len()) > 1 {
        return false;
    }
    let before = word.iter().zip(&known).take_while(|(one, other)| one == other).count();
    let (rest, other) = (word.get(before..).unwrap_or_default(), known.get(before..).unwrap_or_default());
    let behind = rest.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    let (left, right) = (rest.len().saturating_sub(behind), other.len().saturating_sub(behind));
    left.max(right) <= 1 || (left == 2 && right == 2 && rest.first() == other.get(1) && rest.get(1) == other.first())
}
