//! The form of the storage that survives a restart.
//!
//! ```text
//! <directory>/s3core-gateway.json                           format, and the lock of the one gateway that may use it
//! <directory>/blobs/<2 digits>/<name>                       bytes of one upload body
//! <directory>/buckets/<bucket>/bucket.json
//! <directory>/buckets/<bucket>/objects/<2 digits>/<sha256 of the key>.json
//! <directory>/buckets/<bucket>/uploads/<upload id>/upload.json and <part number>.json
//! <directory>/temporary/                                    files that are being written
//! ```
//!
//! Keys are hashed because a key may be `a` beside `a/b`, `..`, or longer than a file name may be.
//! Every file appears by rename, so a gateway killed at any moment leaves whole objects only.
//! Nothing is flushed to the disk: what a power cut takes is not the concern of a test endpoint.

mod loader;

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use s3s::dto::LifecycleRule;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use self::loader::Loader;
use crate::storage::blob::{Blob, BlobWriter, Data, FileWriter, TemporaryFile};
use crate::storage::bucket::Bucket;
use crate::storage::hexadecimal;
use crate::storage::object::{Attributes, Checksum, ChecksumAlgorithm, Object, Part, Upload};

const FORMAT: u32 = 1;
const FORMAT_FILE: &str = "s3core-gateway.json";

/// Why a directory cannot hold a gateway's objects.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// Another gateway, of this process or another one, has it open.
    #[error("directory {0} is in use by another gateway; stop that one or choose another directory")]
    InUse(PathBuf),
    /// It holds files, and they are not a gateway's.
    #[error("directory {0} is not empty and no gateway made it; choose an empty one")]
    Foreign(PathBuf),
    /// A later version of this crate made it.
    #[error(
        "directory {0} has format {1}, this gateway reads format {FORMAT}; use a newer gateway or an empty directory"
    )]
    Format(PathBuf, u32),
    /// A metadata file cannot be read.
    #[error("metadata file {0} is damaged ({1}); remove it to lose that object, or the whole directory")]
    Damaged(PathBuf, serde_json::Error),
    /// The system refused: the directory is not writable, for instance.
    #[error("directory {0} cannot be used: {1}")]
    System(PathBuf, io::Error),
}

/// An open directory.
#[derive(Debug)]
pub(crate) struct Directory {
    root: PathBuf,
    started: u128,
    counter: AtomicU64,
    _lock: File,
}

