//! Every object of a dataset, one by one, with what becomes of it.
//!
//! As for a plan a dataset is listed twice: the first time its units are summed up and decided on, the second time each object
//! is told with the verdict on its unit. Memory grows with the units, not with the objects.

use jiff::{Timestamp, ZonedDateTime};
use s3core::ops::ListedObject;

use crate::decide::{Judge, Selection, Verdict, decide};
use crate::inventory::{Inventory, Object, tree_of_job};
use crate::listing::{Lister, Survey, Tags, as_object};
use crate::places::Places;
use crate::policy::{Age, CONTROL_PREFIX, Dataset, Policy, Unit};
use crate::unit::UnitSummary;

/// An object, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<'a> {
    /// Name of the dataset.
    pub dataset: &'a str,
    /// The unit that it belongs to, or the tree of a job; none for what is outside.
    pub unit: Option<&'a str>,
    /// The object.
    pub object: Object<'a>,
    /// Its ETag without quotes.
    pub etag: Option<&'a str>,
    /// The verdict on its unit, in a word or two. That of an object which the unit's rule does not select is `untouched`; what
    /// belongs to no unit is `outside`, to a job `at work` or `abandoned`; `new` came while the dataset was listed.
    pub verdict: &'static str,
    /// Name of the rule that says so.
    pub rule: Option<&'a str>,
    /// Since when the rule's action is due, or when it will be.
    pub due: Option<Timestamp>,
    /// The moment that the age of its unit counts from.
    pub from: Option<Timestamp>,
}

/// Tells every object of a dataset, in the order of keys.
///
/// # Errors
/// The gateway's, and those of `see`.
pub async fn census<E: From<s3core::Error>>(
    lister: &Lister,
    policy: &Policy,
    dataset: &Dataset,
    now: &ZonedDateTime,
    mut see: impl FnMut(&Row<'_>) -> Result<(), E>,
) -> Result<Inventory, E> {
    let Survey { inventory, ranges } = lister.survey(policy, dataset, now, None).await?;
    let mut judged = Judged::new(policy, dataset, &inventory, now);
    let mut listing = lister.in_order(ranges);
    while let Some(mut pages) = listing.next_range() {
        while let Some(page) = pages.next().await? {
            let tags = lister.tags(dataset, &page).await?;
            for listed in &page {
                let is_inside = listed.key.starts_with(&dataset.prefix) && !listed.key.starts_with(CONTROL_PREFIX);
                if is_inside {
                    see(&judged.row(listed, &tags))?;
                }
            }
        }
    }
    drop(judged);
    Ok(inventory)
}

/// A dataset whose units were decided on.
struct Judged<'a> {
    dataset: &'a Dataset,
    inventory: &'a Inventory,
    verdicts: Vec<Verdict>,
    judge: Judge<'a>,
    /// Directories that are units, with their indices; empty where partitions are.
    directories: Places<usize>,
    /// The unit of the last object, with what its rule takes of it.
    last: Option<(usize, Option<Selection>)>,
}

impl<'a> Judged<'a> {
    fn new(policy: &'a Policy, dataset: &'a Dataset, inventory: &'a Inventory, now: &'a ZonedDateTime) -> Self {
        let mut directories = Places::default();
        if dataset.unit == Unit::Directory {
            for (index, unit) in inventory.units.iter().enumerate() {
                directories.add(unit.prefix.clone(), index);
            }
        }
        let verdicts = decide(policy, dataset, inventory, now);
        let judge = Judge::new(policy, dataset, &inventory.tables, now);
        Self { dataset, inventory, verdicts, judge, directories, last: None }
    }

