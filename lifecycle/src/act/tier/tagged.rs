//! Objects that move one by one: they get a tag, beside those that they have, and a rule of the gateway's moves what has it.
//! When an object has moved its tag goes.
//!
//! Radosgw before Reef sets the modification time of an object to now when its tags change. There is no condition on
//! tagging: an object that somebody writes in the moments between the look and the tag gets the tags of the one before it. So
//! whoever tags looks again right before.

use std::collections::{BTreeMap, BTreeSet};

use s3core::ops::{GetObjectTagging, PutObjectTagging};
use s3core::{ErrorKind, Result};

use crate::act::Failure;
use crate::act::objects::Objects;
use crate::act::survey::is_same;
use crate::pace::first;
use crate::plan::line::{PlannedObject, PlannedUnit};
use crate::run::journal::BATCH;
use crate::tier::{TAG, TierUnit, tag_value};

use super::Moved;

/// Tags that an object may have.
const MOST_TAGS: usize = 10;

/// Whether objects move as they were planned, or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    There,
    /// By now they may have another modification time. What is there still moves beside what was written since, where they are
    /// to be merged.
    Back {
        merge: bool,
    },
}

/// The units of a run whose objects move one by one. In memory are those of a batch.
pub(super) struct Tagged<'a> {
    objects: &'a Objects<'a>,
    run: &'a str,
    direction: Direction,
    /// Prefixes of the datasets, by their names.
    places: &'a BTreeMap<String, String>,
    group: Vec<Group>,
    size: usize,
    /// Prefixes and classes of what has not moved yet.
    waiting: BTreeSet<(String, String)>,
}

/// A unit.
struct Group {
    unit: PlannedUnit,
    wanted: Vec<Wanted>,
    /// Why none of its objects moves, and those that have the tag lose it.
    spared: Option<String>,
}

/// An object, and the class that it moves to.
#[derive(Debug, Clone)]
struct Wanted {
    object: PlannedObject,
    class: String,
}

/// What was found of an object.
enum Look {
    Moved,
    /// With its tags, to which the tag may have to be added.
    ToMove(BTreeMap<String, String>),
    Left(String),
    Refused(String),
}

impl<'a> Tagged<'a> {
    pub(super) fn new(
        objects: &'a Objects<'a>,
        run: &'a str,
        direction: Direction,
        places: &'a BTreeMap<String, String>,
    ) -> Self {
        Self { objects, run, direction, places, group: Vec::new(), size: 0, waiting: BTreeSet::new() }
    }

    /// Adds a unit whose objects move to one class, unless they are `spared` for a reason; returns what came of those that were added so far, from time to time.
    pub(super) async fn add(
        &mut self,
        unit: PlannedUnit,
        planned: Vec<PlannedObject>,
        class: &str,
        spared: Option<String>,
    ) -> Result<Vec<(PlannedUnit, Moved)>, Failure> {
        self.size += planned.len();
        let wanted = planned.into_iter().map(|object| Wanted { object, class: class.to_owned() });
        self.group.push(Group { unit, wanted: wanted.collect(), spared });
        if self.size < BATCH { Ok(Vec::new()) } else { self.finish().await }
    }

    /// What came of those that were added last.
    pub(super) async fn finish(&mut self) -> Result<Vec<(PlannedUnit, Moved)>, Failure> {
        self.size = 0;
        let (mut done, mut to_tag) = (Vec::new(), Vec::new());
        let group = std::mem::take(&mut self.group);
        let all = group.iter().flat_map(|group| group.wanted.iter().cloned()).collect();
        let this = &*self;
        let look = |wanted: Wanted| async move { Ok((this.look(&wanted).await?, wanted)) };
        let looks = self.objects.for_all(all, look).await?.into_iter();
        let mut looks: BTreeMap<_, _> =
            looks.map(|(look, wanted)| (wanted.object.key.clone(), (look, wanted))).collect();
        for Group { unit, wanted, spared } in group {
            let found: Vec<_> = wanted.iter().filter_map(|wanted| looks.remove(&wanted.object.key)).collect();
            let is_left = |look: &Look| matches!(look, Look::Left(_) | Look::Refused(_));
            let merges =
                self.direction == Direction::Back { merge: true } && !found.iter().all(|(look, _)| is_left(look));
            let changed = || {
                found.iter().find_map(|(look, wanted)| match look {
                    Look::Left(reason) => Some(Moved::Left(Some(wanted.object.key.clone()), reason.clone())),
                    Look::Refused(reason) => Some(Moved::Refused(Some(wanted.object.key.clone()), reason.clone())),
                    _ => None,
                })
            };
            let has_moved = self.direction == Direction::There
                && found
                    .iter()
                    .any(|(look, wanted)| matches!(look, Look::Moved) && wanted.object.class != wanted.class);
            let is_done = has_moved && found.iter().all(|(look, _)| matches!(look, Look::Moved));
            let left = match spared {
                Some(_) if is_done => None,
                Some(reason) => Some(Moved::Left(None, reason)),
                None if merges => None,
                None => changed(),
            };
            let left = left.map(|left| match left {
                Moved::Left(key, reason) if has_moved => Moved::Half(key, reason),
                left => left,
            });
            let is_left = left.is_some();
            let mut moved = left.unwrap_or(Moved::Done);
            for (look, wanted) in found {
                let Look::ToMove(tags) = look else { continue };
                if !is_left {
                    moved = Moved::Waiting;
                    let place = self.places.get(&unit.dataset).cloned().unwrap_or_default();
                    self.waiting.insert((place, wanted.class.clone()));
                }
                if self.changed(tags, &wanted.class, is_left).is_some() {
                    to_tag.push((wanted, is_left));
                }
            }
            done.push((unit, moved));
        }
        let this = &*self;
        self.objects.for_all(to_tag, |(wanted, is_left)| this.tag(wanted, is_left)).await?;
        Ok(done)
    }

