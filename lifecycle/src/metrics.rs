//! What `serve` tells Prometheus: what is due and overdue, what was done, what waits for people or for the gateway.

mod families;
mod server;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};

use crate::plan::line::{Amount, DatasetSummary};
use crate::plan::make::RuleDue;
use crate::policy::Action;
use crate::run::lease::{LeaseView, Standing};
use crate::run::record::{DatasetDone, RunRecord, RunState};
use crate::serve::ServedPolicy;

use families::{Families, Labels};

pub use server::serve;

/// What `serve` tells.
pub struct Metrics {
    families: Families,
    /// Time between the beginnings of two rounds.
    interval: SignedDuration,
    /// The bucket that is served; empty while nobody knows.
    bucket: Mutex<String>,
}

/// How a round ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoundResult {
    /// All that may be done was done.
    Done,
    /// Another process is at work on the bucket.
    Busy,
    /// It has failed.
    Failed,
}

impl RoundResult {
    const ALL: [Self; 3] = [Self::Done, Self::Busy, Self::Failed];

    fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Busy => "busy",
            Self::Failed => "failed",
        }
    }
}

/// What errors are about.
pub const ERROR_KINDS: [&str; 8] = ["policy", "gateway", "state", "lease", "run", "plan", "refused", "output"];

impl Metrics {
    /// Nothing is known yet at `now`. Rounds begin every `interval`.
    pub fn new(interval: SignedDuration, now: Timestamp) -> Self {
        let families = Families::new();
        for kind in ERROR_KINDS {
            families.count(&families.errors, vec![("kind", kind.to_owned())], 0);
        }
        for result in RoundResult::ALL {
            families.count(&families.rounds, vec![("result", result.name().to_owned())], 0);
        }
        let metrics = Self { families, interval, bucket: Mutex::default() };
        metrics.begin("", now);
        metrics
    }

    /// Rounds are about this bucket. Where it is another one than before its first success is waited for from `now` on.
    pub fn serves(&self, bucket: &str, now: Timestamp) {
        let mut known = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != bucket {
            bucket.clone_into(&mut known);
            self.begin(bucket, now);
        }
    }

    fn begin(&self, bucket: &str, now: Timestamp) {
        let (families, now) = (&self.families, now.as_second() as f64);
        families.replace([
            (&families.interval, vec![(of_bucket(bucket), self.interval.as_secs_f64())]),
            (&families.last_success, vec![(of_bucket(bucket), now)]),
            (&families.round_begun, vec![(of_bucket(bucket), now)]),
        ]);
    }

    /// A round begins.
    pub fn began(&self, now: Timestamp) {
        let bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        self.families.set(&self.families.round_begun, of_bucket(&bucket), now.as_second() as f64);
    }

    /// All of it as Prometheus reads it (OpenMetrics).
    pub fn text(&self) -> String {
        self.families.text()
    }

    /// The round has ended.
    pub fn ended(&self, result: RoundResult, now: Timestamp) {
        let (families, bucket) = (&self.families, self.bucket.lock().unwrap_or_else(PoisonError::into_inner));
        families.count(&families.rounds, vec![("result", result.name().to_owned())], 1);
        families.set(&families.round_begun, of_bucket(&bucket), 0.0);
        if result == RoundResult::Done {
            families.set(&families.last_success, of_bucket(&bucket), now.as_second() as f64);
        }
    }

    /// Something has failed; `kind` is one of [`ERROR_KINDS`].
    pub fn failed(&self, kind: &'static str) {
        self.families.count(&self.families.errors, vec![("kind", kind.to_owned())], 1);
    }

    /// Who holds the lease of the bucket.
    pub fn lease(&self, bucket: &str, lease: Option<&LeaseView>) {
        let families = &self.families;
        let held = lease.filter(|lease| lease.standing == Standing::Held).map(|lease| {
            let mut labels = of_bucket(bucket);
            labels.push(("host", lease.holder.host.clone()));
            labels.push(("process", lease.holder.process.to_string()));
            labels.push(("purpose", lease.purpose.command.clone()));
            (labels, 1.0)
        });
        families.replace([(&families.lease_holder, held.into_iter().collect())]);
    }

