//! The directory with a job's state, as one listing found it.

use std::collections::HashSet;
use std::time::SystemTime;

use bytes::Bytes;
use futures::FutureExt;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use crate::fs::{FileSystem, keys};
use crate::ops::{DeleteObject, GetObject, ListedObject};
use crate::transfer::budget::Reservation;
use crate::{Error, ErrorKind, Result};

use super::super::pending_set::PendingSet;
use super::super::{ATTEMPT_MARKER, AttemptMarker, COMMIT_RECORD, JOB_MARKER, PENDING_SET, uuid_of};
use super::Job;

/// Objects that are read at the same time.
const READS_AT_ONCE: usize = 16;

pub(in crate::commit) struct Directory {
    prefix: String,
    /// Whether the job's own marker is there.
    pub(super) is_set_up: bool,
    /// Whether the record is there which says that the job's commit has begun, and when it was put.
    pub(super) has_commit_record: bool,
    pub(super) commit_begun: Option<SystemTime>,
    sets: Vec<ListedObject>,
    /// Names of the attempts that have a marker.
    pub(super) marked_attempts: Vec<String>,
    /// Everything below work paths besides markers.
    others: Vec<ListedObject>,
    /// When something in it was last written.
    pub(in crate::commit) last_written: Option<SystemTime>,
}

/// A pending set that was read.
pub(in crate::commit) struct LoadedSet {
    pub(in crate::commit) set: PendingSet,
    /// The bytes of its files, unless they were too many to keep.
    pub(super) bodies: Option<Bytes>,
    key: String,
    etag: Option<String>,
    length: u64,
    _memory: Option<Reservation>,
}

impl Directory {
    pub(in crate::commit) async fn list(files: &FileSystem, job: &Job) -> Result<Self> {
        let path = job.directory();
        let prefix = keys::directory(&path);
        let mut directory = Self {
            prefix,
            is_set_up: false,
            has_commit_record: false,
            commit_begun: None,
            sets: Vec::new(),
            marked_attempts: Vec::new(),
            others: Vec::new(),
            last_written: None,
        };
        let mut pages = files.keys_below(&path);
        while let Some(page) = pages.next_page().await? {
            page.into_iter().for_each(|object| directory.add(object));
        }
        Ok(directory)
    }

    fn add(&mut self, object: ListedObject) {
        self.last_written = self.last_written.max(object.modified);
        let rest = object.key.strip_prefix(&self.prefix).unwrap_or_default();
        match rest.split_once('/') {
            None if rest == JOB_MARKER => self.is_set_up = true,
            None if rest == COMMIT_RECORD => {
                self.has_commit_record = true;
                self.commit_begun = object.modified;
            }
            None if rest.ends_with(PENDING_SET) => self.sets.push(object),
            Some((attempt, ATTEMPT_MARKER)) => self.marked_attempts.push(attempt.to_owned()),
            _ => self.others.push(object),
        }
    }

    /// Reads every pending set. The bytes of small files stay in memory while half of the budget is free.
    pub(in crate::commit) fn load_sets<'a>(&'a self, files: &'a FileSystem) -> BoxStream<'a, Result<LoadedSet>> {
        let loads: Vec<_> = self.sets.iter().map(|object| LoadedSet::read(files, object).boxed()).collect();
        stream::iter(loads).buffer_unordered(READS_AT_ONCE).boxed()
    }

