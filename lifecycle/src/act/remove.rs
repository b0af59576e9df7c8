//! The removal of a unit: all of it, or nothing.
//!
//! Every object is copied to the trash and the copies are compared before the first one is removed, `_SUCCESS` first.
//! Where anything turns out to be other than planned, also right after the last removal, what was removed is put back.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::Timestamp;
use s3core::Result;

use crate::inventory::is_success;
use crate::plan::line::Shape;
use crate::run::journal::{IntendedObject, IntendedUnit, Means, Outcome};

use super::objects::{Copied, Objects, Removed};
use super::restore::{Restored, restore};
use super::survey::{UnitSurvey, survey, survey_objects};

/// Removes a unit whose intent is in the journal. Also goes on with a removal that was cut short, by whichever holder of
/// the lease: `begun_under` are the leases of those who did not end it. Uploads that were begun before `uploads_since` are
/// nobody's.
///
/// # Errors
/// The permit's, and the gateway's where another attempt may help: the intent stays without outcome.
pub async fn remove(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    uploads_since: Timestamp,
    begun_under: &[u64],
) -> Result<Outcome> {
    let mut removal = UnitRemoval { objects, unit, begun_under, removed: Vec::new() };
    let outcome = match removal.run(uploads_since).await? {
        Ending::Done => return Ok(Outcome::Done),
        Ending::Changed(key, reason) => Outcome::Changed { key, reason },
        Ending::Held(reason) => Outcome::Held { reason, until: None },
        Ending::Refused(reason) => Outcome::Refused { reason },
    };
    Ok(match removal.give_up().await? {
        None => outcome,
        Some((key, reason)) => Outcome::NotRestored { key, reason },
    })
}

struct UnitRemoval<'a> {
    objects: &'a Objects<'a>,
    unit: &'a IntendedUnit,
    begun_under: &'a [u64],
    /// What this run has removed of the unit so far.
    removed: Vec<&'a IntendedObject>,
}

/// How it went.
enum Ending {
    Done,
    /// The first key that was not as planned, and why.
    Changed(String, String),
    /// It cannot be copied.
    Held(String),
    /// This user may not copy or remove it.
    Refused(String),
}

impl<'a> UnitRemoval<'a> {
    async fn run(&mut self, uploads_since: Timestamp) -> Result<Ending> {
        // Whether anything is being uploaded is asked before the first removal.
        let found = survey_objects(self.objects, self.unit, Some(uploads_since)).await?;
        let (live, gone): (Vec<_>, Vec<_>) =
            self.unit.objects.iter().partition(|object| found.present.contains(object.planned.key.as_str()));
        let mut deleted = None;
        for object in gone {
            if found.changed.as_ref() == Some(&object.planned.key) {
                continue;
            }
            if self.was_removed(object).await? {
                self.removed.push(object);
            } else {
                deleted.get_or_insert(object);
            }
        }
        if let Some((key, reason)) = found.difference() {
            return Ok(Ending::Changed(key, reason));
        }
        if let Some(object) = deleted {
            return Ok(was_deleted(object));
        }
        match self.copy_all(&live).await? {
            Ending::Done => {}
            other => return Ok(other),
        }
        // One object is removed under a condition on itself. Of several, one may have come meanwhile.
        if self.unit.shape == Shape::Object {
            return self.remove_all(live).await;
        }
        let again = survey(self.objects, self.unit, Some(uploads_since)).await?;
        if let Some((key, reason)) = again.difference() {
            return Ok(Ending::Changed(key, reason));
        }
        if let Some(object) = missing(&live, &again) {
            return Ok(was_deleted(object));
        }
        match self.remove_all(live).await? {
            // What went without copies cannot come back beside it.
            Ending::Done if self.unit.means == Means::Copies => {}
            other => return Ok(other),
        }
        let last = survey(self.objects, self.unit, Some(uploads_since)).await?;
        Ok(last.difference().map_or(Ending::Done, |(key, reason)| Ending::Changed(key, reason)))
    }