impl Directory {
    /// Opens or makes the directory and reads what it holds.
    pub(crate) fn open(root: &Path) -> Result<(Self, Vec<Bucket>), DirectoryError> {
        let system = |error| DirectoryError::System(root.to_owned(), error);
        fs::create_dir_all(root).map_err(system)?;
        let format = root.join(FORMAT_FILE);
        if !format.exists() && fs::read_dir(root).map_err(system)?.next().is_some() {
            return Err(DirectoryError::Foreign(root.to_owned()));
        }
        let lock = File::options().read(true).append(true).create(true).open(&format).map_err(system)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::InUse(root.to_owned())),
            Err(TryLockError::Error(error)) => return Err(system(error)),
        }
        let content = fs::read(&format).map_err(system)?;
        if content.is_empty() {
            fs::write(&format, format!("{{\"format\":{FORMAT}}}\n")).map_err(system)?;
        } else {
            let record: FormatRecord =
                serde_json::from_slice(&content).map_err(|error| DirectoryError::Damaged(format, error))?;
            if record.format != FORMAT {
                return Err(DirectoryError::Format(root.to_owned(), record.format));
            }
        }

        let directory = Self {
            root: root.to_owned(),
            started: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_nanos()),
            counter: AtomicU64::new(0),
            _lock: lock,
        };
        match fs::remove_dir_all(root.join("temporary")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(system(error)),
            _ => {}
        }
        for folder in ["temporary", "blobs", "buckets"] {
            fs::create_dir_all(root.join(folder)).map_err(system)?;
        }
        let buckets = Loader::new(&directory)?.load()?;
        Ok((directory, buckets))
    }

    /// A name that no file of this directory has had.
    pub(crate) fn unique_name(&self) -> String {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        format!("{number:08x}-{:x}", self.started)
    }

    pub(crate) fn writer(&self) -> io::Result<BlobWriter> {
        let name = self.unique_name();
        let target = self.blob_path(&name);
        FileWriter::create(self.root.join("temporary").join(&name), target, name).map(BlobWriter::File)
    }

    pub(crate) fn save_bucket(&self, bucket: &Bucket, lifecycle: Option<&[LifecycleRule]>) -> io::Result<()> {
        let record = BucketRecord { created: bucket.created, lifecycle: lifecycle.map(<[_]>::to_vec) };
        self.save(&self.bucket_path(&bucket.name).join("bucket.json"), &record)
    }

    pub(crate) fn remove_bucket(&self, name: &str) -> io::Result<()> {
        fs::remove_dir_all(self.bucket_path(name))
    }

    /// Writes the object's metadata in place of those of `previous`, the object that has its key now.
    pub(crate) fn save_object(&self, bucket: &str, object: &Object, previous: Option<&Object>) -> io::Result<()> {
        let record = ObjectRecord {
            key: object.key.clone(),
            etag: object.etag.clone(),
            modified: object.modified,
            attributes: object.attributes.clone(),
            checksums: object.checksums.clone(),
            parts: object.parts.clone(),
            extents: extent_records(&object.data),
        };
        self.save(&self.object_path(bucket, &object.key), &record)?;
        retain(&object.data);
        if let Some(previous) = previous {
            release(&previous.data);
        }
        Ok(())
    }

    pub(crate) fn remove_object(&self, bucket: &str, object: &Object) -> io::Result<()> {
        fs::remove_file(self.object_path(bucket, &object.key))?;
        release(&object.data);
        Ok(())
    }

    pub(crate) fn save_upload(&self, bucket: &str, upload: &Upload) -> io::Result<()> {
        let record = UploadRecord {
            key: upload.key.clone(),
            initiated: upload.initiated,
            attributes: upload.attributes.clone(),
            checksum: upload.checksum,
        };
        self.save(&self.upload_path(bucket, &upload.id).join("upload.json"), &record)
    }

    pub(crate) fn save_part(
        &self,
        bucket: &str,
        upload: &str,
        number: u32,
        part: &Part,
        previous: Option<&Part>,
    ) -> io::Result<()> {
        let record = PartRecord {
            md5: part.md5,
            modified: part.modified,
            checksums: part.checksums.clone(),
            extents: extent_records(&part.data),
        };
        self.save(&self.upload_path(bucket, upload).join(format!("{number}.json")), &record)?;
        retain(&part.data);
        if let Some(previous) = previous {
            release(&previous.data);
        }
        Ok(())
    }

    pub(crate) fn remove_upload(&self, bucket: &str, upload: &Upload) -> io::Result<()> {
        fs::remove_dir_all(self.upload_path(bucket, &upload.id))?;
        for part in upload.parts.values() {
            release(&part.data);
        }
        Ok(())
    }

    fn save(&self, target: &Path, record: &impl Serialize) -> io::Result<()> {
        let path = self.root.join("temporary").join(self.unique_name());
        let temporary = TemporaryFile::new(path.clone());
        fs::write(&path, serde_json::to_vec(record)?)?;
        temporary.rename(target)
    }

    fn blob_path(&self, name: &str) -> PathBuf {
        // The counter's last digits spread the files evenly.
        let folder = name.get(6..8).unwrap_or("00");
        self.root.join("blobs").join(folder).join(name)
    }

    fn bucket_path(&self, bucket: &str) -> PathBuf {
        self.root.join("buckets").join(bucket)
    }

    fn object_path(&self, bucket: &str, key: &str) -> PathBuf {
        let name = hexadecimal(&Sha256::digest(key.as_bytes()));
        let folder = name.get(..2).unwrap_or("00");
        self.bucket_path(bucket).join("objects").join(folder).join(format!("{name}.json"))
    }

    fn upload_path(&self, bucket: &str, upload: &str) -> PathBuf {
        self.bucket_path(bucket).join("uploads").join(upload)
    }
}

fn retain(data: &Data) {
    for extent in data.extents() {
        if let Blob::File(blob) = &*extent.blob {
            blob.retain();
        }
    }
}

fn release(data: &Data) {
    for extent in data.extents() {
        if let Blob::File(blob) = &*extent.blob {
            blob.release();
        }
    }
}

fn extent_records(data: &Data) -> Vec<(String, u64, u64)> {
    data.extents()
        .iter()
        .filter_map(|extent| match &*extent.blob {
            Blob::File(blob) => Some((blob.name().to_owned(), extent.offset, extent.length)),
            Blob::Memory(_) => None,
        })
        .collect()
}

#[derive(Serialize, Deserialize)]
struct FormatRecord {
    format: u32,
}

#[derive(Serialize, Deserialize)]
struct BucketRecord {
    created: i64,
    #[serde(default)]
    lifecycle: Option<Vec<LifecycleRule>>,
}

#[derive(Serialize, Deserialize)]
struct ObjectRecord {
    key: String,
    etag: String,
    modified: i64,
    attributes: Attributes,
    checksums: Vec<Checksum>,
    parts: Vec<u64>,
    extents: Vec<(String, u64, u64)>,
}

#[derive(Serialize, Deserialize)]
struct UploadRecord {
    key: String,
    initiated: i64,
    attributes: Attributes,
    checksum: Option<(ChecksumAlgorithm, bool)>,
}

#[derive(Serialize, Deserialize)]
struct PartRecord {
    md5: [u8; 16],
    modified: i64,
    checksums: Vec<Checksum>,
    extents: Vec<(String, u64, u64)>,
}
