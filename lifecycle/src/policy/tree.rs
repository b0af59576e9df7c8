//! What is written in a policy, with its places, before anything is known of what it means.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::Location;

use super::document::At;
use super::finding::Finding;

/// A value as it is written.
#[derive(Debug)]
pub(super) enum Tree {
    /// Nothing, or `null`.
    Nothing,
    /// A number without a sign.
    Number(u64),
    /// Any other single value.
    Text(String),
    /// Several.
    List(Vec<At<Self>>),
    /// Several with names.
    Map(Vec<(At<String>, At<Self>)>),
}

/// The same as text, JSON, of which each line begins with one value.
#[derive(Default)]
pub(super) struct Lines {
    pub(super) text: String,
    /// Where the value of each line stands in the policy.
    places: Vec<Location>,
}

impl Lines {
    /// Of a policy.
    pub(super) fn of(tree: &At<Tree>) -> Self {
        let mut lines = Self::default();
        lines.add(tree);
        lines
    }

    /// Where what was found in this text stands in the policy.
    pub(super) fn back(&self, finding: Finding) -> Finding {
        let line = usize::try_from(finding.line).unwrap_or_default();
        let place = line.checked_sub(1).and_then(|line| self.places.get(line)).copied();
        Finding::at(place.unwrap_or(Location::UNKNOWN), finding.message)
    }

    fn add(&mut self, tree: &At<Tree>) {
        self.places.push(tree.referenced);
        match &tree.value {
            Tree::Nothing => self.text.push_str("null"),
            Tree::Number(number) => self.text.push_str(&number.to_string()),
            Tree::Text(text) => self.text.push_str(&Value::from(text.as_str()).to_string()),
            Tree::List(entries) => {
                self.text.push('[');
                for (index, entry) in entries.iter().enumerate() {
                    self.text.push_str(if index == 0 { "\n" } else { ",\n" });
                    self.add(entry);
                }
                self.text.push(']');
            }
            Tree::Map(entries) => {
                self.text.push('{');
                for (index, (key, value)) in entries.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    self.text.push_str(&format!("{comma}{}:\n", Value::from(key.value.as_str())));
                    self.add(value);
                }
                self.text.push('}');
            }
        }
    }
}

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Tree;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_none<E>(self) -> Result<Tree, E> {
        Ok(Tree::Nothing)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Tree, D::Error> {
        Tree::deserialize(deserializer)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Tree, E> {
        Ok(u64::try_from(value).map_or_else(|_| Tree::Text(value.to_string()), Tree::Number))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Tree, E> {
        Ok(Tree::Number(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_string()))
    }

    fn visit_str<E>(self, value: &str) -> Result<Tree, E> {
        Ok(Tree::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = sequence.next_element()? {
            all.push(one);
        }
        Ok(Tree::List(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Tree, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = map.next_entry()? {
            all.push(one);
        }
        Ok(Tree::Map(all))
    }
}
