//! How units go, come back, and go for good: by copies in the trash, in place, or by delete markers where the bucket keeps
//! versions. Here alone the ways part.

use jiff::Timestamp;
use s3core::Result;

use crate::plan::line::PlannedAction;
use crate::run::journal::{IntendedObject, IntendedUnit, Marker, Means, Outcome};
use crate::run::left::Skipped;

use super::markers::{self, Purged};
use super::objects::Objects;
use super::restore::{self, Restored};
use super::stack::stacks;
use super::{Failure, remove};

/// What came of a unit that was to go.
#[derive(Debug)]
pub struct Removal {
    /// What came of it.
    pub outcome: Outcome,
    /// The delete markers over its objects.
    pub markers: Vec<Marker>,
}

impl Default for Removal {
    fn default() -> Self {
        Self { outcome: Outcome::Done, markers: Vec::new() }
    }
}

impl Removal {
    /// Adds the markers over an object.
    pub(super) fn add(&mut self, key: &str, markers: Vec<String>) {
        self.markers.extend(markers.into_iter().map(|version| Marker { key: key.to_owned(), version }));
    }
}

/// What becomes of units with this action.
pub(super) fn means_of(action: &PlannedAction, keeps_versions: bool) -> Means {
    match action {
        _ if keeps_versions => Means::Markers,
        PlannedAction::Expire | PlannedAction::SweepAbandoned => Means::Copies,
        _ => Means::InPlace,
    }
}

/// Learns what must be in the journal before a unit goes: which versions its objects are, where it goes under markers.
///
/// # Errors
/// The gateway's.
pub(super) async fn prepare(objects: &Objects<'_>, unit: &mut IntendedUnit) -> Result<()> {
    if unit.means != Means::Markers || unit.objects.iter().all(|object| object.version.is_some()) {
        return Ok(());
    }
    let stacks = stacks(objects, unit).await?;
    for object in unit.objects.iter_mut().filter(|object| object.version.is_none()) {
        let stack = stacks.get(&object.planned.key);
        object.version = stack.and_then(|stack| stack.version_of(&object.planned)).map(str::to_owned);
    }
    Ok(())
}

/// Removes a unit whose intent is in the journal. Also goes on with a removal that was `begun_under` other leases and not ended.
/// Uploads that were begun before `uploads_since` are nobody's.
///
/// # Errors
/// The permit's, and the gateway's where another attempt may help: the intent stays without outcome.
pub async fn remove(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    uploads_since: Timestamp,
    begun_under: &[u64],
) -> Result<Removal> {
    match unit.means {
        Means::Copies | Means::InPlace => {
            let outcome = remove::remove(objects, unit, uploads_since, begun_under).await?;
            Ok(Removal { outcome, markers: Vec::new() })
        }
        Means::Markers => {
            let removal = markers::hide(objects, unit, uploads_since, begun_under).await?;
            match (&unit.action, &removal.outcome) {
                (PlannedAction::Delete, Outcome::Done) => remove_versions(objects, unit, removal, uploads_since).await,
                _ => Ok(removal),
            }
        }
    }
}

/// What goes for good goes at once, unless a lock keeps any of it. What cannot go for another reason is shown again.
async fn remove_versions(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    removal: Removal,
    since: Timestamp,
) -> Result<Removal> {
    if let Some(reason) = markers::lock(objects, unit, since).await? {
        let refused = Outcome::Refused { reason };
        let outcome = markers::give_up(objects, unit, &removal.markers).await?.unwrap_or(refused);
        return Ok(Removal { outcome, ..removal });
    }
    let mut outcome = Outcome::Done;
    for object in &unit.objects {
        let reason = match markers::empty(objects, object, &removal.markers).await? {
            Purged::Gone | Purged::Before => continue,
            Purged::Changed(reason) | Purged::Locked(reason, _) | Purged::Refused(reason) => reason,
        };
        markers::show(objects, object, Some(&removal.markers), &[]).await?;
        outcome = Outcome::NotRestored { key: object.planned.key.clone(), reason };
    }
    Ok(Removal { outcome, ..removal })
}

/// Brings an object back, unless something is at its key. `markers` are those of the run, where its journal knows them;
/// `begun_under` are the leases of those who have removed it or brought it back, and did not write down what came of it.
///
/// # Errors
/// The permit's and the gateway's.
pub(super) async fn restore(
    objects: &Objects<'_>,
    means: Means,
    object: &IntendedObject,
    markers: Option<&[Marker]>,
    begun_under: &[u64],
) -> Result<Restored> {
    match means {
        Means::Copies | Means::InPlace => restore::restore(objects, object, begun_under).await,
        Means::Markers => markers::show(objects, object, markers, begun_under).await,
    }
}

/// The markers over the versions of a unit that was begun under these leases, where nothing was written down of what came of it:
/// those of their time are taken for the run's.
///
/// # Errors
/// The gateway's.
pub(super) async fn markers_over(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    begun_under: &[u64],
) -> Result<Vec<Marker>> {
    let mut found = Removal::default();
    if unit.means == Means::Markers {
        let stacks = stacks(objects, unit).await?;
        for IntendedObject { planned, version, .. } in &unit.objects {
            let stack = stacks.get(&planned.key);
            let over = version.as_deref().and_then(|version| stack?.over(version)).unwrap_or_default();
            let may_be_own = |at| objects.permit.may_have_worked(begun_under, at);
            found.add(&planned.key, stack.map(|stack| stack.made_when(over, may_be_own)).unwrap_or_default());
        }
    }
    Ok(found.markers)
}

/// What cannot be brought back any more goes for good, object by object; copies in the trash go all at once.
///
/// # Errors
/// The permit's and the gateway's.
pub(super) async fn empty(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    markers: &[Marker],
    emptied: &mut super::purge::Emptied,
) -> Result<(), Failure> {
    if unit.means != Means::Markers {
        return Ok(());
    }
    let empty = |object: &IntendedObject| {
        let object = object.clone();
        async move { Ok((markers::empty(objects, &object, markers).await?, object.planned)) }
    };
    let mut refused = None;
    for (ended, planned) in objects.for_all(unit.objects.iter().collect(), empty).await? {
        match ended {
            Purged::Gone => emptied.add(planned.bytes),
            Purged::Before => {}
            Purged::Changed(reason) => emptied.left.skip(Skipped::new(&unit.prefix, Some(&planned.key), reason)),
            Purged::Locked(reason, until) => {
                emptied.left.skip(Skipped::new(&unit.prefix, Some(&planned.key), reason));
                emptied.lock(until);
            }
            Purged::Refused(reason) => {
                refused.get_or_insert_with(|| Skipped::new(&unit.prefix, Some(&planned.key), reason));
            }
        }
    }
    if let Some(refused) = refused {
        emptied.left.refuse(refused);
        emptied.is_refused = true;
    }
    Ok(())
}
