//! What `serve` has said of the rules of a policy: which wait to be approved, what was announced, and from when on it goes.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::places::are_nested;
use crate::plan::line::{Amount, PolicySource};
use crate::plan::make::{May, RuleDue, Standing, is_announced_first};
use crate::policy::{Dataset, Policy, Rule};

use super::digest::rule_digest;

/// In the time of a notice so many announcements are made at most: what becomes due a little later than the others goes a
/// little later.
const MOST_ANNOUNCEMENTS: i64 = 24;

/// What `serve` has said of the rules of a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedPolicy {
    /// The policy.
    pub policy: PolicySource,
    /// When its last round was planned, by the gateway's clock.
    pub round: Timestamp,
    /// Its rules, but those that only keep.
    pub rules: Vec<ServedRule>,
    /// The datasets in which the guard stopped that round.
    #[serde(default)]
    pub stopped: BTreeSet<String>,
}

/// What `serve` has said of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServedRule {
    /// What is approved: see [`rule_digest`].
    pub digest: String,
    /// Name of the dataset.
    pub dataset: String,
    /// First letters of its keys.
    pub prefix: String,
    /// Name of the rule.
    pub rule: String,
    /// What it does.
    pub action: String,
    /// Whether somebody has approved it.
    pub approved: bool,
    /// Since when it is known to be approved.
    #[serde(default)]
    pub approved_since: Option<Timestamp>,
    /// When it was seen first.
    pub seen: Timestamp,
    /// Places that were held in the dataset.
    #[serde(default)]
    pub holds: Vec<String>,
    /// What waits: for the approval, for the end of the notice, or for the guard.
    pub waits: Amount,
    /// The announcements that count, the oldest first.
    #[serde(default)]
    pub announcements: Vec<Announcement>,
}

/// What was due by a rule was announced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    /// All that was due until then.
    pub until: Timestamp,
    /// When it was announced.
    pub at: Timestamp,
    /// From when on it goes.
    pub from: Timestamp,
    /// What of it no earlier announcement had named.
    pub amount: Amount,
}

/// A round: what is known when it is planned.
#[derive(Debug, Clone, Copy)]
pub struct Round<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The digests of rules that were approved.
    pub approved: &'a BTreeSet<String>,
    /// What was said so far, also of other policies, and of this one when it had other datasets: rules are known by their
    /// digests.
    pub known: &'a [ServedPolicy],
    /// What could have gone for so long, and has not, is overdue.
    pub patience: SignedDuration,
}

/// The places of a policy's rules that act: two policies of one name that have others are two.
pub(super) fn places(policy: &Policy) -> BTreeSet<&str> {
    let datasets = policy.datasets.iter().filter(|dataset| dataset.rules.iter().any(|rule| rule.action.is_some()));
    datasets.map(|dataset| dataset.prefix.as_str()).collect()
}

