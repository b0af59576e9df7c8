//! Ranges of keys: listed ahead of their reader, and read in order.

use std::collections::{BTreeMap, VecDeque};
use std::vec;

use s3core::Result;
use s3core::ops::{ListObjectsV2, ListedObject};
use tokio::sync::mpsc;

use super::{Lister, PAGE};

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
}

/// Ranges whose first ones are under way.
pub struct InOrder {
    lister: Lister,
    waiting: vec::IntoIter<Range>,
    under_way: VecDeque<mpsc::Receiver<Result<Vec<ListedObject>>>>,
}

/// The pages of one range.
pub struct Pages(mpsc::Receiver<Result<Vec<ListedObject>>>);

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
        self.under_way.pop_front().map(Pages)
    }
}

impl Pages {
    /// The next objects. None at the end.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn next(&mut self) -> Result<Option<Vec<ListedObject>>> {
        self.0.recv().await.transpose()
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
            let wanted = u32::try_from(left).unwrap_or(PAGE).clamp(99, PAGE - 1);
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
