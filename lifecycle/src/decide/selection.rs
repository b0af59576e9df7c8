//! Which rule decides on the objects of a unit, and which of them it takes.

use std::cmp::Reverse;

use jiff::ZonedDateTime;

use crate::policy::{Action, Dataset, Met};
use crate::unit::{Group, UnitSummary};

use super::due;

/// A rule of a unit's dataset that may act on it.
pub(super) struct Candidate<'a> {
    /// Its index in the dataset.
    pub(super) rule: usize,
    pub(super) action: &'a Action,
    /// When it is due.
    pub(super) due: ZonedDateTime,
    is_conditional: bool,
}

impl<'a> Candidate<'a> {
    /// Those of a dataset, for a unit that is as old as `from`.
    pub(super) fn all(dataset: &'a Dataset, from: &ZonedDateTime) -> Vec<Self> {
        let rules = dataset.rules.iter().enumerate().filter_map(|(index, rule)| {
            let action = rule.action.as_ref().filter(|action| action.is_on_units())?;
            let is_conditional = !rule.when.object.is_empty();
            Some(Self { rule: index, action, due: due(rule, from)?, is_conditional })
        });
        rules.collect()
    }

    /// Greater is more final. Of two that tier the one that comes later: the earlier one has had its time. Of equal ones
    /// the first.
    fn finality(&self) -> (u8, Option<&ZonedDateTime>, Reverse<usize>) {
        let moves = matches!(self.action, Action::Tier(_) | Action::Archive(_));
        (self.action.rank(), moves.then_some(&self.due), Reverse(self.rule))
    }

    fn concerns(&self, met: Met) -> bool {
        !self.is_conditional || met.has(self.rule)
    }

    /// Whether something is left to do.
    fn changes(&self, group: &Group) -> bool {
        match self.action {
            Action::Tier(class) | Action::Archive(class) => group.class != *class,
            _ => true,
        }
    }
}

/// The rule that decides on a group at `now`, whether or not it has done its work.
fn deciding<'a, 'b>(candidates: &'b [Candidate<'a>], group: &Group, now: &ZonedDateTime) -> Option<&'b Candidate<'a>> {
    let due = candidates.iter().filter(|candidate| candidate.due <= *now && candidate.concerns(group.met));
    due.max_by(|one, other| one.finality().cmp(&other.finality()))
}

/// The most final rule that has something to do in a unit.
pub(super) fn chosen<'a, 'b>(
    candidates: &'b [Candidate<'a>],
    unit: &UnitSummary,
    now: &ZonedDateTime,
) -> Option<&'b Candidate<'a>> {
    let deciding =
        unit.groups.iter().filter_map(|group| deciding(candidates, group, now).filter(|one| one.changes(group)));
    deciding.max_by(|one, other| one.finality().cmp(&other.finality()))
}

/// The rule that has something to do next.
pub(super) fn next<'a, 'b>(
    candidates: &'b [Candidate<'a>],
    unit: &UnitSummary,
    now: &ZonedDateTime,
) -> Option<&'b Candidate<'a>> {
    let of_group = |group: &Group| {
        let current = deciding(candidates, group, now);
        let later = candidates.iter().filter(|candidate| candidate.due > *now && candidate.concerns(group.met));
        let later = later.filter(|candidate| candidate.changes(group));
        let later = later.filter(|candidate| current.is_none_or(|current| candidate.finality() > current.finality()));
        later.min_by(|one, other| one.due.cmp(&other.due))
    };
    unit.groups.iter().filter_map(of_group).min_by(|one, other| one.due.cmp(&other.due))
}

/// What a rule takes of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Objects.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Whether these are not all, since conditions on single objects leave some to other rules, or to none.
    pub is_partial: bool,
    /// For each group of the unit whether it is taken.
    groups: Vec<bool>,
}

impl Selection {
    pub(super) fn new(candidates: &[Candidate<'_>], unit: &UnitSummary, rule: usize, now: &ZonedDateTime) -> Self {
        let mine = |group: &Group| deciding(candidates, group, now).filter(|one| one.rule == rule);
        let is_partial = !unit.groups.iter().all(|group| mine(group).is_some());
        // A unit that moves as a whole is planned as a whole, whatever of it is there already.
        let is_taken = |group: &Group| !is_partial || mine(group).is_some_and(|one| one.changes(group));
        let groups: Vec<_> = unit.groups.iter().map(is_taken).collect();
        let sum = |of: fn(&Group) -> u64| {
            unit.groups.iter().zip(&groups).filter(|(_, taken)| **taken).map(|(group, _)| of(group)).sum()
        };
        Self { objects: sum(|group| group.objects), bytes: sum(|group| group.bytes), is_partial, groups }
    }

    /// Whether objects of this class that meet these conditions are taken.
    pub fn takes(&self, unit: &UnitSummary, class: &str, met: Met) -> bool {
        unit.group(class, met).and_then(|index| self.groups.get(index)).copied().unwrap_or(false)
    }
}
