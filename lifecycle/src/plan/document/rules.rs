//! What may stand in a plan. A run touches what its plan names, so that nothing may stand there that no policy could
//! have meant: a key outside its unit or dataset, one of s3life's own, an object twice.

use std::collections::BTreeMap;

use crate::inventory::is_state_of_job;
use crate::plan::line::{
    Amount, DatasetSummary, End, Header, Line, PlannedAction, PlannedObject, PlannedUnit, PlannedUpload, Shape,
};
use crate::policy::{Action, CONTROL_PREFIX, Dataset, Policy, Rule, Unit};
use crate::run::keys::is_run_name;

/// What was seen of a plan so far.
pub(super) struct PlanChecker<'a> {
    policy: Option<&'a Policy>,
    confirmed: &'a [String],
    planned: Amount,
    /// Of the unit that the last line belongs to.
    unit: Option<(PlannedUnit, Amount)>,
    last_key: Option<String>,
    datasets: Vec<Seen>,
}

/// What was seen of a dataset.
#[derive(Default)]
struct Seen {
    name: String,
    rules: BTreeMap<String, Amount>,
    /// The last unit.
    last: Option<String>,
    /// Least and greatest of the prefixes and keys that were seen, with their lines: what is between them begins as they
    /// do.
    ends: Option<((String, u64), (String, u64))>,
}

type Checked = Result<(), String>;