    fn row<'b>(&'b mut self, listed: &'b ListedObject, tags: &'b Tags) -> Row<'b> {
        let object = as_object(listed, tags);
        let path = listed.key.get(self.dataset.prefix.len()..).unwrap_or_default();
        let etag = listed.etag.as_deref();
        let plain = |verdict, unit| Row {
            dataset: &self.dataset.name,
            unit,
            object: object.clone(),
            etag,
            verdict,
            rule: None,
            due: None,
            from: None,
        };
        if let Some(tree) = tree_of_job(path) {
            let tree = listed.key.get(..self.dataset.prefix.len() + tree.len()).unwrap_or_default();
            return plain(self.of_job(tree), Some(tree));
        }
        match self.dataset.unit {
            Unit::Object if listed.key.ends_with('/') => plain("outside", None),
            Unit::Object => {
                let verdict = self.of_object(&object);
                let from = Some(object.written);
                self.told(&verdict, (&listed.key, from), object, etag)
            }
            Unit::Partition | Unit::Directory => match self.unit_of(&listed.key, path) {
                Found::Unit(index) => self.in_unit(index, object, etag),
                Found::New => plain("new", None),
                Found::Outside => plain("outside", None),
            },
        }
    }

    fn of_job(&self, tree: &str) -> &'static str {
        let known = self.inventory.jobs.binary_search_by(|job| job.key.as_str().cmp(tree)).ok();
        match known.and_then(|index| self.inventory.jobs.get(index)) {
            Some(job) if job.is_abandoned => "abandoned",
            _ => "at work",
        }
    }

    fn of_object(&self, object: &Object<'_>) -> Verdict {
        let mut unit = UnitSummary::new(object.key, None);
        unit.add(object, self.dataset.met(object));
        unit.running = self.inventory.living.meeting(object.key).cloned();
        self.judge.of(&unit)
    }

    fn unit_of(&self, key: &str, path: &str) -> Found {
        if let Some((last, _)) = self.last
            && self.dataset.unit == Unit::Partition
            && self.inventory.units.get(last).is_some_and(|unit| key.starts_with(&unit.prefix))
        {
            return Found::Unit(last);
        }
        match &self.dataset.age {
            Age::Partition(template) => {
                let Some((partition, _)) = template.partition(path) else { return Found::Outside };
                let prefix = key.get(..self.dataset.prefix.len() + partition.len()).unwrap_or_default();
                let found = self.inventory.units.binary_search_by(|unit| unit.prefix.as_str().cmp(prefix));
                found.map_or(Found::New, Found::Unit)
            }
            Age::NewestObject => self.directories.around(key).map_or(Found::Outside, |index| Found::Unit(*index)),
        }
    }

    /// An object of a unit.
    fn in_unit<'b>(&'b mut self, index: usize, object: Object<'b>, etag: Option<&'b str>) -> Row<'b> {
        let (Some(unit), Some(verdict)) = (self.inventory.units.get(index), self.verdicts.get(index)) else {
            return self.told(&Verdict::Untouched, ("", None), object, etag);
        };
        if self.last.as_ref().is_none_or(|(last, _)| *last != index) {
            let selection = match verdict {
                Verdict::Due { rule, .. } => Some(self.judge.selection(unit, *rule)),
                _ => None,
            };
            self.last = Some((index, selection));
        }
        let selection = self.last.as_ref().and_then(|(_, selection)| selection.as_ref());
        let met = self.dataset.met(&object);
        let from = self.judge.from(unit).map(|from| from.timestamp());
        let place = (unit.prefix.as_str(), from);
        match selection {
            Some(selection) if !selection.takes(unit, object.class, met) => {
                self.told(&Verdict::Untouched, place, object, etag)
            }
            _ => self.told(verdict, place, object, etag),
        }
    }

    /// A row of a unit, by its prefix and the moment that its age counts from.
    fn told<'b>(
        &'b self,
        verdict: &Verdict,
        (unit, from): (&'b str, Option<Timestamp>),
        object: Object<'b>,
        etag: Option<&'b str>,
    ) -> Row<'b> {
        let rule = verdict.rule().and_then(|rule| self.dataset.rules.get(rule));
        Row {
            dataset: &self.dataset.name,
            unit: Some(unit),
            object,
            etag,
            verdict: verdict.word(),
            rule: rule.map(|rule| rule.name.as_str()),
            due: verdict.moment().map(ZonedDateTime::timestamp),
            from,
        }
    }
}

/// Where an object belongs.
enum Found {
    /// To the unit of this index.
    Unit(usize),
    /// To a unit that was not there when the dataset was summed up.
    New,
    Outside,
}
