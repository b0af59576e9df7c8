//! A rule: what happens to a unit, when, and what is kept whatever happens.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use bytesize::ByteSize;
use globset::{Glob, GlobMatcher};
use serde_saphyr::Location;

use crate::calendar::Period;
use crate::inventory::Object;

use super::dataset::Unit;
use super::document::{At, DeleteEntry, KeepEntry, RuleEntry, Stretch, ThenEntry, WhenEntry};
use super::finding::Finding;
use super::{check_name, period};

/// A rule of a dataset.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Line of the policy, from 1.
    pub line: u64,
    /// When it applies.
    pub when: When,
    /// Units that no action touches.
    pub keep: Option<Keep>,
    /// What happens; None where the rule only keeps.
    pub action: Option<Action>,
    at: Location,
}

/// Conditions, of which all must hold.
#[derive(Debug, Clone, Default)]
pub struct When {
    /// The unit's least age.
    pub older_than: Option<Period>,
    /// Conditions on single objects.
    pub object: ObjectCondition,
}

/// Conditions on an object, of which all must hold.
#[derive(Debug, Clone, Default)]
pub struct ObjectCondition {
    /// More bytes than this.
    pub larger_than: Option<u64>,
    /// Fewer bytes than this.
    pub smaller_than: Option<u64>,
    /// The last name of its key.
    pub name: Option<GlobMatcher>,
    /// Its storage class.
    pub storage_class: Option<String>,
    /// Tags with their values.
    pub tags: BTreeMap<String, String>,
}

impl ObjectCondition {
    /// Whether every object meets it.
    pub fn is_empty(&self) -> bool {
        self.larger_than.is_none()
            && self.smaller_than.is_none()
            && self.name.is_none()
            && self.storage_class.is_none()
            && self.tags.is_empty()
    }

    /// Whether an object meets it.
    pub fn is_met_by(&self, object: &Object<'_>) -> bool {
        let has = |(key, value): (&String, &String)| object.tags.is_some_and(|tags| tags.get(key) == Some(value));
        self.is_met_but_for_tags(object) && self.tags.iter().all(has)
    }

    /// Whether it meets all but what is asked of its tags.
    pub fn is_met_but_for_tags(&self, object: &Object<'_>) -> bool {
        let name = object.key.rsplit('/').next().unwrap_or_default();
        self.larger_than.is_none_or(|bytes| object.bytes > bytes)
            && self.smaller_than.is_none_or(|bytes| object.bytes < bytes)
            && self.name.as_ref().is_none_or(|pattern| pattern.is_match(name))
            && self.storage_class.as_ref().is_none_or(|class| class == object.class)
    }
}

/// Units that no action touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// So many of the newest partitions.
    Newest(u32),
    /// The last partition of each week, month or year, until it is so old.
    LastOf(Stretch, Option<Period>),
}

/// What happens to a unit, from the least final to the most final.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// What killed jobs have left goes.
    SweepAbandoned,
    /// Old uploads are aborted.
    AbortUploads,
    /// It goes to another storage class, in place.
    Tier(String),
    /// It goes to a storage class from which it must be restored before it can be read.
    Archive(String),
    /// It goes to the trash.
    Expire,
    /// It goes for good.
    Delete,
}

impl Action {
    /// Whether objects go, so that only whole units may.
    pub fn removes(&self) -> bool {
        matches!(self, Self::Expire | Self::Delete)
    }

    /// Whether it concerns the objects of units, rather than what jobs have left.
    pub fn is_on_units(&self) -> bool {
        !matches!(self, Self::SweepAbandoned | Self::AbortUploads)
    }

