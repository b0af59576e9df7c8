//! Creating files.

use crate::ops::ObjectAttributes;
use crate::transfer::writer::{ObjectWriter, Target};
use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// How a file is created.
#[derive(Debug, Clone, Default)]
pub struct CreateOptions {
    /// Whether an existing file is replaced; it stays as it is until the new one is closed.
    pub overwrite: bool,
    /// Content type, storage class and user metadata; without a storage class the file system's own one is taken.
    pub attributes: ObjectAttributes,
}

impl FileSystem {
    /// Begins to write a file, which becomes visible when it is closed. Directories above it need not exist.
    ///
    /// # Errors
    /// `IsADirectory` where a directory has that name, `AlreadyExists` where a file has and is not to be replaced.
    pub async fn create_file(&self, path: &str, options: CreateOptions) -> Result<ObjectWriter> {
        if keys::is_root(path) {
            return Err(self.directory_stands_there(path));
        }
        if let Some(writer) = self.create_pending(path, &options)? {
            return Ok(writer);
        }
        if options.overwrite {
            if self.has_keys_below(path).await? {
                return Err(self.directory_stands_there(path));
            }
        } else if let Some(existing) = self.entry_at(path).await? {
            return Err(match existing.is_directory {
                true => self.directory_stands_there(path),
                false => self.file_stands_there(path),
            });
        }
        let target = Target {
            gateway: self.gateway().clone(),
            bucket: self.bucket().to_owned(),
            key: path.to_owned(),
            exclusive: !options.overwrite,
            attributes: self.attributes(&options),
            pending: None,
        };
        Ok(self.writer(target))
    }

    pub(super) fn writer(&self, target: Target) -> ObjectWriter {
        ObjectWriter::new(target, self.shared.transfer.clone(), self.budget().clone())
    }

    pub(super) fn attributes(&self, options: &CreateOptions) -> ObjectAttributes {
        let mut attributes = options.attributes.clone();
        attributes.storage_class = attributes.storage_class.or_else(|| self.shared.transfer.storage_class.clone());
        attributes
    }

    pub(super) fn file_stands_there(&self, path: &str) -> Error {
        let message = "a file of that name exists and was not to be replaced";
        Error::new(ErrorKind::AlreadyExists, message).at(self.bucket(), path)
    }

    pub(super) fn directory_stands_there(&self, path: &str) -> Error {
        Error::new(ErrorKind::IsADirectory, "a directory of that name exists").at(self.bucket(), path)
    }
}
