//! What stands at a path.

use std::time::{Duration, SystemTime};

use crate::ops::{ByteRange, GetObject, HeadObject, ListObjectsV2, ListedObject, ObjectHead};
use crate::{Error, ErrorKind, Result};

use super::footers::is_columnar;
use super::{FileSystem, keys};

/// Entries that a listing is asked for to find one of them: a few that begin with the same name cost no second request.
const NAMESAKES: u32 = 8;

/// A file or a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileStatus {
    /// Path without a leading slash; empty for the root.
    pub path: String,
    /// Whether it is a directory.
    pub is_directory: bool,
    /// Length in bytes; 0 for a directory.
    pub length: u64,
    /// The second in which the object was written; the epoch for a directory, of which S3 knows no time.
    pub modified: SystemTime,
    /// ETag without quotes.
    pub etag: Option<String>,
    /// Storage class; `None` is the bucket's default.
    pub storage_class: Option<String>,
}

impl FileStatus {
    pub(super) fn directory(path: &str) -> Self {
        Self {
            path: path.to_owned(),
            is_directory: true,
            length: 0,
            modified: SystemTime::UNIX_EPOCH,
            etag: None,
            storage_class: None,
        }
    }

    pub(super) fn found(path: &str, head: &ObjectHead) -> Self {
        Self {
            path: path.to_owned(),
            is_directory: false,
            length: head.length,
            modified: head.modified.unwrap_or(SystemTime::UNIX_EPOCH),
            etag: head.etag.clone(),
            storage_class: head.storage_class.clone(),
        }
    }

    pub(super) fn of(object: ListedObject) -> Self {
        Self {
            path: object.key,
            is_directory: false,
            length: object.length,
            modified: object.modified.map_or(SystemTime::UNIX_EPOCH, whole_second),
            etag: object.etag,
            storage_class: object.storage_class,
        }
    }
}

/// Radosgw lists milliseconds where a HEAD tells seconds. YARN refuses a file whose time is not the one that it was
/// submitted with, and asks for one in either way.
fn whole_second(time: SystemTime) -> SystemTime {
    let age = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(age.as_secs())
}

impl FileSystem {
    /// What stands at `path`: one request for what its name leads to expect, two for what it does not; of a data file that is
    /// missing also, eight times a second at most, what s3life keeps: one listing, two or three for each run in its trash, and
    /// in a bucket of runs one of the file's versions, with ten requests at most for a delete marker; beyond that one listing of
    /// versions, while such a marker was found within the last second. Of a columnar file that
    /// was looked at within the last second it is what was seen then, unless this process has changed it since.
    ///
    /// # Errors
    /// `NotFound` where nothing does, `NoSuchBucket` where the bucket is missing. Readers of Parquet and ORC ask for the status of
    /// a file before they open it: of one that s3life has removed the failure says so.
    pub async fn status(&self, path: &str) -> Result<FileStatus> {
        if keys::is_root(path) {
            self.check_bucket().await?;
            return Ok(FileStatus::directory(path));
        }
        if let Some(pending) = self.pending_status(path) {
            return Ok(pending);
        }
        if is_columnar(path) && !self.shared.footers.was_just_written(path, self.now()) {
            match self.footer(self.gateway(), path).await {
                Ok(Some(footer)) => return Ok(footer.status.clone()),
                Ok(None) => {}
                Err(failure) if failure.kind() == ErrorKind::NotFound => {
                    let is_directory = self.has_keys_below(path).await?;
                    return if is_directory { Ok(FileStatus::directory(path)) } else { Err(self.missing(path).await) };
                }
                Err(failure) => return Err(failure),
            }
        }
        match self.kind_of(path).await? {
            Some(found) => Ok(found),
            None => Err(self.missing(path).await),
        }
    }

    /// Where most likely no file ever was, nobody looks for it in the trash.
    async fn missing(&self, path: &str) -> Error {
        let failure = self.not_found(path);
        if is_data(path) { self.removed(path, failure).await } else { failure }
    }

    /// As [`FileSystem::status`], for a path below the root; `None` where nothing is.
    pub(super) async fn kind_of(&self, path: &str) -> Result<Option<FileStatus>> {
        let kinds = &self.shared.kinds;
        let expects_directory = kinds.is_directory(path).unwrap_or_else(|| looks_like_a_directory(keys::name(path)));
        let found = if expects_directory { self.directory_first(path).await? } else { self.file_first(path).await? };
        if let Some(status) = &found {
            kinds.found(path, status.is_directory);
        }
        Ok(found)
    }

