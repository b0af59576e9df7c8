//! Ranges of keys: listed ahead of their reader, and read in order.

use std::collections::{BTreeMap, VecDeque};
use std::vec;

use s3core::Result;
use s3core::ops::{ListObjectsV2, ListedObject};
use tokio::sync::mpsc;

use crate::places::common_prefix;

use super::adjacent::just_before;
use super::{Lister, PAGE};

/// Objects that adjacent directories hold where they share a range: they fit in a page.
pub(crate) const TOGETHER: u64 = PAGE as u64 - 1;

/// Objects of a range, about: enough for its last, cut page to be a small part of it.
const OBJECTS: u64 = 10_000;

/// Every so many keys one is kept, to cut ranges at.
const EVERY: u64 = 2_000;

/// Pages that wait for the reader, of each range.
const PAGES: usize = 2;

/// Keys to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// What they begin with.
    pub prefix: String,
    /// The last key before them; None for the first ones.
    pub after: Option<String>,
    /// The last of them; None for all that come.
    pub until: Option<String>,
    /// How many there are, probably.
    pub objects: u64,
}

impl Range {
    /// All keys that begin with `prefix`: `objects`, probably.
    pub fn all(prefix: &str, objects: u64) -> Self {
        Self { prefix: prefix.to_owned(), after: None, until: None, objects }
    }

    /// The keys of adjacent directories, from the first to the last one, and what lies between them.
    pub fn adjacent(first: &str, last: &str, objects: u64) -> Self {
        if first == last {
            return Self::all(first, objects);
        }
        let (after, until) = (just_before(first), format!("{last}{}", char::MAX));
        Self { prefix: common_prefix(first, last).to_owned(), after: Some(after), until: Some(until), objects }
    }
}

/// Ranges whose first ones are under way.
pub struct InOrder {
    lister: Lister,
    waiting: vec::IntoIter<Range>,
    under_way: VecDeque<mpsc::Receiver<Result<Vec<ListedObject>>>>,
}

/// The pages of one range.
pub struct Pages {
    from: mpsc::Receiver<Result<Vec<ListedObject>>>,
    /// Of the last page, what was not given out.
    ahead: Vec<ListedObject>,
}

impl InOrder {
    pub(super) fn new(lister: Lister, ranges: Vec<Range>) -> Self {
        Self { lister, waiting: ranges.into_iter(), under_way: VecDeque::new() }
    }

    /// The next range. None after the last one.
    pub fn next_range(&mut self) -> Option<Pages> {
        while self.under_way.len() < self.lister.at_once
            && let Some(range) = self.waiting.next()
        {
            let (give, take) = mpsc::channel(PAGES);
            let lister = self.lister.clone();
            tokio::spawn(async move { lister.list(range, &give).await });
            self.under_way.push_back(take);
        }
        self.under_way.pop_front().map(|from| Pages { from, ahead: Vec::new() })
    }
}

impl Pages {
    /// The next objects. None at the end.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn next(&mut self) -> Result<Option<Vec<ListedObject>>> {
        self.next_below("").await
    }

    /// The next objects of a directory, which come after those of the one that was asked for before. None at its end.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn next_below(&mut self, directory: &str) -> Result<Option<Vec<ListedObject>>> {
        loop {
            if self.ahead.is_empty() {
                let Some(page) = self.from.recv().await.transpose()? else { return Ok(None) };
                self.ahead = page;
            }
            let before = self.ahead.partition_point(|object| object.key.as_str() < directory);
            self.ahead.drain(..before);
            let own = self.ahead.partition_point(|object| object.key.starts_with(directory));
            let after = self.ahead.split_off(own);
            let own = std::mem::replace(&mut self.ahead, after);
            if !own.is_empty() {
                return Ok(Some(own));
            }
            if !self.ahead.is_empty() {
                return Ok(None);
            }
        }
    }
}

impl Lister {
    /// Gives out a range, page by page. Ends where nobody takes them any more.
    async fn list(&self, range: Range, give: &mpsc::Sender<Result<Vec<ListedObject>>>) {
        let mut list = ListObjectsV2::new(&self.bucket, &range.prefix);
        list.start_after = range.after;
        let mut left = range.objects;
        loop {
            // What is asked for beyond the range is listed for nothing.
            let wanted = match left {
                0 => PAGE - 1, // there is more than anybody thought
                left => u32::try_from(left).unwrap_or(PAGE).clamp(99, PAGE - 1),
            };
            list.max_keys = Some(wanted + 1);
            let mut page = match self.page(&list).await {
                Ok(page) => page,
                Err(failure) => {
                    let _ = give.send(Err(failure)).await;
                    return;
                }
            };
            left = left.saturating_sub(page.objects.len() as u64);
            let inside = match &range.until {
                Some(until) => page.objects.partition_point(|object| object.key <= *until),
                None => page.objects.len(),
            };
            let is_last = inside < page.objects.len();
            page.objects.truncate(inside);
            if give.send(Ok(page.objects)).await.is_err() || is_last {
                return;
            }
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return,
            }
        }
    }
}

