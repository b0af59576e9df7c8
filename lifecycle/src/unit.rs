//! A unit: what a rule decides on. It tiers or goes as a whole.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::partition::Interval;

/// What a listing says of a unit.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitSummary {
    /// First letters of its keys, up to a slash; of a unit that is an object its key.
    pub prefix: String,
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// When the newest was written.
    pub newest: Timestamp,
    /// Bytes by storage class.
    pub classes: BTreeMap<String, u64>,
    /// The time that its data is from, where it is a partition whose values say so.
    pub interval: Option<Interval>,
    /// A job that is under way in it, by the key that shows it.
    pub running: Option<String>,
}

impl UnitSummary {
    /// Nothing was listed yet.
    pub fn new(prefix: &str, interval: Option<Interval>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            objects: 0,
            bytes: 0,
            newest: Timestamp::MIN,
            classes: BTreeMap::new(),
            interval,
            running: None,
        }
    }

    /// Adds an object.
    pub fn add(&mut self, bytes: u64, written: Timestamp, class: &str) {
        self.objects += 1;
        self.bytes += bytes;
        self.newest = self.newest.max(written);
        match self.classes.get_mut(class) {
            Some(sum) => *sum += bytes,
            None => {
                self.classes.insert(class.to_owned(), bytes);
            }
        }
    }

    /// Whether all of it is in this storage class.
    pub fn is_all_in(&self, class: &str) -> bool {
        self.classes.keys().all(|own| own == class)
    }
}
