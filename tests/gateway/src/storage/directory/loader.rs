//! What a directory holds when it is opened.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;

use super::{BucketRecord, Directory, DirectoryError, ObjectRecord, PartRecord, UploadRecord, retain};
use crate::storage::blob::{Blob, Data, Extent, FileBlob};
use crate::storage::bucket::{Bucket, Lifecycle};
use crate::storage::object::{Object, Part, Upload};

/// Reads a whole directory into buckets.
pub(super) struct Loader<'a> {
    directory: &'a Directory,
    blobs: HashMap<String, Arc<Blob>>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(directory: &'a Directory) -> Result<Self, DirectoryError> {
        let mut blobs = HashMap::new();
        for folder in entries(&directory.root.join("blobs"))? {
            for path in entries(&folder)? {
                let name = file_name(&path);
                let blob = Arc::new(Blob::File(FileBlob::new(path, name.clone())));
                blobs.insert(name, blob);
            }
        }
        Ok(Self { directory, blobs })
    }

    /// Blobs that no metadata name are removed when the loader's map goes.
    pub(super) fn load(self) -> Result<Vec<Bucket>, DirectoryError> {
        let mut buckets = Vec::new();
        for path in entries(&self.directory.root.join("buckets"))? {
            let file = path.join("bucket.json");
            // A bucket whose making was cut short has no bucket.json.
            if file.exists() {
                let record: BucketRecord = load(&file)?;
                let bucket = Bucket::new(file_name(&path), record.created);
                let waiting = |rules| Lifecycle { rules, since: Instant::now() };
                bucket.write().lifecycle = record.lifecycle.map(waiting);
                self.objects(&path, &bucket)?;
                self.uploads(&path, &bucket)?;
                buckets.push(bucket);
            }
        }
        Ok(buckets)
    }

    fn objects(&self, path: &Path, bucket: &Bucket) -> Result<(), DirectoryError> {
        let mut contents = bucket.write();
        for folder in entries(&path.join("objects"))? {
            for file in entries(&folder)? {
                let record: ObjectRecord = load(&file)?;
                let object = Object {
                    key: record.key,
                    etag: record.etag,
                    modified: record.modified,
                    attributes: record.attributes,
                    checksums: record.checksums,
                    parts: record.parts,
                    data: self.data(&record.extents, &file)?,
                };
                contents.objects.insert(object.key.clone(), Arc::new(object));
            }
        }
        Ok(())
    }

    fn uploads(&self, path: &Path, bucket: &Bucket) -> Result<(), DirectoryError> {
        let mut contents = bucket.write();
        for folder in entries(&path.join("uploads"))? {
            let record: UploadRecord = load(&folder.join("upload.json"))?;
            let mut parts = BTreeMap::new();
            for file in entries(&folder)? {
                let Some(number) = file.file_stem().and_then(|name| name.to_str()?.parse().ok()) else {
                    continue;
                };
                let record: PartRecord = load(&file)?;
                let part = Part {
                    md5: record.md5,
                    modified: record.modified,
                    checksums: record.checksums,
                    data: self.data(&record.extents, &file)?,
                };
                parts.insert(number, part);
            }
            let upload = Upload {
                id: file_name(&folder),
                key: record.key,
                initiated: record.initiated,
                attributes: record.attributes,
                checksum: record.checksum,
                parts,
            };
            contents.uploads.insert((upload.key.clone(), upload.id.clone()), upload);
        }
        Ok(())
    }

    fn data(&self, records: &[(String, u64, u64)], file: &Path) -> Result<Data, DirectoryError> {
        let mut extents = Vec::with_capacity(records.len());
        for (name, offset, length) in records {
            let blob = self.blobs.get(name).ok_or_else(|| {
                let missing = io::Error::new(io::ErrorKind::NotFound, format!("blob {name} is missing"));
                DirectoryError::System(file.to_owned(), missing)
            })?;
            extents.push(Extent { blob: Arc::clone(blob), offset: *offset, length: *length });
        }
        let data = Data::new(extents);
        retain(&data);
        Ok(data)
    }
}

/// Paths in a folder; none when there is no such folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DirectoryError> {
    let system = |error| DirectoryError::System(folder.to_owned(), error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(system(error)),
        Ok(entries) => entries.map(|entry| entry.map(|entry| entry.path()).map_err(system)).collect(),
    }
}

fn load<T: DeserializeOwned>(file: &Path) -> Result<T, DirectoryError> {
    let content = fs::read(file).map_err(|error| DirectoryError::System(file.to_owned(), error))?;
    serde_json::from_slice(&content).map_err(|error| DirectoryError::Damaged(file.to_owned(), error))
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