/// Keys of a part of a dataset at which it may be cut.
#[derive(Debug, Default)]
pub(super) struct Marks {
    count: u64,
    marks: Vec<(String, u64)>,
    last: String,
}

impl Marks {
    pub(super) fn add(&mut self, key: &str) {
        self.count += 1;
        key.clone_into(&mut self.last);
        if self.count == EVERY {
            self.cut();
        }
    }

    fn cut(&mut self) {
        if self.count > 0 {
            self.marks.push((std::mem::take(&mut self.last), self.count));
            self.count = 0;
        }
    }
}

/// Marks of all parts: a key, and how many objects come before it and after the mark before it.
#[derive(Debug, Default)]
pub(super) struct Samples(BTreeMap<String, u64>);

impl Samples {
    pub(super) fn add(&mut self, mut marks: Marks) {
        marks.cut();
        for (key, count) in marks.marks {
            *self.0.entry(key).or_default() += count;
        }
    }

    /// Ranges that cover all keys that begin with `prefix`.
    pub(super) fn into_ranges(self, prefix: &str) -> Vec<Range> {
        let mut ranges = Vec::new();
        let (mut after, mut objects) = (None, 0);
        for (key, count) in self.0 {
            objects += count;
            if objects >= OBJECTS {
                let before = after.replace(key.clone());
                ranges.push(Range { prefix: prefix.to_owned(), after: before, until: Some(key), objects });
                objects = 0;
            }
        }
        ranges.push(Range { prefix: prefix.to_owned(), after, until: None, objects });
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn directories_of_a_range_come_one_after_the_other() {
        let (give, from) = mpsc::channel(9);
        for page in [&["a/1", "a/2"][..], &["a/3", "a0", "b/1"], &[], &["c/1"], &["c/2", "d/1"]] {
            let listed = |key: &&str| ListedObject {
                key: (*key).to_owned(),
                length: 0,
                modified: None,
                etag: None,
                storage_class: None,
            };
            give.send(Ok(page.iter().map(listed).collect())).await.unwrap();
        }
        drop(give);
        let mut pages = Pages { from, ahead: Vec::new() };
        let mut found = Vec::new();
        for directory in ["a/", "b/", "bb/", "c/", "e/"] {
            let mut own = Vec::new();
            while let Some(page) = pages.next_below(directory).await.unwrap() {
                own.extend(page.into_iter().map(|object| object.key));
            }
            found.push(own);
        }
        assert_eq!(found, [vec!["a/1", "a/2", "a/3"], vec!["b/1"], vec![], vec!["c/1", "c/2"], vec![]]);
    }

    #[test]
    fn ranges_cover_everything_once_and_are_of_one_size() {
        let mut samples = Samples::default();
        let mut keys = Vec::new();
        for day in 0..40 {
            let mut marks = Marks::default();
            for number in 0..1_500 {
                let key = format!("events/day={day:02}/{number:05}");
                marks.add(&key);
                keys.push(key);
            }
            samples.add(marks);
        }
        let mut large = Marks::default();
        for number in 0..50_000 {
            let key = format!("events/large/{number:05}");
            large.add(&key);
            keys.push(key);
        }
        samples.add(large);
        let ranges = samples.into_ranges("events/");
        assert_eq!((&ranges[0].after, &ranges[ranges.len() - 1].until), (&None, &None));
        assert!(ranges.windows(2).all(|pair| pair[0].until == pair[1].after && pair[0].until.is_some()));
        let inside = |range: &Range, key: &String| {
            range.after.as_ref().is_none_or(|after| key > after)
                && range.until.as_ref().is_none_or(|until| key <= until)
        };
        let counts: Vec<_> =
            ranges.iter().map(|range| keys.iter().filter(|key| inside(range, key)).count() as u64).collect();
        assert_eq!(counts.iter().sum::<u64>(), 110_000);
        assert!(
            counts[..counts.len() - 1].iter().all(|count| (OBJECTS..OBJECTS + EVERY).contains(count)),
            "{counts:?}"
        );
    }
}
