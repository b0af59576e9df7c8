//! Opening files.

use std::sync::OnceLock;

use bytes::Bytes;

use crate::config::ReadPolicy;
use crate::ops::{ByteRange, GetObject, HeadObject};
use crate::transfer::reader::{ObjectReader, Source, Tail};
use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// What is known of a file before it is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Its length in bytes, from a status or listing; saves the request that asks for it.
    pub length: Option<u64>,
    /// Its ETag, without quotes; reads fail with `Changed` where it is another file by now.
    pub etag: Option<String>,
    /// How it will be read.
    pub policy: ReadPolicy,
}

/// Columnar files are opened with their last bytes, which is where their readers begin: one request brings length,
/// ETag and footer. Twice Parquet's usual footer of some ten columns and row groups.
const TAIL: u64 = 64 << 10;

impl FileSystem {
    /// Opens a file. One request, none where the length is known.
    ///
    /// # Errors
    /// `NotFound` where there is no file; a directory is none.
    pub async fn open_file(&self, path: &str, options: OpenOptions) -> Result<ObjectReader> {
        if keys::is_root(path) {
            return Err(self.is_a_directory(path));
        }
        let (source, tail) = match options.length {
            Some(length) => (self.source(path, length, options.etag), None),
            None => match self.look_at(path, &options).await {
                Err(failure) if failure.kind() == ErrorKind::NotFound && self.has_keys_below(path).await? => {
                    return Err(self.is_a_directory(path));
                }
                found => found?,
            },
        };
        Ok(ObjectReader::new(source, tail, options.policy, &self.shared.transfer, self.budget().clone()))
    }

    async fn look_at(&self, path: &str, options: &OpenOptions) -> Result<(Source, Option<Tail>)> {
        if options.policy != ReadPolicy::Sequential && is_columnar(path) {
            let mut frames: Vec<Bytes> = Vec::new();
            let mut get = GetObject::new(self.bucket(), path, &mut frames);
            get.range = Some(ByteRange::Last(TAIL));
            get.if_match.clone_from(&options.etag);
            match self.gateway().run(get).await {
                Ok(head) => {
                    let tail = Tail { start: head.range.start, bytes: frames.concat().into() };
                    return Ok((self.source(path, head.length, head.etag), Some(tail)));
                }
                // An empty object has no last bytes.
                Err(failure) if failure.kind() == ErrorKind::OutOfRange => {}
                Err(failure) => return Err(failure),
            }
        }
        let head = match self.gateway().run(HeadObject::new(self.bucket(), path)).await {
            Ok(head) => head,
            Err(failure) => return Err(self.with_reason(path, failure).await),
        };
        let etag = options.etag.clone().or(head.etag);
        Ok((self.source(path, head.length, etag), None))
    }

    fn source(&self, path: &str, length: u64, etag: Option<String>) -> Source {
        Source {
            gateway: self.gateway().clone(),
            bucket: self.bucket().to_owned(),
            key: path.to_owned(),
            length,
            etag: etag.map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    fn is_a_directory(&self, path: &str) -> Error {
        Error::new(ErrorKind::NotFound, "it is a directory, which cannot be opened").at(self.bucket(), path)
    }
}

fn is_columnar(path: &str) -> bool {
    path.ends_with(".parquet") || path.ends_with(".orc")
}