    /// Objects below the work paths of `attempts` that are no pending files, with their paths from there: directories,
    /// targets of renames, what other programs have put there.
    pub(super) fn ordinary_objects<'a>(
        &'a self,
        attempts: HashSet<&'a str>,
    ) -> impl Iterator<Item = (&'a ListedObject, &'a str)> {
        self.others.iter().filter_map(move |object| {
            let (attempt, path) = object.key.strip_prefix(&self.prefix)?.split_once('/')?;
            (attempts.contains(attempt) && !path.is_empty()).then_some((object, path))
        })
    }

    /// The UUIDs in the names of files that attempts with a marker have uploaded.
    pub(in crate::commit) async fn uuids_of_marked_attempts(&self, files: &FileSystem) -> Result<HashSet<String>> {
        let read_one = |attempt: &String| {
            let key = format!("{}{attempt}/{ATTEMPT_MARKER}", self.prefix);
            async move {
                let content = match unless_gone(read(files, &key, None).await) {
                    Some(content) => content?.0,
                    None => return Ok(None),
                };
                let marker: Option<AttemptMarker> = serde_json::from_slice(&content).ok();
                Ok::<_, Error>(marker.and_then(|marker| uuid_of(&marker.first_file).map(str::to_owned)))
            }
            .boxed()
        };
        let reads: Vec<_> = self.marked_attempts.iter().map(read_one).collect();
        let uuids: Vec<_> = stream::iter(reads).buffer_unordered(READS_AT_ONCE).try_collect().await?;
        Ok(uuids.into_iter().flatten().collect())
    }

    /// Removes what was listed, the job's own record first: what is left after a crash is no job that could be completed.
    pub(super) async fn remove(&self, files: &FileSystem) -> Result<()> {
        if self.is_set_up {
            let record = format!("{}{JOB_MARKER}", self.prefix);
            files.gateway().run(DeleteObject::new(files.bucket(), &record)).await?;
        }
        let markers = self.marked_attempts.iter().map(|attempt| format!("{}{attempt}/{ATTEMPT_MARKER}", self.prefix));
        let objects = self.sets.iter().chain(&self.others).map(|object| object.key.clone());
        let begun = self.has_commit_record.then(|| format!("{}{COMMIT_RECORD}", self.prefix));
        files.delete_keys(stream::iter(objects.chain(markers).chain(begun).map(Ok).collect::<Vec<_>>())).await
    }
}

impl LoadedSet {
    async fn read(files: &FileSystem, object: &ListedObject) -> Result<Self> {
        let budget = files.budget();
        let mut memory = budget.reserve(object.length).await?;
        let (content, etag) = read(files, &object.key, None).await?;
        let (set, bodies) = parse(files, &object.key, &content)?;
        let keeps = set.kept() > 0 && budget.used() <= budget.limit() / 2;
        if !keeps {
            memory.release(object.length);
        }
        let bodies = (keeps || set.kept() == 0).then_some(bodies);
        let (key, length) = (object.key.clone(), object.length);
        Ok(Self { set, bodies, key, etag, length, _memory: keeps.then_some(memory) })
    }

    /// The bytes of its files, and the memory that they take.
    ///
    /// # Errors
    /// `PreconditionFailed` where another attempt's set has taken its place since it was read.
    pub(super) async fn read_again(&self, files: &FileSystem) -> Result<(Bytes, Reservation)> {
        let memory = files.budget().reserve(self.length).await?;
        let (content, _) = read(files, &self.key, self.etag.clone()).await?;
        Ok((parse(files, &self.key, &content)?.1, memory))
    }
}

fn parse(files: &FileSystem, key: &str, content: &Bytes) -> Result<(PendingSet, Bytes)> {
    PendingSet::read(content).map_err(|failure| failure.at(files.bucket(), key))
}

/// The content of an object and its ETag, which must be `if_match` where one is given.
async fn read(files: &FileSystem, key: &str, if_match: Option<String>) -> Result<(Bytes, Option<String>)> {
    let mut frames: Vec<Bytes> = Vec::new();
    let mut get = GetObject::new(files.bucket(), key, &mut frames);
    get.if_match = if_match;
    let etag = files.gateway().run(get).await?.etag;
    Ok((frames.concat().into(), etag))
}

/// What was read; `None` where it has gone since it was listed, as state does when a task or job ends.
pub(in crate::commit) fn unless_gone<T>(read: Result<T>) -> Option<Result<T>> {
    match read {
        Err(failure) if failure.kind() == ErrorKind::NotFound => None,
        outcome => Some(outcome),
    }
}
