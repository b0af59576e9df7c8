//! What lies in a dataset: its units, the jobs that are at work in it, and the tables of other systems.
//!
//! A dataset is listed in parts, each of which is a directory or what lies right in one; the objects of a part are added
//! in the order of their keys, as listings give them. Memory grows with the units, not with the objects; where each object
//! is a unit, only those that are asked for are kept.

mod above;
mod directories;
mod jobs;
mod tables;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::places::{Places, directories_above};
use crate::plan::line::Amount;
use crate::policy::{Age, CONTROL_PREFIX, Dataset, Unit};
use crate::unit::UnitSummary;

pub use above::Above;
use directories::{Directories, Directory};
pub(crate) use directories::{SUCCESS, is_success};
pub use jobs::JobTree;
pub(crate) use jobs::{JOBS, is_alive, is_state_of_job, tree_of as tree_of_job};
pub(crate) use tables::{LOGS, VERSION_HINT, is_iceberg};
pub use tables::{Table, TableFormat};

/// An object of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its length in bytes.
    pub bytes: u64,
    /// When it was written.
    pub written: Timestamp,
    /// Its storage class.
    pub class: &'a str,
    /// Its tags, where somebody asked for them.
    pub tags: Option<&'a BTreeMap<String, String>>,
}

/// A pending upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    /// The key that it would be completed at.
    pub key: String,
    /// Its id.
    pub id: String,
    /// When it was begun.
    pub begun: Timestamp,
    /// When something was last sent to it, as far as it was asked for.
    pub newest: Timestamp,
}

/// What lies in a dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// Its units, by their prefixes. Where each object is one: those that were asked for.
    pub units: Vec<UnitSummary>,
    /// All that lies in units.
    pub total: Amount,
    /// Objects that belong to no unit: no rule touches them.
    pub outside: Amount,
    /// What jobs that have not ended have left, or work on, by their keys.
    pub jobs: Vec<JobTree>,
    /// The trees of living jobs that write to a directory around the dataset.
    pub jobs_above: Vec<String>,
    /// Where jobs are at work, with the keys that show it.
    pub living: Places<String>,
    /// Tables whose own procedures must remove their files, also those that lie around the dataset.
    pub tables: Vec<Table>,
}

/// Makes a part of an inventory out of a listing.
pub struct InventoryBuilder<'a> {
    dataset: &'a Dataset,
    zone: &'a TimeZone,
    /// The directory that is listed.
    place: String,
    /// What the keys of objects that are kept begin with, where each is a unit; None where none is kept.
    kept: Option<String>,
    /// The unit that the last object belongs to.
    current: Option<UnitSummary>,
    directories: Directories,
    part: InventoryPart,
}

/// A part of an inventory.
#[derive(Default)]
pub struct InventoryPart {
    units: Vec<UnitSummary>,
    total: Amount,
    /// What belongs to the unit around, if there is one in another part, by the directory that it lies in.
    rest: Vec<UnitSummary>,
    outside: Amount,
    trees: jobs::Trees,
    tables: tables::Finder,
    above: Above,
}

impl<'a> InventoryBuilder<'a> {
    /// Of a whole dataset whose ages are counted in `zone`.
    pub fn new(dataset: &'a Dataset, zone: &'a TimeZone) -> Self {
        Self::of(dataset, zone, &dataset.prefix)
    }

    /// Of what a directory of the dataset holds, or what lies right in it.
    pub fn of(dataset: &'a Dataset, zone: &'a TimeZone, place: &str) -> Self {
        Self {
            dataset,
            zone,
            place: place.to_owned(),
            kept: Some(String::new()),
            current: None,
            directories: Directories::default(),
            part: InventoryPart::default(),
        }
    }

    /// Where each object is a unit, keeps those whose keys begin so, or none, and only counts the others.
    #[must_use]
    pub fn keeping(self, kept: Option<&str>) -> Self {
        Self { kept: kept.map(str::to_owned), ..self }
    }

    /// Adds the next object. One outside the dataset is passed over, and so is the state of s3life.
    pub fn add(&mut self, object: &Object<'_>) {
        let Some(path) = object.key.strip_prefix(&self.dataset.prefix) else { return };
        if object.key.starts_with(CONTROL_PREFIX) {
            return;
        }
        if let Some(tree) = jobs::tree_of(path) {
            self.part.trees.add(&self.dataset.prefix, tree, object);
            return;
        }
        self.part.tables.look_at(path);
        let met = self.dataset.met(object);
        match (self.dataset.unit, &self.dataset.age) {
            (Unit::Partition, Age::Partition(template)) => {
                let is_inside = |unit: &UnitSummary| object.key.starts_with(&unit.prefix);
                if !self.current.as_ref().is_some_and(is_inside) {
                    self.part.close(self.current.take());
                    self.current = template.partition(path).map(|(prefix, values)| {
                        let interval = template.interval(&values, self.zone);
                        UnitSummary::new(&format!("{}{prefix}", self.dataset.prefix), interval)
                    });
                }
                match &mut self.current {
                    Some(unit) => unit.add(object, met),
                    None => self.part.leave_outside(object.bytes),
                }
            }
            // The marker of a directory is no data.
            (Unit::Object, _) if object.key.ends_with('/') => self.part.leave_outside(object.bytes),
            (Unit::Object, _) if !self.kept.as_ref().is_some_and(|kept| object.key.starts_with(kept)) => {
                self.part.total.add(Amount { units: 1, objects: 1, bytes: object.bytes });
            }
            (Unit::Object, _) => {
                let mut unit = UnitSummary::new(object.key, None);
                unit.add(object, met);
                self.part.close(Some(unit));
            }
            (Unit::Directory | Unit::Partition, _) => {
                let closed = self.directories.add(object, met);
                self.part.close_directories(closed, &self.place);
            }
        }
    }

