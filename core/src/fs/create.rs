//! Creating files.

use crate::ops::{ObjectAttributes, WriteCondition};
use crate::transfer::writer::{ObjectWriter, Target};
use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// How a file is created.
#[derive(Debug, Clone, Default)]
pub struct CreateOptions {
    /// What becomes of an existing file; it stays as it is until the new one is closed.
    pub existing: Existing,
    /// Content type, storage class and user metadata; without a storage class the file system's own one is taken.
    pub attributes: ObjectAttributes,
}

/// What becomes of a file that exists where one is created.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and the new one is refused. Of several writers one succeeds where the file goes out in one request, and
    /// where the gateway knows conditions on completions; on others the key of a larger one is looked at just before.
    #[default]
    Stays,
    /// It stays, and of several writers one succeeds for certain: refused where the gateway cannot say so.
    StaysForCertain,
    /// It is replaced.
    IsReplaced,
    /// It is replaced where it has this ETag (without quotes), for certain.
    IsReplacedIf(String),
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
        let keeps = matches!(options.existing, Existing::Stays | Existing::StaysForCertain);
        if !keeps {
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
            condition: match &options.existing {
                Existing::Stays | Existing::StaysForCertain => WriteCondition::IfAbsent,
                Existing::IsReplaced => WriteCondition::Always,
                Existing::IsReplacedIf(etag) => WriteCondition::IfMatch(etag.clone()),
            },
            for_certain: matches!(options.existing, Existing::StaysForCertain | Existing::IsReplacedIf(_)),
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
