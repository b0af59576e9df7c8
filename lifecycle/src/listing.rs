//! Lists a bucket with many requests at once.
//!
//! A dataset is listed in parts, in whatever order answers come ([`Lister::survey`]); what must come in the order of its
//! keys is listed in ranges ahead of the reader ([`Lister::in_order`]). Memory is bounded by the pages under way.

mod above;
mod adjacent;
mod pace;
mod ranges;
mod survey;
mod tags;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use s3core::gateway::Gateway;
use s3core::ops::{ListMultipartUploads, ListObjectsV2, ListParts, ListedObject, ObjectPage};
use s3core::{ErrorKind, Result};

use crate::inventory::{Object, Upload};

use pace::Gate;
pub use pace::Pace;
pub(crate) use ranges::TOGETHER;
pub use ranges::{InOrder, Pages, Range};
pub use survey::Survey;
pub(crate) use tags::Tags;

/// What was looked for; None where these keys may not look there.
///
/// # Errors
/// All others of the gateway's.
pub(crate) fn in_sight<T>(answer: Result<T>) -> Result<Option<T>> {
    match answer {
        Err(failure) if failure.kind() == ErrorKind::AccessDenied => Ok(None),
        answer => answer.map(Some),
    }
}

/// The class of an object that names none.
pub(crate) const STANDARD: &str = "STANDARD";

/// Entries of a page: what Radosgw gives at most (`rgw_max_listing_results`); AWS gives 1000.
const PAGE: u32 = 5000;

/// Lists a bucket. Cheap to clone; clones share the bound on requests.
#[derive(Clone)]
pub struct Lister {
    gateway: Gateway,
    bucket: String,
    at_once: usize,
    gate: Gate,
    listed: Arc<AtomicU64>,
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

    /// The pending uploads of keys that begin so.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn uploads(&self, prefix: &str) -> Result<Vec<Upload>> {
        let mut list = ListMultipartUploads::new(&self.bucket, prefix);
        let mut uploads = Vec::new();
        loop {
            let page = self.gateway.run(list.clone()).await?;
            uploads.extend(page.uploads.into_iter().map(|upload| {
                let begun = timestamp(upload.initiated);
                Upload { key: upload.key, id: upload.upload_id, begun, newest: begun }
            }));
            match page.next {
                Some(next) => list.marker = Some(next),
                None => return Ok(uploads),
            }
        }
    }

    /// Those of the uploads that are there still, with the time of the newest part where the begin is not young: one request
    /// each.
    ///
    /// # Errors
    /// The gateway's.
    async fn with_parts(&self, uploads: Vec<Upload>, is_young: impl Fn(Timestamp) -> bool) -> Result<Vec<Upload>> {
        let asked = uploads.into_iter().map(|upload| {
            let is_known = is_young(upload.begun);
            async move { if is_known { Ok(Some(upload)) } else { self.with_newest_part(upload).await } }
        });
        let uploads: Vec<_> = stream::iter(asked).buffered(self.at_once).try_collect().await?;
        Ok(uploads.into_iter().flatten().collect())
    }

    async fn with_newest_part(&self, mut upload: Upload) -> Result<Option<Upload>> {
        let mut list = ListParts::new(&self.bucket, &upload.key, &upload.id);
        loop {
            let _slot = self.gate.pass().await;
            let page = match self.gateway.run(list.clone()).await {
                Ok(page) => page,
                // It was completed or aborted since it was listed.
                Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(None),
                // It is another user's: its begin is all that is known.
                Err(failure) if failure.kind() == ErrorKind::AccessDenied => return Ok(Some(upload)),
                Err(failure) => return Err(failure),
            };
            let sent = page.parts.iter().map(|part| timestamp(part.modified));
            upload.newest = sent.fold(upload.newest, Timestamp::max);
            match page.next {
                Some(next) => list.part_number_marker = Some(next),
                None => return Ok(Some(upload)),
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
