//! Opening files.

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use bytes::Bytes;
use futures::FutureExt;

use crate::config::ReadPolicy;
use crate::gateway::Gateway;
use crate::ops::{ByteRange, GetObject, HeadObject};
use crate::transfer::reader::{ObjectReader, ReadCounts, Source, Tail, WhyMissing};
use crate::{Error, ErrorKind, Result};

use super::footers::{Footer, is_columnar};
use super::{FileStatus, FileSystem, keys};

/// What is known of a file before it is opened.
#[derive(Debug, Clone, Default)]
pub struct OpenOptions {
    /// Its length in bytes, from a status or listing; saves the request that asks for it.
    pub length: Option<u64>,
    /// Its ETag, without quotes; reads fail with `Changed` where it is another file by now.
    pub etag: Option<String>,
    /// How it will be read.
    pub policy: ReadPolicy,
    /// Least number of bytes that a random read asks for; `None` takes the file system's (`fs.s3a.readahead.range`).
    pub random_read: Option<u64>,
}

impl FileSystem {
    /// Opens a file. One request, none where the length is known.
    ///
    /// # Errors
    /// `NotFound` where there is no file; a directory is none.
    pub async fn open_file(&self, path: &str, options: OpenOptions) -> Result<ObjectReader> {
        if keys::is_root(path) {
            return Err(self.is_a_directory(path));
        }
        self.check_readable(path)?;
        let gateway = self.gateway().counted_apart();
        let (source, tail) = match options.length {
            Some(length) => (self.source(gateway, path, length, options.etag), None),
            None => match self.look_at(gateway, path, &options).await {
                Err(failure) if failure.kind() == ErrorKind::NotFound && self.has_keys_below(path).await? => {
                    return Err(self.is_a_directory(path));
                }
                Err(failure) => return Err(self.removed(path, failure).await),
                Ok(found) => found,
            },
        };
        let mut settings = self.shared.transfer.clone();
        settings.random_read = options.random_read.unwrap_or(settings.random_read);
        Ok(ObjectReader::new(source, tail, options.policy, &settings, self.budget().clone()))
    }

    async fn look_at(
        &self,
        gateway: Gateway,
        path: &str,
        options: &OpenOptions,
    ) -> Result<(Source, Option<Arc<Tail>>)> {
        if options.policy != ReadPolicy::Sequential
            && is_columnar(path)
            && let Some(footer) = self.footer(&gateway, path).await?
        {
            let FileStatus { length, etag, .. } = &footer.status;
            if options.etag.is_some() && options.etag != *etag {
                let message = "the file was replaced since its ETag was learned: list it again";
                return Err(Error::new(ErrorKind::Changed, message).at(self.bucket(), path));
            }
            return Ok((self.source(gateway, path, *length, etag.clone()), Some(Arc::clone(&footer.tail))));
        }
        let head = match gateway.run(HeadObject::new(self.bucket(), path)).await {
            Ok(head) => head,
            Err(failure) => return Err(self.with_reason(path, failure).await),
        };
        let etag = options.etag.clone().or(head.etag);
        Ok((self.source(gateway, path, head.length, etag), None))
    }

    /// Status and last bytes of a file, in one request or, where both were read within the last second, none. `None` for
    /// an empty object, which has no last bytes.
    pub(super) async fn footer(&self, gateway: &Gateway, path: &str) -> Result<Option<Arc<Footer>>> {
        let began = self.now();
        if let Some(footer) = self.shared.footers.find(path, began) {
            return Ok(Some(footer));
        }
        // Columnar files are read from their end: one request brings length, ETag and footer.
        let tail = self.shared.footers.tail();
        let mut memory = self.budget().reserve(tail).await?;
        let mut frames: Vec<Bytes> = Vec::new();
        let mut get = GetObject::new(self.bucket(), path, &mut frames);
        get.range = Some(ByteRange::Last(tail));
        let head = match gateway.run(get).await {
            Ok(head) => head,
            Err(failure) if failure.kind() == ErrorKind::OutOfRange => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let bytes: Bytes = frames.concat().into();
        memory.release(tail - bytes.len() as u64);
        let tail = Arc::new(Tail { start: head.range.start, bytes, _memory: memory });
        let footer = Arc::new(Footer { status: FileStatus::found(path, &head), tail });
        self.shared.footers.keep(Arc::clone(&footer), began, self.now());
        Ok(Some(footer))
    }

    pub(super) fn now(&self) -> Instant {
        self.gateway().environment().clock.monotonic()
    }

    fn source(&self, gateway: Gateway, path: &str, length: u64, etag: Option<String>) -> Source {
        let (files, key) = (self.clone(), path.to_owned());
        let why_missing: WhyMissing = Arc::new(move |failure| {
            let (files, key) = (files.clone(), key.clone());
            async move { files.removed(&key, failure).await }.boxed()
        });
        Source {
            gateway,
            bucket: self.bucket().to_owned(),
            key: path.to_owned(),
            length,
            etag: etag.map_or_else(OnceLock::new, OnceLock::from),
            counts: ReadCounts::default(),
            why_missing: Some(why_missing),
        }
    }

    fn is_a_directory(&self, path: &str) -> Error {
        Error::new(ErrorKind::NotFound, "it is a directory, which cannot be opened").at(self.bucket(), path)
    }
}
