//! A unit: what a rule decides on. It tiers or goes as a whole.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::inventory::{Object, is_success};
use crate::partition::Interval;
use crate::policy::Met;

/// What a listing says of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSummary {
    /// First letters of its keys, up to a slash; of a unit that is an object its key.
    pub prefix: String,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether one of them is data: neither the marker of a directory nor `_SUCCESS`.
    pub has_data: bool,
    /// When the newest was written.
    pub newest: Timestamp,
    /// Its objects, by what rules can tell apart.
    pub groups: Vec<Group>,
    /// The time that its data is from, where it is a partition whose values say so.
    pub interval: Option<Interval>,
    /// A job that is under way in it, by the key that shows it.
    pub running: Option<String>,
}

/// Objects of a unit that rules cannot tell apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Their storage class.
    pub class: String,
    /// The conditions on single objects that they meet.
    pub met: Met,
    /// How many.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
}

impl UnitSummary {
    /// Nothing was listed yet.
    pub fn new(prefix: &str, interval: Option<Interval>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            objects: 0,
            bytes: 0,
            has_data: false,
            newest: Timestamp::MIN,
            groups: Vec::new(),
            interval,
            running: None,
        }
    }

    /// Adds an object.
    pub fn add(&mut self, object: &Object<'_>, met: Met) {
        let Object { key, bytes, written, class, .. } = *object;
        self.objects += 1;
        self.bytes += bytes;
        self.has_data |= !key.ends_with('/') && !is_success(key);
        self.newest = self.newest.max(written);
        match self.group_mut(class, met) {
            Some(group) => {
                group.objects += 1;
                group.bytes += bytes;
            }
            None => self.groups.push(Group { class: class.to_owned(), met, objects: 1, bytes }),
        }
    }

    /// Adds all objects of another one.
    pub fn merge(&mut self, other: Self) {
        self.objects += other.objects;
        self.bytes += other.bytes;
        self.has_data |= other.has_data;
        self.newest = self.newest.max(other.newest);
        for group in other.groups {
            match self.group_mut(&group.class, group.met) {
                Some(own) => {
                    own.objects += group.objects;
                    own.bytes += group.bytes;
                }
                None => self.groups.push(group),
            }
        }
    }

    /// Index of the group that such objects belong to.
    pub fn group(&self, class: &str, met: Met) -> Option<usize> {
        self.groups.iter().position(|group| group.met == met && group.class == class)
    }

    fn group_mut(&mut self, class: &str, met: Met) -> Option<&mut Group> {
        self.groups.iter_mut().find(|group| group.met == met && group.class == class)
    }

    /// Bytes by storage class.
    pub fn classes(&self) -> BTreeMap<&str, u64> {
        let mut classes = BTreeMap::new();
        for group in &self.groups {
            *classes.entry(group.class.as_str()).or_default() += group.bytes;
        }
        classes
    }
}
