//! Partitions and directories: decided on by their sums, then listed again.

use std::collections::BTreeMap;

use jiff::{Timestamp, ZonedDateTime};

use crate::decide::{Judge, Selection, Verdict, decide, decide_at};
use crate::inventory::{Inventory, JobTree, Object, tree_of_job};
use crate::listing::{Pages, Range, TOGETHER, Tags, as_object};
use crate::places::Places;
use crate::plan::line::{Amount, PlannedObject};
use crate::policy::{CONTROL_PREFIX, Unit};
use crate::unit::UnitSummary;

use super::dataset::Planning;
use super::served::{self, moments};
use super::{MakeError, is_just_written};

/// Something that is due.
struct DueWork<'a> {
    rule: usize,
    since: ZonedDateTime,
    what: What<'a>,
    /// Its number among the units; None for a job's tree.
    place: Option<usize>,
}

enum What<'a> {
    Unit(&'a UnitSummary, Selection),
    Tree(&'a JobTree),
}

impl DueWork<'_> {
    fn prefix(&self) -> &str {
        match &self.what {
            What::Unit(unit, _) => &unit.prefix,
            What::Tree(tree) => &tree.key,
        }
    }

    fn objects(&self) -> u64 {
        match &self.what {
            What::Unit(unit, _) => unit.objects,
            What::Tree(tree) => tree.objects,
        }
    }

    /// Whether nothing of another unit lies between this one and the next, nor the state of s3life.
    fn is_beside(&self, next: &Self, second: &Second<'_>) -> bool {
        let follows = self.place.is_some_and(|place| next.place == Some(place + 1));
        let is_in_another = |due: &Self| second.directories.around(due.prefix().trim_end_matches('/')).is_some();
        let spans_state = self.prefix() < CONTROL_PREFIX && CONTROL_PREFIX < next.prefix();
        follows && !spans_state && !is_in_another(self) && !is_in_another(next)
    }
}

/// Writes what is due, in the order of prefixes.
pub(super) async fn plan(planning: &mut Planning<'_>, inventory: &Inventory) -> Result<(), MakeError> {
    let due = due(planning, inventory);
    let second = Second::new(planning, inventory);
    let groups = groups(&due, inventory, &second);
    let ranges = groups.iter().filter_map(|group| {
        let (first, last) = (group.first()?, group.last()?);
        Some(Range::adjacent(first.prefix(), last.prefix(), group.iter().map(DueWork::objects).sum()))
    });
    let mut listing = planning.lister.in_order(ranges.collect());
    for group in groups {
        let Some(mut pages) = listing.next_range() else { break };
        for due in group {
            if let Err(word) = second.write(planning, due, &mut pages).await? {
                planning.leave(word);
            }
        }
    }
    Ok(())
}

/// Units that are listed together: adjacent ones that fit in a page, where little lies between units that belongs to none.
fn groups<'d, 'a>(due: &'d [DueWork<'a>], inventory: &Inventory, second: &Second<'_>) -> Vec<&'d [DueWork<'a>]> {
    let between = inventory.outside.objects + inventory.jobs.iter().map(|job| job.objects).sum::<u64>();
    let mut objects = 0;
    due.chunk_by(|one, next| {
        objects += one.objects();
        let together = between <= TOGETHER && one.is_beside(next, second) && objects + next.objects() <= TOGETHER;
        if !together {
            objects = 0;
        }
        together
    })
    .collect()
}

/// What is due by the first listing, and may be planned.
fn due<'a>(planning: &mut Planning<'_>, inventory: &'a Inventory) -> Vec<DueWork<'a>> {
    let (policy, dataset) = (planning.request.policy, planning.dataset);
    let judge = Judge::new(policy, dataset, &inventory.tables, planning.now);
    let verdicts = decide(policy, dataset, inventory, planning.now);
    let earlier = Earlier::new(planning, inventory);
    let mut all: BTreeMap<&str, DueWork<'a>> = BTreeMap::new();
    for (index, (unit, verdict)) in inventory.units.iter().zip(verdicts).enumerate() {
        match &verdict {
            Verdict::Undated => {
                planning.notes.undated.0 += 1;
                planning.notes.undated.1.get_or_insert_with(|| unit.prefix.clone());
            }
            Verdict::Held { hold } => *planning.notes.held.entry(*hold).or_default() += 1,
            _ => {}
        }
        let Verdict::Due { rule, since } = verdict else {
            planning.leave(verdict.word());
            continue;
        };
        if let Some(word) = planning.obstacle(&unit.prefix) {
            planning.leave(word);
        } else if is_just_written(unit.newest, planning.request.created) {
            planning.leave("settling");
        } else {
            let selection = judge.selection(unit, rule);
            let amount = Amount { units: 1, objects: selection.objects, bytes: selection.bytes };
            let due = served::Due { rule, since: since.timestamp(), newest: unit.newest, amount };
            match planning.waits(&due, |moment| earlier.rule(moment, index) == Some(rule)) {
                Some(word) => planning.leave(word),
                None => {
                    let what = What::Unit(unit, selection);
                    all.insert(&unit.prefix, DueWork { rule, since, what, place: Some(index) });
                }
            }
        }
    }
    for tree in &inventory.jobs {
        let Some((rule, since)) = planning.sweep(tree) else { continue };
        if policy.hold_of(&tree.key).is_some() {
            planning.leave("held");
        } else if let Some(word) = planning.obstacle(&tree.key).or_else(|| planning.tree_waits(tree, rule, &since)) {
            planning.leave(word);
        } else {
            all.insert(&tree.key, DueWork { rule, since, what: What::Tree(tree), place: None });
        }
    }
    all.into_values().collect()
}

