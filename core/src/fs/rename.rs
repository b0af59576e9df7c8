//! Renaming: a server-side copy, then the removal of the source.

use bytes::{Bytes, BytesMut};
use futures::{FutureExt, stream};

use crate::concurrent::run_all;
use crate::ops::{
    DeleteObject, GetObject, ListedObject, ObjectAttributes, ObjectHead, PutObject, Sink, WriteCondition, WriteId,
};
use crate::transfer::budget::Reservation;
use crate::transfer::copy::Copy;
use crate::{Error, ErrorKind, Result};

use super::{FileStatus, FileSystem, keys};

/// Files up to this length in bytes are renamed by reading them and writing them anew, since a write can be told not to
/// replace anything, and a copy on Radosgw cannot. Tables are committed by renaming one small file (Iceberg's Hadoop
/// catalog, streaming checkpoints).
const LARGEST_EXCLUSIVE: u64 = 32 << 20;
/// Copies under way at the same time. On Radosgw a copy within a storage class counts references and moves no bytes.
const COPIES_AT_ONCE: usize = 16;

impl FileSystem {
    /// Renames a file or a directory: into `to` where that is a directory, as HDFS and `mv` do, but onto `to` where both
    /// are directories and `to` is empty, as S3A does. False where a directory would go onto or below itself (the root
    /// always), onto another of its name inside `to`, or anything below a file; renaming a file onto itself is true.
    ///
    /// Not atomic: everything is copied before anything is removed, so a crash leaves the source whole. A single file of
    /// up to 32 MiB never replaces one that came to be at `to` meanwhile; for larger ones and directories `to` is looked at
    /// before.
    ///
    /// # Errors
    /// `NotFound` where `from` is missing, `AlreadyExists` where `to` is a file.
    pub async fn rename(&self, from: &str, to: &str) -> Result<bool> {
        if keys::is_root(from) {
            return Ok(false);
        }
        if let Some(renamed) = self.rename_pending(from, to).await? {
            return Ok(renamed);
        }
        let source = self.kind_of(from).await?.ok_or_else(|| self.not_found(from))?;
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
            self.copy_file(&source, &target).await?;
            self.gateway().run(DeleteObject::new(self.bucket(), from)).await?;
        }
        if keys::parent(from) != keys::parent(&target) {
            self.keep_parent(from).await?;
        }
        Ok(true)
    }

    /// Where `source` will lie; `None` where it must not go there.
    async fn target_of(&self, source: &FileStatus, to: &str) -> Result<Option<String>> {
        let existing = self.standing_at(to).await?;
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
                match self.standing_at(&inside).await? {
                    Some(target) if source.is_directory && target.is_directory => Ok(None),
                    Some(_) => {
                        let message = format!("the target of renaming {} exists", source.path);
                        Err(Error::new(ErrorKind::AlreadyExists, message).at(self.bucket(), &inside))
                    }
                    None => Ok(Some(inside)),
                }
            }
            // The source proves that its own directory is one.
            None if keys::parent(to) == keys::parent(&source.path) => Ok(Some(to.to_owned())),
            None => Ok(self.file_above(to).await?.is_none().then(|| to.to_owned())),
        }
    }

    /// What stands at `path`, pending files included.
    pub(super) async fn standing_at(&self, path: &str) -> Result<Option<FileStatus>> {
        if keys::is_root(path) {
            return Ok(Some(FileStatus::directory(path)));
        }
        match self.pending_status(path) {
            Some(pending) => Ok(Some(pending)),
            None => self.entry_at(path).await,
        }
    }

    async fn rename_directory(&self, from: &str, to: &str) -> Result<()> {
        let (old, new) = (keys::directory(from), keys::directory(to));
        let mut copied = Vec::new();
        if let Err(failure) = self.copy_directory(from, to, &mut copied).await {
            // The source is whole; half a target would be taken for all of it, and a second try would go inside it.
            let copies = copied.iter().filter_map(|key| Some(Ok(format!("{new}{}", key.strip_prefix(&old)?))));
            if let Err(failure) = self.delete_keys(stream::iter(copies)).await {
                tracing::warn!(%failure, from, to, "a rename failed and some of its copies could not be removed");
            }
            return Err(failure);
        }
        self.delete_keys(stream::iter(copied.into_iter().map(Ok))).await
    }

    /// Copies every key in the directory `from` to `to`, and notes in `copied` what is done.
    async fn copy_directory(&self, from: &str, to: &str, copied: &mut Vec<String>) -> Result<()> {
        let (old, new) = (keys::directory(from), keys::directory(to));
        let mut pages = self.keys_below(from);
        while let Some(page) = pages.next_page().await? {
            let copies = page.into_iter().map(|object| self.copy_below(object, &old, &new).boxed());
            // All that were begun are waited for, so that none appears after the others were removed.
            let (mut done, outcome) = run_all(Box::new(copies), COPIES_AT_ONCE).await;
            copied.append(&mut done);
            outcome?;
        }
        Ok(())
    }

    async fn copy_below(&self, object: ListedObject, old: &str, new: &str) -> Result<String> {
        let rest = object.key.strip_prefix(old).ok_or_else(|| {
            Error::new(ErrorKind::Internal, format!("the listing of {old} holds a key outside it"))
                .at(self.bucket(), &object.key)
        })?;
        self.copy(&object.key, &format!("{new}{rest}"), object.length, object.storage_class.as_deref()).await?;
        Ok(object.key)
    }

    /// Copies a file to where none is, and to nowhere else if it is short enough.
    async fn copy_file(&self, source: &FileStatus, to: &str) -> Result<()> {
        if source.length <= LARGEST_EXCLUSIVE {
            let whole = WholeObject::read(self, &source.path, source.length).await?;
            if let Some(put) = whole.put_at(self, to) {
                let renamed = self.gateway().run(put).await;
                return renamed.map(|_| ()).map_err(|failure| match failure.kind() {
                    ErrorKind::AlreadyExists => {
                        let message = format!("the target of renaming {} came to be meanwhile", source.path);
                        failure.restated(ErrorKind::AlreadyExists, message)
                    }
                    _ => failure,
                });
            }
        }
        self.copy(&source.path, to, source.length, source.storage_class.as_deref()).await
    }

    /// Copies one object, with its storage class, on the server.
    pub(crate) async fn copy(&self, from: &str, to: &str, length: u64, storage_class: Option<&str>) -> Result<()> {
        let (gateway, bucket, threshold) = (self.gateway(), self.bucket(), self.shared.transfer.copy_threshold);
        Copy { gateway, bucket, from, to, length, storage_class, threshold }.run().await
    }
}