    /// The part that was added.
    pub fn part(mut self) -> InventoryPart {
        self.part.close(self.current.take());
        let closed = self.directories.finish();
        self.part.close_directories(closed, &self.place);
        self.part
    }

    /// The inventory of a dataset that was added as a whole: see [`InventoryPart::finish`].
    pub fn finish(self, uploads: &[Upload], now: &ZonedDateTime) -> Inventory {
        let (dataset, zone) = (self.dataset, self.zone);
        self.part().finish(dataset, zone, uploads, now)
    }
}

impl InventoryPart {
    fn close(&mut self, unit: Option<UnitSummary>) {
        if let Some(unit) = unit {
            self.total.add(Amount { units: 1, objects: unit.objects, bytes: unit.bytes });
            self.units.push(unit);
        }
    }

    fn close_directories(&mut self, closed: Vec<Directory>, place: &str) {
        for Directory { mut own, is_unit } in closed {
            if is_unit {
                self.close(Some(own));
                continue;
            }
            if own.prefix.len() < place.len() {
                place.clone_into(&mut own.prefix);
            }
            self.rest.push(own);
        }
    }

    fn leave_outside(&mut self, bytes: u64) {
        self.outside.objects += 1;
        self.outside.bytes += bytes;
    }

    /// Adds what lies around the dataset.
    pub fn add_above(&mut self, above: Above) {
        self.above.tables.merge(above.tables);
        self.above.jobs.extend(above.jobs);
    }

    /// Adds another part of the same dataset.
    pub fn merge(&mut self, other: Self) {
        self.units.extend(other.units);
        self.total.add(other.total);
        self.rest.extend(other.rest);
        self.outside.add(other.outside);
        self.trees.merge(other.trees);
        self.tables.merge(other.tables);
        self.add_above(other.above);
    }

    /// The inventory of what was added, with the jobs that wrote something within the dataset's `abandoned_after` of `now`
    /// marked in the units that they may write to. `uploads` are the pending ones.
    pub fn finish(mut self, dataset: &Dataset, zone: &TimeZone, uploads: &[Upload], now: &ZonedDateTime) -> Inventory {
        let mut units = BTreeMap::new();
        for unit in std::mem::take(&mut self.units) {
            match units.get_mut(&unit.prefix) {
                // A partition that was listed in parts.
                Some(own) => {
                    UnitSummary::merge(own, unit);
                    self.total.units -= 1;
                }
                None => {
                    units.insert(unit.prefix.clone(), unit);
                }
            }
        }
        for rest in std::mem::take(&mut self.rest) {
            let above = std::iter::once(rest.prefix.as_str()).chain(directories_above(&rest.prefix));
            let around = above.filter(|place| units.contains_key(*place)).map(str::to_owned).next();
            let sum = match around.and_then(|place| units.get_mut(&place)) {
                Some(unit) => {
                    let (objects, bytes) = (rest.objects, rest.bytes);
                    unit.merge(rest);
                    self.total.add(Amount { units: 0, objects, bytes });
                    continue;
                }
                None => Amount { units: 0, objects: rest.objects, bytes: rest.bytes },
            };
            self.outside.add(sum);
        }
        let mut units: Vec<_> = units.into_values().collect();
        let uploads: Vec<_> = uploads
            .iter()
            .filter(|upload| upload.key.starts_with(&dataset.prefix) && !upload.key.starts_with(CONTROL_PREFIX))
            .cloned()
            .collect();
        let Above { tables: tables_above, jobs: jobs_above } = self.above;
        let (jobs, living) = self.trees.finish(&uploads, &jobs_above, dataset.abandoned_after, zone, now);
        for unit in &mut units {
            unit.running = living.meeting(&unit.prefix).cloned();
        }
        let mut tables = tables_above.finish("");
        tables.extend(self.tables.finish(&dataset.prefix));
        Inventory { units, total: self.total, outside: self.outside, jobs, jobs_above, living, tables }
    }
}

#[cfg(test)]
mod tests;
