//! Uploads of a job that nobody will complete.

use std::collections::HashSet;

use futures::stream::{self, StreamExt};

use crate::fs::FileSystem;
use crate::ops::{AbortMultipartUpload, ListMultipartUploads, MultipartUpload};
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

/// The uploads of earlier attempts that a pending set has replaced.
pub(super) fn replaced_by(set: &PendingSet, job: &Job) -> impl Iterator<Item = UploadName> {
    set.replaced.iter().map(|upload| UploadName { key: job.final_key(&upload.path), id: upload.id.clone() })
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

/// Every upload to a key that begins with `prefix`.
pub(super) async fn all_below(files: &FileSystem, prefix: &str) -> Result<Vec<MultipartUpload>> {
    let mut list = ListMultipartUploads::new(files.bucket(), prefix);
    let mut all = Vec::new();
    loop {
        let page = files.gateway().run(list.clone()).await?;
        all.extend(page.uploads);
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return Ok(all),
        }
    }
}

/// Ids of the uploads that pending sets name.
pub(super) fn ids_of<'a>(sets: impl Iterator<Item = &'a PendingSet>) -> HashSet<String> {
    sets.flat_map(|set| &set.files).filter_map(|file| file.upload_id()).map(str::to_owned).collect()
}

/// The UUIDs in the names of the files of pending sets.
pub(super) fn uuids_of<'a>(sets: impl Iterator<Item = &'a PendingSet>) -> HashSet<String> {
    sets.flat_map(|set| &set.files).filter_map(|file| uuid_of(&file.path)).map(str::to_owned).collect()
}

/// Aborts those of `pending` whose file names have one of `uuids`: attempts that were killed have left them. Uploads in
/// `spared` stay. Returns the others.
pub(super) async fn abort_left_behind(
    files: &FileSystem,
    pending: Vec<MultipartUpload>,
    uuids: &HashSet<String>,
    spared: &HashSet<String>,
) -> Vec<MultipartUpload> {
    let is_ours = |upload: &MultipartUpload| uuid_of(&upload.key).is_some_and(|uuid| uuids.contains(uuid));
    let (ours, others): (Vec<_>, Vec<_>) = pending.into_iter().partition(is_ours);
    let ours = ours.into_iter().filter(|upload| !spared.contains(&upload.upload_id));
    abort(files, ours.map(|upload| UploadName { key: upload.key, id: upload.upload_id }).collect::<Vec<_>>()).await;
    others
}
