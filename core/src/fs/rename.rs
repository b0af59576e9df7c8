//! Renaming: a server-side copy, then the removal of the source.

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::ops::{DeleteObject, ListedObject};
use crate::transfer::copy::copy_object;
use crate::{Error, ErrorKind, Result};

use super::{FileStatus, FileSystem, keys};

/// Copies under way at the same time. On Radosgw a copy within a storage class counts references and moves no bytes.
const COPIES_AT_ONCE: usize = 16;

impl FileSystem {
    /// Renames a file or a directory: into `to` where that is a directory, as HDFS and `mv` do, but onto `to` where both
    /// are directories and `to` is empty, as S3A does. False where a directory would go onto or below itself, onto
    /// another of its name inside `to`, or anything below a file; renaming a file onto itself is true.
    ///
    /// Not atomic: everything is copied before anything is removed, so a crash leaves the source whole.
    ///
    /// # Errors
    /// `NotFound` where `from` is missing, `AlreadyExists` where `to` is a file.
    pub async fn rename(&self, from: &str, to: &str) -> Result<bool> {
        if keys::is_root(from) {
            return Err(Error::new(ErrorKind::InvalidPath, "the root cannot be renamed").at(self.bucket(), from));
        }
        let source = self.status(from).await?;
        if from == to {
            return Ok(!source.is_directory);
        }
        if source.is_directory && keys::directory(to).starts_with(&keys::directory(from)) {
            return Ok(false);
        }
        let Some(target) = self.target_of(&source, to).await? else {
            return Ok(false);
        };
        if source.is_directory {
            self.rename_directory(from, &target).await?;
        } else {
            self.copy(&source.path, &target, source.length, source.storage_class.as_deref()).await?;
            self.gateway().run(DeleteObject::new(self.bucket(), from)).await?;
        }
        if keys::parent(from) != keys::parent(&target) {
            self.keep_parent(from).await?;
        }
        Ok(true)
    }

    /// Where `source` will lie; `None` where it must not go there.
    async fn target_of(&self, source: &FileStatus, to: &str) -> Result<Option<String>> {
        let existing = if keys::is_root(to) { Some(FileStatus::directory(to)) } else { self.kind_of(to).await? };
        match existing {
            Some(target) if !target.is_directory => {
                let message = format!("the target of renaming {} exists and is a file", source.path);
                Err(Error::new(ErrorKind::AlreadyExists, message).at(self.bucket(), to))
            }
            Some(_) if source.is_directory && !self.has_entries(to).await? => Ok(Some(to.to_owned())),
            Some(_) => {
                let inside = keys::join(to, keys::name(&source.path));
                if inside == source.path {
                    return Ok(None);
                }
                match self.kind_of(&inside).await? {
                    Some(target) if source.is_directory && target.is_directory => Ok(None),
                    Some(_) => {
                        let message = format!("the target of renaming {} exists", source.path);
                        Err(Error::new(ErrorKind::AlreadyExists, message).at(self.bucket(), &inside))
                    }
                    None => Ok(Some(inside)),
                }
            }
            None => Ok(self.file_above(to).await?.is_none().then(|| to.to_owned())),
        }
    }

    async fn rename_directory(&self, from: &str, to: &str) -> Result<()> {
        let (old, new) = (keys::directory(from), keys::directory(to));
        let mut pages = self.keys_below(from);
        let mut copied = Vec::new();
        while let Some(page) = pages.next_page().await? {
            let copies = page.into_iter().map(|object| self.copy_below(object, &old, &new));
            let keys: Vec<String> = stream::iter(copies).buffer_unordered(COPIES_AT_ONCE).try_collect().await?;
            copied.extend(keys);
        }
        self.delete_keys(copied).await
    }

    async fn copy_below(&self, object: ListedObject, old: &str, new: &str) -> Result<String> {
        let rest = object.key.strip_prefix(old).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("the listing of {old} holds a key outside it"))
                .at(self.bucket(), &object.key)
        })?;
        self.copy(&object.key, &format!("{new}{rest}"), object.length, object.storage_class.as_deref()).await?;
        Ok(object.key)
    }

    async fn copy(&self, from: &str, to: &str, length: u64, storage_class: Option<&str>) -> Result<()> {
        copy_object(self.gateway(), self.bucket(), from, to, length, storage_class).await
    }
}
