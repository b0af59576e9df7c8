//! Uploads that nobody goes on with are aborted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use s3core::ops::{AbortMultipartUpload, ListParts};
use s3core::{ErrorKind, Result};

use crate::listing::timestamp;
use crate::pace::first;
use crate::plan::document::PlanReader;
use crate::plan::line::PlannedUpload;
use crate::run::Bucket;
use crate::run::uploads::{self, BATCH, UploadEntry, UploadId, UploadJournal, UploadOutcome};

use super::Failure;
use super::apply::Applied;
use super::objects::Objects;
use super::spared::Spared;

/// What came of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// It is gone.
    Gone,
    /// A part was sent after the plan was made: somebody works on it.
    AtWork,
}

/// Aborts the uploads of a plan, but for those that are spared; each is written down before it is touched. What was written down
/// before is not done again.
///
/// # Errors
/// `Stopped`, the permit's and the gateway's: it can be called again.
pub async fn abort_all(
    objects: &Objects<'_>,
    bucket: &Bucket,
    run: &str,
    spared: &Spared<'_>,
    plan: &PlanReader,
    applied: &mut Applied,
) -> std::result::Result<(), Failure> {
    if plan.tally().rules.values().all(|rule| rule.uploads == 0) {
        return Ok(());
    }
    let mut journal = UploadJournal::open(bucket, run, objects.permit.number()).await?;
    let mut known = BTreeMap::new();
    uploads::each(bucket, run, |_, UploadEntry { id, outcome }| known.extend(outcome.map(|outcome| (id, outcome))))
        .await?;
    let created = plan.header().created;
    let mut planned = plan.uploads();
    loop {
        let (mut batch, mut is_last) = (Vec::new(), false);
        while batch.len() < BATCH && !is_last {
            match planned.next().transpose()? {
                Some(upload) => match known.get(&UploadId::of(&upload)) {
                    Some(outcome) => applied.note_upload(&upload, outcome),
                    None => batch.push(upload),
                },
                None => is_last = true,
            }
        }
        abort_batch(objects, &mut journal, spared, batch, created, applied).await?;
        if is_last {
            return Ok(());
        }
    }
}

async fn abort_batch(
    objects: &Objects<'_>,
    journal: &mut UploadJournal,
    spared: &Spared<'_>,
    batch: Vec<PlannedUpload>,
    created: Timestamp,
    applied: &mut Applied,
) -> std::result::Result<(), Failure> {
    let entry = |upload: &PlannedUpload, outcome| UploadEntry { id: UploadId::of(upload), outcome };
    let uploads: Vec<_> = batch.into_iter().map(|upload| (spared.reason(&upload.key), upload)).collect();
    let going = uploads.iter().filter(|(reason, _)| reason.is_none());
    let going: Vec<_> = going.map(|(_, upload)| entry(upload, None)).collect();
    if !going.is_empty() {
        objects.permit.check()?;
        journal.write(going).await?;
    }
    let (mut done, mut is_ending) = (Vec::new(), false);
    for (reason, upload) in uploads {
        is_ending = objects.permit.is_ending();
        if is_ending {
            break;
        }
        let outcome = match reason {
            Some(reason) => UploadOutcome::Left { reason },
            None => match abort(objects, &upload, created).await? {
                Aborted::Gone => UploadOutcome::Gone,
                Aborted::AtWork => UploadOutcome::AtWork,
            },
        };
        applied.note_upload(&upload, &outcome);
        done.push(entry(&upload, Some(outcome)));
    }
    if !done.is_empty() {
        objects.permit.check()?;
        journal.write(done).await?;
    }
    if is_ending { Err(Failure::Stopped) } else { Ok(()) }
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
