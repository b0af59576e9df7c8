//! The first look at a dataset: level by level down to enough directories, then all that these hold.
//!
//! A directory costs a request at least, and most tables have many small ones: adjacent directories share a listing of about
//! a page, by what those listed before them held. Where a listing does not reach the end of its directories, those that it has
//! not come to go back to the waiting ones, so that large ones among small ones are still listed side by side.

use std::collections::VecDeque;
use std::sync::Arc;

use jiff::ZonedDateTime;
use jiff::tz::TimeZone;
use s3core::ops::{ListObjectsV2, ListedObject};
use s3core::{Error, ErrorKind, Result};
use tokio::task::JoinSet;

use crate::inventory::{Inventory, InventoryBuilder, InventoryPart};
use crate::policy::{CONTROL_PREFIX, Dataset, Policy, Unit};

use super::adjacent::{common_prefix, just_before};
use super::ranges::{Marks, Samples};
use super::{Lister, PAGE, Range, Tags, as_object};

/// So many directories for each request that may be under way, and the parts of a dataset are small enough.
const PARTS_FOR_EACH: usize = 4;

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
    /// How many directories were listed to their end, and those that were not come to.
    done: u64,
    left: VecDeque<String>,
}

impl Lister {
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
        let uploads = self.uploads(&dataset.prefix).await?;
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
            sizes.add(part.done, part.objects);
            found.contents.merge(part.contents);
            found.samples.add(part.marks);
            inner.extend(part.inner);
            waiting.add(part.left);
        }
    }

    /// Lists adjacent directories as far as the first page reaches, and the one that it ends in to its end.
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
            let last = page.objects.last().map(|object| object.key.clone());
            page.objects.retain(|object| group.holds(&object.key));
            let tags = self.tags(&wanted.dataset, &page.objects).await?;
            for object in &page.objects {
                group.add(object, &tags);
            }
            group.part.inner.extend(page.common_prefixes);
            match page.next {
                Some(token) if group.is_one() => list.continuation_token = Some(token),
                Some(_) => match group.cut(last.as_deref()) {
                    Some(directory) => {
                        list = listing_of(&self.bucket, &VecDeque::from([directory]), PAGE);
                        list.start_after = last;
                    }
                    None => return Ok(group.finish()),
                },
                None => return Ok(group.finish()),
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
    is_one: bool,
    builder: Option<InventoryBuilder<'a>>,
    part: Part,
}

impl<'a> Group<'a> {
    fn new(wanted: &'a Wanted, directories: VecDeque<String>) -> Self {
        let is_one = directories.len() == 1;
        Self { wanted, directories, is_one, builder: None, part: Part::default() }
    }

    /// Whether pages of one directory come, and nothing else.
    fn is_one(&self) -> bool {
        self.is_one
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
        while self.directories.front().is_some_and(|first| first.as_str() < key && !key.starts_with(first)) {
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

    /// Leaves what the page that ended with `last` has not come to. Returns the directory that the page ended in.
    fn cut(&mut self, last: Option<&str>) -> Option<String> {
        let last = last.unwrap_or_default();
        self.pass_to(last);
        let is_inside = self.directories.front().is_some_and(|first| last.starts_with(first));
        self.part.left = self.directories.split_off(usize::from(is_inside));
        self.is_one = true;
        self.directories.front().cloned()
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
