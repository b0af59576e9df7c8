//! In a bucket that keeps versions a unit goes under delete markers, and comes back by their removal: nothing is copied.
//!
//! No condition is honoured on such a DELETE. So each is followed by a look at the versions of its key: where another one
//! than the planned one lies under the marker, the marker goes again at once.

use std::ops::ControlFlow;

use jiff::Timestamp;
use s3core::ops::{BucketVersioning, DeleteObject, GetBucketVersioning, ObjectHead};
use s3core::{Error, ErrorKind, Result};

use crate::inventory::is_success;
use crate::pace::{first, unleased};
use crate::plan::line::{PlannedAction, PlannedObject, Shape};
use crate::run::journal::{IntendedObject, IntendedUnit, Marker, Outcome};

use super::attempts::Attempts;
use super::means::Removal;
use super::objects::Objects;
use super::restore::{MOVE_AWAY, Restored};
use super::stack::{Stack, stack, stacks};
use super::survey::survey;

/// What came of one object.
enum Hidden {
    /// It lies under these markers.
    Under(Vec<String>),
    /// It is something else now.
    Changed(String),
    /// This user may not do it.
    Refused(String),
}

/// Hides a unit whose intent is in the journal, with the versions of its objects. Where it was `begun_under` other leases,
/// markers over those versions are taken for their holders', if they were made in the time of those.
///
/// # Errors
/// The permit's, and the gateway's where another attempt may help: the intent stays without outcome.
pub(super) async fn hide(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    uploads_since: Timestamp,
    begun_under: &[u64],
) -> Result<Removal> {
    let versioning = objects.gateway.run(GetBucketVersioning::new(objects.bucket)).await?;
    if versioning != BucketVersioning::Enabled {
        return Err(suspended(objects, &unit.prefix));
    }
    let found = survey(objects, unit, Some(uploads_since)).await?;
    let stacks = stacks(objects, unit).await?;
    let mut removal = Removal::default();
    let (nothing, is_resumed) = (Stack::default(), !begun_under.is_empty());
    let may_be_own = |at| objects.permit.may_have_worked(begun_under, at);
    let mut live = Vec::new();
    let mut obstacle = found.difference().map(|(key, reason)| Outcome::Changed { key, reason });
    for object in &unit.objects {
        let key = &object.planned.key;
        let stack = stacks.get(key).unwrap_or(&nothing);
        let all = object.version.as_deref().and_then(|version| stack.over(version));
        let over = all.clone().map(|over| stack.made_when(over, may_be_own));
        // What was no longer the planned object when it was announced was never touched.
        let could_be_gone = is_resumed && object.version.is_some();
        match over {
            Some(_) if stack.is_current(object) => live.push(object),
            Some(over) if is_resumed && !over.is_empty() => removal.add(key, over),
            // Its version went in an attempt that was cut short.
            None if could_be_gone && unit.action == PlannedAction::Delete && stack.is_hidden() => {}
            _ => {
                // Where somebody else has deleted it, it stays deleted.
                if could_be_gone && all.is_none_or(|all| all.is_empty()) {
                    unhide(objects, key, stack.made_when(stack.markers_on_top(), may_be_own)).await?;
                }
                let reason = "it was written again, or deleted, after it was planned".to_owned();
                obstacle.get_or_insert_with(|| Outcome::Changed { key: key.clone(), reason });
            }
        }
    }
    if obstacle.is_none() {
        obstacle = hide_all(objects, live, &mut removal).await?;
    }
    // Something may have come beside what was hidden.
    if obstacle.is_none() && unit.shape != Shape::Object {
        let last = survey(objects, unit, Some(uploads_since)).await?;
        obstacle = last.difference().map(|(key, reason)| Outcome::Changed { key, reason });
    }
    if let Some(obstacle) = obstacle {
        removal.outcome = give_up(objects, unit, &removal.markers).await?.unwrap_or(obstacle);
    }
    Ok(removal)
}

/// `_SUCCESS` first, so that nobody takes what is left for complete. Returns what kept it from going on.
async fn hide_all(objects: &Objects<'_>, live: Vec<&IntendedObject>, removal: &mut Removal) -> Result<Option<Outcome>> {
    let (markers, others): (Vec<_>, Vec<_>) = live.into_iter().partition(|object| is_success(&object.planned.key));
    for group in [markers, others] {
        let hide = |object: &IntendedObject| {
            let object = object.clone();
            async move { Ok((hide_one(objects, &object).await?, object.planned.key)) }
        };
        let mut obstacle = None;
        for (hidden, key) in objects.for_all(group, hide).await? {
            match hidden {
                Hidden::Under(markers) => removal.add(&key, markers),
                Hidden::Changed(reason) => obstacle = Some(Outcome::Changed { key, reason }),
                Hidden::Refused(reason) => obstacle = Some(Outcome::Refused { reason }),
            }
        }
        if obstacle.is_some() {
            return Ok(obstacle);
        }
    }
    Ok(None)
}