    /// How final it is: of several that apply to a unit the one with the greater rank counts.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::SweepAbandoned | Self::AbortUploads => 0,
            Self::Tier(_) => 1,
            Self::Archive(_) => 2,
            Self::Expire => 3,
            Self::Delete => 4,
        }
    }

    /// Whether a guard counts it: what it does cannot be undone at once, or not at all.
    pub fn is_guarded(&self) -> bool {
        matches!(self, Self::Expire | Self::Delete | Self::Archive(_))
    }

    /// As the policy writes it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::SweepAbandoned => "sweep_abandoned",
            Self::AbortUploads => "abort_uploads",
            Self::Tier(_) => "tier",
            Self::Archive(_) => "archive",
            Self::Expire => "expire",
            Self::Delete => "delete",
        }
    }
}

impl Rule {
    /// None where too much is wrong to go on; all that is wrong is found.
    pub(super) fn check(entry: RuleEntry, unit: Unit, findings: &mut Vec<Finding>) -> Option<Self> {
        let before = findings.len();
        check_name("rule", &entry.name, findings);
        let at = entry.name.referenced;
        let when = read_when(&entry.when, findings);
        let keep = entry.keep.as_ref().and_then(|keep| read_keep(keep, unit, findings));
        let action = entry.then.as_ref().and_then(|then| read_action(then, findings));
        let mut find = |message: String| findings.push(Finding::at(at, message));
        if entry.then.is_none() && entry.keep.is_none() {
            find(format!("the rule {} does nothing: add `then` or `keep`", entry.name.value));
        }
        match &action {
            Some(Action::SweepAbandoned | Action::AbortUploads) if !when.object.is_empty() => {
                find(
                    "uploads and what jobs have left have no such property: only `older_than` can be asked".to_owned(),
                );
            }
            Some(action) if action.removes() && !when.object.is_empty() && unit != Unit::Object => {
                find(format!(
                    "`{}` takes whole units, so it cannot ask for properties of single objects: leave them out, or \
                     write `unit: object` with `age: {{from: newest_object}}`",
                    action.name()
                ));
            }
            Some(action) if action.removes() && entry.when.older_than.is_none() => {
                find(format!(
                    "`{}` without an age would take everything: add `when: {{older_than: …}}`",
                    action.name()
                ));
            }
            Some(Action::Tier(class)) if when.object.storage_class.as_ref() == Some(class) => {
                find(format!("the rule can never change anything: what it asks for is in {class} already"));
            }
            _ => {}
        }
        if let (Some(larger), Some(smaller)) = (when.object.larger_than, when.object.smaller_than)
            && larger.saturating_add(1) >= smaller
        {
            find("the rule can never apply: no size is above `larger_than` and below `smaller_than`".to_owned());
        }
        if entry.then.is_none() && (when.older_than.is_some() || !when.object.is_empty()) {
            find(format!(
                "`when` says when `then` applies, and the rule {} has none: leave `when` out, `keep` counts always",
                entry.name.value
            ));
        }
        let rule = Self { name: entry.name.value, line: at.line(), when, keep, action, at };
        (findings.len() == before).then_some(rule)
    }

    /// What it does, in a word, where it always comes before `other`; None where that may have its turn. Of rules that are
    /// equally final the first counts, of those that move objects the one of the greater age.
    fn hides(&self, other: &Self, is_first: bool) -> Option<&'static str> {
        let (own, others) = (self.action.as_ref()?, other.action.as_ref()?);
        let age = |rule: &Self| rule.when.older_than.unwrap_or(Period::hours(0));
        let (own_age, others_age) = (age(self), age(other));
        let is_no_later = own_age.is_never_longer_than(others_age);
        let counts_before = match own.rank().cmp(&others.rank()) {
            Ordering::Greater => true,
            Ordering::Equal => is_first && (own.removes() || others_age.is_never_longer_than(own_age)),
            Ordering::Less => false,
        };
        let is_hidden = is_no_later && counts_before && self.when.object.is_empty();
        let what = match own {
            Action::Tier(_) => "moves",
            Action::Archive(_) => "archives",
            Action::Expire | Action::Delete => "removes",
            Action::SweepAbandoned | Action::AbortUploads => return None,
        };
        (is_hidden && others.is_on_units()).then_some(what)
    }
}