impl<'a> PlanChecker<'a> {
    /// For a plan that begins with `header`, of `policy` with the SHA-256 of its text.
    pub(super) fn new(header: &'a Header, policy: Option<(&'a Policy, &str)>) -> Result<Self, String> {
        if let Some((policy, sha256)) = policy {
            if header.policy.sha256 != sha256 {
                return Err(format!(
                    "it was made of {} as it was then, and the text is another now",
                    header.policy.path
                ));
            }
            if header.bucket != policy.bucket {
                return Err(format!("it is for the bucket {}, not for {}", header.bucket, policy.bucket));
            }
        }
        Ok(Self {
            policy: policy.map(|(policy, _)| policy),
            confirmed: &header.confirmed,
            planned: Amount::default(),
            unit: None,
            last_key: None,
            datasets: Vec::new(),
        })
    }

    /// Whether `line`, of this number, may stand behind those before it.
    pub(super) fn check(&mut self, line: &Line, number: u64) -> Checked {
        match line {
            Line::Object(object) => return self.object(object),
            Line::Unit(unit) => {
                self.close()?;
                self.open(unit, number)?;
            }
            Line::Upload(upload) => {
                self.close()?;
                self.upload(upload, number)?;
            }
            Line::Trash(trash) if !is_run_name(&trash.run) => {
                return Err(format!("`{}` is the name of no run", trash.run));
            }
            Line::Plan(_) | Line::Trash(_) | Line::End(_) => self.close()?,
        }
        Ok(())
    }

    fn open(&mut self, unit: &PlannedUnit, number: u64) -> Checked {
        if unit.partial && unit.action.removes() {
            return Err(format!("`{}` takes whole units", unit.action.name()));
        }
        if unit.action == PlannedAction::Delete && !self.confirmed.contains(&unit.dataset) {
            return Err(format!("nobody confirmed that {} is deleted without trash", unit.dataset));
        }
        not_ours(&unit.prefix)?;
        let is_directory = unit.prefix.is_empty() || unit.prefix.ends_with('/');
        if is_directory == (unit.shape == Shape::Object) {
            return Err(format!("{} has another shape", unit.prefix));
        }
        if let Some(policy) = self.policy {
            is_meant(policy, unit)?;
        }
        let seen = self.dataset(&unit.dataset)?;
        if let Some(last) = seen.last.as_ref().filter(|last| **last >= unit.prefix) {
            return Err(format!("the unit {} stands behind {last}", unit.prefix));
        }
        seen.last = Some(unit.prefix.clone());
        seen.note(&unit.prefix, number);
        self.unit = Some((unit.clone(), Amount::default()));
        self.last_key = None;
        Ok(())
    }

    fn object(&mut self, object: &PlannedObject) -> Checked {
        let Some((unit, found)) = &mut self.unit else { return Err("an object stands behind no unit".to_owned()) };
        let is_inside = match unit.shape {
            Shape::Object => object.key == unit.prefix,
            Shape::Prefix | Shape::Directory => object.key.starts_with(&unit.prefix),
        };
        if !is_inside {
            return Err(format!("the key {} is outside its unit {}", object.key, unit.prefix));
        }
        not_ours(&object.key)?;
        let path = object.key.strip_prefix(&unit.prefix).unwrap_or_default();
        if unit.action != PlannedAction::SweepAbandoned && is_state_of_job(path) {
            return Err(format!("the key {} belongs to a job", object.key));
        }
        if object.etag.is_empty() {
            return Err(format!("the object {} has no ETag", object.key));
        }
        if let Some(last) = self.last_key.as_ref().filter(|last| **last >= object.key) {
            return Err(format!("the key {} stands behind {last}", object.key));
        }
        self.last_key = Some(object.key.clone());
        found.objects += 1;
        found.bytes += object.bytes;
        Ok(())
    }

    fn upload(&mut self, upload: &PlannedUpload, number: u64) -> Checked {
        not_ours(&upload.key)?;
        if let Some(policy) = self.policy {
            rule_of(policy, &upload.dataset, &upload.rule, &Action::AbortUploads)?;
            if policy.hold_of(&upload.key).is_some() {
                return Err(format!("{} is held by the policy", upload.key));
            }
        }
        self.dataset(&upload.dataset)?.note(&upload.key, number);
        Ok(())
    }

    /// The unit before has all objects that it said.
    fn close(&mut self) -> Checked {
        let Some((unit, found)) = self.unit.take() else { return Ok(()) };
        if (found.objects, found.bytes) != (unit.objects, unit.bytes) {
            return Err(format!(
                "the unit {} before it has {} objects with {} bytes, and says {} with {}",
                unit.prefix, found.objects, found.bytes, unit.objects, unit.bytes
            ));
        }
        let found = Amount { units: 1, ..found };
        self.planned.add(found);
        if let Some(seen) = self.datasets.last_mut() {
            seen.rules.entry(unit.rule).or_default().add(found);
        }
        Ok(())
    }

    /// The dataset that lines are about now.
    fn dataset(&mut self, name: &str) -> Result<&mut Seen, String> {
        if self.datasets.last().is_none_or(|last| last.name != name) {
            if self.datasets.iter().any(|seen| seen.name == name) {
                return Err(format!("lines of {name} stand apart from each other"));
            }
            self.datasets.push(Seen { name: name.to_owned(), ..Seen::default() });
        }
        self.datasets.last_mut().ok_or_else(String::new)
    }

    /// Whether the last line says what was seen. A failure may be about an earlier line.
    pub(super) fn check_end(&self, end: &End) -> Result<(), (Option<u64>, String)> {
        let wrong = |reason: String| Err((None, reason));
        if end.planned != self.planned {
            return wrong("its sums are not those of the units".to_owned());
        }
        for seen in &self.datasets {
            let Some(summary) = end.datasets.iter().find(|dataset| dataset.name == seen.name) else {
                return wrong(format!("it does not know the dataset {}", seen.name));
            };
            if let Some((place, line)) = seen.outside(&summary.prefix) {
                return Err((Some(line), format!("{place} is outside {}, the dataset {}", summary.prefix, seen.name)));
            }
        }
        for summary in &end.datasets {
            let seen = self.datasets.iter().find(|seen| seen.name == summary.name);
            let is_right = match seen {
                Some(seen) => seen.rules == summary.rules,
                None => summary.rules.is_empty(),
            };
            if !is_right {
                return wrong(format!("its sums of {} are not those of the units", summary.name));
            }
        }
        Ok(())
    }

    /// Whether the last line is about the policy's datasets, and no guard stops it.
    pub(super) fn check_policy(&self, end: &End, policy: &Policy) -> Checked {
        let planned = end.datasets.iter().map(|summary| (&summary.name, &summary.prefix));
        if !planned.eq(policy.datasets.iter().map(|dataset| (&dataset.name, &dataset.prefix))) {
            return Err("its datasets are not those of the policy".to_owned());
        }
        for (dataset, summary) in policy.datasets.iter().zip(&end.datasets) {
            if dataset.guard.is_some() && summary.guard.is_none() && removes(summary, dataset) {
                return Err(format!("it removes from {} and says nothing of its guard", dataset.name));
            }
            if summary.catalog.as_ref() != dataset.catalog.as_ref().filter(|_| dataset.loses(&summary.rules)) {
                return Err(format!("it names another table of {} than the policy", dataset.name));
            }
        }
        end.stopped().map_or(Ok(()), Err)
    }
}

