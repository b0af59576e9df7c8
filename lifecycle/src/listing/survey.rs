//! The first look at a dataset: level by level down to enough directories, then all that these hold.
//!
//! A directory costs a request at least, and most tables have many small ones: adjacent directories share a page, by what those
//! listed before them held. What the page does not hold to its end goes back to the waiting ones, and a directory that fills a
//! page by itself is listed by itself, beside others.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};
use s3core::ops::{ListObjectsV2, ListedObject};
use s3core::{Error, ErrorKind, Result};
use tokio::task::JoinSet;

use crate::inventory::{Inventory, InventoryBuilder, InventoryPart, is_alive};
use crate::places::common_prefix;
use crate::policy::{CONTROL_PREFIX, Dataset, Policy, Unit};

use super::adjacent::just_before;
use super::ranges::{Marks, Samples};
use super::{Lister, PAGE, Range, Tags, as_object};

/// So many directories for each request that may be under way, and the parts of a dataset are small enough.
const PARTS_FOR_EACH: usize = 4;

/// So many behind a directory that fills a page are listed by themselves, too.
const BEHIND: usize = 4;

/// Directories are not looked into deeper than this to find enough of them.
const MOST_LEVELS: usize = 4;

/// What a dataset holds, and where to cut it into ranges of about one size.
#[derive(Debug)]
pub struct Survey {
    /// What it holds.
    pub inventory: Inventory,
    /// Ranges that cover it, in order.
    pub ranges: Vec<Range>,
}

/// What is looked for.
struct Wanted {
    dataset: Dataset,
    zone: TimeZone,
    kept: Option<String>,
}

/// What is known when all is listed.
#[derive(Default)]
struct Found {
    contents: InventoryPart,
    samples: Samples,
}

/// What one listing has found.
#[derive(Default)]
struct Part {
    contents: InventoryPart,
    marks: Marks,
    objects: u64,
    /// Directories in what was listed, where a delimiter was asked for.
    inner: Vec<String>,
    /// How many directories were listed to their end.
    done: u64,
    /// Whether it took more than a page.
    is_large: bool,
    /// Directories that were not listed to their end: one that fills a page with those behind it, which may be as large.
    large: VecDeque<String>,
    left: VecDeque<String>,
}