impl Round<'_> {
    /// What rules may do at `now`.
    pub fn standings(&self, now: Timestamp) -> BTreeMap<(String, String), Standing> {
        let rules = self.rules().map(|(dataset, rule, digest)| {
            let announced = self.announced(dataset, &digest);
            let may = match &rule.action {
                _ if !self.approved.contains(&digest) => May::Nothing,
                Some(action) if is_announced_first(action) && dataset.notice.roughly_hours() > 0 => {
                    May::Announced(announced.iter().rev().find(|one| one.from <= now).map(|one| one.until))
                }
                _ => May::All,
            };
            let is_long_ripe = |one: &&Announcement| self.is_long_ripe(one, now);
            let standing = Standing {
                may,
                announced: announced.last().map(|one| one.until),
                long_ripe: announced.iter().rev().find(is_long_ripe).map(|one| one.until),
                since: self.found(&digest).and_then(|found| found.approved_since).or(Some(now)),
            };
            ((dataset.name.clone(), rule.name.clone()), standing)
        });
        rules.collect()
    }

    /// What is said after a plan that was made at `planned`: announced is, at `now`, what is due and waits. `due` says what
    /// rules are due for, by dataset and rule.
    pub fn said(
        &self,
        source: &PolicySource,
        due: &BTreeMap<(String, String), RuleDue>,
        planned: Timestamp,
        now: Timestamp,
    ) -> ServedPolicy {
        let rules = self.rules().map(|(dataset, rule, digest)| {
            let due = due.get(&(dataset.name.clone(), rule.name.clone())).copied().unwrap_or_default();
            let approved = self.approved.contains(&digest);
            let waits_for_notice = rule.action.as_ref().is_some_and(is_announced_first);
            let mut announcements = self.announced(dataset, &digest).to_vec();
            if due.due.units == 0 || !approved {
                announcements.clear();
            }
            // What an announcement covers, the next one covers too; and the last one shows what is overdue.
            let ripe = announcements.iter().rposition(|one| self.is_long_ripe(one, planned)).unwrap_or_default();
            announcements.drain(..ripe);
            let from = dataset.notice.after(&now.to_zoned_datetime(self.policy.zone.clone()));
            if let Some(from) = from.map(|from| from.timestamp())
                && approved
                && waits_for_notice
                && dataset.notice.roughly_hours() > 0
                && due.unannounced.units > 0
                && announcements.last().is_none_or(|last| now.duration_since(last.at) >= pause(now, from))
            {
                announcements.push(Announcement { until: planned, at: now, from, amount: due.unannounced });
            }
            let found = self.found(&digest);
            let seen = found.map_or(planned, |found| found.seen);
            let approved_since = found.and_then(|found| found.approved_since).or(Some(planned)).filter(|_| approved);
            ServedRule {
                digest,
                dataset: dataset.name.clone(),
                prefix: dataset.prefix.clone(),
                rule: rule.name.clone(),
                action: rule.action.as_ref().map(|action| action.name()).unwrap_or_default().to_owned(),
                approved,
                approved_since,
                seen,
                holds: self.holds(dataset),
                waits: due.waits,
                announcements,
            }
        });
        ServedPolicy { policy: source.clone(), round: planned, rules: rules.collect(), stopped: BTreeSet::new() }
    }

    /// The rules that act, with their digests.
    fn rules(&self) -> impl Iterator<Item = (&Dataset, &Rule, String)> {
        let rules =
            self.policy.datasets.iter().flat_map(|dataset| dataset.rules.iter().map(move |rule| (dataset, rule)));
        rules.filter_map(|(dataset, rule)| Some((dataset, rule, rule_digest(self.policy, dataset, rule)?)))
    }

    /// Whether what an announcement covers could have gone long before `now`.
    fn is_long_ripe(&self, one: &Announcement, now: Timestamp) -> bool {
        one.from.saturating_add(self.patience).is_ok_and(|end| end <= now)
    }

    fn found(&self, digest: &str) -> Option<&ServedRule> {
        let found = self.known.iter().flat_map(|said| said.rules.iter().map(move |rule| (said.round, rule)));
        let found = found.filter(|(_, rule)| rule.digest == *digest);
        found.max_by_key(|(round, _)| *round).map(|(_, rule)| rule)
    }

    /// What was announced of a rule. Where a hold was lifted since it names less than what is due.
    fn announced(&self, dataset: &Dataset, digest: &str) -> &[Announcement] {
        let holds = self.holds(dataset);
        let found = self.found(digest).filter(|found| found.holds.iter().all(|hold| holds.contains(hold)));
        found.map(|found| found.announcements.as_slice()).unwrap_or_default()
    }

    /// The places that are held in a dataset, or around it.
    fn holds(&self, dataset: &Dataset) -> Vec<String> {
        let meets = |hold: &&String| are_nested(hold, &dataset.prefix);
        self.policy.holds.iter().map(|hold| &hold.prefix).filter(meets).cloned().collect()
    }
}

/// Least time between two announcements of a rule.
fn pause(now: Timestamp, from: Timestamp) -> SignedDuration {
    SignedDuration::from_secs(from.duration_since(now).as_secs() / MOST_ANNOUNCEMENTS)
}

impl ServedPolicy {
    /// As [`places`] of its policy.
    pub fn places(&self) -> BTreeSet<&str> {
        self.rules.iter().map(|rule| rule.prefix.as_str()).collect()
    }

    /// The rules that wait to be approved.
    pub fn waiting(&self) -> impl Iterator<Item = &ServedRule> {
        self.rules.iter().filter(|rule| !rule.approved)
    }
}

#[cfg(test)]
mod tests;
