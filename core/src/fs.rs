//! Paths and directories on top of keys: what a Hadoop FileSystem, fsspec and the programs share.
//!
//! A path is `a/b`: decoded, without a leading slash; the empty path is the root of the bucket. A directory exists
//! where a key below it exists, a marker (an empty object whose key ends in a slash) included. Markers are made by
//! [`FileSystem::make_directory`] and kept ("directory marker retention = keep" in S3A's words), and trees that were
//! written without markers read the same.

mod create;
mod delete;
mod footers;
mod headers;
mod job_directory;
pub(crate) mod keys;
mod kinds;
mod listing;
mod open;
mod pending;
mod removed;
mod rename;
mod status;
mod summary;
mod uploads;
pub(crate) mod work;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::config::{Explained, Options, others};
use crate::environment::Environment;
use crate::gateway::Gateway;
use crate::http::Payload;
use crate::ops::PutObject;
use crate::transfer::TransferSettings;
use crate::transfer::budget::MemoryBudget;
use crate::{Error, ErrorKind, Result};

use footers::Footers;
use job_directory::is_job_directory;
use kinds::Kinds;
use removed::Removed;

pub use create::{CreateOptions, Existing};
pub use headers::Headers;
pub use keys::check_path;
pub use listing::Listing;
pub use open::OpenOptions;
pub use status::FileStatus;
pub use summary::Summary;
pub use work::{CommitSettings, WorkPaths};

/// One bucket as a file system. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct FileSystem {
    shared: Arc<Shared>,
    gateway: Gateway,
}

struct Shared {
    bucket: String,
    /// The bucket with its endpoint: one name for all file systems of a process.
    place: String,
    transfer: TransferSettings,
    commit: CommitSettings,
    /// Whether old uploads of the bucket were removed, or nearly so.
    has_purged: AtomicBool,
    page_size: u32,
    delete_maximum: usize,
    work: WorkPaths,
    footers: Arc<Footers>,
    kinds: Kinds,
    removed: Removed,
    budget: MemoryBudget,
    explained: Vec<Explained>,
}

impl FileSystem {
    /// The bucket that `options` were resolved for. Nothing is sent. `budget` and `work` are the process's: all its file
    /// systems share them.
    pub fn new(options: &Options, environment: Environment, budget: MemoryBudget, work: WorkPaths) -> Self {
        others::warn_of_slips(options.foreign());
        let footers = Footers::new(&budget);
        let watcher = Arc::clone(&footers) as _;
        let gateway = Gateway::watched(options.gateway.clone(), environment, Some(watcher));
        let shared = Shared {
            footers,
            kinds: Kinds::new(),
            removed: Removed::default(),
            bucket: options.bucket.clone(),
            place: match &options.gateway.requests.tenant {
                None => format!("{}/{}", options.gateway.endpoint, options.bucket),
                Some(tenant) => format!("{}/{tenant}:{}", options.gateway.endpoint, options.bucket),
            },
            transfer: options.transfer.clone(),
            commit: options.commit,
            has_purged: AtomicBool::new(false),
            page_size: options.paging_maximum,
            delete_maximum: options.delete_maximum,
            work,
            budget,
            explained: options.explain(),
        };
        Self { shared: Arc::new(shared), gateway }
    }

    /// The same file system for one call of the host language's, which its requests name in their Referer header.
    /// `operation` is S3A's name for the call, `op_rename`.
    #[must_use]
    pub fn for_call(&self, operation: &'static str, paths: &[&str]) -> Self {
        if !self.gateway.is_audited() {
            return self.clone();
        }
        let paths: Vec<_> = paths.iter().map(|path| format!("s3a://{}/{path}", self.bucket())).collect();
        let paths: Vec<_> = paths.iter().map(String::as_str).collect();
        Self { shared: Arc::clone(&self.shared), gateway: self.gateway.for_call(operation, &paths) }
    }

    /// How the bucket is reached.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Name of the bucket.
    pub fn bucket(&self) -> &str {
        &self.shared.bucket
    }

    /// The memory that readers and writers share.
    pub fn budget(&self) -> &MemoryBudget {
        &self.shared.budget
    }

    /// Every option, its value and where that came from; secrets are masked.
    pub fn explain(&self) -> &[Explained] {
        &self.shared.explained
    }

    /// Makes a directory and what is missing above it. An existing directory is fine, unless another job is at work in it.
    ///
    /// # Errors
    /// `AlreadyExists` where the path is a file or another job's `_temporary/N`, `NotADirectory` where one stands above it.
    pub async fn make_directory(&self, path: &str) -> Result<()> {
        if keys::is_root(path) {
            return self.check_bucket().await;
        }
        match self.entry_at(path).await? {
            Some(status) if status.is_directory => return self.check_job_directory(path).await,
            Some(_) => {
                return Err(Error::new(ErrorKind::AlreadyExists, "a file of that name exists").at(self.bucket(), path));
            }
            None => {}
        }
        if let Some(file) = self.file_above(path).await? {
            let message = format!("no directory can be made below it: {file} is a file");
            return Err(Error::new(ErrorKind::NotADirectory, message).at(self.bucket(), path));
        }
        if is_job_directory(path) {
            return self.make_job_directory(path).await;
        }
        self.put_marker(path).await
    }

    /// The nearest thing that exists above `path`, where that is a file.
    async fn file_above<'a>(&self, path: &'a str) -> Result<Option<&'a str>> {
        let mut above = keys::parent(path);
        while let Some(ancestor) = above.filter(|ancestor| !keys::is_root(ancestor)) {
            match self.entry_at(ancestor).await? {
                Some(status) => return Ok((!status.is_directory).then_some(ancestor)),
                None => above = keys::parent(ancestor),
            }
        }
        Ok(None)
    }

    pub(crate) async fn put_marker(&self, path: &str) -> Result<()> {
        self.gateway().run(self.marker(path)).await.map(|_| ())
    }

    fn marker(&self, path: &str) -> PutObject {
        let mut marker = PutObject::new(self.bucket(), &keys::directory(path), Payload::empty());
        marker.attributes.content_type = Some(headers::DIRECTORY.to_owned());
        marker
    }

    /// Keeps the directory above `path` in existence after `path` was removed: without this the removal of its last
    /// file would remove the directory, which no file system does.
    async fn keep_parent(&self, path: &str) -> Result<()> {
        match keys::parent(path).filter(|parent| !keys::is_root(parent)) {
            Some(parent) if !self.has_keys_below(parent).await? => self.put_marker(parent).await,
            _ => Ok(()),
        }
    }
}
