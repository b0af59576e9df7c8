//! Files that a run has hidden under delete markers, in a bucket that keeps versions.
//!
//! Nothing about a delete marker says who put it. The journal of a run does: it has batches, one after the other, each with
//! an object for what is about to go, and one for what came of it, with the ids of the markers. Such a marker came between
//! the two, so that its time leads to the one batch that can have it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::Deserialize;
use serde::de::IgnoredAny;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::fs::FileSystem;
use crate::ops::{GetObject, ListObjectVersions, ListObjectsV2, ObjectHead, Sink};
use crate::{Error, ErrorKind, Result};

use super::{PAGE, Removal};

/// Below it s3life keeps what it knows of runs: `RUN/run.json`, `RUN/journal/LEASE-BATCH-HALF.jsonl`. Runs are named after the
/// time when they began.
const RUNS: &str = ".s3core/life/runs/";

/// A run that was killed may go on so long after it began. With one a minute they are on one page.
const LOOK_BACK: Duration = Duration::from_secs(3 * 86_400);
/// Runs that may have been at work when a marker was made, the latest of them.
const CANDIDATES: usize = 3;
/// Requests for names of journals, for one file.
const PAGES: usize = 4;
/// Objects of journals that are read for one file.
const READS: usize = 4;
/// Longest of them. A thousand objects, or five thousand markers, are some hundred KiB.
const LONGEST: u64 = 4 << 20;
/// Gateways of a zone have clocks of their own, and some tell whole seconds.
const SLACK: Duration = Duration::from_secs(2);

/// The delete markers of a batch of a run's journal.
pub(super) struct Batch {
    removal: Removal,
    /// Their version ids, which no two objects share.
    markers: HashSet<String>,
}

/// The delete marker that hides the file.
struct Marker {
    version: String,
    made: SystemTime,
}

/// Batches of a journal that may lead to a marker.
#[derive(Default)]
struct Leads {
    /// Those that were under way when it was made, of which the journal says what came of them: `LEASE-BATCH`.
    concluded: Vec<String>,
    /// Those of which it does not, with the last one before each of which it does.
    open: Vec<(String, u64)>,
}

/// A look at journals, which ends after so many requests.
struct Look<'a> {
    files: &'a FileSystem,
    path: &'a str,
    marker: Marker,
    pages: usize,
    reads: usize,
}

impl FileSystem {
    /// How a run has hidden the file. One request where no delete marker hides it, eleven at most; where nothing is to be
    /// looked for anew, one at most: the markers of `batches` are known.
    pub(super) async fn run_that_hid(&self, path: &str, is_fresh: bool, batches: &[Arc<Batch>]) -> Option<Removal> {
        if !is_fresh && batches.is_empty() {
            return None;
        }
        let marker = self.marker_over(path).await?;
        if let Some(batch) = batches.iter().find(|batch| batch.markers.contains(&marker.version)) {
            return Some(batch.removal.clone());
        }
        if !is_fresh {
            return None;
        }
        let runs = self.runs_at_work(marker.made).await?;
        let mut look = Look { files: self, path, marker, pages: PAGES, reads: READS };
        for run in runs {
            if let Some(removal) = look.through(&run).await {
                return Some(removal);
            }
        }
        None
    }

    async fn marker_over(&self, path: &str) -> Option<Marker> {
        let list = ListObjectVersions { max_keys: Some(1), ..ListObjectVersions::new(self.bucket(), path) };
        let newest = self.gateway().run(list).await.ok()?.versions.into_iter().next()?;
        // The versions of longer keys follow.
        let is_marker = newest.key == path && newest.is_latest && newest.is_delete_marker;
        Some(Marker { version: newest.version_id, made: newest.modified? }).filter(|_| is_marker)
    }

    /// Runs that had begun by then, the latest first.
    async fn runs_at_work(&self, time: SystemTime) -> Option<Vec<String>> {
        let (first, last) = (name_at(time.checked_sub(LOOK_BACK)?)?, name_at(time.checked_add(SLACK)?)?);
        let runs = self.names_below(RUNS, Some(first)).await?.into_iter();
        let begun = runs.filter(|run| run.get(..last.len()).is_some_and(|began| began <= last.as_str()));
        let mut begun: Vec<_> = begun.collect();
        begun.reverse();
        begun.truncate(CANDIDATES);
        Some(begun)
    }

