//! What becomes of each unit of a dataset at a given moment, and why. Nothing is asked or changed here.
//!
//! Holds and keeps come before every action. Of several rules that apply the most final one counts, whatever their order;
//! of two that tier the one that applies from the greater age on. Conditions on single objects select objects inside a
//! unit: each goes by the most final rule that selects it, and the unit by the most final one that finds something to do.

mod kept;
mod selection;
#[cfg(test)]
mod tests;

use jiff::ZonedDateTime;

use crate::inventory::{Inventory, Table, TableFormat};
use crate::places::Places;
use crate::policy::{Age, Dataset, Policy, Rule};
use crate::unit::UnitSummary;

use selection::Candidate;
pub use selection::Selection;

/// What becomes of a unit.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// The rule's action is due since then.
    Due {
        /// Index of the rule in its dataset.
        rule: usize,
        /// Since when.
        since: ZonedDateTime,
    },
    /// It would be due, but one of its objects is younger than the dataset's `settle`.
    Settling {
        /// Index of the rule in its dataset.
        rule: usize,
        /// Until when, if nothing more is written.
        until: ZonedDateTime,
    },
    /// It would be due, but it belongs to a table that keeps a log of its files: only its own procedure may remove them.
    OfTable {
        /// What it is.
        format: TableFormat,
    },
    /// It would be due, but a job is at work in it.
    Running {
        /// The key that shows it.
        key: String,
    },
    /// Nothing is due before then.
    NotYet {
        /// Index of the rule in its dataset.
        rule: usize,
        /// When its action is due.
        due: ZonedDateTime,
    },
    /// A rule keeps it.
    Kept {
        /// Index of the rule in its dataset.
        rule: usize,
    },
    /// A hold of the policy protects it.
    Held {
        /// Index of the hold in its policy.
        hold: usize,
    },
    /// It is a partition whose values say no time: it never gets old.
    Undated,
    /// No rule has anything to do with it.
    Untouched,
}

impl Verdict {
    /// Index of the rule whose action is due.
    pub fn due_by(&self) -> Option<usize> {
        if let Self::Due { rule, .. } = self { Some(*rule) } else { None }
    }

    /// In a word or two.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Due { .. } => "due",
            Self::Settling { .. } => "settling",
            Self::OfTable { .. } => "of a table",
            Self::Running { .. } => "running",
            Self::NotYet { .. } => "not yet",
            Self::Kept { .. } => "kept",
            Self::Held { .. } => "held",
            Self::Undated => "undated",
            Self::Untouched => "untouched",
        }
    }

    /// Index of the rule that says so, where one does.
    pub fn rule(&self) -> Option<usize> {
        match self {
            Self::Due { rule, .. } | Self::Settling { rule, .. } | Self::NotYet { rule, .. } | Self::Kept { rule } => {
                Some(*rule)
            }
            _ => None,
        }
    }

    /// Since when its rule's action is due, or when it will be.
    pub fn moment(&self) -> Option<&ZonedDateTime> {
        match self {
            Self::Due { since: moment, .. }
            | Self::Settling { until: moment, .. }
            | Self::NotYet { due: moment, .. } => Some(moment),
            _ => None,
        }
    }
}

/// The verdict on each unit of `inventory`, which is that of `dataset`, in their order.
pub fn decide(policy: &Policy, dataset: &Dataset, inventory: &Inventory, now: &ZonedDateTime) -> Vec<Verdict> {
    verdicts(policy, dataset, &inventory.tables, &inventory.units.iter().collect::<Vec<_>>(), now)
}

/// The verdicts at an earlier moment on the units that were there as they are now; None for others.
pub fn decide_at(
    policy: &Policy,
    dataset: &Dataset,
    inventory: &Inventory,
    moment: &ZonedDateTime,
) -> Vec<Option<Verdict>> {
    let was_there = |unit: &&UnitSummary| unit.newest <= moment.timestamp();
    let there: Vec<_> = inventory.units.iter().filter(was_there).collect();
    let mut verdicts = verdicts(policy, dataset, &inventory.tables, &there, moment).into_iter();
    inventory.units.iter().map(|unit| if was_there(&unit) { verdicts.next() } else { None }).collect()
}

