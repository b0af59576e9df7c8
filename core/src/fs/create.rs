//! Creating files.

use crate::ops::{ObjectAttributes, WriteCondition};
use crate::transfer::writer::{Form, ObjectWriter, Target};
use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// How a file is created.
#[derive(Debug, Clone, Default)]
pub struct CreateOptions {
    /// What becomes of an existing file; it stays as it is until the new one is closed.
    pub existing: Existing,
    /// Content type, storage class and user metadata; without a storage class the file system's own one is taken.
    pub attributes: ObjectAttributes,
    /// Nobody looks what stands there before: no request is sent, and a directory of that name stays beside the file.
    /// Whether a file may be replaced is left to the gateway.
    pub unchecked: bool,
    /// A multipart upload also where one request would do.
    pub as_upload: bool,
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
        if !options.unchecked {
            self.check_place(path, &options.existing).await?;
        }
        let target = Target {
            gateway: self.gateway().counted_apart(),
            bucket: self.bucket().to_owned(),
            key: path.to_owned(),
            condition: match &options.existing {
                Existing::Stays | Existing::StaysForCertain => WriteCondition::IfAbsent,
                Existing::IsReplaced => WriteCondition::Always,
                Existing::IsReplacedIf(etag) => WriteCondition::IfMatch(etag.clone()),
            },
            for_certain: matches!(options.existing, Existing::StaysForCertain | Existing::IsReplacedIf(_)),
            attributes: self.attributes(&options),
            form: if options.as_upload { Form::Upload } else { Form::Object },
            pending: None,
        };
        Ok(self.writer(target))
    }

    async fn check_place(&self, path: &str, existing: &Existing) -> Result<()> {
        let keeps = matches!(existing, Existing::Stays | Existing::StaysForCertain);
        if !keeps {
            return match self.has_keys_below(path).await? {
                true => Err(self.directory_stands_there(path)),
                false => Ok(()),
            };
        }
        match self.entry_at(path).await? {
            Some(status) if status.is_directory => Err(self.directory_stands_there(path)),
            Some(_) => Err(self.file_stands_there(path)),
            None => Ok(()),
        }
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
