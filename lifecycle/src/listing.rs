//! Lists a bucket with many requests at once.
//!
//! A dataset is listed in parts, in whatever order answers come ([`Lister::survey`]); what must come in the order of its
//! keys is listed in ranges ahead of the reader ([`Lister::in_order`]). Memory is bounded by the pages under way.

mod pace;
mod ranges;
mod tags;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use jiff::{Timestamp, ZonedDateTime};
use s3core::gateway::Gateway;
use s3core::ops::{ListMultipartUploads, ListObjectsV2, ListedObject, ObjectPage};
use s3core::{Error, ErrorKind, Result};
use tokio::task::JoinSet;

use crate::inventory::{Inventory, InventoryBuilder, InventoryPart, Object, Upload};
use crate::policy::{CONTROL_PREFIX, Dataset, Policy, Unit};

use pace::Gate;
pub use pace::Pace;
pub use ranges::{InOrder, Pages, Range};
use ranges::{Marks, Samples};
pub(crate) use tags::Tags;

/// The class of an object that names none.
pub(crate) const STANDARD: &str = "STANDARD";

/// Entries of a page: what Radosgw gives at most (`rgw_max_listing_results`); AWS gives 1000.
const PAGE: u32 = 5000;

/// So many directories for each request that may be under way, and the parts of a dataset are small enough.
const PARTS_FOR_EACH: usize = 4;

/// Directories are not looked into deeper than this to find enough of them.
const MOST_LEVELS: usize = 4;

/// Lists a bucket. Cheap to clone; clones share the bound on requests.
#[derive(Clone)]
pub struct Lister {
    gateway: Gateway,
    bucket: String,
    at_once: usize,
    gate: Gate,
    listed: Arc<AtomicU64>,
}

/// What a dataset holds, and where to cut it into ranges of about one size.
#[derive(Debug)]
pub struct Survey {
    /// What it holds.
    pub inventory: Inventory,
    /// Ranges that cover it, in order.
    pub ranges: Vec<Range>,
}

impl Lister {
    /// Of a bucket, at this pace.
    pub fn new(gateway: Gateway, bucket: &str, pace: Pace) -> Self {
        let at_once = pace.at_once.max(1);
        Self { gateway, bucket: bucket.to_owned(), at_once, gate: Gate::new(pace), listed: Arc::default() }
    }

    /// How many objects were listed so far; for showing that something is going on.
    pub fn listed(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.listed)
    }

    /// The gateway.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// The bucket.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Lists a dataset and its pending uploads. Where each object is a unit, only those that `kept` names are kept.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn survey(
        &self,
        policy: &Policy,
        dataset: &Dataset,
        now: &ZonedDateTime,
        kept: Option<String>,
    ) -> Result<Survey> {
        let shared = Arc::new((dataset.clone(), policy.zone.clone(), kept));
        let mut whole = InventoryPart::default();
        let mut samples = Samples::default();
        let mut level = vec![dataset.prefix.clone()];
        for _ in 0..MOST_LEVELS {
            let found = self.parts(&shared, std::mem::take(&mut level), Some("/"), &mut whole, &mut samples).await?;
            level = found.into_iter().filter(|directory| !directory.starts_with(CONTROL_PREFIX)).collect();
            if level.is_empty() || level.len() >= self.at_once * PARTS_FOR_EACH {
                break;
            }
        }
        self.parts(&shared, level, None, &mut whole, &mut samples).await?;
        let uploads = self.uploads(&dataset.prefix).await?;
        let inventory = whole.finish(dataset, &policy.zone, &uploads, now);
        Ok(Survey { inventory, ranges: samples.into_ranges(&dataset.prefix) })
    }

    /// Lists directories, with a delimiter what lies right in them; returns the directories in them then.
    async fn parts(
        &self,
        shared: &Arc<(Dataset, jiff::tz::TimeZone, Option<String>)>,
        directories: Vec<String>,
        delimiter: Option<&'static str>,
        whole: &mut InventoryPart,
        samples: &mut Samples,
    ) -> Result<Vec<String>> {
        let mut under_way = JoinSet::new();
        let mut waiting = directories.into_iter();
        let mut inner = Vec::new();
        loop {
            while under_way.len() < self.at_once
                && let Some(directory) = waiting.next()
            {
                let (lister, shared) = (self.clone(), Arc::clone(shared));
                under_way.spawn(async move { lister.part(&shared, &directory, delimiter).await });
            }
            let Some(done) = under_way.join_next().await else { return Ok(inner) };
            let (part, marks, found) = done.map_err(lost_task)??;
            whole.merge(part);
            samples.add(marks);
            inner.extend(found);
        }
    }

    async fn part(
        &self,
        (dataset, zone, kept): &(Dataset, jiff::tz::TimeZone, Option<String>),
        directory: &str,
        delimiter: Option<&str>,
    ) -> Result<(InventoryPart, Marks, Vec<String>)> {
        let mut builder = InventoryBuilder::of(dataset, zone, directory);
        if dataset.unit == Unit::Object {
            builder = builder.keeping(kept.as_deref());
        }
        let mut list = ListObjectsV2::new(&self.bucket, directory);
        list.delimiter = delimiter.map(str::to_owned);
        list.max_keys = Some(PAGE);
        let (mut marks, mut found) = (Marks::default(), Vec::new());
        loop {
            let page = self.page(&list).await?;
            let tags = self.tags(dataset, &page.objects).await?;
            for object in &page.objects {
                marks.add(&object.key);
                builder.add(&as_object(object, &tags));
            }
            found.extend(page.common_prefixes);
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok((builder.part(), marks, found)),
            }
        }
    }

    /// The pending uploads of keys that begin so.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<Upload>> {
        let mut list = ListMultipartUploads::new(&self.bucket, prefix);
        let mut uploads = Vec::new();
        loop {
            let page = self.gateway.run(list.clone()).await?;
            uploads.extend(page.uploads.into_iter().map(|upload| Upload {
                key: upload.key,
                id: upload.upload_id,
                begun: timestamp(upload.initiated),
            }));
            match page.next {
                Some(next) => list.marker = Some(next),
                None => return Ok(uploads),
            }
        }
    }

    /// Lists ranges, some of them ahead of the reader; what they hold comes in their order.
    pub fn in_order(&self, ranges: Vec<Range>) -> InOrder {
        InOrder::new(self.clone(), ranges)
    }

    async fn page(&self, list: &ListObjectsV2) -> Result<ObjectPage> {
        let _slot = self.gate.pass().await;
        let page = self.gateway.run(list.clone()).await?;
        self.listed.fetch_add(page.objects.len() as u64, Ordering::Relaxed);
        Ok(page)
    }
}

/// As inventories see it.
pub(crate) fn as_object<'a>(listed: &'a ListedObject, tags: &'a Tags) -> Object<'a> {
    Object {
        key: &listed.key,
        bytes: listed.length,
        written: timestamp(listed.modified),
        class: listed.storage_class.as_deref().unwrap_or(STANDARD),
        tags: tags.get(&listed.key),
    }
}

/// What has no time is taken for just written: it is never old enough for anything.
pub(crate) fn timestamp(time: Option<SystemTime>) -> Timestamp {
    time.and_then(|time| Timestamp::try_from(time).ok()).unwrap_or(Timestamp::MAX)
}

fn lost_task(failure: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "a listing has ended before it was done").caused_by(failure)
}