    /// Whether the run has removed the object before: then its copy is there.
    async fn was_removed(&self, object: &IntendedObject) -> Result<bool> {
        if object.trash.is_none() {
            return Ok(true);
        }
        for copy in object.copies() {
            let copy = self.objects.find(copy).await?;
            if copy.is_some_and(|copy| copy.etag == object.planned.etag && copy.bytes == object.planned.bytes) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn copy_all(&self, live: &[&'a IntendedObject]) -> Result<Ending> {
        let objects = self.objects;
        let copy = move |object: &'a IntendedObject| async move {
            match &object.trash {
                Some(trash) => Ok((object, objects.copy(&object.planned.key, trash, &object.planned).await?)),
                None => Ok((object, Copied::AsPlanned)),
            }
        };
        let mut ending = Ending::Done;
        for (object, copied) in objects.for_all(live.to_vec(), copy).await? {
            match copied {
                Copied::AsPlanned => {}
                Copied::Changed(reason) => return Ok(Ending::Changed(object.planned.key.clone(), reason)),
                Copied::Gone => return Ok(was_deleted(object)),
                Copied::Impossible(reason) => ending = Ending::Held(reason),
                Copied::Refused(reason) => return Ok(Ending::Refused(reason)),
            }
        }
        Ok(ending)
    }

    /// Removes `_SUCCESS` first, so that nobody takes what is left for complete.
    async fn remove_all(&mut self, live: Vec<&'a IntendedObject>) -> Result<Ending> {
        let (markers, others): (Vec<_>, Vec<_>) = live.into_iter().partition(|object| is_success(&object.planned.key));
        for group in [markers, others] {
            let mut ending = None;
            for (object, removed) in remove_as_planned(self.objects, group).await? {
                match removed {
                    Removed::Gone => self.removed.push(object),
                    Removed::Changed => {
                        ending = Some(Ending::Changed(object.planned.key.clone(), WRITTEN_AGAIN.to_owned()));
                    }
                    Removed::Refused(reason) => ending = Some(Ending::Refused(reason)),
                }
            }
            if let Some(ending) = ending {
                return Ok(ending);
            }
        }
        Ok(Ending::Done)
    }

    /// Puts back what was removed and discards the copies of what is there. What others have written or deleted meanwhile
    /// stays as they left it. Returns what could not be put back, and why.
    async fn give_up(&self) -> Result<Option<(String, String)>> {
        let (objects, begun_under) = (self.objects, self.begun_under);
        let (markers, others): (Vec<_>, Vec<_>) =
            self.removed.iter().copied().partition(|object| is_success(&object.planned.key));
        let (mut copies, mut lost) = (Vec::new(), None);
        for group in [others, markers] {
            let put_back = move |object: &'a IntendedObject| async move {
                Ok((object, restore(objects, object, begun_under).await?))
            };
            for (object, restored) in objects.for_all(group, put_back).await? {
                match restored {
                    Restored::Back => copies.extend(object.copies().cloned()),
                    Restored::Untouched | Restored::InTheWay(_) => {}
                    Restored::NoCopy(reason) | Restored::Gone(reason) => {
                        lost = Some((object.planned.key.clone(), reason));
                    }
                }
            }
        }
        // Of what was not removed this holder's copies go; an earlier one may have a removal on its way.
        let found = survey(objects, self.unit, None).await?;
        let removed: BTreeSet<&str> = self.removed.iter().map(|removed| removed.planned.key.as_str()).collect();
        let is_left = |object: &&IntendedObject| {
            let key = object.planned.key.as_str();
            found.present.contains(key) && !removed.contains(key)
        };
        copies.extend(self.unit.objects.iter().filter(is_left).filter_map(|object| object.trash.clone()));
        objects.discard_if_safe(copies).await?;
        Ok(lost)
    }
}

/// Why a unit stays of which an object is another one now.
pub(super) const WRITTEN_AGAIN: &str = "it was written again while its unit was being removed";

/// Removes objects, several at a time, until one of them stays: then no other is begun, since there may be no copy of it.
pub(super) async fn remove_as_planned<'a>(
    objects: &Objects<'_>,
    planned: Vec<&'a IntendedObject>,
) -> Result<Vec<(&'a IntendedObject, Removed)>> {
    let is_over = &AtomicBool::new(false);
    let remove = move |object: &'a IntendedObject| async move {
        if is_over.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let removed = objects.remove(&object.planned).await?;
        if removed != Removed::Gone {
            is_over.store(true, Ordering::Relaxed);
        }
        Ok(Some((object, removed)))
    };
    Ok(objects.for_all(planned, remove).await?.into_iter().flatten().collect())
}

fn was_deleted(object: &IntendedObject) -> Ending {
    Ending::Changed(object.planned.key.clone(), "it was deleted after it was planned".to_owned())
}

fn missing<'a>(live: &[&'a IntendedObject], found: &UnitSurvey<'_>) -> Option<&'a IntendedObject> {
    live.iter().copied().find(|object| !found.present.contains(object.planned.key.as_str()))
}