    /// What a plan says of the datasets.
    pub fn planned(&self, bucket: &str, datasets: &[DatasetSummary]) {
        let (mut share, mut limit, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
        for DatasetSummary { name, guard, .. } in datasets {
            let Some(guard) = guard else { continue };
            let labels = of_dataset(bucket, name);
            for (of, percent) in [("units", guard.share.0), ("bytes", guard.share.1)] {
                share.push(([labels.clone(), vec![("of", of.to_owned())]].concat(), percent / 100.0));
            }
            limit.push((labels.clone(), f64::from(guard.percent) / 100.0));
            stopped.push((labels, f64::from(u8::from(guard.exceeded))));
        }
        let families = &self.families;
        families.replace([
            (&families.guard_share, share),
            (&families.guard_limit, limit),
            (&families.guard_stopped, stopped),
        ]);
    }

    /// What rules are due for, by dataset and rule, at `now`.
    pub fn due<'a>(&self, bucket: &str, due: impl Iterator<Item = (&'a str, &'a str, &'a RuleDue)>, now: Timestamp) {
        let [mut units, mut bytes, mut overdue_units, mut overdue_bytes, mut oldest] = [const { Vec::new() }; 5];
        for (dataset, rule, due) in due {
            let labels = of_rule(bucket, dataset, rule);
            units.push((labels.clone(), due.due.units as f64));
            bytes.push((labels.clone(), due.due.bytes as f64));
            overdue_units.push((labels.clone(), due.overdue.units as f64));
            overdue_bytes.push((labels.clone(), due.overdue.bytes as f64));
            let age = due.oldest_overdue.map_or(0.0, |since| now.duration_since(since).as_secs_f64());
            oldest.push((labels, age));
        }
        let families = &self.families;
        families.replace([
            (&families.due_units, units),
            (&families.due_bytes, bytes),
            (&families.overdue_units, overdue_units),
            (&families.overdue_bytes, overdue_bytes),
            (&families.oldest_overdue, oldest),
        ]);
    }

    /// What was announced, and what waits to be approved.
    pub fn said(&self, bucket: &str, said: &ServedPolicy) {
        let (mut units, mut bytes) = (Vec::new(), Vec::new());
        for rule in said.rules.iter().filter(|rule| rule.approved) {
            let labels = of_rule(bucket, &rule.dataset, &rule.rule);
            let is_announced = !rule.announcements.is_empty();
            let Amount { units: count, bytes: size, .. } = if is_announced { rule.waits } else { Amount::default() };
            units.push((labels.clone(), count as f64));
            bytes.push((labels, size as f64));
        }
        let waiting = said.waiting().map(|rule| {
            let mut labels = of_rule(bucket, &rule.dataset, &rule.rule);
            labels.push(("action", rule.action.clone()));
            labels.push(("digest", rule.digest.clone()));
            (labels, 1.0)
        });
        let families = &self.families;
        families.replace([
            (&families.announced_units, units),
            (&families.announced_bytes, bytes),
            (&families.approval_waiting, waiting.collect()),
        ]);
    }

    /// How the runs of the bucket stand at `now`.
    pub fn runs(&self, bucket: &str, records: &[RunRecord], now: Timestamp) {
        let mut trash = Amount::default();
        for record in records.iter().filter(|record| record.state != RunState::Purged) {
            record.datasets.values().for_each(|done| trash.add(in_trash(done)));
        }
        let waiting = records.iter().filter(|record| record.state == RunState::WaitingForGateway);
        let lag = waiting
            .map(|record| now.duration_since(record.moved.unwrap_or(record.started)).as_secs_f64())
            .fold(0.0, f64::max);
        let families = &self.families;
        let labels = of_bucket(bucket);
        families.replace([
            (&families.trash_objects, vec![(labels.clone(), trash.objects as f64)]),
            (&families.trash_bytes, vec![(labels.clone(), trash.bytes as f64)]),
            (&families.native_lag, vec![(labels, lag)]),
        ]);
    }

    /// A run has gone on from what was known `before`.
    pub fn acted(&self, bucket: &str, before: Option<&RunRecord>, after: &RunRecord) {
        let families = &self.families;
        for (dataset, done) in &after.datasets {
            let known = before.and_then(|before| before.datasets.get(dataset));
            for (action, amount) in &done.actions {
                let known = known.and_then(|known| known.actions.get(action)).copied().unwrap_or_default();
                let labels = [of_dataset(bucket, dataset), vec![("action", action.clone())]].concat();
                let more = amount.without(known);
                families.count(&families.action_units, labels.clone(), more.units);
                families.count(&families.action_objects, labels.clone(), more.objects);
                families.count(&families.action_bytes, labels, more.bytes);
            }
        }
        let skipped = after.skipped_count.saturating_sub(before.map_or(0, |before| before.skipped_count));
        families.count(&families.skipped_units, of_bucket(bucket), skipped);
    }
}

/// What a run has in the trash, by what it did.
fn in_trash(done: &DatasetDone) -> Amount {
    let mut sum = Amount::default();
    for action in [Action::Expire, Action::SweepAbandoned] {
        done.actions.get(action.name()).into_iter().for_each(|amount| sum.add(*amount));
    }
    sum.without(done.undone)
}

fn of_bucket(bucket: &str) -> Labels {
    vec![("bucket", bucket.to_owned())]
}

fn of_dataset(bucket: &str, dataset: &str) -> Labels {
    vec![("bucket", bucket.to_owned()), ("dataset", dataset.to_owned())]
}

fn of_rule(bucket: &str, dataset: &str, rule: &str) -> Labels {
    vec![("bucket", bucket.to_owned()), ("dataset", dataset.to_owned()), ("rule", rule.to_owned())]
}
