//! Runs as they are kept in the bucket: each one's plan, and its record.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::stream::{self, StreamExt, TryStreamExt};
use jiff::Timestamp;
use s3core::config::ReadPolicy;
use s3core::fs::{CreateOptions, Existing, OpenOptions};
use s3core::ops::ObjectAttributes;
use s3core::{Error, ErrorKind};
use tempfile::NamedTempFile;
use tokio::task::spawn_blocking;

use super::bucket::Bucket;
use super::error::StateError;
use super::keys;
use super::lease::Lease;
use super::record::RunRecord;

/// Records that are read at a time.
const AT_ONCE: usize = 16;
/// Bytes of a plan that are read or written at a time.
const PIECE: usize = 1 << 20;
/// A round in which somebody else was faster is followed by another after a pause of up to this.
const PAUSE: Duration = Duration::from_millis(50);
/// Digits of its plan's digest in the name of a run.
const DIGITS: usize = 6;
/// Rounds of an update. Whoever holds the lease is alone, but for a predecessor that wakes up.
const MOST_ROUNDS: usize = 200;

/// The runs of a bucket. Cheap to clone.
#[derive(Clone)]
pub struct Store {
    bucket: Bucket,
}

impl Store {
    /// Of this bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    /// The bucket.
    pub fn bucket(&self) -> &Bucket {
        &self.bucket
    }

    /// Keeps a new run under a name of its own, which its record has in the answer. The same plan may begin twice in a second.
    ///
    /// # Errors
    /// As [`Store::begin`].
    pub async fn begin_new(&self, lease: &Lease, mut record: RunRecord, plan: &Path) -> Result<RunRecord, StateError> {
        let mut names = names(record.started, &record.digest).peekable();
        while let Some(name) = names.next() {
            record.run = name;
            match self.begin(lease, &record, plan).await {
                Err(StateError::AlreadyExists { .. }) if names.peek().is_some() => {}
                begun => return begun,
            }
        }
        let message = format!("the digest of the plan is `{}`, which is none", record.digest);
        Err(Error::new(ErrorKind::Internal, message).into())
    }

    /// Keeps a new run: first its plan, then its record, by which it exists. What is there of one that was cut short
    /// between the two is no run.
    ///
    /// # Errors
    /// `AlreadyExists` where a run has its name, `Lost`, `LocalFile`, and the gateway's.
    pub async fn begin(&self, lease: &Lease, record: &RunRecord, plan: &Path) -> Result<RunRecord, StateError> {
        let run = &record.run;
        self.check_name(run)?;
        // Where versions are kept a plan is put upon another one without a word.
        if self.bucket.keeps_versions().await? && self.bucket.read(&keys::record(run)).await?.is_some() {
            let (bucket, key) = (self.bucket.name().to_owned(), keys::record(run));
            return Err(StateError::AlreadyExists { bucket, key });
        }
        lease.check()?;
        self.keep_plan(run, plan).await?;
        lease.check()?;
        let record = signed(record.clone(), lease);
        self.bucket.create_json(&keys::record(run), &record).await?;
        Ok(record)
    }

    /// The record of a run.
    ///
    /// # Errors
    /// `NoSuchRun`, `Malformed`, and the gateway's.
    pub async fn record(&self, run: &str) -> Result<RunRecord, StateError> {
        Ok(self.read(run).await?.0)
    }

    /// The records of all runs, the newest first. All of them are in memory: some hundred bytes each, more where units
    /// were skipped.
    ///
    /// # Errors
    /// `Malformed` where one cannot be read, and the gateway's.
    pub async fn records(&self) -> Result<Vec<RunRecord>, StateError> {
        let mut runs = self.bucket.directories(&keys::runs()).await?;
        runs.reverse();
        let records = stream::iter(runs).map(|run| async move {
            match self.read(&run).await {
                Ok((record, _)) => Ok(Some(record)),
                Err(StateError::NoSuchRun { .. }) => Ok(None),
                Err(failure) => Err(failure),
            }
        });
        let records: Vec<Option<RunRecord>> = records.buffered(AT_ONCE).try_collect().await?;
        Ok(records.into_iter().flatten().collect())
    }

