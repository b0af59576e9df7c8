//! A dataset: where it lies, what its units are, and how carefully it is treated.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::calendar::Period;
use crate::catalog::addresses;
use crate::inventory::Object;
use crate::partition::Template;

use super::document::{self, AgeEntry, AgeFrom, At, CatalogEntry, DatasetEntry, GuardEntry, UnitEntry};
use super::finding::Finding;
use super::location::Place;
use super::rule::{self, Action, Rule};
use super::{check_name, period};

/// A dataset of a policy.
#[derive(Debug, Clone)]
pub struct Dataset {
    /// Its name.
    pub name: String,
    /// First letters of its keys: empty for a whole bucket, or up to a slash.
    pub prefix: String,
    /// What rules decide on.
    pub unit: Unit,
    /// What a unit's age counts from.
    pub age: Age,
    /// The metastore that knows its partitions.
    pub catalog: Option<Catalog>,
    /// What happens when.
    pub rules: Vec<Rule>,
    /// How long what was expired can be brought back.
    pub trash: Period,
    /// Nothing is removed from a unit in which an object is younger.
    pub settle: Period,
    /// How long `serve` announces a unit before it acts.
    pub notice: Period,
    /// A job that wrote nothing for so long is taken for killed.
    pub abandoned_after: Period,
    /// What must not happen at once; None where the policy says `none`.
    pub guard: Option<Guard>,
}

/// What rules decide on: it goes or stays as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A partition, by the columns of the dataset's time.
    Partition,
    /// A directory that holds `_SUCCESS`.
    Directory,
    /// An object.
    Object,
}

/// What a unit's age counts from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Age {
    /// The end of the partition's time.
    Partition(Template),
    /// When its newest object was written.
    NewestObject,
}

/// A Hive metastore and a table in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Catalog {
    /// `thrift://host:9083`, or several with commas between them.
    pub uri: String,
    /// Name of the database.
    pub database: String,
    /// Name of the table.
    pub table: String,
}

impl Catalog {
    /// The table with its database.
    pub fn name(&self) -> String {
        format!("{}.{}", self.database, self.table)
    }
}

/// How much of a dataset may be removed within a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Percent of its bytes, and of its units.
    pub percent: u32,
    /// The time.
    pub within: Period,
}

/// How carefully datasets are treated, where they do not say it themselves.
pub(super) struct Settings {
    trash: Period,
    settle: Period,
    notice: Period,
    abandoned_after: Period,
    guard: Option<Guard>,
}

impl Settings {
    const DEFAULT: Self = Self {
        trash: Period::days(7),
        settle: Period::days(7),
        notice: Period::hours(24),
        abandoned_after: Period::days(7),
        guard: Some(Guard { percent: 20, within: Period::days(30) }),
    };

    pub(super) fn of_policy(written: &document::Settings, findings: &mut Vec<Finding>) -> Self {
        let document::Settings { trash, settle, notice, abandoned_after, guard } = written;
        Self::DEFAULT.with(trash, settle, notice, abandoned_after, guard.as_ref(), findings)
    }

    fn with(
        &self,
        trash: &Option<At<String>>,
        settle: &Option<At<String>>,
        notice: &Option<At<String>>,
        abandoned_after: &Option<At<String>>,
        guard: Option<&GuardEntry>,
        findings: &mut Vec<Finding>,
    ) -> Self {
        let abandoned = period(abandoned_after, findings).unwrap_or(self.abandoned_after);
        if let Some(written) = abandoned_after
            && abandoned.roughly_hours() < 24
        {
            let message = format!("a job may write nothing for {}: write 24h or more", written.value);
            findings.push(Finding::at(written.referenced, message));
        }
        Self {
            trash: period(trash, findings).unwrap_or(self.trash),
            settle: period(settle, findings).unwrap_or(self.settle),
            notice: period(notice, findings).unwrap_or(self.notice),
            abandoned_after: abandoned,
            guard: guard.map_or(self.guard, |guard| read_guard(&guard.max_removed, findings)),
        }
    }
}

/// `20% per 30d` or `none`.
fn read_guard(written: &At<String>, findings: &mut Vec<Finding>) -> Option<Guard> {
    if written.value == "none" {
        return None;
    }
    let guard = written.value.split_once("% per ").and_then(|(percent, within)| {
        let percent = percent.trim().parse().ok().filter(|percent| (1..=100).contains(percent))?;
        Some(Guard { percent, within: within.trim().parse().ok()? })
    });
    if guard.is_none() {
        let message = format!("`{}` is no limit: write `20% per 30d`, or `none`", written.value);
        findings.push(Finding::at(written.referenced, message));
    }
    guard
}

/// Which rules' conditions on single objects an object meets. Rules without such conditions are not among them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Met(u128);

impl Met {
    /// Whether those of the rule with this index are.
    pub fn has(self, rule: usize) -> bool {
        u32::try_from(rule).ok().and_then(|rule| self.0.checked_shr(rule)).is_some_and(|rest| rest & 1 == 1)
    }
}

/// Most rules of a dataset: as many as [`Met`] can tell apart.
const MOST_RULES: usize = 128;