/// The rules that units were due by at earlier moments.
struct Earlier(BTreeMap<Timestamp, Vec<Option<usize>>>);

impl Earlier {
    fn new(planning: &Planning<'_>, inventory: &Inventory) -> Self {
        let (policy, dataset) = (planning.request.policy, planning.dataset);
        let rules = moments(planning.request, dataset).into_iter().map(|moment| {
            let verdicts = decide_at(policy, dataset, inventory, &moment);
            (moment.timestamp(), verdicts.iter().map(|verdict| verdict.as_ref().and_then(Verdict::due_by)).collect())
        });
        Self(rules.collect())
    }

    /// The rule that the unit of this index was due by.
    fn rule(&self, moment: Timestamp, unit: usize) -> Option<usize> {
        self.0.get(&moment)?.get(unit).copied().flatten()
    }
}

/// The second listing.
struct Second<'a> {
    trees: BTreeMap<&'a str, &'a JobTree>,
    /// Directories that are units, each inside or beside others; empty where partitions are.
    directories: Places<&'a str>,
}

impl<'a> Second<'a> {
    fn new(planning: &Planning<'_>, inventory: &'a Inventory) -> Self {
        let trees = inventory.jobs.iter().filter(|job| job.upload.is_none());
        let mut directories = Places::default();
        if planning.dataset.unit == Unit::Directory {
            for unit in &inventory.units {
                directories.add(unit.prefix.clone(), unit.prefix.as_str());
            }
        }
        Self { trees: trees.map(|job| (job.key.as_str(), job)).collect(), directories }
    }

    /// Writes what is due with its objects, or says why not.
    async fn write(
        &self,
        planning: &mut Planning<'_>,
        due: &DueWork<'_>,
        pages: &mut Pages,
    ) -> Result<Result<(), &'static str>, MakeError> {
        let Some(mut planned) = planning.unit(due.rule, due.prefix(), &due.since) else { return Ok(Err("untouched")) };
        match &due.what {
            What::Unit(_, selection) => {
                (planned.objects, planned.bytes) = (selection.objects, selection.bytes);
                planned.partial = selection.is_partial;
            }
            What::Tree(tree) => (planned.objects, planned.bytes) = (tree.objects, tree.bytes),
        }
        planning.writer.begin_unit(planned)?;
        let mut found = UnitSummary::new(due.prefix(), None);
        let mut obstacle = None;
        while let Some(page) = pages.next_below(due.prefix()).await? {
            let tags = match &due.what {
                What::Unit(..) => planning.lister.tags(planning.dataset, &page).await?,
                What::Tree(_) => Tags::new(),
            };
            for listed in page {
                let object = as_object(&listed, &tags);
                match self.belongs(planning, due, &object) {
                    Ok(true) => {}
                    Ok(false) => continue,
                    Err(word) => {
                        obstacle = Some(word);
                        continue;
                    }
                }
                let met = planning.dataset.met(&object);
                found.add(&object, met);
                let is_taken = match &due.what {
                    What::Unit(unit, selection) => selection.takes(unit, object.class, met),
                    What::Tree(_) => true,
                };
                if !is_taken {
                    continue;
                }
                let (bytes, written, class) = (object.bytes, object.written, object.class.to_owned());
                match listed.etag {
                    Some(etag) => {
                        planning.writer.object(PlannedObject { key: listed.key, bytes, etag, written, class })?;
                    }
                    None => obstacle = Some("without ETag"),
                }
            }
        }
        let was = match &due.what {
            What::Unit(unit, _) => (unit.objects, unit.bytes, unit.newest),
            What::Tree(tree) => (tree.objects, tree.bytes, tree.newest),
        };
        if (found.objects, found.bytes, found.newest) != was {
            obstacle.get_or_insert("changed");
        }
        match obstacle {
            Some(word) => {
                planning.writer.drop_unit()?;
                Ok(Err(word))
            }
            None if planning.writer.end_unit()? => Ok(Ok(())),
            None => Ok(Err("changed")),
        }
    }

    /// Whether an object that was listed is one of what is due. A job that was not there, or has gone on, leaves it alone.
    fn belongs(&self, planning: &Planning<'_>, due: &DueWork<'_>, object: &Object<'_>) -> Result<bool, &'static str> {
        let dataset = &planning.dataset.prefix;
        if object.key.starts_with(CONTROL_PREFIX) {
            return Ok(false);
        }
        let path = object.key.strip_prefix(dataset.as_str()).unwrap_or_default();
        let tree = tree_of_job(path).map(|path| object.key.get(..dataset.len() + path.len()).unwrap_or_default());
        match (&due.what, tree) {
            (What::Tree(own), tree) => Ok(tree == Some(&own.key)),
            (What::Unit(..), Some(tree)) => match self.trees.get(tree) {
                Some(known) if object.written <= known.newest => Ok(false),
                _ => Err("running"),
            },
            (What::Unit(unit, _), None) => {
                let innermost = self.directories.around(object.key).copied();
                Ok(innermost.is_none_or(|innermost| innermost == unit.prefix))
            }
        }
    }
}
