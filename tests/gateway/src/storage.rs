//! Buckets and objects, in memory or on a directory.
//!
//! The index is in memory in both forms; the directory adds files that say the same.
//! A write checks its condition and takes effect under the bucket's lock, so of any number of
//! conditional writers of one key exactly one wins.

pub(crate) mod blob;
pub(crate) mod bucket;
pub(crate) mod directory;
pub(crate) mod object;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Instant;

use s3s::dto::LifecycleRule;

use crate::storage::blob::{BlobWriter, MemoryWriter};
use crate::storage::bucket::{Bucket, Lifecycle};
use crate::storage::directory::{Directory, DirectoryError};
use crate::storage::object::{Object, Part, Upload};

/// All buckets of one gateway.
#[derive(Debug)]
pub(crate) struct Storage {
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
    directory: Option<Directory>,
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum WriteError<E> {
    /// The caller's condition does not hold.
    Refused(E),
    /// The bucket was deleted meanwhile.
    NoSuchBucket,
    /// The upload was completed or aborted meanwhile.
    NoSuchUpload,
    /// The system refused.
    System(io::Error),
}

impl<E> From<io::Error> for WriteError<E> {
    fn from(error: io::Error) -> Self {
        Self::System(error)
    }
}

/// What became of DeleteBucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BucketRemoval {
    Removed,
    NotEmpty,
    Missing,
}

impl Storage {
    pub(crate) fn memory() -> Self {
        Self { buckets: RwLock::default(), directory: None }
    }

    pub(crate) fn directory(path: &Path) -> Result<Self, DirectoryError> {
        let (directory, buckets) = Directory::open(path)?;
        let buckets = buckets.into_iter().map(|bucket| (bucket.name.clone(), Arc::new(bucket))).collect();
        Ok(Self { buckets: RwLock::new(buckets), directory: Some(directory) })
    }

