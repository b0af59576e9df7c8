//! What a plan does, in short: by dataset and rule.

use std::collections::BTreeMap;

use crate::plan::line::{Amount, PlannedAction, PlannedObject, PlannedTrash, PlannedUnit, PlannedUpload};

/// What a plan does, in short.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// By dataset and rule.
    pub rules: BTreeMap<(String, String), RuleTally>,
    /// Runs whose trash is emptied, and what lies in it.
    pub trash: Amount,
    /// The first of these runs.
    pub trash_runs: Vec<String>,
    /// What goes to the trash.
    pub trashed: Amount,
    /// The most objects, and the most bytes, of a unit that goes there.
    pub largest: Amount,
}

/// What one rule does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTally {
    /// Its action's name.
    pub action: String,
    /// Units with their objects and bytes.
    pub planned: Amount,
    /// Prefixes of the first and the last unit.
    pub ends: Option<(String, String)>,
    /// Objects whose bytes are really copied, and how many bytes: those that change their storage class, and small ones
    /// that go to the trash. Other copies are references to the same bytes (Radosgw).
    pub copied: (u64, u64),
    /// Objects that move one by one, by a tag.
    pub tagged: u64,
    /// Uploads that are aborted.
    pub uploads: u64,
}

/// Runs that are named.
const MOST_NAMED: usize = 10;

/// Radosgw keeps the first bytes of an object beside its metadata, and copies them with it (`rgw_max_chunk_size`).
const COPIED_WHOLE: u64 = 4 << 20;

impl RuleTally {
    /// Whether objects go by it.
    pub fn removes(&self) -> bool {
        self.planned.units > 0 && !matches!(self.action.as_str(), "tier" | "archive")
    }
}

impl Tally {
    /// Whether nothing is done.
    pub fn is_empty(&self) -> bool {
        self.trash.units == 0 && self.rules.values().all(|rule| rule.planned.units == 0 && rule.uploads == 0)
    }

    pub(super) fn add_unit(&mut self, unit: &PlannedUnit) {
        let rule = self.rule(&unit.dataset, &unit.rule);
        if rule.action.is_empty() {
            unit.action.name().clone_into(&mut rule.action);
        }
        rule.planned.units += 1;
        if matches!(unit.action, PlannedAction::Expire | PlannedAction::SweepAbandoned) {
            self.trashed.add(Amount { units: 1, objects: unit.objects, bytes: unit.bytes });
            self.largest.objects = self.largest.objects.max(unit.objects);
            self.largest.bytes = self.largest.bytes.max(unit.bytes);
        }
        let rule = self.rule(&unit.dataset, &unit.rule);
        match &mut rule.ends {
            Some((_, last)) => last.clone_from(&unit.prefix),
            None => rule.ends = Some((unit.prefix.clone(), unit.prefix.clone())),
        }
    }

    pub(super) fn add_object(&mut self, unit: &PlannedUnit, object: &PlannedObject) {
        let rule = self.rule(&unit.dataset, &unit.rule);
        rule.planned.objects += 1;
        rule.planned.bytes += object.bytes;
        rule.tagged += u64::from(unit.moves_by_tags());
        let is_copied = match &unit.action {
            PlannedAction::Delete => false,
            PlannedAction::Tier(class) | PlannedAction::Archive(class) => object.class != *class,
            PlannedAction::Expire | PlannedAction::SweepAbandoned => object.bytes <= COPIED_WHOLE,
        };
        if is_copied {
            rule.copied.0 += 1;
            rule.copied.1 += object.bytes;
        }
    }

    pub(super) fn add_upload(&mut self, upload: &PlannedUpload) {
        let rule = self.rule(&upload.dataset, &upload.rule);
        if rule.action.is_empty() {
            "abort_uploads".clone_into(&mut rule.action);
        }
        rule.uploads += 1;
    }

    pub(super) fn add_trash(&mut self, trash: &PlannedTrash) {
        self.trash.add(Amount { units: 1, objects: trash.objects, bytes: trash.bytes });
        if self.trash_runs.len() < MOST_NAMED {
            self.trash_runs.push(trash.run.clone());
        }
    }

    fn rule(&mut self, dataset: &str, rule: &str) -> &mut RuleTally {
        self.rules.entry((dataset.to_owned(), rule.to_owned())).or_default()
    }
}