fn verdicts(
    policy: &Policy,
    dataset: &Dataset,
    tables: &[Table],
    units: &[&UnitSummary],
    now: &ZonedDateTime,
) -> Vec<Verdict> {
    let kept = kept::by_rule(policy, dataset, units, now);
    let judge = Judge::new(policy, dataset, tables, now);
    let verdict = |(unit, kept): (&&UnitSummary, Option<usize>)| match (policy.hold_of(&unit.prefix), kept) {
        (Some(hold), _) => Verdict::Held { hold },
        (None, Some(rule)) => Verdict::Kept { rule },
        (None, None) => judge.of(unit),
    };
    units.iter().zip(kept).map(verdict).collect()
}

/// Decides on single units.
pub struct Judge<'a> {
    policy: &'a Policy,
    dataset: &'a Dataset,
    tables: Places<&'a Table>,
    now: &'a ZonedDateTime,
}

impl<'a> Judge<'a> {
    /// For the units of a dataset that has these tables in it.
    pub fn new(policy: &'a Policy, dataset: &'a Dataset, tables: &'a [Table], now: &'a ZonedDateTime) -> Self {
        let mut places = Places::default();
        for table in tables {
            places.add(table.prefix.clone(), table);
        }
        Self { policy, dataset, tables: places, now }
    }

    /// The verdict on a unit that no rule keeps.
    pub fn of(&self, unit: &UnitSummary) -> Verdict {
        if let Some(hold) = self.policy.hold_of(&unit.prefix) {
            return Verdict::Held { hold };
        }
        let Some(from) = self.from(unit) else { return Verdict::Undated };
        let candidates = Candidate::all(self.dataset, &from);
        let Some(found) = selection::chosen(&candidates, unit, self.now) else {
            let next = selection::next(&candidates, unit, self.now);
            return next.map_or(Verdict::Untouched, |next| Verdict::NotYet { rule: next.rule, due: next.due.clone() });
        };
        let removes = found.action.removes();
        if let Some(table) = self.tables.meeting(&unit.prefix)
            && (removes || table.has_log_in(&unit.prefix))
        {
            return Verdict::OfTable { format: table.format };
        }
        if let Some(key) = &unit.running {
            return Verdict::Running { key: key.clone() };
        }
        let settled = self.dataset.settle.after(&unit.newest.to_zoned_datetime(self.policy.zone.clone()));
        match settled.filter(|settled| removes && settled > self.now) {
            Some(until) => Verdict::Settling { rule: found.rule, until },
            None => Verdict::Due { rule: found.rule, since: found.due.clone() },
        }
    }

    /// What the rule of this index, which is due, takes of a unit.
    pub fn selection(&self, unit: &UnitSummary, rule: usize) -> Selection {
        let candidates = self.from(unit).map(|from| Candidate::all(self.dataset, &from)).unwrap_or_default();
        Selection::new(&candidates, unit, rule, self.now)
    }

    /// The moment that the age of a unit counts from.
    pub fn from(&self, unit: &UnitSummary) -> Option<ZonedDateTime> {
        match (&self.dataset.age, &unit.interval) {
            (Age::Partition(_), None) => None,
            (Age::Partition(_), Some(interval)) => Some(interval.end.clone()),
            (Age::NewestObject, _) => Some(unit.newest.to_zoned_datetime(self.policy.zone.clone())),
        }
    }
}

/// When a rule is due for what is as old as `from`. A moment beyond the calendar never comes.
fn due(rule: &Rule, from: &ZonedDateTime) -> Option<ZonedDateTime> {
    rule.when.older_than.map_or_else(|| Some(from.clone()), |period| period.after(from))
}