async fn hide_one(objects: &Objects<'_>, object: &IntendedObject) -> Result<Hidden> {
    let key = &object.planned.key;
    let (mut attempts, mut in_doubt) = (Attempts::new(), false);
    loop {
        objects.permit.check()?;
        // In one attempt: the answer says which marker was made, and to a second one it would not.
        let answer = objects.once.run(DeleteObject::new(objects.bucket, key)).await;
        let failure = answer.as_ref().err();
        if let Some(failure) = failure.filter(|failure| failure.kind() == ErrorKind::AccessDenied) {
            return Ok(Hidden::Refused(failure.to_string()));
        }
        in_doubt |= failure.is_some();
        if answer.as_ref().is_ok_and(|deleted| deleted.version_id.as_deref() == Some("null")) {
            return Err(suspended(objects, key));
        }
        let own = answer.as_ref().ok().filter(|deleted| deleted.is_delete_marker);
        let own = own.and_then(|deleted| deleted.version_id.clone());
        if let Err(lost) = objects.permit.check() {
            // Whoever has the lease now may have put the unit back already.
            if let Some(own) = &own {
                first(unleased(remove_version(objects, key, own))).await?;
            }
            return Err(lost);
        }
        let looked = async {
            let stack = stack(objects, key).await?;
            let over = object.version.as_deref().and_then(|version| stack.over(version)).unwrap_or_default();
            let is_right = own.as_ref().map_or(in_doubt && !over.is_empty(), |own| over.contains(own));
            if is_right {
                return Ok(ControlFlow::Break(Hidden::Under(over)));
            }
            match answer {
                Err(failure) if stack.is_current(object) => return Ok(ControlFlow::Continue(failure)),
                _ => {}
            }
            match own {
                Some(own) => unleased(remove_version(objects, key, &own)).await?,
                None if in_doubt => unhide(objects, key, stack.markers_on_top()).await?,
                None => {}
            }
            let reason = "it was written again, or deleted, while its unit was being removed".to_owned();
            Ok::<_, Error>(ControlFlow::Break(Hidden::Changed(reason)))
        };
        // What somebody has written meanwhile is hidden until then.
        match first(looked).await? {
            ControlFlow::Break(hidden) => return Ok(hidden),
            ControlFlow::Continue(failure) => attempts.again(objects, failure).await?,
        }
    }
}

/// Where versions are kept no delete marker has the id `null`.
fn suspended(objects: &Objects<'_>, key: &str) -> Error {
    let message = "versioning was suspended while the run was at work, and a deletion may be for good now: have the bucket \
                   keep versions again, then run the command again";
    Error::new(ErrorKind::Unsupported, message).at(objects.bucket, key)
}

/// Removes markers over whatever lies on top of a key: a removal of this run's may have put one there.
async fn unhide(objects: &Objects<'_>, key: &str, markers: Vec<String>) -> Result<()> {
    for marker in markers {
        objects.permit.check()?;
        remove_version(objects, key, &marker).await?;
    }
    Ok(())
}

/// Makes all visible again that was hidden. Returns what came of it where that could not be.
pub(super) async fn give_up(objects: &Objects<'_>, unit: &IntendedUnit, markers: &[Marker]) -> Result<Option<Outcome>> {
    let hidden = unit.objects.iter().filter(|object| markers.iter().any(|marker| marker.key == object.planned.key));
    let (last, first): (Vec<_>, Vec<_>) = hidden.partition(|object| is_success(&object.planned.key));
    let mut lost = None;
    for group in [first, last] {
        let show = |object: &IntendedObject| {
            let object = object.clone();
            async move { Ok((show(objects, &object, Some(markers), &[]).await?, object.planned.key)) }
        };
        for (restored, key) in objects.for_all(group, show).await? {
            if let Restored::NoCopy(reason) | Restored::Gone(reason) = restored {
                lost = Some(Outcome::NotRestored { key, reason });
            }
        }
    }
    Ok(lost)
}

/// Makes an object visible again by removing the markers over it: those of the run, where they are known; else those of the time
/// of the leases that it was `begun_under`. One that somebody has put there since stays, and so does what was written there.
///
/// # Errors
/// The permit's and the gateway's.
pub(super) async fn show(
    objects: &Objects<'_>,
    object: &IntendedObject,
    markers: Option<&[Marker]>,
    begun_under: &[u64],
) -> Result<Restored> {
    let planned = &object.planned;
    let stack = stack(objects, &planned.key).await?;
    let Some(version) = &object.version else {
        return Ok(Restored::NoCopy("it was something else before it could be removed".to_owned()));
    };
    let Some(over) = stack.over(version) else {
        return Ok(Restored::Gone("its version is gone".to_owned()));
    };
    if stack.is_current(object) {
        return Ok(Restored::Untouched);
    }
    if !stack.is_hidden() {
        return Ok(Restored::InTheWay(MOVE_AWAY.to_owned()));
    }
    let own = match markers {
        Some(_) => over.clone(),
        None => stack.made_when(over.clone(), |at| objects.permit.may_have_worked(begun_under, at)),
    };
    let is_own = |id: &String| markers.is_none_or(|own| own.iter().any(|marker| marker.version == *id));
    if over != stack.markers_on_top() || own != over || !over.iter().all(is_own) {
        return Ok(Restored::InTheWay("somebody has written and deleted it since".to_owned()));
    }
    for marker in over {
        objects.permit.check()?;
        match remove_version(objects, &planned.key, &marker).await {
            Err(failure) if failure.kind() == ErrorKind::AccessDenied => {
                return Ok(Restored::NoCopy(format!("this user may not remove its delete marker: {failure}")));
            }
            removed => removed?,
        }
    }
    // Somebody may have been faster.
    if self::stack(objects, &planned.key).await?.is_current(object) {
        Ok(Restored::Back)
    } else {
        Ok(Restored::InTheWay(MOVE_AWAY.to_owned()))
    }
}

