//! What runs leave, and why.

use serde::{Deserialize, Serialize};

use super::record::RunRecord;

/// What was not done, or did not come back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// All of it.
    pub skipped: Reported<Skipped>,
    /// What of it somebody has to see to.
    pub refused: Refused,
}

impl Left {
    /// Adds something that others have changed, or want to stay.
    pub fn skip(&mut self, skipped: Skipped) {
        self.skipped.add(skipped);
    }

    /// Adds something that somebody has to see to.
    pub fn refuse(&mut self, skipped: Skipped) {
        self.refused.add(&skipped.reason);
        self.skipped.add(skipped);
    }

    /// Adds one or the other.
    pub fn add(&mut self, skipped: Skipped, is_refused: bool) {
        if is_refused { self.refuse(skipped) } else { self.skip(skipped) }
    }

    /// Adds those of another one.
    pub fn append(&mut self, other: Self) {
        self.skipped.append(other.skipped);
        self.refused.append(other.refused);
    }
}

/// A unit that a run did not touch, or put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skipped {
    /// Its prefix.
    pub unit: String,
    /// The key that was the reason, where one was.
    pub key: Option<String>,
    /// Why.
    pub reason: String,
}

impl Skipped {
    /// A unit, with the key that was the reason, where one was.
    pub fn new(unit: &str, key: Option<&str>, reason: impl Into<String>) -> Self {
        Self { unit: unit.to_owned(), key: key.map(str::to_owned), reason: reason.into() }
    }
}

/// Units that were not left because somebody changed them: the gateway refused what was to be done, or there was no way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Their number.
    pub units: u64,
    /// Why, of the first.
    pub reason: String,
}

impl Refused {
    /// One more.
    pub fn add(&mut self, reason: &str) {
        if self.units == 0 {
            reason.clone_into(&mut self.reason);
        }
        self.units += 1;
    }

    fn append(&mut self, other: Self) {
        if self.units == 0 {
            self.reason = other.reason;
        }
        self.units += other.units;
    }

    pub(super) fn is_none(&self) -> bool {
        self.units == 0
    }
}

/// What is told of many things: the first of them, and the number of all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported<T> {
    /// At most [`RunRecord::MOST_REPORTED`].
    pub first: Vec<T>,
    /// Number of all.
    pub count: u64,
}

impl<T> Default for Reported<T> {
    fn default() -> Self {
        Self { first: Vec::new(), count: 0 }
    }
}

impl<T> Reported<T> {
    /// Adds one.
    pub fn add(&mut self, one: T) {
        self.count += 1;
        if self.first.len() < RunRecord::MOST_REPORTED {
            self.first.push(one);
        }
    }

    /// Adds those of another one.
    pub fn append(&mut self, other: Self) {
        self.count += other.count;
        let room = RunRecord::MOST_REPORTED.saturating_sub(self.first.len());
        self.first.extend(other.first.into_iter().take(room));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_thousand_are_named_and_all_are_counted() {
        let (mut left, mut more) = (Left::default(), Left::default());
        for number in 0..700 {
            left.skip(Skipped::new(&format!("a{number}"), None, "changed"));
            more.add(Skipped::new(&format!("b{number}"), Some("k"), "may not"), number > 9);
        }
        left.append(more);
        let named = &left.skipped.first;
        assert_eq!((left.skipped.count, named.len(), named[999].unit.as_str()), (1400, 1000, "b299"));
        assert_eq!(left.refused, Refused { units: 690, reason: "may not".to_owned() });
    }
}
