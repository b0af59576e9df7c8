//! `s3life explain POLICY s3a://BUCKET/KEY`

use std::collections::BTreeMap;

use clap::Args;
use jiff::{Timestamp, ZonedDateTime};
use serde_json::{Value, json};

use super::help;
use super::output::{self, Failure, ReadPolicy};
use super::traces::{Trace, meets, traces};
use super::{Common, Form, PolicyFile};
use crate::decide::{Verdict, decide};
use crate::inventory::Inventory;
use crate::listing::Pace;
use crate::plan::holds::nearest;
use crate::policy::{Age, Dataset, Place, Policy, Unit};
use crate::unit::UnitSummary;

#[derive(Debug, Args)]
pub(super) struct Explain {
    #[command(flatten)]
    policy: PolicyFile,
    /// An object or a directory, s3a://BUCKET/PATH.
    uri: String,
    /// As if it were this time, as in 2026-11-25T12:00:00Z. Without it: the gateway's time.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
}

impl Explain {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        self.told(common)?.iter().try_for_each(|told| {
            output::line(&match common.output {
                Form::Json => told.json.to_string(),
                Form::Text => told.text.clone(),
            })
        })
    }

    /// What becomes of the units that the place meets.
    pub(super) fn told(&self, common: &Common) -> Result<Vec<Told>, Failure> {
        let ReadPolicy { policy, source } = output::read_policy(&self.policy.path)?;
        let wanted = self.key(&policy)?;
        let dataset = self.dataset(&policy)?;
        let connection = common.connect(&policy.bucket)?;
        let now = match self.now {
            Some(now) => now,
            None => connection.wait(connection.bucket().time())?,
        };
        let now = now.to_zoned_datetime(policy.zone.clone());
        let lister = connection.lister(Pace::default());
        let survey = connection.wait(lister.survey(&policy, dataset, &now, Some(wanted.clone())))?;
        let inventory = survey.inventory;
        let verdicts = decide(&policy, dataset, &inventory, &now);
        let mut traces = match connection.wait(traces(&connection.bucket(), &wanted, &source.path)) {
            // Who may not read the state of s3life is told what the policy means all the same.
            Err(denied) if help::is_denied(&denied) => BTreeMap::new(),
            traces => traces?,
        };
        let nearest = connection.wait(nearest(connection.gateway(), &policy.bucket, &wanted))?;
        let lies_there = nearest == wanted;
        let found = inventory.units.iter().zip(&verdicts).filter(|(unit, _)| meets(&unit.prefix, &wanted));
        let told = found.map(|(unit, verdict)| {
            let trace = traces.remove(&unit.prefix);
            let mut explained = Explained::of(&policy, dataset, unit, verdict);
            if let Some(trace) = &trace {
                explained.with(trace);
            }
            explained.told(&policy.bucket, unit, trace.as_ref())
        });
        let mut told: Vec<_> = told.collect();
        // What is no unit any more.
        let is_gone = |trace: &Trace| matches!(trace.what, "removed" | "gone" | "half gone");
        let gone = traces.iter().filter(|(_, trace)| is_gone(trace));
        told.extend(gone.map(|(prefix, trace)| Told::gone(&policy.bucket, dataset, prefix, trace)));
        if !lies_there && !told.iter().any(Told::is_gone) {
            told.insert(0, self.nothing(&policy, dataset, &nearest));
        }
        if told.is_empty() {
            told.push(self.outside(&policy, dataset, &inventory, &wanted));
        }
        Ok(told)
    }

    fn key(&self, policy: &Policy) -> Result<String, Failure> {
        let place: Place = self.uri.parse().map_err(Failure::Usage)?;
        if place.bucket != policy.bucket {
            let message = format!(
                "{} lies in another bucket than the policy's, and is none of its affairs: write s3a://{}/{}",
                self.uri, policy.bucket, place.prefix
            );
            return Err(Failure::Usage(message));
        }
        let is_directory = self.uri.ends_with('/');
        Ok(if is_directory { place.prefix } else { place.prefix.trim_end_matches('/').to_owned() })
    }

    fn dataset<'a>(&self, policy: &'a Policy) -> Result<&'a Dataset, Failure> {
        let key = self.key(policy)?;
        let inside = |dataset: &&Dataset| format!("{key}/").starts_with(&dataset.prefix);
        policy.datasets.iter().find(inside).ok_or_else(|| {
            let known = policy.datasets.iter().map(|dataset| format!("s3a://{}/{}", policy.bucket, dataset.prefix));
            let known: Vec<_> = known.collect();
            Failure::Usage(format!("{} is in none of the policy's datasets: {}", self.uri, known.join(", ")))
        })
    }

    fn nothing(&self, policy: &Policy, dataset: &Dataset, nearest: &str) -> Told {
        let nearest = format!("s3a://{}/{nearest}", policy.bucket);
        let reason = format!("nothing lies at {}; the nearest place where something does is {nearest}", self.uri);
        Told {
            json: json!({
                "uri": self.uri, "dataset": dataset.name, "verdict": "nothing", "nearest": nearest, "reason": reason
            }),
            text: reason,
        }
    }

    fn outside(&self, policy: &Policy, dataset: &Dataset, inventory: &Inventory, key: &str) -> Told {
        let table = inventory.tables.iter().find(|table| key.starts_with(&table.prefix));
        let reason = match table {
            Some(table) => {
                format!("it belongs to a table of another system; old data of it goes by {}", table.format.procedure())
            }
            None => format!(
                "it belongs to no unit of the dataset {}, so that no rule touches it: {}",
                dataset.name,
                units_of(policy, dataset)
            ),
        };
        Told {
            json: json!({"uri": self.uri, "dataset": dataset.name, "verdict": "outside", "reason": reason}),
            text: format!("s3a://{}/{key}: {reason}", policy.bucket),
        }
    }
}