/// An object that was read in one piece.
struct WholeObject {
    head: ObjectHead,
    bytes: Bytes,
    _memory: Reservation,
}

impl WholeObject {
    /// # Errors
    /// `Changed` where it has another length than `length`.
    async fn read(files: &FileSystem, path: &str, length: u64) -> Result<Self> {
        let memory = files.budget().reserve(length).await?;
        let mut bytes = Collected { bytes: BytesMut::new(), most: length };
        let head = files.gateway().run(GetObject::new(files.bucket(), path, &mut bytes)).await?;
        Ok(Self { head, bytes: bytes.bytes.freeze(), _memory: memory })
    }

    /// Writes it where nothing is; `None` where it has something that a write would not carry over.
    fn put_at(&self, files: &FileSystem, path: &str) -> Option<PutObject> {
        if self.head.has_opaque_etag || self.head.tags > 0 {
            return None;
        }
        let mut put = PutObject::new(files.bucket(), path, self.bytes.clone());
        put.condition = WriteCondition::IfAbsent;
        put.write_id = Some(WriteId::new(files.gateway().environment().random.bits()));
        put.attributes = ObjectAttributes::of(&self.head);
        put.attributes.metadata.remove(WriteId::METADATA);
        Some(put)
    }
}

/// Takes up to `most` bytes in one piece.
struct Collected {
    bytes: BytesMut,
    most: u64,
}

impl Sink for &mut Collected {
    fn head(&mut self, head: &ObjectHead) -> Result<()> {
        if head.length > self.most {
            return Err(Error::new(ErrorKind::Changed, "the file has grown since its rename began: try again"));
        }
        self.bytes.reserve(usize::try_from(head.length).unwrap_or(usize::MAX));
        Ok(())
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        self.bytes.extend_from_slice(&frame);
        Ok(())
    }
}
