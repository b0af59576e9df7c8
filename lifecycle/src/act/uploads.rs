//! Uploads that nobody goes on with are aborted.

use jiff::Timestamp;
use s3core::ops::{AbortMultipartUpload, ListParts};
use s3core::{ErrorKind, Result};

use crate::listing::timestamp;
use crate::pace::first;
use crate::plan::line::PlannedUpload;

use super::objects::Objects;

/// What came of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// It is gone.
    Gone,
    /// A part was sent after the plan was made: somebody works on it.
    AtWork,
}

/// Aborts an upload, unless a part of it was sent after the plan was `created`.
///
/// # Errors
/// The permit's and the gateway's.
pub async fn abort(objects: &Objects<'_>, upload: &PlannedUpload, created: Timestamp) -> Result<Aborted> {
    let mut list = ListParts::new(objects.bucket, &upload.key, &upload.upload);
    loop {
        let page = match objects.gateway.run(list.clone()).await {
            Ok(page) => page,
            Err(failure) if failure.kind() == ErrorKind::NotFound => return Ok(Aborted::Gone),
            Err(failure) => return Err(failure),
        };
        if page.parts.iter().any(|part| timestamp(part.modified) >= created) {
            return Ok(Aborted::AtWork);
        }
        match page.next {
            Some(next) => list.part_number_marker = Some(next),
            None => break,
        }
    }
    objects.permit.check()?;
    let abort = AbortMultipartUpload::new(objects.bucket, &upload.key, &upload.upload);
    // At once: a part that is sent after the look goes with the others.
    match first(objects.gateway.run(abort)).await {
        Ok(()) => Ok(Aborted::Gone),
        Err(failure) if failure.kind() == ErrorKind::NotFound => Ok(Aborted::Gone),
        Err(failure) => Err(failure),
    }
}
