//! What `serve` lets rules do: a rule acts when somebody has approved it, on what it was announced for, long enough ago.
//!
//! An announcement is a moment: it covers whatever was due then by its rule, told by what is known now. A unit all of whose
//! objects are older than that moment was there, and is judged as if it were that moment still, beside the units that were
//! there too. What `keep` protects only grows where units are taken away, so that a unit which is due by that judgement was
//! due then, and counted in what was announced. So one moment a rule is enough, however many units there are. Storage classes
//! and tags have no time: they are taken for what they were. Neither do objects that were removed since: a unit that is as old
//! as its newest object, and has lost it, is taken to have been as old then.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::plan::line::Amount;
use crate::policy::{Action, Dataset};

use super::Request;
use super::dataset::Planning;

/// The word for what deletes without trash and was not confirmed.
pub const UNCONFIRMED: &str = "not confirmed";

/// What `serve` lets the rules of a policy do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Served {
    /// By the names of dataset and rule. One that is missing waits to be approved.
    pub rules: BTreeMap<(String, String), Standing>,
    /// Datasets whose guard has stopped a plan: nothing that it counts is planned there.
    pub stopped: BTreeSet<String>,
    /// What could have gone for so long, and has not, is overdue.
    pub patience: SignedDuration,
}

/// How a rule stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it may do.
    pub may: May,
    /// The last announcement.
    pub announced: Option<Timestamp>,
    /// The last one that is old enough for so long that what it covers is overdue.
    pub long_ripe: Option<Timestamp>,
    /// Since when it is approved, where it is.
    pub since: Option<Timestamp>,
}

/// What a rule may do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum May {
    /// Nothing: it was not approved.
    #[default]
    Nothing,
    /// What was due by an announcement that is old enough; nothing where none is.
    Announced(Option<Timestamp>),
    /// All that is due: its action waits for no announcement.
    All,
}

/// What a rule is due for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RuleDue {
    /// All that is due and that nothing but approval, announcement or guard keeps from being planned.
    pub due: Amount,
    /// What of it could have gone long ago.
    pub overdue: Amount,
    /// Since when the oldest of that could have gone.
    pub oldest_overdue: Option<Timestamp>,
    /// What of it waits.
    pub waits: Amount,
    /// What of that no announcement covers.
    pub unannounced: Amount,
}

/// Whether an action waits until it was announced. A move to another storage class can be taken back at any time.
pub fn is_announced_first(action: &Action) -> bool {
    !matches!(action, Action::Tier(_))
}

/// The moments by which units of a dataset are judged once more, besides the plan's.
pub(super) fn moments(request: &Request<'_>, dataset: &Dataset) -> Vec<ZonedDateTime> {
    let Some(served) = request.served else { return Vec::new() };
    let standing = dataset.rules.iter().filter_map(|rule| served.standing(dataset, &rule.name));
    let moments = standing.flat_map(|standing| [standing.ripe(), standing.announced, standing.long_ripe]).flatten();
    let moments: BTreeSet<Timestamp> = moments.collect();
    moments.into_iter().map(|moment| moment.to_zoned_datetime(request.policy.zone.clone())).collect()
}

impl Served {
    fn standing(&self, dataset: &Dataset, rule: &str) -> Option<&Standing> {
        self.rules.get(&(dataset.name.clone(), rule.to_owned()))
    }
}

impl Standing {
    fn approved_since(&self) -> Option<Timestamp> {
        self.since.filter(|_| self.may != May::Nothing)
    }

    fn ripe(&self) -> Option<Timestamp> {
        if let May::Announced(moment) = self.may { moment } else { None }
    }
}

/// Something that is due.
pub(super) struct Due {
    pub(super) rule: usize,
    /// Since when.
    pub(super) since: Timestamp,
    /// When its newest object was written.
    pub(super) newest: Timestamp,
    pub(super) amount: Amount,
}

impl Planning<'_> {
    /// Counts what is due, and says why it waits, where only rules that were approved and announced may act. `was_due` says
    /// whether it was due by the same rule at an earlier moment.
    pub(super) fn waits(&mut self, due: &Due, was_due: impl Fn(Timestamp) -> bool) -> Option<&'static str> {
        let served = self.request.served?;
        let rule = self.dataset.rules.get(due.rule)?;
        let action = rule.action.as_ref()?;
        let standing = served.standing(self.dataset, &rule.name).copied().unwrap_or_default();
        let word = match standing.may {
            May::Nothing => Some("not approved"),
            _ if *action == Action::Delete && !self.request.confirmed.contains(&self.dataset.name) => Some(UNCONFIRMED),
            _ if action.is_guarded() && served.stopped.contains(&self.dataset.name) => Some("stopped by the guard"),
            May::Announced(ripe) if !ripe.is_some_and(&was_due) => Some("announced"),
            May::Announced(_) | May::All => None,
        };
        let zone = self.request.policy.zone.clone();
        let could_go = could_go(self.dataset, action, due, standing.approved_since(), zone);
        // What left a `keep` lately, or was written again, is covered by late announcements only.
        let could_go = could_go.filter(|_| match standing.may {
            May::Announced(_) => standing.long_ripe.is_some_and(&was_due),
            May::Nothing | May::All => true,
        });
        let found = self.notes.due.entry(rule.name.clone()).or_default();
        found.due.add(due.amount);
        if could_go.is_some_and(|moment| moment.saturating_add(served.patience).is_ok_and(|end| end < self.request.now))
        {
            found.overdue.add(due.amount);
            found.oldest_overdue = [found.oldest_overdue, could_go].into_iter().flatten().min();
        }
        if word.is_some() {
            found.waits.add(due.amount);
            if !standing.announced.is_some_and(&was_due) {
                found.unannounced.add(due.amount);
            }
        }
        word
    }
}

/// From when on something could have gone, had it been announced when it was due and approved. While its rule is not approved:
/// had it been approved by then.
fn could_go(
    dataset: &Dataset,
    action: &Action,
    due: &Due,
    approved: Option<Timestamp>,
    zone: TimeZone,
) -> Option<Timestamp> {
    let mut moment = due.since.max(approved.unwrap_or(due.since));
    if action.removes() {
        moment = moment.max(dataset.settle.after(&due.newest.to_zoned_datetime(zone.clone()))?.timestamp());
    }
    if is_announced_first(action) {
        moment = dataset.notice.after(&moment.to_zoned_datetime(zone))?.timestamp();
    }
    Some(moment)
}