    /// Whether nothing of a run comes back any more, or at least nothing of the file's dataset, which went for good. Of a record
    /// that cannot be read nothing is known.
    async fn is_emptied(&self, run: &str, path: &str) -> bool {
        let Ok(text) = self.document(&format!("{RUNS}{run}/run.json")).await else { return false };
        let Ok(Record { state, datasets }) = serde_json::from_slice(&text) else { return false };
        let went_for_good = |done: &Done| done.actions.contains_key("delete") && !done.actions.contains_key("expire");
        matches!(state.as_str(), "purging" | "purged")
            || datasets.values().any(|done| path.starts_with(&done.prefix) && went_for_good(done))
    }

    async fn document(&self, key: &str) -> Result<Vec<u8>> {
        let mut text = Document(Vec::new());
        self.gateway().run(GetObject::new(self.bucket(), key, &mut text)).await?;
        Ok(text.0)
    }
}

impl Look<'_> {
    /// Looks for the marker in the journal of a run.
    async fn through(&mut self, run: &str) -> Option<Removal> {
        let Leads { concluded, open } = self.leads(run).await?;
        let mut is_told = true;
        for batch in concluded {
            let Some(markers) = self.markers_of(run, &batch).await else {
                is_told = false;
                continue;
            };
            if markers.contains(&self.marker.version) {
                let removal = self.unless_emptied(run, Removal::Hidden(run.to_owned())).await;
                self.files.shared.removed.keep_batch(Batch { removal: removal.clone(), markers });
                return Some(removal);
            }
        }
        for (batch, concluded) in open.into_iter().rev() {
            if self.names_the_file(run, &batch, concluded).await {
                return Some(self.unless_emptied(run, Removal::Begun(run.to_owned())).await);
            }
        }
        if is_told { None } else { Some(Removal::MeanwhileOf(run.to_owned())) }
    }

    async fn unless_emptied(&self, run: &str, removal: Removal) -> Removal {
        if self.files.is_emptied(run, self.path).await { Removal::Emptied(run.to_owned()) } else { removal }
    }

    /// The batches that were under way when the marker was made, give or take [`SLACK`].
    async fn leads(&mut self, run: &str) -> Option<Leads> {
        let prefix = format!("{RUNS}{run}/journal/");
        let mut list = ListObjectsV2 { max_keys: Some(PAGE), ..ListObjectsV2::new(self.files.bucket(), &prefix) };
        let made = self.marker.made;
        let (earliest, latest) = (made.checked_sub(SLACK)?, made.checked_add(SLACK)?);
        let (mut concluded, mut last, mut leads) = (BTreeMap::new(), None, Leads::default());
        while self.pages > 0 {
            self.pages -= 1;
            let page = self.files.gateway().run(list.clone()).await.ok()?;
            for object in page.objects {
                let (Some(name), Some(written)) = (object.key.strip_prefix(&prefix), object.modified) else { continue };
                let Some((batch, half)) = name.rsplit_once('-') else { continue };
                let Some((lease, sequence)) = numbers(batch) else { continue };
                match half {
                    "intent.jsonl" if written <= latest => {
                        // Those of a large unit follow what came of the first one, and are older than that.
                        let (before, until) = concluded.get(&lease).copied().unwrap_or((0, SystemTime::UNIX_EPOCH));
                        if written >= until {
                            leads.open.push((batch.to_owned(), before));
                        }
                        last = Some(batch.to_owned());
                    }
                    "outcome.jsonl" if last.as_deref() == Some(batch) => {
                        concluded.insert(lease, (sequence, written));
                        leads.open.retain(|(open, _)| open != batch);
                        if written >= earliest {
                            leads.concluded.push(batch.to_owned());
                        } else {
                            // Whoever went on did that with what had been left open.
                            leads.open.clear();
                        }
                    }
                    _ => {}
                }
                let surplus = leads.open.len().saturating_sub(READS);
                leads.open.drain(..surplus);
            }
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Some(leads),
            }
        }
        // Who went on with it may follow.
        leads.open.clear();
        Some(leads)
    }

    /// Those of a batch's markers that are told beside the one that is looked for, or the last ones where it is none of
    /// them; `None` where they cannot be read.
    async fn markers_of(&mut self, run: &str, batch: &str) -> Option<HashSet<String>> {
        let (mut half, mut number) = ("outcome".to_owned(), 1);
        loop {
            let text = self.half(run, batch, &half).await?;
            let (head, lines) = parsed::<Outcome>(&text)?;
            let markers: HashSet<_> =
                lines.into_iter().flat_map(|line| line.markers).map(|marker| marker.version).collect();
            if markers.contains(&self.marker.version) || head.part.is_none_or(|part| number >= part.of) {
                return Some(markers);
            }
            number += 1;
            half = format!("rest-{number}");
        }
    }

    /// Whether the file is among what was about to go in a batch, of which nobody wrote down what came of it; `concluded` is
    /// the last one of its lease of which somebody did.
    async fn names_the_file(&mut self, run: &str, batch: &str, concluded: u64) -> bool {
        let Some(text) = self.half(run, batch, "intent").await else { return false };
        let Some((head, units)) = parsed::<Intended>(&text) else { return false };
        let is_open = head.group.is_some_and(|group| group.first > concluded);
        let mut going = units.iter().filter(|unit| unit.means == "markers").flat_map(|unit| &unit.objects);
        is_open && going.any(|object| object.key == self.path)
    }

    async fn half(&mut self, run: &str, batch: &str, half: &str) -> Option<Vec<u8>> {
        self.reads = self.reads.checked_sub(1)?;
        self.files.document(&format!("{RUNS}{run}/journal/{batch}-{half}.jsonl")).await.ok()
    }
}