/// What the units of a dataset are.
fn units_of(policy: &Policy, dataset: &Dataset) -> String {
    match (dataset.unit, &dataset.age) {
        (Unit::Partition, Age::Partition(template)) => format!(
            "its units are directories such as s3a://{}/{}{}, and none whose name begins with _ or .",
            policy.bucket,
            dataset.prefix,
            template.example().unwrap_or_default()
        ),
        (Unit::Object, _) => "its units are objects, and no markers of directories".to_owned(),
        (Unit::Directory | Unit::Partition, _) => "its units are directories that hold _SUCCESS".to_owned(),
    }
}

/// What becomes of a unit, for programs and for people.
pub(super) struct Told {
    pub(super) json: Value,
    text: String,
}

impl Told {
    /// Of what a run has removed.
    fn gone(bucket: &str, dataset: &Dataset, prefix: &str, trace: &Trace) -> Self {
        let uri = format!("s3a://{bucket}/{prefix}");
        Self {
            json: json!({
                "uri": uri, "dataset": dataset.name, "verdict": "removed", "reason": trace.text, "run": trace
            }),
            text: format!("{uri}: {}", trace.text.trim_start_matches("it was ")),
        }
    }

    fn is_gone(&self) -> bool {
        self.json.get("verdict").is_some_and(|verdict| verdict == "removed")
    }
}

/// A verdict in words.
struct Explained {
    verdict: &'static str,
    /// Whether a run keeps the rule from what it would do.
    is_stopped: bool,
    rule: Option<String>,
    action: Option<&'static str>,
    when: Option<ZonedDateTime>,
    reason: String,
}

impl Explained {
    fn of(policy: &Policy, dataset: &Dataset, unit: &UnitSummary, verdict: &Verdict) -> Self {
        let rule = |index: &usize| dataset.rules.get(*index);
        let name = |index: &usize| rule(index).map(|rule| rule.name.clone());
        let action = |index: &usize| rule(index).and_then(|rule| rule.action.as_ref()).map(|action| action.name());
        let line = |index: &usize| rule(index).map_or(0, |rule| rule.line);
        let word = verdict.word();
        let plain = |reason| Self { verdict: word, is_stopped: false, rule: None, action: None, when: None, reason };
        match verdict {
            Verdict::Due { rule, since } => Self {
                verdict: word,
                is_stopped: false,
                rule: name(rule),
                action: action(rule),
                when: Some(since.clone()),
                reason: format!("by line {} of the policy", line(rule)),
            },
            Verdict::NotYet { rule, due } => Self {
                verdict: word,
                is_stopped: false,
                rule: name(rule),
                action: action(rule),
                when: Some(due.clone()),
                reason: format!("by line {} of the policy", line(rule)),
            },
            Verdict::Settling { rule, until } => Self {
                verdict: word,
                is_stopped: false,
                rule: name(rule),
                action: action(rule),
                when: Some(until.clone()),
                reason: format!("an object was written {}, and settle is {}", unit.newest, dataset.settle),
            },
            Verdict::Kept { rule } => Self {
                verdict: word,
                is_stopped: false,
                rule: name(rule),
                action: None,
                when: None,
                reason: format!("by line {} of the policy", line(rule)),
            },
            Verdict::Held { hold } => {
                let hold = policy.holds.get(*hold);
                let why = hold.map_or("", |hold| hold.reason.as_str());
                let who = hold.map(|hold| hold.owner.as_str()).filter(|owner| !owner.is_empty());
                plain(format!("{why}{}", who.map(|who| format!(", until {who} lifts it")).unwrap_or_default()))
            }
            Verdict::OfTable { format } => {
                plain(format!("its files are named by a log; old data of it goes by {}", format.procedure()))
            }
            Verdict::Running { key } => plain(format!("a job is at work there: {key}")),
            Verdict::Undated => plain("the values of its columns say no time, so that it never gets old".to_owned()),
            Verdict::Untouched => plain("no rule has anything to do with it".to_owned()),
        }
    }

    /// Adds what a run did there.
    fn with(&mut self, trace: &Trace) {
        if trace.stops_rules() && matches!(self.verdict, "due" | "not yet" | "settling") {
            self.verdict = if trace.what == "held" { "held until" } else { trace.what };
            self.is_stopped = true;
            self.reason.clone_from(&trace.text);
            return;
        }
        let before = if matches!(trace.what, "removed" | "gone") { "what lay there before: " } else { "" };
        self.reason = format!("{}; {before}{}", self.reason, trace.text);
    }

    fn told(&self, bucket: &str, unit: &UnitSummary, trace: Option<&Trace>) -> Told {
        let uri = format!("s3a://{bucket}/{}", unit.prefix);
        let when = self.when.as_ref().map(|when| when.timestamp().to_string());
        let classes: Value =
            unit.classes().into_iter().map(|(class, bytes)| (class.to_owned(), json!(bytes))).collect();
        let json = json!({
            "uri": uri, "verdict": self.verdict, "rule": self.rule, "action": self.action, "when": when,
            "reason": self.reason, "objects": unit.objects, "bytes": unit.bytes, "classes": classes,
            "run": trace,
        });
        if self.is_stopped {
            return Told { json, text: format!("{uri}: {}: {}", self.verdict, self.reason) };
        }
        let rule = self.rule.as_ref().map(|rule| format!(" rule {rule}")).unwrap_or_default();
        let action = self.action.map(|action| format!(" ({action})")).unwrap_or_default();
        let when = when.map(|when| format!(", {when}")).unwrap_or_default();
        Told { json, text: format!("{uri}: {}{rule}{action}{when}: {}", self.verdict, self.reason) }
    }
}