impl Lister {
    /// Lists a dataset and its pending uploads, and looks around it. Where each object is a unit, only those that `kept` names are kept.
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
        let wanted = Arc::new(Wanted { dataset: dataset.clone(), zone: policy.zone.clone(), kept });
        let mut found = Found::default();
        let mut level = vec![dataset.prefix.clone()];
        for _ in 0..MOST_LEVELS {
            let inner = self.parts(&wanted, std::mem::take(&mut level), Some("/"), &mut found).await?;
            level = inner.into_iter().filter(|directory| !directory.starts_with(CONTROL_PREFIX)).collect();
            if level.is_empty() || level.len() >= self.at_once * PARTS_FOR_EACH {
                break;
            }
        }
        self.parts(&wanted, level, None, &mut found).await?;
        let is_young = |written: Timestamp| is_alive(written, dataset.abandoned_after, &policy.zone, now);
        found.contents.add_above(self.above(&dataset.prefix, is_young).await?);
        let uploads = self.with_parts(self.uploads(&dataset.prefix).await?, is_young).await?;
        let inventory = found.contents.finish(dataset, &policy.zone, &uploads, now);
        Ok(Survey { inventory, ranges: found.samples.into_ranges(&dataset.prefix) })
    }

    /// Lists directories; with a delimiter what lies right in them, and returns the directories in them then.
    async fn parts(
        &self,
        wanted: &Arc<Wanted>,
        mut directories: Vec<String>,
        delimiter: Option<&'static str>,
        found: &mut Found,
    ) -> Result<Vec<String>> {
        directories.sort_unstable();
        let mut waiting = Waiting::from(directories);
        let mut under_way = JoinSet::new();
        let (mut sizes, mut inner) = (Sizes::default(), Vec::new());
        loop {
            while under_way.len() < self.at_once {
                let share = waiting.directories.div_ceil(self.at_once);
                let Some(group) = waiting.take(if delimiter.is_some() { 1 } else { sizes.together(share) }) else {
                    break;
                };
                let page = sizes.page(group.len());
                let (lister, wanted) = (self.clone(), Arc::clone(wanted));
                under_way.spawn(async move { lister.part(&wanted, group, delimiter, page).await });
            }
            let Some(done) = under_way.join_next().await else { return Ok(inner) };
            let part = done.map_err(lost_task)??;
            if !part.is_large {
                sizes.add(part.done, part.objects);
            }
            found.contents.merge(part.contents);
            found.samples.add(part.marks);
            inner.extend(part.inner);
            waiting.add(part.left);
            // What takes longest begins first.
            part.large.into_iter().rev().for_each(|directory| waiting.add_first(directory));
        }
    }

    /// Lists a directory, or those of some adjacent ones that a page holds to their end.
    async fn part(
        &self,
        wanted: &Wanted,
        directories: VecDeque<String>,
        delimiter: Option<&str>,
        page: u32,
    ) -> Result<Part> {
        let mut list = listing_of(&self.bucket, &directories, page);
        list.delimiter = delimiter.map(str::to_owned);
        let mut group = Group::new(wanted, directories);
        loop {
            let mut page = self.page(&list).await?;
            let is_cut = page.next.is_some() && !group.is_one && !page.objects.is_empty();
            if let (true, Some(last)) = (is_cut, page.objects.last()) {
                group.leave_from(&last.key);
            }
            page.objects.retain(|object| group.holds(&object.key));
            let tags = self.tags(&wanted.dataset, &page.objects).await?;
            for object in &page.objects {
                group.add(object, &tags);
            }
            group.part.inner.extend(page.common_prefixes);
            match page.next {
                Some(token) if !is_cut => {
                    list.continuation_token = Some(token);
                    group.part.is_large = true;
                }
                _ => return Ok(group.finish()),
            }
        }
    }
}

/// One directory by its prefix; several by what their keys have in common, from the first one on.
fn listing_of(bucket: &str, directories: &VecDeque<String>, page: u32) -> ListObjectsV2 {
    let (first, last) = (directories.front().map_or("", String::as_str), directories.back().map_or("", String::as_str));
    let mut list = ListObjectsV2::new(bucket, common_prefix(first, last));
    list.start_after = (directories.len() > 1).then(|| just_before(first));
    list.max_keys = Some(page);
    list
}

/// Adjacent directories whose objects come in the order of their keys.
struct Group<'a> {
    wanted: &'a Wanted,
    /// The one that objects come of, and those after it.
    directories: VecDeque<String>,
    /// Whether pages of one directory come, and nothing else.
    is_one: bool,
    builder: Option<InventoryBuilder<'a>>,
    part: Part,
}

impl<'a> Group<'a> {
    fn new(wanted: &'a Wanted, directories: VecDeque<String>) -> Self {
        let is_one = directories.len() == 1;
        Self { wanted, directories, is_one, builder: None, part: Part::default() }
    }

    /// Whether a key that comes next lies in one of the directories: what lies between them belongs to others.
    fn holds(&self, key: &str) -> bool {
        let after = self.directories.partition_point(|directory| directory.as_str() <= key);
        after.checked_sub(1).and_then(|index| self.directories.get(index)).is_some_and(|own| key.starts_with(own))
    }

    /// Adds the next object of the directories.
    fn add(&mut self, object: &ListedObject, tags: &Tags) {
        self.pass_to(&object.key);
        let Wanted { dataset, zone, kept } = self.wanted;
        let place = self.directories.front().map_or("", String::as_str);
        let builder = self.builder.get_or_insert_with(|| {
            let builder = InventoryBuilder::of(dataset, zone, place);
            if dataset.unit == Unit::Object { builder.keeping(kept.as_deref()) } else { builder }
        });
        builder.add(&as_object(object, tags));
        self.part.marks.add(&object.key);
        self.part.objects += 1;
    }

