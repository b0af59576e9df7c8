//! Uploads of a job that nobody will complete.

use std::collections::HashSet;

use futures::stream::{self, StreamExt};

use crate::fs::FileSystem;
use crate::ops::{AbortMultipartUpload, ListMultipartUploads};
use crate::transfer::pending::UploadName;
use crate::{ErrorKind, Result};

use super::pending_set::PendingSet;
use super::{Job, uuid_of};

/// Aborts under way at the same time.
const ABORTS_AT_ONCE: usize = 16;

/// The uploads that a pending set names.
pub(super) fn of_set(set: &PendingSet, job: &Job) -> Vec<UploadName> {
    let uploads = set.files.iter().filter_map(|file| Some((file, file.upload_id()?)));
    uploads.map(|(file, id)| UploadName { key: job.final_key(&file.path), id: id.to_owned() }).collect()
}

/// Aborts `uploads`. One that cannot be aborted stays pending, invisible, and is told in the log.
pub(super) async fn abort(files: &FileSystem, uploads: impl IntoIterator<Item = UploadName, IntoIter: Send>) {
    let abort_one = |UploadName { key, id }| async move {
        match files.gateway().run(AbortMultipartUpload::new(files.bucket(), &key, &id)).await {
            Err(failure) if failure.kind() != ErrorKind::NotFound => {
                tracing::warn!(%failure, "an upload of no use could not be aborted; it stays pending, invisible");
            }
            _ => {}
        }
    };
    stream::iter(uploads).for_each_concurrent(ABORTS_AT_ONCE, abort_one).await;
}

/// Aborts the uploads below the job's destination whose file names have one of `uuids`: attempts that were killed have
/// left them. Whose name has none belong to nobody who is known, and stay.
pub(super) async fn abort_left_behind(files: &FileSystem, job: &Job, uuids: &HashSet<String>) -> Result<()> {
    let mut list = ListMultipartUploads::new(files.bucket(), &job.destination_prefix());
    loop {
        let page = files.gateway().run(list.clone()).await?;
        let ours =
            page.uploads.into_iter().filter(|upload| uuid_of(&upload.key).is_some_and(|uuid| uuids.contains(uuid)));
        abort(files, ours.map(|upload| UploadName { key: upload.key, id: upload.upload_id }).collect::<Vec<_>>()).await;
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return Ok(()),
        }
    }
}