impl Seen {
    fn note(&mut self, place: &str, line: u64) {
        let here = || (place.to_owned(), line);
        match &mut self.ends {
            None => self.ends = Some((here(), here())),
            Some((least, _)) if place < least.0.as_str() => *least = here(),
            Some((_, greatest)) if place > greatest.0.as_str() => *greatest = here(),
            Some(_) => {}
        }
    }

    fn outside(&self, prefix: &str) -> Option<(&str, u64)> {
        let (least, greatest) = self.ends.as_ref()?;
        [least, greatest]
            .into_iter()
            .find(|(place, _)| !place.starts_with(prefix))
            .map(|(place, line)| (place.as_str(), *line))
    }
}

fn removes(summary: &DatasetSummary, dataset: &Dataset) -> bool {
    let removing = |rule: &&Rule| rule.action.as_ref().is_some_and(Action::is_guarded);
    dataset.rules.iter().filter(removing).any(|rule| summary.rules.contains_key(&rule.name))
}

fn not_ours(key: &str) -> Checked {
    if key.starts_with(CONTROL_PREFIX) {
        return Err(format!("{key} is where s3life keeps its own state"));
    }
    Ok(())
}

/// Whether the policy could have meant the unit.
fn is_meant(policy: &Policy, unit: &PlannedUnit) -> Checked {
    let action = match &unit.action {
        PlannedAction::Tier(class) => Action::Tier(class.clone()),
        PlannedAction::Archive(class) => Action::Archive(class.clone()),
        PlannedAction::Expire => Action::Expire,
        PlannedAction::Delete => Action::Delete,
        PlannedAction::SweepAbandoned => Action::SweepAbandoned,
    };
    let dataset = rule_of(policy, &unit.dataset, &unit.rule, &action)?;
    let path = unit.prefix.strip_prefix(&dataset.prefix);
    let path = path.ok_or_else(|| format!("{} is outside the dataset {}", unit.prefix, dataset.name))?;
    let shape = match (&action, dataset.unit) {
        (Action::SweepAbandoned, _) | (_, Unit::Partition) => Shape::Prefix,
        (_, Unit::Directory) => Shape::Directory,
        (_, Unit::Object) => Shape::Object,
    };
    if unit.shape != shape {
        return Err(format!("{} is no unit of the dataset {}", unit.prefix, dataset.name));
    }
    if is_state_of_job(path) != (action == Action::SweepAbandoned) {
        return Err(format!("`{}` does not concern {}", unit.action.name(), unit.prefix));
    }
    if policy.hold_of(&unit.prefix).is_some() {
        return Err(format!("{} is held by the policy", unit.prefix));
    }
    Ok(())
}

fn rule_of<'a>(policy: &'a Policy, dataset: &str, rule: &str, action: &Action) -> Result<&'a Dataset, String> {
    let found = policy.datasets.iter().find(|own| own.name == dataset);
    let found = found.ok_or_else(|| format!("the policy has no dataset {dataset}"))?;
    let has_it = |own: &Rule| own.name == rule && own.action.as_ref() == Some(action);
    if !found.rules.iter().any(has_it) {
        return Err(format!("no rule {rule} of {dataset} says `{}`", action.name()));
    }
    Ok(found)
}