    /// Ends the directories that lie before a key.
    fn pass_to(&mut self, key: &str) {
        while self.directories.front().is_some_and(|first| is_passed(first, key)) {
            self.directories.pop_front();
            self.part.done += 1;
            self.close();
        }
    }

    fn close(&mut self) {
        if let Some(builder) = self.builder.take() {
            self.part.contents.merge(builder.part());
        }
    }

    /// Leaves the directories that a page with this last key does not hold to their end.
    fn leave_from(&mut self, last: &str) {
        let whole = self.directories.partition_point(|directory| is_passed(directory, last));
        let mut left = self.directories.split_off(whole);
        if whole == 0 {
            self.part.large = left.drain(..left.len().min(1 + BEHIND)).collect();
        }
        self.part.left = left;
    }

    fn finish(mut self) -> Part {
        self.close();
        self.part.done += self.directories.len() as u64;
        self.part
    }
}

/// Directories that nobody lists yet: stretches of adjacent ones.
#[derive(Default)]
struct Waiting {
    stretches: VecDeque<VecDeque<String>>,
    directories: usize,
}

impl From<Vec<String>> for Waiting {
    fn from(sorted: Vec<String>) -> Self {
        let mut waiting = Self::default();
        waiting.add(sorted.into());
        waiting
    }
}

impl Waiting {
    fn add(&mut self, stretch: VecDeque<String>) {
        if !stretch.is_empty() {
            self.directories += stretch.len();
            self.stretches.push_back(stretch);
        }
    }

    /// One that is taken next, by itself.
    fn add_first(&mut self, directory: String) {
        self.directories += 1;
        self.stretches.push_front(VecDeque::from([directory]));
    }

    /// So many adjacent directories at most.
    fn take(&mut self, most: usize) -> Option<VecDeque<String>> {
        let stretch = self.stretches.front_mut()?;
        let group: VecDeque<_> = stretch.drain(..most.min(stretch.len())).collect();
        self.directories -= group.len();
        if stretch.is_empty() {
            self.stretches.pop_front();
        }
        Some(group)
    }
}

/// Whether a listing that has come to `key` has shown all of a directory.
fn is_passed(directory: &str, key: &str) -> bool {
    directory < key && !key.starts_with(directory)
}

/// How many objects directories hold, by those that were listed.
#[derive(Default)]
struct Sizes {
    directories: u64,
    objects: u64,
}

impl Sizes {
    fn add(&mut self, directories: u64, objects: u64) {
        self.directories += directories;
        self.objects += objects;
    }

    fn mean(&self) -> u64 {
        self.objects.checked_div(self.directories).unwrap_or(0).max(1)
    }

    /// How many directories fit in a page, but no more than `share` unless they are few objects; one as long as nothing is known.
    fn together(&self, share: usize) -> usize {
        if self.directories == 0 {
            return 1;
        }
        let that_hold = |objects: u64| usize::try_from(objects / self.mean()).unwrap_or(usize::MAX);
        that_hold(PAGE.into()).min(share.max(that_hold(SMALLEST))).max(1)
    }

    /// Entries to ask for: some more than so many directories hold on average, because what comes after them is listed for nothing.
    fn page(&self, directories: usize) -> u32 {
        if directories == 1 {
            return PAGE;
        }
        let expected = self.mean().saturating_mul(directories as u64);
        u32::try_from(expected + expected / 4 + SMALLEST / 4).unwrap_or(PAGE).min(PAGE)
    }
}

/// Entries that cost little beside their request.
const SMALLEST: u64 = 500;

fn lost_task(failure: tokio::task::JoinError) -> Error {
    Error::new(ErrorKind::Internal, "a listing has ended before it was done").caused_by(failure)
}

#[cfg(test)]
mod tests;
