//! What was removed comes back from the trash.

use s3core::{ErrorKind, Result};

use crate::inventory::is_success;
use crate::pace::first;
use crate::plan::line::{PlannedAction, PlannedObject};
use crate::run::journal::{IntendedObject, IntendedUnit, Marker, Means, Outcome};

use super::attempts::Attempts;
use super::means;
use super::objects::{Copied, Objects};
use super::survey::{is_same, survey};

/// What helps where somebody has written at the key of an object that is to come back.
pub(super) const MOVE_AWAY: &str =
    "another object has been written there, and is not replaced: move it away, and undo the run again";

/// What came of an object that was to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// It is there again.
    Back,
    /// It was never removed.
    Untouched,
    /// Something else is there, and stays.
    InTheWay(String),
    /// There is nothing to bring it back from, though there should be, or this user may not do it.
    NoCopy(String),
    /// It went for good, and was to.
    Gone(String),
}

/// Brings an object back, unless something is at its key.
///
/// Radosgw copies whatever is at the target (`If-None-Match` on CopyObject is ignored by all releases): an object that
/// somebody writes between the look and the copy is replaced. So each attempt to copy is preceded by a look, and follows it
/// at once.
///
/// Only what was copied gets the access control list that the object had: here, or by one of those who were at work under
/// `begun_under`, who may have been killed before they could give it. What somebody has written there, with the same bytes or not,
/// keeps its own.
///
/// # Errors
/// The permit's and the gateway's.
pub async fn restore(objects: &Objects<'_>, object: &IntendedObject, begun_under: &[u64]) -> Result<Restored> {
    let (mut attempts, mut is_copied) = (Attempts::new(), false);
    loop {
        let found = objects.find(&object.planned.key).await;
        let restored = match found {
            Ok(found) => first(restore_over(objects, object, found, begun_under, &mut is_copied)).await,
            Err(failure) if failure.kind() == ErrorKind::AccessDenied => {
                return Ok(Restored::NoCopy(format!("this user may not look at it: {failure}")));
            }
            Err(failure) => Err(failure),
        };
        match restored {
            Err(failure) => attempts.again(objects, failure).await?,
            restored => return restored,
        }
    }
}

/// Brings an object back over what was `found` at its key.
async fn restore_over(
    objects: &Objects<'_>,
    object: &IntendedObject,
    found: Option<PlannedObject>,
    begun_under: &[u64],
    is_copied: &mut bool,
) -> Result<Restored> {
    let planned = &object.planned;
    if let Some(found) = found {
        if found.etag != planned.etag || found.bytes != planned.bytes {
            return Ok(Restored::InTheWay(MOVE_AWAY.to_owned()));
        }
        if is_same(planned, &found) {
            return Ok(Restored::Untouched);
        }
        if *is_copied || objects.permit.may_have_worked(begun_under, found.written) {
            give_list(objects, object).await?;
        }
        return Ok(Restored::Back);
    }
    if object.trash.is_none() {
        return Ok(Restored::Gone("it went for good, as the policy says".to_owned()));
    }
    // Also an attempt whose answer is lost may have.
    *is_copied = true;
    for copy in object.copies() {
        match objects.copy_once(copy, &planned.key, planned).await? {
            Copied::AsPlanned => {
                give_list(objects, object).await?;
                return Ok(Restored::Back);
            }
            Copied::Gone => {}
            Copied::Changed(reason) | Copied::Impossible(reason) | Copied::Refused(reason) => {
                return Ok(Restored::NoCopy(reason));
            }
        }
    }
    Ok(Restored::NoCopy("its copy is no longer in the trash".to_owned()))
}

async fn give_list(objects: &Objects<'_>, object: &IntendedObject) -> Result<()> {
    match &object.acl {
        Some(acl) => objects.set_acl(&object.planned.key, acl).await,
        None => Ok(()),
    }
}

/// What came of a unit that was to come back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutBack {
    /// For the journal.
    pub outcome: Outcome,
    /// Whether it stays because somebody has written there since, or because it was to go for good.
    pub is_changed: bool,
}

/// Brings a unit back, `_SUCCESS` last, so that nobody takes it for complete before it is. One that holds an object that
/// the run does not know is left as it is, unless they are to be merged; no object is ever replaced. `run_markers` are the
/// delete markers of the run, where its journal knows them; `begun_under` are the leases of those who have removed it or brought
/// it back, and did not write down what came of it.
///
/// # Errors
/// The permit's and the gateway's.
pub async fn put_back(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    merge: bool,
    run_markers: Option<&[Marker]>,
    begun_under: &[u64],
) -> Result<PutBack> {
    let found = survey(objects, unit, None).await?;
    if unit.means == Means::InPlace
        && unit.objects.iter().all(|object| found.present.contains(object.planned.key.as_str()))
    {
        return Ok(PutBack { outcome: Outcome::Restored, is_changed: false });
    }
    if let (Some(key), false) = (found.replaced.or(found.unknown), merge) {
        let reason = "it was written after the run: `--merge` brings the unit back beside it".to_owned();
        return Ok(PutBack { outcome: Outcome::NotRestored { key, reason }, is_changed: true });
    }
    let (markers, others): (Vec<_>, Vec<_>) = unit.objects.iter().partition(|object| is_success(&object.planned.key));
    let (mut back, mut failure) = (Vec::new(), None);
    for group in [others, markers] {
        if failure.is_some() {
            break;
        }
        let put_back = |object: &IntendedObject| {
            let object = object.clone();
            async move { Ok((means::restore(objects, unit.means, &object, run_markers, begun_under).await?, object)) }
        };
        for (restored, object) in objects.for_all(group, put_back).await? {
            match restored {
                Restored::Back => back.extend(object.copies().cloned()),
                Restored::Untouched => {}
                Restored::InTheWay(reason) => failure = Some((object.planned.key, reason, true)),
                Restored::NoCopy(reason) => failure = Some((object.planned.key, reason, false)),
                Restored::Gone(reason) => {
                    failure = Some((object.planned.key, reason, unit.action == PlannedAction::Delete));
                }
            }
        }
    }
    match failure {
        Some((key, reason, is_changed)) => Ok(PutBack { outcome: Outcome::NotRestored { key, reason }, is_changed }),
        None => {
            objects.discard_if_safe(back).await?;
            Ok(PutBack { outcome: Outcome::Restored, is_changed: false })
        }
    }
}
