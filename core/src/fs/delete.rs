//! Removing files and trees.

use futures::stream::{self, Stream, TryStreamExt};

use crate::ops::{DeleteFailure, DeleteObject, DeleteObjects, ListObjectsV2, ListedObject};
use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// DeleteObjects requests under way at the same time. S3 allows 1,000 keys in each; Radosgw works 16 at a time within a
/// request, so smaller requests side by side are faster, and S3A's page of 250 is one that gateways are used to.
const REQUESTS_AT_ONCE: usize = 4;
/// DeleteObject requests under way at the same time, where the service does not know others.
const SINGLES_AT_ONCE: usize = 16;

impl FileSystem {
    /// Removes a file, or a directory: with what is in it where `recursive`. False where there is nothing. The root
    /// itself stays: false where it is not empty and `recursive`, as S3A answers.
    ///
    /// # Errors
    /// `DirectoryNotEmpty` for a directory with entries unless `recursive`.
    pub async fn delete(&self, path: &str, recursive: bool) -> Result<bool> {
        if keys::is_root(path) {
            return self.delete_root(recursive).await;
        }
        self.forget_job_directories(path);
        let was_pending = self.discard_pending(path, recursive)?;
        let Some(status) = self.kind_of(path).await? else {
            return Ok(was_pending);
        };
        if !status.is_directory {
            self.gateway().run(DeleteObject::new(self.bucket(), path)).await?;
        } else {
            if !recursive && self.has_entries(path).await? {
                return Err(self.not_empty(path));
            }
            self.delete_below(path).await?;
        }
        self.keep_parent(path).await?;
        Ok(true)
    }

    async fn delete_root(&self, recursive: bool) -> Result<bool> {
        let is_empty = !self.has_entries("").await?;
        if is_empty || recursive { Ok(is_empty) } else { Err(self.not_empty("")) }
    }

    pub(super) fn not_empty(&self, path: &str) -> Error {
        let message = "the directory is not empty and was to be removed without its entries";
        Error::new(ErrorKind::DirectoryNotEmpty, message).at(self.bucket(), path)
    }

    /// Whether the directory `path` holds anything besides its marker.
    pub(super) async fn has_entries(&self, path: &str) -> Result<bool> {
        let prefix = keys::directory(path);
        let mut list = ListObjectsV2::new(self.bucket(), &prefix);
        list.max_keys = Some(2);
        let page = self.gateway().run(list).await?;
        Ok(page.objects.iter().any(|object| object.key != prefix))
    }

    /// Removes every key below the directory `path`, its marker included, while the listing goes on.
    pub(crate) async fn delete_below(&self, path: &str) -> Result<()> {
        let pages = stream::try_unfold(self.keys_below(path), |mut pages| async move {
            Ok::<_, Error>(pages.next_page().await?.map(|page| (page, pages)))
        });
        let keys = pages.map_ok(|page| stream::iter(page.into_iter().map(|object| Ok(object.key)))).try_flatten();
        self.delete_keys(keys).await
    }

    /// Most files of one call of [`FileSystem::delete_files`].
    pub fn delete_maximum(&self) -> usize {
        self.shared.delete_maximum
    }

    /// Removes files in one request; answers those that are still there, with the reason. Nobody looks what they are: a
    /// directory stays as it is, and one whose last file goes is gone too. A file that is not there is removed.
    ///
    /// # Errors
    /// What the request as a whole failed with.
    pub async fn delete_files(&self, paths: Vec<String>) -> Result<Vec<DeleteFailure>> {
        for path in &paths {
            self.discard_pending(path, false)?;
        }
        match <[String; 1]>::try_from(paths) {
            // One request for one file fails as a whole.
            Ok([path]) => {
                let outcome = self.gateway().run(DeleteObject::new(self.bucket(), &path)).await;
                Ok(outcome.err().map(|error| DeleteFailure { key: path, error }).into_iter().collect())
            }
            Err(paths) => self.delete_batch(paths).await,
        }
    }

    /// Removes `keys` as they come, in as many requests as it takes.
    pub(crate) async fn delete_keys(&self, keys: impl Stream<Item = Result<String>>) -> Result<()> {
        let maximum = self.delete_maximum();
        let at_once = if maximum > 1 { REQUESTS_AT_ONCE } else { SINGLES_AT_ONCE };
        keys.try_chunks(maximum)
            .map_err(|stopped| stopped.1)
            .try_for_each_concurrent(at_once, |batch| async move { all_removed(self.delete_batch(batch).await?) })
            .await
    }

    async fn delete_batch(&self, keys: Vec<String>) -> Result<Vec<DeleteFailure>> {
        // A request for many keys is XML, which cannot hold every key.
        let (named, mut alone): (Vec<_>, Vec<_>) = keys.into_iter().partition(|key| DeleteObjects::can_name(key));
        let mut failures = Vec::new();
        if named.len() > 1 {
            failures = self.gateway().run(DeleteObjects::new(self.bucket(), named)).await?;
        } else {
            alone.extend(named);
        }
        for key in alone {
            self.gateway().run(DeleteObject::new(self.bucket(), &key)).await?;
        }
        Ok(failures)
    }

    /// Every key in the directory `path`, its marker included.
    pub(crate) fn keys_below(&self, path: &str) -> KeyPages<'_> {
        let mut list = ListObjectsV2::new(self.bucket(), &keys::directory(path));
        list.max_keys = Some(self.shared.page_size);
        KeyPages { file_system: self, next: Some(list) }
    }
}

fn all_removed(failures: Vec<DeleteFailure>) -> Result<()> {
    let others = failures.len().saturating_sub(1);
    failures.into_iter().next().map_or(Ok(()), |first| {
        if others > 0 {
            tracing::warn!(others, "more keys could not be removed");
        }
        Err(first.error)
    })
}

/// A flat listing of keys, page by page.
pub(crate) struct KeyPages<'a> {
    file_system: &'a FileSystem,
    next: Option<ListObjectsV2>,
}

impl KeyPages<'_> {
    pub(crate) async fn next_page(&mut self) -> Result<Option<Vec<ListedObject>>> {
        let Some(list) = self.next.take() else {
            return Ok(None);
        };
        let page = self.file_system.gateway().run(list.clone()).await?;
        self.next = page.next.map(|token| ListObjectsV2 { continuation_token: Some(token), ..list });
        Ok(Some(page.objects))
    }
}