/// How the name of a run begins that began then: `20261125T214500Z`.
fn name_at(time: SystemTime) -> Option<String> {
    let seconds = i64::try_from(time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs()).ok()?;
    let form = format_description!("[year][month][day]T[hour][minute][second]Z");
    OffsetDateTime::from_unix_timestamp(seconds).ok()?.format(form).ok()
}

/// Lease and sequence of a batch.
fn numbers(batch: &str) -> Option<(u64, u64)> {
    let (lease, sequence) = batch.split_once('-')?;
    Some((lease.parse().ok()?, sequence.parse().ok()?))
}

/// The first line and the others.
fn parsed<T: for<'de> Deserialize<'de>>(text: &[u8]) -> Option<(Head, Vec<T>)> {
    let mut lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let head = serde_json::from_slice(lines.next()?).ok()?;
    let lines = lines.map(serde_json::from_slice).collect::<serde_json::Result<_>>().ok()?;
    Some((head, lines))
}

#[derive(Deserialize)]
struct Record {
    state: String,
    #[serde(default)]
    datasets: HashMap<String, Done>,
}

/// What a run did in a dataset.
#[derive(Deserialize)]
struct Done {
    prefix: String,
    actions: HashMap<String, IgnoredAny>,
}

#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    group: Option<Group>,
    #[serde(default)]
    part: Option<Part>,
}

/// Batches that were announced together; what came of them is told once.
#[derive(Deserialize)]
struct Group {
    first: u64,
}

/// What came of a batch may be too much for one object.
#[derive(Clone, Copy, Deserialize)]
struct Part {
    of: u32,
}

#[derive(Deserialize)]
struct Outcome {
    #[serde(default)]
    markers: Vec<Put>,
}

#[derive(Deserialize)]
struct Put {
    version: String,
}

#[derive(Deserialize)]
struct Intended {
    #[serde(default)]
    means: String,
    objects: Vec<Going>,
}

#[derive(Deserialize)]
struct Going {
    key: String,
}

/// Takes an object of up to [`LONGEST`] bytes in one piece.
struct Document(Vec<u8>);

impl Sink for Document {
    fn head(&mut self, head: &ObjectHead) -> Result<()> {
        if head.length > LONGEST {
            return Err(Error::new(ErrorKind::OutOfRange, "it is too long to be read for one file that is missed"));
        }
        Ok(())
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        self.0.extend_from_slice(&frame);
        Ok(())
    }
}
