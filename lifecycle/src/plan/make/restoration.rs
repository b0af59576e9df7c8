//! A plan that moves units out of their storage class because somebody needs them, whatever the policy says.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::is_state_of_job;
use crate::listing::{Lister, Range, Tags, as_object};
use crate::places::Places;
use crate::plan::document::{PlanWriter, WrittenPlan};
use crate::plan::line::{Amount, DatasetSummary, Header, PlannedAction, PlannedObject, PlannedUnit, Shape};
use crate::policy::{CONTROL_PREFIX, Dataset, Policy, Unit};
use crate::unit::UnitSummary;

use super::past::WAITING;
use super::probes::{classes, tags_set_times, try_class};
use super::{MakeError, Past, is_just_written};

/// Name that stands in such plans where others have that of a rule.
const RULE: &str = "restore";

/// What is to move.
#[derive(Debug, Clone)]
pub struct Restoration<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// The dataset.
    pub dataset: &'a Dataset,
    /// Paths in the dataset: a partition, or a directory of partitions. What begins with one of them moves.
    pub partitions: &'a [String],
    /// Where it moves.
    pub class: &'a str,
    /// What earlier runs did: units that one is moving are left.
    pub past: &'a Past,
    /// Units with which such a run is through.
    pub through: &'a BTreeSet<String>,
}

/// Makes such a plan.
///
/// # Errors
/// `NoUnit` for a path that no unit is at, `UnknownClass`, and as [`super::make`].
pub async fn restoration(lister: &Lister, header: Header, wanted: &Restoration<'_>) -> Result<WrittenPlan, MakeError> {
    let Restoration { policy, dataset, partitions, class, past, through } = wanted;
    match try_class(lister, class).await {
        Err(source) if source.kind() == s3core::ErrorKind::BadRequest => {
            let (class, known) = ((*class).to_owned(), classes(lister, class).await?);
            return Err(MakeError::UnknownClass { class, known, source });
        }
        tried => tried?,
    }
    let prefixes: Vec<_> =
        partitions.iter().map(|path| format!("{}{}/", dataset.prefix, path.trim_matches('/'))).collect();
    let now = header.now.to_zoned_datetime(policy.zone.clone());
    let kept = (dataset.unit == Unit::Object).then(|| common_prefix(&prefixes));
    let inventory = lister.survey(policy, dataset, &now, kept).await?.inventory;
    let is_wanted = |unit: &UnitSummary, prefix: &String| unit.prefix.starts_with(prefix);
    if let Some(index) = prefixes.iter().position(|prefix| !inventory.units.iter().any(|unit| is_wanted(unit, prefix)))
    {
        let path = partitions.get(index).cloned().unwrap_or_default();
        return Err(MakeError::NoUnit { dataset: dataset.name.clone(), path });
    }
    let waits_for =
        |unit: &UnitSummary| past.waiting.meeting(&unit.prefix).filter(|_| !through.contains(&unit.prefix)).copied();
    let moves = |unit: &&UnitSummary| {
        let is_elsewhere = unit.groups.iter().any(|group| group.class != *class);
        // It is there still, and a run is about to move it away.
        let leaves = waits_for(unit) == Some(WAITING);
        (is_elsewhere || leaves) && prefixes.iter().any(|prefix| is_wanted(unit, prefix))
    };
    let units: Vec<_> = inventory.units.iter().filter(moves).collect();
    let mut directories = Places::default();
    for unit in &inventory.units {
        directories.add(unit.prefix.clone(), unit.prefix.as_str());
    }
    let none = Tags::new();
    let created = header.created;
    let mut writer = PlanWriter::new(header)?;
    let mut left: BTreeMap<&'static str, u64> = BTreeMap::new();
    let ranges = units.iter().map(|unit| Range::all(&unit.prefix, unit.objects)).collect();
    let mut listing = lister.in_order(ranges);
    for unit in units {
        let Some(mut pages) = listing.next_range() else { break };
        let mut planned = Vec::new();
        while let Some(page) = pages.next().await? {
            let own = page.into_iter().filter(|object| belongs(dataset, &directories, unit, &object.key));
            planned.extend(own.map(|listed| {
                let object = as_object(&listed, &none);
                let (bytes, written, class) = (object.bytes, object.written, object.class.to_owned());
                PlannedObject { etag: listed.etag.unwrap_or_default(), key: listed.key, bytes, written, class }
            }));
        }
        let bytes = planned.iter().map(|object| object.bytes).sum();
        if (planned.len() as u64, bytes) != (unit.objects, unit.bytes) || planned.iter().any(|one| one.etag.is_empty())
        {
            *left.entry("changed").or_default() += 1;
            continue;
        }
        if is_just_written(unit.newest, created) {
            *left.entry("settling").or_default() += 1;
            continue;
        }
        if let Some(word) = waits_for(unit) {
            *left.entry(word).or_default() += 1;
            continue;
        }
        writer.begin_unit(PlannedUnit {
            dataset: dataset.name.clone(),
            rule: RULE.to_owned(),
            action: PlannedAction::Tier((*class).to_owned()),
            prefix: unit.prefix.clone(),
            shape: match dataset.unit {
                Unit::Partition => Shape::Prefix,
                Unit::Directory => Shape::Directory,
                Unit::Object => Shape::Object,
            },
            objects: planned.len() as u64,
            bytes,
            partial: false,
            since: created,
            trash_until: None,
            reason: format!("somebody asked for it in {class}"),
        })?;
        for object in planned {
            writer.object(object)?;
        }
        writer.end_unit()?;
    }
    if writer.tally().rules.values().any(|rule| rule.tagged > 0) {
        writer.tags_set_times(tags_set_times(lister).await?);
    }
    let tally = writer.tally().rules.get(&(dataset.name.clone(), RULE.to_owned())).map(|rule| rule.planned);
    let summary = DatasetSummary {
        name: dataset.name.clone(),
        prefix: dataset.prefix.clone(),
        total: inventory.total,
        rules: tally.map(|planned| (RULE.to_owned(), planned)).into_iter().collect(),
        left: left.into_iter().map(|(word, count)| (word.to_owned(), count)).collect(),
        outside: Amount::default(),
        guard: None,
        catalog: None,
    };
    Ok(writer.finish(vec![summary])?)
}

/// Whether a key below the unit's prefix is the unit's.
fn belongs(dataset: &Dataset, directories: &Places<&str>, unit: &UnitSummary, key: &str) -> bool {
    let path = key.strip_prefix(&dataset.prefix).unwrap_or_default();
    let is_own = !key.starts_with(CONTROL_PREFIX) && !is_state_of_job(path);
    is_own
        && match dataset.unit {
            Unit::Partition => true,
            Unit::Directory => directories.around(key).is_some_and(|innermost| *innermost == unit.prefix),
            Unit::Object => key == unit.prefix,
        }
}

fn common_prefix(prefixes: &[String]) -> String {
    let (first, others) = prefixes.split_first().map_or(("", prefixes), |(first, others)| (first.as_str(), others));
    others.iter().fold(first, |common, prefix| crate::places::common_prefix(common, prefix)).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_common_prefix_is_one_of_all() {
        let of = |prefixes: &[&str]| common_prefix(&prefixes.iter().map(|&text| text.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["a/é/1/", "a/é/2/"]), "a/é/");
        assert_eq!(of(&["a/1/"]), "a/1/");
        assert_eq!(of(&["b/", "a/"]), "");
    }
}
