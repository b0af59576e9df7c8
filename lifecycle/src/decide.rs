//! What becomes of each unit of a dataset at a given moment, and why. Nothing is asked or changed here.
//!
//! Holds and keeps come before every action. Of several rules that apply the most final one counts, whatever their order.

mod kept;
#[cfg(test)]
mod tests;

use jiff::ZonedDateTime;

use crate::inventory::{Inventory, TableFormat};
use crate::policy::{Action, Age, Dataset, Policy, Rule};
use crate::unit::UnitSummary;

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

/// The verdict on each unit of `inventory`, which is that of `dataset`, in their order.
pub fn decide(policy: &Policy, dataset: &Dataset, inventory: &Inventory, now: &ZonedDateTime) -> Vec<Verdict> {
    let Inventory { units, tables, .. } = inventory;
    let kept = kept::by_rule(policy, dataset, units, now);
    let verdict = |(unit, kept): (&UnitSummary, Option<usize>)| {
        if let Some(hold) = policy.holds.iter().position(|hold| is_held(&unit.prefix, &hold.prefix)) {
            return Verdict::Held { hold };
        }
        let table = tables.iter().find(|table| is_held(&unit.prefix, &table.prefix));
        match kept {
            Some(rule) => Verdict::Kept { rule },
            None => by_rules(policy, dataset, unit, table.map(|table| table.format), now),
        }
    };
    units.iter().zip(kept).map(verdict).collect()
}

/// A unit goes as a whole, so that what holds a part of it, or all around it, holds it.
fn is_held(unit: &str, place: &str) -> bool {
    unit.starts_with(place) || place.starts_with(unit)
}

fn by_rules(
    policy: &Policy,
    dataset: &Dataset,
    unit: &UnitSummary,
    table: Option<TableFormat>,
    now: &ZonedDateTime,
) -> Verdict {
    let from = match (&dataset.age, &unit.interval) {
        (Age::Partition(_), None) => return Verdict::Undated,
        (Age::Partition(_), Some(interval)) => interval.end.clone(),
        (Age::NewestObject, _) => unit.newest.to_zoned_datetime(policy.zone.clone()),
    };
    // A moment beyond the calendar never comes.
    let due = |rule: &Rule| rule.when.older_than.map_or(Some(from.clone()), |period| period.after(&from));
    let rules = dataset.rules.iter().enumerate();
    let rules = rules.filter_map(|(index, rule)| Some((index, acting(rule, unit)?, due(rule)?)));
    let (due, later): (Vec<_>, Vec<_>) = rules.partition(|(_, _, due)| due <= now);
    // Of equally final ones the first; of those to come the earliest.
    let most_final = due.into_iter().rev().max_by(|(_, one, _), (_, other, _)| one.cmp(other));
    let Some((rule, action, since)) = most_final else {
        let next = later.into_iter().min_by(|(_, _, one), (_, _, other)| one.cmp(other));
        return next.map_or(Verdict::Untouched, |(rule, _, due)| Verdict::NotYet { rule, due });
    };
    if let Some(format) = table.filter(|_| action.removes()) {
        return Verdict::OfTable { format };
    }
    if let Some(key) = &unit.running {
        return Verdict::Running { key: key.clone() };
    }
    let settled = dataset.settle.after(&unit.newest.to_zoned_datetime(policy.zone.clone()));
    match settled.filter(|settled| action.removes() && settled > now) {
        Some(until) => Verdict::Settling { rule, until },
        None => Verdict::Due { rule, since },
    }
}

/// The action of a rule that would change something about the unit.
fn acting<'a>(rule: &'a Rule, unit: &UnitSummary) -> Option<&'a Action> {
    let action = rule.action.as_ref().filter(|action| action.is_on_units())?;
    match action {
        Action::Tier(class) | Action::Archive(class) if unit.is_all_in(class) => None,
        _ => Some(action),
    }
}
