//! The plan of one dataset.

use std::collections::BTreeMap;

use jiff::{Timestamp, ZonedDateTime};

use crate::inventory::{JobTree, Table};
use crate::listing::{Lister, Survey};
use crate::plan::document::PlanWriter;
use crate::plan::line::{Amount, DatasetSummary, PlannedAction, PlannedUnit, PlannedUpload, Shape};
use crate::policy::{Action, Dataset, Rule, Unit};

use super::served::{Due, RuleDue};
use super::{Jobs, MakeError, Request, after, guard, objects, units};

/// What was found in a dataset, for people.
#[derive(Debug, Clone, Default)]
pub struct DatasetNotes {
    /// Partitions whose values say no time, and the first of them.
    pub undated: (u64, Option<String>),
    /// Units that each hold of the policy protects, by its index.
    pub held: BTreeMap<usize, u64>,
    /// Units that earlier runs hold because they cannot be copied, by the end of that.
    pub waiting: BTreeMap<Timestamp, u64>,
    /// Units that were brought back, by the run that is to be released before a rule works there.
    pub undone: BTreeMap<String, u64>,
    /// Tables of other systems.
    pub tables: Vec<Table>,
    /// Jobs that are at work.
    pub at_work: Jobs,
    /// The trees of those that write to a directory around it.
    pub at_work_above: Vec<String>,
    /// What killed jobs have left.
    pub abandoned: Jobs,
    /// Whether these keys may not remove what is to go: somebody else has to apply it.
    pub is_denied: bool,
    /// A run that is under way there: nothing is planned beside it.
    pub running: Option<String>,
    /// What rules are due for, by their names; empty where somebody looks at the plan.
    pub due: BTreeMap<String, RuleDue>,
    /// Where nothing lies in it: the nearest place where something does, first letters of keys up to a slash.
    pub nearest: Option<String>,
}

/// What is planned in a dataset, while it is.
pub(super) struct Planning<'a> {
    pub(super) lister: &'a Lister,
    pub(super) request: &'a Request<'a>,
    pub(super) dataset: &'a Dataset,
    pub(super) now: &'a ZonedDateTime,
    pub(super) writer: &'a mut PlanWriter,
    pub(super) notes: DatasetNotes,
    /// Units that nothing is done with, by the word for it.
    pub(super) left: BTreeMap<&'static str, u64>,
}

/// Writes what is planned in a dataset.
pub(super) async fn plan(
    lister: &Lister,
    request: &Request<'_>,
    dataset: &Dataset,
    now: &ZonedDateTime,
    writer: &mut PlanWriter,
) -> Result<(DatasetSummary, DatasetNotes), MakeError> {
    let survey = lister.survey(request.policy, dataset, now, None).await?;
    let notes = DatasetNotes {
        running: request.past.running(&dataset.prefix).map(|record| record.run.clone()),
        tables: survey.inventory.tables.clone(),
        at_work: Jobs::of(survey.inventory.jobs.iter().filter(|job| !job.is_abandoned)),
        at_work_above: survey.inventory.jobs_above.clone(),
        abandoned: Jobs::of(survey.inventory.jobs.iter().filter(|job| job.is_abandoned)),
        ..DatasetNotes::default()
    };
    let mut planning = Planning { lister, request, dataset, now, writer, notes, left: BTreeMap::new() };
    let Survey { inventory, ranges } = survey;
    let total = inventory.total;
    match dataset.unit {
        Unit::Object => objects::plan(&mut planning, &inventory, ranges).await?,
        Unit::Partition | Unit::Directory => units::plan(&mut planning, &inventory).await?,
    }
    for job in &inventory.jobs {
        planning.upload(job)?;
    }
    let Planning { writer, notes, left, .. } = planning;
    let tally = writer.tally().rules.iter().filter(|((own, _), rule)| *own == dataset.name && rule.planned.units > 0);
    let rules: BTreeMap<_, _> = tally.map(|((_, rule), tally)| (rule.clone(), tally.planned)).collect();
    let guarded = dataset.rules.iter().filter(|rule| rule.action.as_ref().is_some_and(Action::is_guarded));
    let mut planned = Amount::default();
    guarded.filter_map(|rule| rules.get(&rule.name)).for_each(|amount| planned.add(*amount));
    let summary = DatasetSummary {
        name: dataset.name.clone(),
        prefix: dataset.prefix.clone(),
        total,
        catalog: dataset.catalog.clone().filter(|_| dataset.loses(&rules)),
        rules,
        left: left.into_iter().map(|(word, count)| (word.to_owned(), count)).collect(),
        outside: inventory.outside,
        guard: guard::verdict(request, dataset, total, planned),
    };
    Ok((summary, notes))
}

impl<'a> Planning<'a> {
    pub(super) fn leave(&mut self, word: &'static str) {
        *self.left.entry(word).or_default() += 1;
    }