    pub(crate) fn bucket(&self, name: &str) -> Option<Arc<Bucket>> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).cloned()
    }

    /// Buckets in the order of their names.
    pub(crate) fn buckets(&self) -> Vec<Arc<Bucket>> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.values().cloned().collect()
    }

    /// Makes a bucket; false when it is there already.
    pub(crate) fn create_bucket(&self, name: &str, created: i64) -> io::Result<bool> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return Ok(false);
        }
        let bucket = Bucket::new(name.to_owned(), created);
        if let Some(directory) = &self.directory {
            directory.save_bucket(&bucket, None)?;
        }
        buckets.insert(name.to_owned(), Arc::new(bucket));
        Ok(true)
    }

    /// Removes a bucket without objects, and its uploads with it.
    pub(crate) fn remove_bucket(&self, name: &str) -> io::Result<BucketRemoval> {
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        let Some(bucket) = buckets.get(name) else {
            return Ok(BucketRemoval::Missing);
        };
        let mut contents = bucket.write();
        if !contents.objects.is_empty() {
            return Ok(BucketRemoval::NotEmpty);
        }
        if let Some(directory) = &self.directory {
            for upload in contents.uploads.values() {
                directory.remove_upload(name, upload)?;
            }
            directory.remove_bucket(name)?;
        }
        contents.uploads.clear();
        contents.deleted = true;
        drop(contents);
        buckets.remove(name);
        Ok(BucketRemoval::Removed)
    }

    /// Replaces a bucket's lifecycle rules.
    pub(crate) fn set_lifecycle(
        &self,
        bucket: &Bucket,
        rules: Option<Vec<LifecycleRule>>,
    ) -> Result<(), WriteError<()>> {
        let mut contents = bucket.write();
        if contents.deleted {
            return Err(WriteError::NoSuchBucket);
        }
        if let Some(directory) = &self.directory {
            directory.save_bucket(bucket, rules.as_deref())?;
        }
        contents.lifecycle = rules.map(|rules| Lifecycle { rules, since: Instant::now() });
        Ok(())
    }

    /// Where the bytes of one upload body go. `expected` is their number, where known.
    pub(crate) fn writer(&self, expected: Option<u64>) -> io::Result<BlobWriter> {
        match &self.directory {
            None => Ok(BlobWriter::Memory(MemoryWriter::new(expected))),
            Some(directory) => directory.writer(),
        }
    }

    /// Makes the object that `make` returns for the one that has the key now, if any.
    pub(crate) fn put<E>(
        &self,
        bucket: &Bucket,
        key: &str,
        make: impl FnOnce(Option<&Object>) -> Result<Object, E>,
    ) -> Result<Arc<Object>, WriteError<E>> {
        let mut contents = bucket.write();
        if contents.deleted {
            return Err(WriteError::NoSuchBucket);
        }
        let previous = contents.objects.get(key).map(|object| &**object);
        let object = Arc::new(make(previous).map_err(WriteError::Refused)?);
        if let Some(directory) = &self.directory {
            directory.save_object(&bucket.name, &object, previous)?;
        }
        contents.objects.insert(key.to_owned(), Arc::clone(&object));
        Ok(object)
    }

    /// Removes the object under `key` unless `check` refuses, and returns it; without one there is nothing to do.
    pub(crate) fn remove<E>(
        &self,
        bucket: &Bucket,
        key: &str,
        check: impl FnOnce(Option<&Object>) -> Result<(), E>,
    ) -> Result<Option<Arc<Object>>, WriteError<E>> {
        let mut contents = bucket.write();
        let object = contents.objects.get(key);
        check(object.map(|object| &**object)).map_err(WriteError::Refused)?;
        let Some(object) = object else {
            return Ok(None);
        };
        if let Some(directory) = &self.directory {
            directory.remove_object(&bucket.name, object)?;
        }
        Ok(contents.objects.remove(key))
    }

    pub(crate) fn create_upload(&self, bucket: &Bucket, upload: Upload) -> Result<(), WriteError<()>> {
        let mut contents = bucket.write();
        if contents.deleted {
            return Err(WriteError::NoSuchBucket);
        }
        if let Some(directory) = &self.directory {
            directory.save_upload(&bucket.name, &upload)?;
        }
        contents.uploads.insert((upload.key.clone(), upload.id.clone()), upload);
        Ok(())
    }

    pub(crate) fn put_part(
        &self,
        bucket: &Bucket,
        key: &str,
        id: &str,
        number: u32,
        part: Part,
    ) -> Result<(), WriteError<()>> {
        let mut contents = bucket.write();
        let upload = contents.uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or(WriteError::NoSuchUpload)?;
        if let Some(directory) = &self.directory {
            directory.save_part(&bucket.name, id, number, &part, upload.parts.get(&number))?;
        }
        upload.parts.insert(number, part);
        Ok(())
    }

    /// Turns an upload into the object that `make` returns for it and for the object that has the
    /// key now, if any.
    pub(crate) fn complete_upload<E>(
        &self,
        bucket: &Bucket,
        key: &str,
        id: &str,
        make: impl FnOnce(&Upload, Option<&Object>) -> Result<Object, E>,
    ) -> Result<Arc<Object>, WriteError<E>> {
        let mut contents = bucket.write();
        let name = (key.to_owned(), id.to_owned());
        let upload = contents.uploads.get(&name).ok_or(WriteError::NoSuchUpload)?;
        let previous = contents.objects.get(key).map(|object| &**object);
        let object = Arc::new(make(upload, previous).map_err(WriteError::Refused)?);
        if let Some(directory) = &self.directory {
            directory.save_object(&bucket.name, &object, previous)?;
            directory.remove_upload(&bucket.name, upload)?;
        }
        contents.objects.insert(key.to_owned(), Arc::clone(&object));
        contents.uploads.remove(&name);
        Ok(object)
    }

    pub(crate) fn abort_upload(&self, bucket: &Bucket, key: &str, id: &str) -> Result<(), WriteError<()>> {
        let mut contents = bucket.write();
        let name = (key.to_owned(), id.to_owned());
        let upload = contents.uploads.get(&name).ok_or(WriteError::NoSuchUpload)?;
        if let Some(directory) = &self.directory {
            directory.remove_upload(&bucket.name, upload)?;
        }
        contents.uploads.remove(&name);
        Ok(())
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