    async fn directory_first(&self, path: &str) -> Result<Option<FileStatus>> {
        match self.entry_at(path).await {
            // Who may not list may still read.
            Err(failure) if failure.kind() == ErrorKind::AccessDenied => self.file_first(path).await,
            found => found,
        }
    }

    async fn file_first(&self, path: &str) -> Result<Option<FileStatus>> {
        if let Some(file) = self.file_status(path).await? {
            return Ok(Some(file));
        }
        Ok(self.has_keys_below(path).await?.then(|| FileStatus::directory(path)))
    }

    /// As [`FileSystem::kind_of`], for a path where most likely no file stands: one request, whatever is found.
    ///
    /// A listing of the keys that begin with the path's last name holds the file first of all, and the directory as a
    /// common prefix. In between lie names that continue with a character before the slash ("day=1-old"): a second
    /// request is needed where they fill the page.
    pub(crate) async fn entry_at(&self, path: &str) -> Result<Option<FileStatus>> {
        let directory = keys::directory(path);
        let mut list = ListObjectsV2::new(self.bucket(), path);
        list.delimiter = Some("/".to_owned());
        list.max_keys = Some(NAMESAKES);
        let page = self.gateway().run(list).await?;
        if page.common_prefixes.contains(&directory) && page.objects.iter().all(|object| object.key != path) {
            return Ok(Some(FileStatus::directory(path)));
        }
        let last_object = page.objects.last().map(|object| object.key.as_str());
        let last = page.common_prefixes.last().map(String::as_str).max(last_object).unwrap_or_default();
        let is_beyond = page.next.is_none() || last > directory.as_str();
        match page.objects.into_iter().find(|object| object.key == path) {
            Some(file) => Ok(Some(FileStatus::of(file))),
            None if is_beyond => Ok(None),
            None => Ok(self.has_keys_below(path).await?.then(|| FileStatus::directory(path))),
        }
    }

    /// The object at `path` itself; `None` where there is none.
    pub(super) async fn file_status(&self, path: &str) -> Result<Option<FileStatus>> {
        match self.gateway().run(HeadObject::new(self.bucket(), path)).await {
            Ok(head) => Ok(Some(FileStatus::found(path, &head))),
            // The answer to a HEAD has no body, so it does not say whether the key or the bucket is missing; the
            // listing that follows does.
            Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(None),
            Err(failure) => Err(self.with_reason(path, failure).await),
        }
    }

    /// A refused HEAD says no more than 403 or 400. A GET of the same key is refused with the reason: whether it is the
    /// access key, the secret key, the clock or the right to read.
    pub(super) async fn with_reason(&self, path: &str, failure: Error) -> Error {
        if failure.service_code().is_some() || !matches!(failure.status(), Some(400 | 403)) {
            return failure;
        }
        let mut get = GetObject::new(self.bucket(), path, Vec::new());
        get.range = Some(ByteRange::At { start: 0, length: 1 });
        match self.gateway().run(get).await {
            Err(reason) if reason.service_code().is_some() => reason,
            _ => failure,
        }
    }

    /// Whether any key lies in the directory `path`, its marker included.
    pub(crate) async fn has_keys_below(&self, path: &str) -> Result<bool> {
        let mut list = ListObjectsV2::new(self.bucket(), &keys::directory(path));
        list.max_keys = Some(1);
        let page = self.gateway().run(list).await?;
        Ok(!page.objects.is_empty())
    }

    pub(super) async fn check_bucket(&self) -> Result<()> {
        self.has_keys_below("").await.map(|_| ())
    }

    pub(super) fn not_found(&self, path: &str) -> Error {
        Error::new(ErrorKind::NotFound, "no such file or directory").at(self.bucket(), path)
    }
}

/// Whether Spark or Hive give such a name to a file of a table.
fn is_data(path: &str) -> bool {
    let name = keys::name(path);
    let is_hive =
        name.split_once('_').is_some_and(|(task, _)| task.len() == 6 && task.bytes().all(|byte| byte.is_ascii_digit()));
    is_columnar(path) || name.starts_with("part-") || is_hive
}

/// Whether a directory more likely stands at a name: it has no extension (`.spark-staging-1` has none), and none of the names
/// that Hadoop and Spark give to files without one.
fn looks_like_a_directory(name: &str) -> bool {
    !name.trim_start_matches('.').contains('.') && !name.starts_with("part-") && name != "_SUCCESS"
}
