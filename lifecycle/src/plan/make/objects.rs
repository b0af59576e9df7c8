//! Datasets in which each object is a unit: decided on while they are listed the second time.

use std::collections::BTreeMap;

use jiff::{Timestamp, ZonedDateTime};
use s3core::ops::ListedObject;

use crate::decide::{Judge, Verdict};
use crate::inventory::{Inventory, JobTree, tree_of_job};
use crate::listing::{Range, Tags, as_object};
use crate::plan::line::{Amount, PlannedObject};
use crate::policy::CONTROL_PREFIX;
use crate::unit::UnitSummary;

use super::dataset::Planning;
use super::served::{Due, moments};
use super::{MakeError, is_just_written};

/// Writes the objects that are due, in the order of their keys, and what killed jobs have left among them.
pub(super) async fn plan(
    planning: &mut Planning<'_>,
    inventory: &Inventory,
    ranges: Vec<Range>,
) -> Result<(), MakeError> {
    let judge = Judge::new(planning.request.policy, planning.dataset, &inventory.tables, planning.now);
    let sweeps = sweeps(planning, inventory);
    let moments = moments(planning.request, planning.dataset);
    let judge_at = |moment| Judge::new(planning.request.policy, planning.dataset, &inventory.tables, moment);
    let earlier = moments.iter().map(|moment| (moment.timestamp(), judge_at(moment))).collect();
    let mut objects = Objects { inventory, judge, earlier, sweeps, tree: None };
    let mut listing = planning.lister.in_order(ranges);
    while let Some(mut pages) = listing.next_range() {
        while let Some(page) = pages.next().await? {
            let tags = planning.lister.tags(planning.dataset, &page).await?;
            for listed in page {
                objects.add(planning, listed, &tags)?;
            }
        }
    }
    objects.end_tree(planning)
}

/// What killed jobs have left, and a rule sweeps.
fn sweeps<'a>(planning: &mut Planning<'_>, inventory: &'a Inventory) -> BTreeMap<&'a str, Sweep<'a>> {
    let mut sweeps = BTreeMap::new();
    for tree in &inventory.jobs {
        let Some((rule, since)) = planning.sweep(tree) else { continue };
        if planning.request.policy.hold_of(&tree.key).is_some() {
            planning.leave("held");
        } else if let Some(word) = planning.obstacle(&tree.key).or_else(|| planning.tree_waits(tree, rule, &since)) {
            planning.leave(word);
        } else {
            sweeps.insert(tree.key.as_str(), Sweep { tree, rule, since });
        }
    }
    sweeps
}

/// A tree that is swept.
struct Sweep<'a> {
    tree: &'a JobTree,
    rule: usize,
    since: ZonedDateTime,
}

struct Objects<'a> {
    inventory: &'a Inventory,
    judge: Judge<'a>,
    /// The same at earlier moments.
    earlier: BTreeMap<Timestamp, Judge<'a>>,
    sweeps: BTreeMap<&'a str, Sweep<'a>>,
    /// The tree that the last object was in, whether all of it was as before.
    tree: Option<(&'a JobTree, bool)>,
}

impl Objects<'_> {
    fn add(&mut self, planning: &mut Planning<'_>, listed: ListedObject, tags: &Tags) -> Result<(), MakeError> {
        let Some(path) = listed.key.strip_prefix(&planning.dataset.prefix) else { return Ok(()) };
        if listed.key.starts_with(CONTROL_PREFIX) {
            return Ok(());
        }
        if let Some(path) = tree_of_job(path) {
            let tree = format!("{}{path}", planning.dataset.prefix);
            return self.add_to_tree(planning, &tree, listed);
        }
        self.end_tree(planning)?;
        if listed.key.ends_with('/') {
            return Ok(());
        }
        let object = as_object(&listed, tags);
        let mut unit = UnitSummary::new(object.key, None);
        unit.add(&object, planning.dataset.met(&object));
        unit.running = self.inventory.living.meeting(object.key).cloned();
        let verdict = self.judge.of(&unit);
        if let Verdict::Held { hold } = verdict {
            *planning.notes.held.entry(hold).or_default() += 1;
        }
        let Verdict::Due { rule, since } = verdict else {
            planning.leave(verdict.word());
            return Ok(());
        };
        let (bytes, written, class) = (object.bytes, object.written, object.class.to_owned());
        let obstacle = planning.obstacle(&listed.key);
        let obstacle = obstacle.or_else(|| is_just_written(written, planning.request.created).then_some("settling"));
        let amount = Amount { units: 1, objects: 1, bytes };
        let due = Due { rule, since: since.timestamp(), newest: written, amount };
        let obstacle = obstacle.or_else(|| planning.waits(&due, |moment| self.was_due(&unit, rule, moment)));
        match (obstacle, listed.etag) {
            (Some(word), _) => planning.leave(word),
            (None, None) => planning.leave("without ETag"),
            (None, Some(etag)) => {
                let Some(mut planned) = planning.unit(rule, &listed.key, &since) else { return Ok(()) };
                (planned.objects, planned.bytes) = (1, bytes);
                planning.writer.single(planned, PlannedObject { key: listed.key, bytes, etag, written, class })?;
            }
        }
        Ok(())
    }

    /// Whether an object was due by a rule at an earlier moment, as it is.
    fn was_due(&self, unit: &UnitSummary, rule: usize, moment: Timestamp) -> bool {
        let judge = self.earlier.get(&moment).filter(|_| unit.newest <= moment);
        judge.is_some_and(|judge| judge.of(unit).due_by() == Some(rule))
    }

    fn add_to_tree(&mut self, planning: &mut Planning<'_>, tree: &str, listed: ListedObject) -> Result<(), MakeError> {
        if self.tree.is_none_or(|(current, _)| current.key != tree) {
            self.end_tree(planning)?;
            let Some(Sweep { tree, rule, since }) = self.sweeps.get(tree) else { return Ok(()) };
            let Some(mut planned) = planning.unit(*rule, &tree.key, since) else { return Ok(()) };
            (planned.objects, planned.bytes) = (tree.objects, tree.bytes);
            planning.writer.begin_unit(planned)?;
            self.tree = Some((tree, true));
        }
        let Some((tree, is_same)) = &mut self.tree else { return Ok(()) };
        let none = Tags::new();
        let object = as_object(&listed, &none);
        *is_same &= object.written <= tree.newest;
        let (bytes, written, class) = (object.bytes, object.written, object.class.to_owned());
        match listed.etag {
            Some(etag) => planning.writer.object(PlannedObject { key: listed.key, bytes, etag, written, class })?,
            None => *is_same = false,
        }
        Ok(())
    }

    fn end_tree(&mut self, planning: &mut Planning<'_>) -> Result<(), MakeError> {
        let Some((_, is_same)) = self.tree.take() else { return Ok(()) };
        let is_written =
            if is_same { planning.writer.end_unit()? } else { planning.writer.drop_unit().map(|()| false)? };
        if !is_written {
            planning.leave("changed");
        }
        Ok(())
    }
}
