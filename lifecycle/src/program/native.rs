//! `s3life native POLICY`

use std::collections::BTreeSet;

use clap::Args;
use s3core::ops::{LifecycleRule, RuleAction};
use serde_json::{Value, json};

use super::carry_out::carry_out;
use super::output::{self, Failure};
use super::work::{Work, WorkOptions};
use super::{Common, Form, PolicyFile};
use crate::act::tier::stop_tiering;
use crate::policy::{CONTROL_PREFIX, Policy};
use crate::run::lease::Purpose;
use crate::run::record::RunState;
use crate::tier::Rules;

#[derive(Debug, Args)]
pub(super) struct Native {
    #[command(flatten)]
    policy: PolicyFile,
    /// First put the rules of the runs that wait for the gateway in place, and take away those of units that have moved. Nothing
    /// is planned.
    #[arg(long, conflicts_with = "remove")]
    apply: bool,
    /// First take away all rules of s3life: nothing moves until `apply` puts them in place again. Rules of others stay.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    work: WorkOptions,
}

impl Native {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let policy = output::policy(&self.policy.path)?;
        let connection = common.connect(&policy.bucket)?;
        if self.apply || self.remove {
            connection.wait(async {
                let work = Work::begin(&connection, &self.work, &Purpose::from("native")).await?;
                let changed = if self.apply { put_in_place(&work, &policy).await } else { take_away(&work).await };
                work.end().await;
                changed
            })?;
        }
        let rules = connection.rules()?;
        let own = rules.own().map(|(run, rule)| Shown::of(&policy, rule, Some(run)));
        let foreign = rules.foreign().map(|rule| Shown::of(&policy, rule, None));
        let shown: Vec<_> = own.chain(foreign).collect();
        match common.output {
            Form::Json => {
                let rules: Vec<_> = shown.iter().map(Shown::json).collect();
                output::line(&json!({"bucket": policy.bucket, "rules": rules}).to_string())
            }
            Form::Text if shown.is_empty() => output::line(&format!("s3a://{}/ has no lifecycle rules", policy.bucket)),
            Form::Text => shown.iter().try_for_each(|rule| output::line(&rule.line())),
        }
    }
}

/// What `apply` does for runs that were begun.
async fn put_in_place(work: &Work, policy: &Policy) -> Result<(), Failure> {
    let records = work.store.records().await?;
    let waiting = records.iter().rev().filter(|record| record.state == RunState::WaitingForGateway);
    for record in waiting {
        carry_out(work, &record.run, policy, &records).await?;
    }
    Ok(())
}

async fn take_away(work: &Work) -> Result<(), Failure> {
    let rules = Rules::read(work.bucket.gateway(), work.bucket.name()).await?;
    for run in rules.own().map(|(run, _)| run).collect::<BTreeSet<_>>() {
        stop_tiering(&work.objects(), run).await?;
    }
    Ok(())
}

/// A rule, and what it means for a policy.
struct Shown<'a> {
    rule: &'a LifecycleRule,
    /// The run that has made it.
    run: Option<&'a str>,
    /// Datasets that it works on, too.
    datasets: Vec<&'a str>,
    /// Whether plans are refused because of it.
    stops_plans: bool,
}

impl<'a> Shown<'a> {
    fn of(policy: &'a Policy, rule: &'a LifecycleRule, run: Option<&'a str>) -> Self {
        let met = policy.datasets.iter().filter(|dataset| rule.is_enabled() && rule.meets(&dataset.prefix));
        Self {
            rule,
            run,
            datasets: met.map(|dataset| dataset.name.as_str()).collect(),
            stops_plans: run.is_none() && rule.changes_objects() && rule.meets(CONTROL_PREFIX),
        }
    }

    fn json(&self) -> Value {
        let filter = self.rule.filter();
        let tags: Value = filter.tags.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
        let actions = self.rule.actions().iter().map(|action| match action {
            RuleAction::Transition { class, days } => json!({"action": action.name(), "class": class, "days": days}),
            _ => json!({"action": action.name()}),
        });
        json!({
            "id": self.rule.id(), "run": self.run, "enabled": self.rule.is_enabled(), "prefix": filter.prefix, "tags": tags,
            "larger_than": filter.larger_than, "smaller_than": filter.smaller_than,
            "actions": actions.collect::<Vec<_>>(), "datasets": self.datasets, "stops_plans": self.stops_plans,
            "xml": self.rule.xml(),
        })
    }

    fn line(&self) -> String {
        let owner = self.run.map_or_else(|| "foreign".to_owned(), |run| format!("of run {run}"));
        let actions = self.rule.actions().iter().map(|action| match action {
            RuleAction::Transition { class, .. } => format!("{} to {class}", action.name()),
            _ => action.name().to_owned(),
        });
        let actions: Vec<_> = actions.collect();
        let state = if self.rule.is_enabled() { "" } else { ", disabled" };
        let datasets = match self.datasets.as_slice() {
            [] => String::new(),
            names => format!(", meets the dataset {}", names.join(", ")),
        };
        let stops = if self.stops_plans {
            format!(", stops every plan: it is also about {CONTROL_PREFIX}")
        } else {
            String::new()
        };
        let (id, filter) = (self.rule.id(), self.rule.filter());
        let narrower = if filter.tags.is_empty() && filter.larger_than.is_none() && filter.smaller_than.is_none() {
            ""
        } else {
            " with certain tags or sizes"
        };
        format!("{id}: {owner}{state}: {} of `{}`{narrower}{datasets}{stops}", actions.join(", "), filter.prefix)
    }
}