    /// Looks again and changes the tags at once: much may have happened since the batch was looked at. What is no longer as it
    /// was then is told when it is looked at the next time.
    async fn tag(&self, wanted: Wanted, is_left: bool) -> Result<()> {
        let found = self.objects.find(&wanted.object.key).await?;
        first(async {
            match self.judge(&wanted, found).await? {
                Look::ToMove(tags) => {
                    let tags = self.changed(tags, &wanted.class, is_left);
                    self.put_tags(wanted.object.key, tags).await
                }
                _ => Ok(()),
            }
        })
        .await
    }

    /// Prefixes and classes that rules are needed for.
    pub(super) fn rules(self) -> Vec<TierUnit> {
        self.waiting.into_iter().map(|(prefix, class)| TierUnit { prefix, class }).collect()
    }

    async fn look(&self, wanted: &Wanted) -> Result<Look> {
        let found = self.objects.find(&wanted.object.key).await?;
        first(self.judge(wanted, found)).await
    }

    /// What is to be done with an object that was `found` just now.
    async fn judge(&self, wanted: &Wanted, found: Option<PlannedObject>) -> Result<Look> {
        let Wanted { object, class } = wanted;
        let Some(found) = found else {
            return Ok(Look::Left("it was deleted after it was planned".to_owned()));
        };
        let again = || Ok(Look::Left("it was written again after it was planned".to_owned()));
        if (&found.etag, found.bytes) != (&object.etag, object.bytes) {
            return again();
        }
        let tags = match self.objects.gateway.run(GetObjectTagging::new(self.objects.bucket, &object.key)).await {
            Ok(tags) => tags,
            Err(failure) if failure.kind() == ErrorKind::AccessDenied => return Ok(Look::Refused(failure.to_string())),
            Err(failure) => return Err(failure),
        };
        let has_tag = tags.contains_key(TAG);
        if found.class == *class {
            if has_tag {
                self.put_tags(object.key.clone(), Some(without_tag(tags).unwrap_or_default())).await?;
            }
            return Ok(Look::Moved);
        }
        if self.direction == Direction::There && !has_tag && !is_same(object, &found) {
            return again();
        }
        if !has_tag && tags.len() >= MOST_TAGS {
            return Ok(Look::Left(format!("it has {MOST_TAGS} tags, and one more is needed to move it")));
        }
        Ok(Look::ToMove(tags))
    }

    /// The tags that an object is to have, where those are others.
    fn changed(&self, tags: BTreeMap<String, String>, class: &str, is_left: bool) -> Option<BTreeMap<String, String>> {
        if is_left { without_tag(tags) } else { self.with_tag(tags, class) }
    }

    /// None where it is there.
    fn with_tag(&self, mut tags: BTreeMap<String, String>, class: &str) -> Option<BTreeMap<String, String>> {
        let value = tag_value(self.run, class);
        let before = tags.insert(TAG.to_owned(), value.clone());
        (before.as_ref() != Some(&value)).then_some(tags)
    }

    async fn put_tags(&self, key: String, tags: Option<BTreeMap<String, String>>) -> Result<()> {
        let Some(tags) = tags else { return Ok(()) };
        self.objects.permit.check()?;
        self.objects.gateway.run(PutObjectTagging::new(self.objects.bucket, &key, tags)).await
    }
}

/// None where it is not there.
fn without_tag(mut tags: BTreeMap<String, String>) -> Option<BTreeMap<String, String>> {
    tags.remove(TAG).map(|_| tags)
}