/// Finds rules of one dataset that cannot stand beside each other.
pub(super) fn check_together(rules: &[Rule], findings: &mut Vec<Finding>) {
    let mut names = BTreeSet::new();
    for rule in rules {
        if !names.insert(rule.name.as_str()) {
            findings.push(Finding::at(rule.at, format!("two rules are called {}: rename one", rule.name)));
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        let hidden_by = rules.iter().enumerate().find_map(|(other, by)| Some((by, by.hides(rule, other < index)?)));
        if let Some((other, what)) = hidden_by {
            let message = format!(
                "the rule {} can never apply: {} {what} the same units no later; make its age shorter, or drop it",
                rule.name, other.name
            );
            findings.push(Finding::at(rule.at, message));
        }
    }
}

fn read_when(entry: &WhenEntry, findings: &mut Vec<Finding>) -> When {
    let name = entry.name.as_ref().and_then(|name| {
        let glob = Glob::new(&name.value);
        let message = |failure: globset::Error| format!("`{}` is no pattern of names: {}", name.value, failure.kind());
        glob.map_err(|failure| findings.push(Finding::at(name.referenced, message(failure)))).ok()
    });
    When {
        older_than: period(&entry.older_than, findings),
        object: ObjectCondition {
            larger_than: size(&entry.larger_than, findings),
            smaller_than: size(&entry.smaller_than, findings),
            name: name.map(|glob| glob.compile_matcher()),
            storage_class: entry
                .storage_class
                .as_ref()
                .and_then(|class| storage_class(&class.value, class.referenced, findings)),
            tags: entry.tags.clone(),
        },
    }
}

fn size(written: &Option<At<String>>, findings: &mut Vec<Finding>) -> Option<u64> {
    let written = written.as_ref()?;
    let size = written.value.parse::<ByteSize>();
    let message = || format!("`{}` is no size: write bytes, or 64MiB, or 2GB", written.value);
    size.map_err(|_| findings.push(Finding::at(written.referenced, message()))).map(|size| size.as_u64()).ok()
}

fn storage_class(name: &str, at: Location, findings: &mut Vec<Finding>) -> Option<String> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    if name.is_empty() || !name.bytes().all(is_word) {
        findings.push(Finding::at(at, format!("`{name}` cannot be the name of a storage class")));
        return None;
    }
    Some(name.to_owned())
}

fn read_keep(keep: &At<KeepEntry>, unit: Unit, findings: &mut Vec<Finding>) -> Option<Keep> {
    let KeepEntry { newest, of, last_of, lasting } = &keep.value;
    if unit != Unit::Partition {
        let message = "`keep` counts partitions: write `age: {from: partition, time: …}`, or use `hold`";
        findings.push(Finding::at(keep.referenced, message));
        return None;
    }
    match (newest, of, last_of, lasting) {
        (Some(count), Some(_), None, None) if *count > 0 => Some(Keep::Newest(*count)),
        (None, None, Some(stretch), _) => Some(Keep::LastOf(*stretch, period(lasting, findings))),
        _ => {
            let message = "write `keep: {newest: 24, of: partition}`, or `keep: {last_of: month, for: 7y}`";
            findings.push(Finding::at(keep.referenced, message));
            None
        }
    }
}

fn read_action(then: &At<ThenEntry>, findings: &mut Vec<Finding>) -> Option<Action> {
    Some(match &then.value {
        ThenEntry::Tier(class) => Action::Tier(storage_class(class, then.referenced, findings)?),
        ThenEntry::Archive(class) => Action::Archive(storage_class(class, then.referenced, findings)?),
        ThenEntry::Expire => Action::Expire,
        ThenEntry::Delete(DeleteEntry::WithoutTrash) => Action::Delete,
        ThenEntry::AbortUploads => Action::AbortUploads,
        ThenEntry::SweepAbandoned => Action::SweepAbandoned,
    })
}
