//! Lifecycle rules at work: objects move to the storage class that a transition names, and keep their modification time
//! and ETag. No rule removes anything here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use s3s::dto::{ExpirationStatus, LifecycleRule, LifecycleRuleFilter, Tag, Transition};

use crate::operations::now;
use crate::storage::Storage;
use crate::storage::bucket::{Bucket, ListEntry, ListQuery};
use crate::storage::object::Object;

const MILLISECONDS_IN_A_DAY: i64 = 86_400_000;
const NEVER: u64 = u64::MAX;

/// Carries out the rules of all buckets.
#[derive(Debug)]
pub(crate) struct Lifecycles {
    storage: Arc<Storage>,
    /// A rule that names another class does nothing, as on Radosgw.
    classes: Vec<String>,
    /// Milliseconds from when rules are put until they are carried out, or [`NEVER`].
    delay: AtomicU64,
}

impl Lifecycles {
    pub(crate) fn new(storage: Arc<Storage>, classes: Vec<String>) -> Self {
        Self { storage, classes, delay: AtomicU64::new(NEVER) }
    }

    pub(crate) fn set_delay(&self, delay: Option<Duration>) {
        let milliseconds = delay.and_then(|delay| u64::try_from(delay.as_millis()).ok());
        self.delay.store(milliseconds.unwrap_or(NEVER), Ordering::Relaxed);
    }

    /// Carries out all rules; returns how many objects have moved.
    pub(crate) fn run(&self) -> usize {
        self.storage.buckets().iter().map(|bucket| self.run_bucket(bucket)).sum()
    }

    /// Carries out a bucket's rules where the delay is over since they were put, or carried out.
    pub(crate) fn run_if_due(&self, bucket: &str) {
        let delay = self.delay.load(Ordering::Relaxed);
        if delay == NEVER {
            return;
        }
        let Some(bucket) = self.storage.bucket(bucket) else { return };
        if bucket.takes_lifecycle_turn(Instant::now(), Duration::from_millis(delay)) {
            self.run_bucket(&bucket);
        }
    }

    fn run_bucket(&self, bucket: &Bucket) -> usize {
        let rules = bucket.lifecycle().unwrap_or_default();
        let enabled = rules.iter().filter(|rule| rule.status.as_str() == ExpirationStatus::ENABLED);
        enabled.map(|rule| self.carry_out(bucket, rule)).sum()
    }

    fn carry_out(&self, bucket: &Bucket, rule: &LifecycleRule) -> usize {
        let filter = Filter::of(rule);
        let query = ListQuery { prefix: filter.prefix, delimiter: None, after: None, limit: usize::MAX };
        let found = bucket.list(&query).entries.into_iter();
        let objects = found.filter_map(|entry| match entry {
            ListEntry::Object(object) => Some(object),
            ListEntry::CommonPrefix(_) => None,
        });
        let mut moved = 0;
        for object in objects.filter(|object| filter.holds(object)) {
            let class = rule.transitions.as_ref().and_then(|transitions| due(transitions, now() - object.modified));
            let Some(class) = class.filter(|class| self.classes.contains(class)) else { continue };
            moved += usize::from(self.transition(bucket, &object, &class));
        }
        moved
    }

    /// False where the object is there already, or was changed meanwhile.
    fn transition(&self, bucket: &Bucket, object: &Object, class: &str) -> bool {
        let put = self.storage.put::<()>(bucket, &object.key, |existing| {
            let current =
                existing.filter(|current| (&current.etag, current.modified) == (&object.etag, object.modified));
            let mut moved = current.filter(|current| current.attributes.storage_class != class).ok_or(())?.clone();
            class.clone_into(&mut moved.attributes.storage_class);
            Ok(moved)
        });
        put.is_ok()
    }
}

/// The class of the transition that an object of this age is due for; of several the one that comes last.
fn due(transitions: &[Transition], age: i64) -> Option<String> {
    let days = |transition: &Transition| i64::from(transition.days.unwrap_or(i32::MAX));
    let due = transitions.iter().filter(|transition| days(transition).saturating_mul(MILLISECONDS_IN_A_DAY) <= age);
    Some(due.max_by_key(|transition| days(transition))?.storage_class.as_ref()?.as_str().to_owned())
}

/// What a rule asks of objects.
struct Filter<'a> {
    prefix: &'a str,
    tags: Vec<&'a Tag>,
    larger_than: Option<i64>,
    smaller_than: Option<i64>,
}

impl<'a> Filter<'a> {
    fn of(rule: &'a LifecycleRule) -> Self {
        match &rule.filter {
            Some(LifecycleRuleFilter { and: Some(and), .. }) => Self {
                prefix: and.prefix.as_deref().unwrap_or_default(),
                tags: and.tags.iter().flatten().collect(),
                larger_than: and.object_size_greater_than,
                smaller_than: and.object_size_less_than,
            },
            Some(filter) => Self {
                prefix: filter.prefix.as_deref().unwrap_or_default(),
                tags: filter.tag.iter().collect(),
                larger_than: filter.object_size_greater_than,
                smaller_than: filter.object_size_less_than,
            },
            None => Self {
                prefix: rule.prefix.as_deref().unwrap_or_default(),
                tags: Vec::new(),
                larger_than: None,
                smaller_than: None,
            },
        }
    }

    /// The prefix aside, which the listing has looked at.
    fn holds(&self, object: &Object) -> bool {
        let length = i64::try_from(object.data.length()).unwrap_or(i64::MAX);
        let has = |tag: &Tag| {
            let wanted = (tag.key.as_deref(), tag.value.as_deref());
            object.attributes.tags.iter().any(|(key, value)| wanted == (Some(key.as_str()), Some(value.as_str())))
        };
        self.larger_than.is_none_or(|least| length > least)
            && self.smaller_than.is_none_or(|most| length < most)
            && self.tags.iter().all(|tag| has(tag))
    }
}