/// What came of a version that was to go for good.
pub(super) enum Purged {
    /// It is gone, with the markers over it, but where older versions would come to light.
    Gone,
    /// It was gone before.
    Before,
    /// It is visible again, or was changed by others.
    Changed(String),
    /// A lock keeps it until then, or until somebody lifts it.
    Locked(String, Option<Timestamp>),
    /// This user may not remove it.
    Refused(String),
}

/// Removes the planned version for good, and then the run's markers over it. They stay where an older version lies under
/// them: it would become visible.
///
/// # Errors
/// The permit's and the gateway's.
pub(super) async fn empty(objects: &Objects<'_>, object: &IntendedObject, markers: &[Marker]) -> Result<Purged> {
    let PlannedObject { key, .. } = &object.planned;
    let stack = stack(objects, key).await?;
    let own: Vec<&str> =
        markers.iter().filter(|marker| marker.key == *key).map(|marker| marker.version.as_str()).collect();
    let version = object.version.as_deref().unwrap_or_default();
    let over = stack.over(version);
    let ended = if over.is_some() { Purged::Gone } else { Purged::Before };
    if let Some(over) = over {
        if !over.iter().any(|marker| own.contains(&marker.as_str())) {
            return Ok(Purged::Changed("the run's delete marker is no longer over it".to_owned()));
        }
        objects.permit.check()?;
        match remove_version(objects, key, version).await {
            Ok(()) => {}
            Err(failure) if failure.kind() == ErrorKind::AccessDenied => {
                return locked(objects, key, version, failure).await;
            }
            Err(failure) => return Err(failure),
        }
    }
    if !stack.has_older_than(version, &own) {
        for marker in own.into_iter().filter(|marker| stack.holds(marker)) {
            objects.permit.check()?;
            remove_version(objects, key, marker).await?;
        }
    }
    Ok(ended)
}

/// Why a version could not be removed: it is locked, or this user may not.
async fn locked(objects: &Objects<'_>, key: &str, version: &str, failure: Error) -> Result<Purged> {
    let lock = match objects.head_version(key, version).await {
        Ok(head) => lock_of(&head),
        Err(unread) if unread.kind() == ErrorKind::AccessDenied => None,
        Err(unread) => return Err(unread),
    };
    Ok(match lock {
        Some((reason, until)) => Purged::Locked(reason, until),
        None => Purged::Refused(format!("this user may not remove it: {failure}")),
    })
}

/// The lock of a version, and until when it is locked, where that is known.
fn lock_of(head: &ObjectHead) -> Option<(String, Option<Timestamp>)> {
    if head.is_held() {
        return Some(("locked by a legal hold".to_owned(), None));
    }
    let until = head.retained_until().and_then(|until| Timestamp::try_from(until).ok())?;
    Some((format!("locked until {until}"), Some(until)))
}

/// What keeps versions of a unit from going for good, if anything does. Locks that were over at `since` keep nothing.
///
/// # Errors
/// The gateway's.
pub(super) async fn lock(objects: &Objects<'_>, unit: &IntendedUnit, since: Timestamp) -> Result<Option<String>> {
    let look = |object: &IntendedObject| {
        let (key, version) = (object.planned.key.clone(), object.version.clone());
        async move {
            let Some(version) = version else { return Ok(None) };
            match objects.head_version(&key, &version).await {
                Ok(head) => {
                    let lock = lock_of(&head).filter(|(_, until)| until.is_none_or(|until| until > since));
                    Ok(lock.map(|(reason, _)| format!("{key} is {reason}")))
                }
                Err(failure) => match failure.kind() {
                    // It went in an attempt that was cut short.
                    ErrorKind::NotFound => Ok(None),
                    ErrorKind::AccessDenied => Ok(Some(failure.to_string())),
                    _ => Err(failure),
                },
            }
        }
    };
    Ok(objects.for_all(unit.objects.iter().collect(), look).await?.into_iter().flatten().next())
}

/// Removes a version, or a delete marker, for good.
///
/// # Errors
/// The gateway's.
pub(super) async fn remove_version(objects: &Objects<'_>, key: &str, version: &str) -> Result<()> {
    let delete = DeleteObject { version_id: Some(version.to_owned()), ..DeleteObject::new(objects.bucket, key) };
    match objects.gateway.run(delete).await {
        Ok(_) => Ok(()),
        Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(()),
        Err(failure) => Err(failure),
    }
}