    /// The runs whose objects lie in the trash, by name, also those that have no record any more.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn trashed(&self) -> Result<BTreeSet<String>, StateError> {
        Ok(self.bucket.directories(&keys::trashes()).await?.into_iter().collect())
    }

    /// Changes the record of a run, as whoever holds the lease: `change` is called with what is there, again where that
    /// was replaced meanwhile. It may refuse. The record is the lease holder's from then on, and one with an earlier lease
    /// cannot change it any more: whoever takes a run over does this first.
    ///
    /// # Errors
    /// What `change` refuses with; `Suspended`, `Lost`, `TakenOver`, `NoSuchRun`, `Malformed`, and the gateway's.
    pub async fn update(
        &self,
        lease: &Lease,
        run: &str,
        mut change: impl FnMut(&mut RunRecord) -> Result<(), StateError>,
    ) -> Result<RunRecord, StateError> {
        let _turn = lease.turn().await;
        for _ in 0..MOST_ROUNDS {
            let (found, etag) = self.read(run).await?;
            if found.lease > lease.number() {
                return Err(StateError::TakenOver { run: run.to_owned(), lease: found.lease });
            }
            let mut record = signed(found.clone(), lease);
            change(&mut record)?;
            if record == found {
                return Ok(record);
            }
            lease.check()?;
            match self.bucket.replace_json(&keys::record(run), &record, &etag).await {
                Ok(_) => return Ok(record),
                Err(StateError::Replaced { .. }) if self.bucket.is_suspended().await? => {
                    return Err(StateError::Suspended { bucket: self.bucket.name().to_owned() });
                }
                Err(StateError::Replaced { .. }) => self.pause().await,
                Err(failure) => return Err(failure),
            }
        }
        let message = format!("others replaced it {MOST_ROUNDS} times: run the command again");
        Err(Error::new(ErrorKind::Unavailable, message).at(self.bucket.name(), &keys::record(run)).into())
    }

    /// The plan of a run, in a file of this machine that goes with the answer.
    ///
    /// # Errors
    /// `NoSuchRun` where there is no plan, `LocalFile`, and the gateway's.
    pub async fn plan(&self, run: &str) -> Result<NamedTempFile, StateError> {
        self.check_name(run)?;
        let options = OpenOptions { policy: ReadPolicy::Sequential, ..OpenOptions::default() };
        let reader = match self.bucket.files().open_file(&keys::plan(run), options).await {
            Ok(reader) => reader,
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Err(self.no_such_run(run)),
            Err(failure) => return Err(failure.into()),
        };
        let mut file = NamedTempFile::new().map_err(|failure| StateError::local(std::env::temp_dir(), failure))?;
        let mut position = 0;
        while position < reader.length() {
            let piece = reader.read(position, PIECE).await?;
            position += piece.len() as u64;
            file = blocking(move || {
                file.write_all(&piece).map_err(|failure| StateError::local(file.path(), failure))?;
                Ok(file)
            })
            .await?;
        }
        Ok(file)
    }

    async fn keep_plan(&self, run: &str, plan: &Path) -> Result<(), StateError> {
        // Where files of the bucket go to a class of their own, this one is to be read again.
        let attributes = ObjectAttributes {
            content_type: Some("application/jsonl".to_owned()),
            storage_class: Some("STANDARD".to_owned()),
            ..ObjectAttributes::default()
        };
        let options = CreateOptions { existing: Existing::Stays, attributes, unchecked: true, as_upload: false };
        let key = keys::plan(run);
        let mut writer = self.bucket.files().create_file(&key, options).await?;
        let path = PathBuf::from(plan);
        let opened = path.clone();
        let mut file =
            blocking(move || File::open(&opened).map_err(|failure| StateError::local(opened, failure))).await?;
        loop {
            let path = path.clone();
            let piece;
            (file, piece) =
                blocking(move || next_piece(file).map_err(|failure| StateError::local(path, failure))).await?;
            if piece.is_empty() {
                break;
            }
            writer.write(&piece).await?;
        }
        match writer.close().await {
            Ok(_) => Ok(()),
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => {
                Err(StateError::AlreadyExists { bucket: self.bucket.name().to_owned(), key })
            }
            Err(failure) => Err(failure.into()),
        }
    }

    async fn read(&self, run: &str) -> Result<(RunRecord, String), StateError> {
        self.check_name(run)?;
        let key = keys::record(run);
        let (record, etag) = self.bucket.get_json::<RunRecord>(&key).await?.ok_or_else(|| self.no_such_run(run))?;
        if record.run != run {
            return Err(self.bucket.malformed(&key, format!("it is the record of {}", record.run)));
        }
        Ok((record, etag))
    }

    /// What is no name of a run names no key.
    fn check_name(&self, run: &str) -> Result<(), StateError> {
        if keys::is_run_name(run) { Ok(()) } else { Err(self.no_such_run(run)) }
    }

    fn no_such_run(&self, run: &str) -> StateError {
        StateError::NoSuchRun { bucket: self.bucket.name().to_owned(), run: run.to_owned() }
    }

    async fn pause(&self) {
        let environment = self.bucket.gateway().environment();
        environment.clock.sleep(PAUSE.mul_f64(environment.random.unit())).await;
    }
}

/// Names of a run that begins `now`: `20261125T214500Z-a1b2c3`, and others of the same form.
fn names(now: Timestamp, digest: &str) -> impl Iterator<Item = String> {
    let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
    digest.as_bytes().chunks_exact(DIGITS).map(move |digits| format!("{time}-{}", String::from_utf8_lossy(digits)))
}

fn signed(mut record: RunRecord, lease: &Lease) -> RunRecord {
    record.lease = lease.number();
    record.holder = lease.holder().to_string();
    record
}

/// The next bytes of a file; none at its end.
fn next_piece(file: File) -> std::io::Result<(File, Vec<u8>)> {
    let mut piece = Vec::with_capacity(PIECE);
    let mut part = file.take(PIECE as u64);
    part.read_to_end(&mut piece)?;
    Ok((part.into_inner(), piece))
}

/// Runs what waits for the local disk where it holds up nothing else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StateError> + Send + 'static,
) -> Result<T, StateError> {
    let stopped = |failure| Error::new(ErrorKind::Closed, "stopped with the process").caused_by(failure);
    spawn_blocking(work).await.map_err(stopped)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time() {
        let name = |time: &str| names(time.parse().unwrap(), "a1b2c3d4e5f6").next().unwrap();
        assert_eq!(name("2026-11-25T21:45:00Z"), "20261125T214500Z-a1b2c3");
        assert_eq!(name("2026-11-25T21:45:00.999Z"), "20261125T214500Z-a1b2c3");
        assert!(name("2026-12-01T00:00:00Z") > name("2026-11-30T23:59:59Z"));
        assert!(keys::is_run_name(&name("2026-11-25T21:45:00Z")));
    }
}