impl Dataset {
    /// Which rules' conditions on single objects `object` meets.
    pub fn met(&self, object: &Object<'_>) -> Met {
        let conditional = self.rules.iter().enumerate().filter(|(_, rule)| !rule.when.object.is_empty());
        let met = conditional.filter(|(_, rule)| rule.when.object.is_met_by(object));
        Met(met.fold(0, |met, (index, _)| met | 1 << index))
    }

    /// Whether a rule decides on `object` by its tags.
    pub fn asks_for_tags(&self, object: &Object<'_>) -> bool {
        let conditions = self.rules.iter().map(|rule| &rule.when.object);
        conditions.filter(|condition| !condition.tags.is_empty()).any(|condition| condition.is_met_but_for_tags(object))
    }

    /// Whether units of it go by what is planned of its rules, by their names.
    pub fn loses<T>(&self, planned: &BTreeMap<String, T>) -> bool {
        let mut removing = self.rules.iter().filter(|rule| rule.action.as_ref().is_some_and(Action::removes));
        removing.any(|rule| planned.contains_key(&rule.name))
    }

    /// None where too much is wrong to go on; all that is wrong is found.
    pub(super) fn check(
        entry: DatasetEntry,
        settings: &Settings,
        findings: &mut Vec<Finding>,
    ) -> Option<(Place, Self)> {
        check_name("dataset", &entry.name, findings);
        let place: Option<Place> = entry
            .location
            .value
            .parse()
            .map_err(|message: String| findings.push(Finding::at(entry.location.referenced, message)))
            .ok();
        let age = check_age(&entry.age, findings);
        let unit = check_unit(age.as_ref(), entry.unit.as_ref(), findings);
        let settings = settings.with(
            &entry.trash,
            &entry.settle,
            &entry.notice,
            &entry.abandoned_after,
            entry.guard.as_ref(),
            findings,
        );
        let catalog = entry.catalog.as_ref().and_then(|catalog| check_catalog(catalog, unit, findings));
        if entry.rules.is_empty() {
            findings.push(Finding::at(entry.name.referenced, format!("{} has no rules: add one", entry.name.value)));
        }
        if entry.rules.len() > MOST_RULES {
            let message = format!("{} has more than {MOST_RULES} rules: make it two datasets", entry.name.value);
            findings.push(Finding::at(entry.name.referenced, message));
            return None;
        }
        let rules: Vec<_> = entry.rules.into_iter().filter_map(|rule| Rule::check(rule, unit, findings)).collect();
        rule::check_together(&rules, findings);
        let Settings { trash, settle, notice, abandoned_after, guard } = settings;
        let place = place?;
        let dataset = Self {
            name: entry.name.value,
            prefix: place.prefix.clone(),
            unit,
            age: age?,
            catalog,
            rules,
            trash,
            settle,
            notice,
            abandoned_after,
            guard,
        };
        Some((place, dataset))
    }
}

fn check_age(entry: &At<AgeEntry>, findings: &mut Vec<Finding>) -> Option<Age> {
    match (entry.value.from, &entry.value.time) {
        (AgeFrom::NewestObject, None) => Some(Age::NewestObject),
        (AgeFrom::NewestObject, Some(time)) => {
            let message = "`time` dates partitions: write `from: partition`, or leave it out";
            findings.push(Finding::at(time.referenced, message));
            None
        }
        (AgeFrom::Partition, None) => {
            let message = "partitions are dated by their columns: add `time: \"{day:%Y-%m-%d}\"`";
            findings.push(Finding::at(entry.referenced, message));
            None
        }
        (AgeFrom::Partition, Some(time)) => {
            let template = time.value.parse();
            template
                .map_err(|message: String| findings.push(Finding::at(time.referenced, message)))
                .map(Age::Partition)
                .ok()
        }
    }
}

/// None where something is wrong with it.
fn check_catalog(entry: &CatalogEntry, unit: Unit, findings: &mut Vec<Finding>) -> Option<Catalog> {
    let before = findings.len();
    if unit != Unit::Partition {
        let message = "`catalog` knows partitions: write `age: {from: partition, time: …}`, or leave it out";
        findings.push(Finding::at(entry.uri.referenced, message));
    }
    if let Err(message) = addresses(&entry.uri.value) {
        findings.push(Finding::at(entry.uri.referenced, message));
    }
    let names = entry.table.value.split_once('.');
    let names = names.filter(|(database, table)| !database.is_empty() && !table.is_empty() && !table.contains('.'));
    let Some((database, table)) = names else {
        let message = format!("`{}` is no table: write database.table", entry.table.value);
        findings.push(Finding::at(entry.table.referenced, message));
        return None;
    };
    let catalog = Catalog { uri: entry.uri.value.clone(), database: database.to_owned(), table: table.to_owned() };
    (findings.len() == before).then_some(catalog)
}

fn check_unit(age: Option<&Age>, entry: Option<&At<UnitEntry>>, findings: &mut Vec<Finding>) -> Unit {
    match (age, entry) {
        (Some(Age::Partition(_)), Some(entry)) => {
            let message = "a dataset whose age is that of partitions is removed by partitions: leave `unit` out, or \
                           write `age: {from: newest_object}`";
            findings.push(Finding::at(entry.referenced, message));
            Unit::Partition
        }
        (_, Some(_)) => Unit::Object,
        (Some(Age::NewestObject), None) => Unit::Directory,
        (_, None) => Unit::Partition,
    }
}