    /// Why nothing may be planned at this place, though it is due.
    pub(super) fn obstacle(&mut self, place: &str) -> Option<&'static str> {
        if self.notes.running.is_some() {
            return Some("running run");
        }
        if let Some(until) = self.request.past.held.meeting(place) {
            *self.notes.waiting.entry(*until).or_default() += 1;
            return Some("held until");
        }
        if let Some(word) = self.request.past.waiting.meeting(place) {
            return Some(word);
        }
        let run = self.request.past.undone.meeting(place)?;
        *self.notes.undone.entry(run.clone()).or_default() += 1;
        Some("undone")
    }

    /// What a rule does with a unit.
    pub(super) fn unit(&self, index: usize, prefix: &str, since: &ZonedDateTime) -> Option<PlannedUnit> {
        let rule = self.dataset.rules.get(index)?;
        let action = match rule.action.as_ref()? {
            Action::Tier(class) => PlannedAction::Tier(class.clone()),
            Action::Archive(class) => PlannedAction::Archive(class.clone()),
            Action::Expire => PlannedAction::Expire,
            Action::Delete => PlannedAction::Delete,
            Action::SweepAbandoned => PlannedAction::SweepAbandoned,
            Action::AbortUploads => return None,
        };
        let shape = match (&action, self.dataset.unit) {
            (PlannedAction::SweepAbandoned, _) | (_, Unit::Partition) => Shape::Prefix,
            (_, Unit::Directory) => Shape::Directory,
            (_, Unit::Object) => Shape::Object,
        };
        let goes_to_trash = matches!(action, PlannedAction::Expire | PlannedAction::SweepAbandoned);
        let created = self.request.created.to_zoned_datetime(self.request.policy.zone.clone());
        let trash_until = self.dataset.trash.after(&created).filter(|_| goes_to_trash).map(|until| until.timestamp());
        Some(PlannedUnit {
            dataset: self.dataset.name.clone(),
            rule: rule.name.clone(),
            reason: reason(rule, &action),
            action,
            prefix: prefix.to_owned(),
            shape,
            objects: 0,
            bytes: 0,
            partial: false,
            since: since.timestamp(),
            trash_until,
        })
    }

    /// The rule that sweeps what killed jobs have left, and since when it is due for this.
    pub(super) fn sweep(&self, tree: &JobTree) -> Option<(usize, ZonedDateTime)> {
        (tree.upload.is_none()).then(|| self.due_for(tree, &Action::SweepAbandoned)).flatten()
    }

    /// Why what a job has left waits.
    pub(super) fn tree_waits(&mut self, job: &JobTree, rule: usize, since: &ZonedDateTime) -> Option<&'static str> {
        let amount = Amount { units: 1, objects: job.objects, bytes: job.bytes };
        let due = Due { rule, since: since.timestamp(), newest: job.newest, amount };
        self.waits(&due, |moment| since.timestamp() <= moment)
    }

    fn due_for(&self, job: &JobTree, action: &Action) -> Option<(usize, ZonedDateTime)> {
        let newest = job.newest.to_zoned_datetime(self.request.policy.zone.clone());
        let abandoned = self.dataset.abandoned_after.after(&newest).filter(|_| job.is_abandoned)?;
        let rules = self.dataset.rules.iter().enumerate().filter(|(_, rule)| rule.action.as_ref() == Some(action));
        let due = rules
            .filter_map(|(index, rule)| Some((index, after(rule.when.older_than, &newest)?.max(abandoned.clone()))));
        due.filter(|(_, since)| since <= self.now).min_by(|(_, one), (_, other)| one.cmp(other))
    }

    /// Writes an upload that is to be aborted, if the job is one.
    fn upload(&mut self, job: &JobTree) -> Result<(), MakeError> {
        let Some(upload) = &job.upload else { return Ok(()) };
        let Some((index, since)) = self.due_for(job, &Action::AbortUploads) else { return Ok(()) };
        if self.request.policy.hold_of(&job.key).is_some() || self.obstacle(&job.key).is_some() {
            return Ok(());
        }
        if let Some(word) = self.tree_waits(job, index, &since) {
            self.leave(word);
            return Ok(());
        }
        let Some(rule) = self.dataset.rules.get(index) else { return Ok(()) };
        self.writer.upload(PlannedUpload {
            dataset: self.dataset.name.clone(),
            rule: rule.name.clone(),
            key: job.key.clone(),
            upload: upload.id.clone(),
            begun: upload.begun,
            reason: format!("its job wrote nothing there for {}, by line {}", self.dataset.abandoned_after, rule.line),
        })?;
        Ok(())
    }
}

fn reason(rule: &Rule, action: &PlannedAction) -> String {
    let conditions = if rule.when.object.is_empty() { "" } else { " and meets its conditions" };
    match (&rule.when.older_than, action) {
        (_, PlannedAction::SweepAbandoned) => {
            format!("a job left it and is not at work any more, by line {}", rule.line)
        }
        (Some(period), _) => format!("it is older than {period}{conditions}, by line {}", rule.line),
        (None, _) => format!("it is of any age{conditions}, by line {}", rule.line),
    }
}
