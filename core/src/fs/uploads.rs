//! Multipart uploads whose parts the caller sends by itself, from as many processes as it likes.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt, TryStreamExt};

use crate::ops::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, ListMultipartUploads,
    ListParts, WriteCondition,
};
use crate::transfer::writer::{Form, ObjectWriter, Target};
use crate::{Error, ErrorKind, Result};

use super::{CreateOptions, FileSystem, keys};

/// Uploads that are aborted at the same time.
const ABORTS_AT_ONCE: usize = 16;

impl FileSystem {
    /// Begins an upload of the file `path`; returns its id.
    ///
    /// # Errors
    /// `IsADirectory` for the root.
    pub async fn begin_upload(&self, path: &str) -> Result<String> {
        if keys::is_root(path) {
            return Err(self.directory_stands_there(path));
        }
        let mut create = CreateMultipartUpload::new(self.bucket(), path);
        create.attributes = self.attributes(&CreateOptions::default());
        self.gateway().run(create).await
    }

    /// Begins to write a part, numbered from 1; closing the writer sends it and gives its ETag. It is kept in memory, and
    /// on disk where that is short, until then.
    pub fn upload_part(&self, path: &str, upload_id: &str, number: u32) -> ObjectWriter {
        self.writer(Target {
            gateway: self.gateway().counted_apart(),
            bucket: self.bucket().to_owned(),
            key: path.to_owned(),
            condition: WriteCondition::Always,
            for_certain: false,
            attributes: Default::default(),
            form: Form::Part { upload_id: upload_id.to_owned(), number },
            pending: None,
        })
    }

    /// Makes the file of these parts visible, whatever stood there before; returns its ETag.
    ///
    /// # Errors
    /// `NotFound` where there is no such upload any more, `BadRequest` where a part is not there, `IsADirectory` where a
    /// directory has that name.
    pub async fn complete_upload(&self, path: &str, upload_id: &str, parts: Vec<CompletedPart>) -> Result<String> {
        // A completion that is sent twice is answered differently by each release of Radosgw, and not with the truth.
        let lengths = self.parts_of(path, upload_id).await?;
        let mut length = 0;
        for CompletedPart { number, etag } in &parts {
            match lengths.get(number) {
                Some((known, bytes)) if known.as_ref().is_none_or(|known| known == etag) => length += bytes,
                _ => {
                    let message = format!("the upload has no part {number} with the ETag {etag}: send it again");
                    return Err(Error::new(ErrorKind::BadRequest, message).at(self.bucket(), path));
                }
            }
        }
        if self.has_keys_below(path).await? {
            return Err(self.directory_stands_there(path));
        }
        self.gateway().run(CompleteMultipartUpload::new(self.bucket(), path, upload_id, parts, length)).await
    }

    /// ETag and length of the parts that were sent, by number.
    async fn parts_of(&self, path: &str, upload_id: &str) -> Result<BTreeMap<u32, (Option<String>, u64)>> {
        let mut list = ListParts::new(self.bucket(), path, upload_id);
        let mut all = BTreeMap::new();
        loop {
            let page = self.gateway().run(list.clone()).await?;
            all.extend(page.parts.into_iter().map(|part| (part.number, (part.etag, part.length))));
            match page.next {
                Some(next) => list.part_number_marker = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// Throws an upload away.
    ///
    /// # Errors
    /// `NotFound` where there is none.
    pub async fn abort_upload(&self, path: &str, upload_id: &str) -> Result<()> {
        let mut abort = AbortMultipartUpload::new(self.bucket(), path, upload_id);
        abort.must_exist = true;
        self.gateway().run(abort).await
    }

    /// Throws away every upload to a file in the directory `path`, whoever has begun it, pending files of jobs included;
    /// returns how many there were.
    ///
    /// # Errors
    /// The gateway's; some may be aborted by then.
    pub async fn abort_uploads_below(&self, path: &str) -> Result<usize> {
        let mut list = ListMultipartUploads::new(self.bucket(), &keys::directory(path));
        let mut aborted = 0;
        loop {
            let page = self.gateway().run(list.clone()).await?;
            aborted += page.uploads.len();
            stream::iter(page.uploads)
                .map(Ok)
                .try_for_each_concurrent(ABORTS_AT_ONCE, |upload| async move {
                    let abort = AbortMultipartUpload::new(self.bucket(), &upload.key, &upload.upload_id);
                    self.gateway().run(abort).await
                })
                .await?;
            match page.next {
                Some(next) => list.marker = Some(next),
                None => return Ok(aborted),
            }
        }
    }
}
