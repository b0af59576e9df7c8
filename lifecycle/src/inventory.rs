//! What lies in a dataset: its units, the jobs that are at work in it, and the tables of other systems.
//!
//! Objects are added in the order of their keys, as listings give them. Memory grows with the units, not with the
//! objects, unless each object is one.

mod directories;
mod jobs;
mod tables;

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::policy::{Age, Dataset, Unit};
use crate::unit::UnitSummary;

use directories::Directories;
pub use jobs::JobTree;
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
}

/// What lies in a dataset.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inventory {
    /// Its units, by their prefixes.
    pub units: Vec<UnitSummary>,
    /// Objects that belong to no unit, and their bytes: no rule touches them.
    pub outside: (u64, u64),
    /// What jobs that have not ended have left, or work on.
    pub jobs: Vec<JobTree>,
    /// Tables whose own procedures must remove their files.
    pub tables: Vec<Table>,
}

/// Makes an inventory out of the listing of a dataset.
pub struct InventoryBuilder<'a> {
    dataset: &'a Dataset,
    zone: &'a TimeZone,
    /// The unit that the last object belongs to.
    current: Option<UnitSummary>,
    directories: Directories,
    units: Vec<UnitSummary>,
    outside: (u64, u64),
    jobs: BTreeMap<String, Timestamp>,
    tables: tables::Finder,
}

impl<'a> InventoryBuilder<'a> {
    /// Of a dataset whose ages are counted in `zone`.
    pub fn new(dataset: &'a Dataset, zone: &'a TimeZone) -> Self {
        Self {
            dataset,
            zone,
            current: None,
            directories: Directories::default(),
            units: Vec::new(),
            outside: (0, 0),
            jobs: BTreeMap::new(),
            tables: tables::Finder::default(),
        }
    }

    /// Adds the next object. One outside the dataset is passed over.
    pub fn add(&mut self, object: &Object<'_>) {
        let Some(path) = object.key.strip_prefix(&self.dataset.prefix) else { return };
        if let Some(tree) = jobs::tree_of(path) {
            let newest = self.jobs.entry(tree.to_owned()).or_insert(object.written);
            *newest = object.written.max(*newest);
            return;
        }
        self.tables.look_at(path);
        match (self.dataset.unit, &self.dataset.age) {
            (Unit::Partition, Age::Partition(template)) => {
                let is_inside = |unit: &UnitSummary| object.key.starts_with(&unit.prefix);
                if !self.current.as_ref().is_some_and(is_inside) {
                    self.units.extend(self.current.take());
                    self.current = template.partition(path).map(|(prefix, values)| {
                        let interval = template.interval(&values, self.zone);
                        UnitSummary::new(&format!("{}{prefix}", self.dataset.prefix), interval)
                    });
                }
                match &mut self.current {
                    Some(unit) => unit.add(object.bytes, object.written, object.class),
                    None => self.leave_outside(object.bytes),
                }
            }
            (Unit::Object, _) => {
                let mut unit = UnitSummary::new(object.key, None);
                unit.add(object.bytes, object.written, object.class);
                self.units.push(unit);
            }
            (Unit::Directory | Unit::Partition, _) => {
                self.units.extend(
                    self.directories.add(object).into_iter().filter_map(|closed| closed.into_unit(&mut self.outside)),
                );
            }
        }
    }

    fn leave_outside(&mut self, bytes: u64) {
        self.outside.0 += 1;
        self.outside.1 += bytes;
    }

    /// The inventory of what was added, with the jobs that wrote something within the dataset's `abandoned_after` of `now`
    /// marked in the units that they may write to. `uploads` are the keys of pending uploads and when they were begun.
    pub fn finish(mut self, uploads: &[(String, Timestamp)], now: &ZonedDateTime) -> Inventory {
        self.units.extend(self.current.take());
        let closed = self.directories.finish();
        self.units.extend(closed.into_iter().filter_map(|closed| closed.into_unit(&mut self.outside)));
        self.units.sort_unstable_by(|one, other| one.prefix.cmp(&other.prefix));
        let prefix = &self.dataset.prefix;
        let trees = self.jobs.into_iter().map(|(tree, newest)| JobTree::new(format!("{prefix}{tree}"), newest));
        let pending = uploads.iter().filter(|(key, _)| key.starts_with(prefix.as_str()));
        let pending = pending.map(|(key, begun)| JobTree::upload(key.clone(), *begun));
        let jobs: Vec<_> = trees.chain(pending).collect();
        let is_live = |job: &&JobTree| {
            let since = job.newest.to_zoned_datetime(self.zone.clone());
            self.dataset.abandoned_after.after(&since).is_none_or(|until| until > *now)
        };
        for job in jobs.iter().filter(is_live) {
            for unit in self.units.iter_mut().filter(|unit| job.concerns(&unit.prefix)) {
                unit.running.get_or_insert_with(|| job.key.clone());
            }
        }
        Inventory { units: self.units, outside: self.outside, jobs, tables: self.tables.finish(prefix) }
    }
}

#[cfg(test)]
mod tests;
