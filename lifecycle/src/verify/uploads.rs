//! Uploads that a run has aborted, beside its plan and what was written down of them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use s3core::ops::ListMultipartUploads;

use crate::act::Failure;
use crate::places::common_prefix;
use crate::plan::document::PlanReader;
use crate::run::Bucket;
use crate::run::record::RunRecord;
use crate::run::uploads::{UploadEntry, UploadId, UploadOutcome, each};

use super::Proof;

/// An upload that was planned.
struct Known {
    begun: Timestamp,
    outcome: Option<UploadOutcome>,
    is_there: bool,
}

/// Looks at each upload of the plan. In memory are the planned ones, and a page of those that are there.
pub(super) async fn check(
    bucket: &Bucket,
    record: &RunRecord,
    plan: &PlanReader,
    proof: &mut Proof,
) -> Result<(), Failure> {
    let mut planned = BTreeMap::new();
    for upload in plan.uploads() {
        let upload = upload?;
        let known = Known { begun: upload.begun, outcome: None, is_there: false };
        planned.insert(UploadId::of(&upload), known);
    }
    let mut is_written = false;
    let see = |place: &str, entry: UploadEntry| {
        is_written = true;
        match planned.get_mut(&entry.id) {
            Some(known) => known.outcome = entry.outcome.or_else(|| known.outcome.take()),
            None => {
                let found = format!("the upload {} in {place}", entry.id.upload);
                proof.wrong(&entry.id.key, "no upload: the plan does not name it", found);
            }
        }
    };
    each(bucket, &record.run, see).await?;
    look(bucket, &mut planned).await?;
    for (UploadId { key, upload }, Known { begun, outcome, is_there }) in planned {
        let is_left = || record.undone || !is_written && is_reported(record, &key);
        let there = || format!("the upload {upload}, begun at {begun}");
        match outcome {
            Some(UploadOutcome::Gone) if is_there => {
                proof.wrong(&key, "no upload: the run has aborted it", there());
            }
            Some(UploadOutcome::Gone) => proof.aborted += 1,
            Some(UploadOutcome::AtWork | UploadOutcome::Left { .. }) => proof.uploads_left += 1,
            None if is_there && is_left() => proof.uploads_left += 1,
            None if !is_there && (record.undone || !is_written) => proof.aborts_unwritten += 1,
            None if is_there => proof.wrong(&key, "no upload, or why it was left", there()),
            None => {
                let expected = format!("what came of the upload {upload}, in the journal");
                proof.wrong(&key, expected, "nothing in the journal");
            }
        }
    }
    Ok(())
}

/// Whether the record says that an upload was left, or may have said so.
fn is_reported(record: &RunRecord, key: &str) -> bool {
    record.skipped_count > record.skipped.len() as u64 || record.skipped.iter().any(|skipped| skipped.unit == key)
}

/// Finds out which of them are there.
async fn look(bucket: &Bucket, planned: &mut BTreeMap<UploadId, Known>) -> Result<(), Failure> {
    let (Some((first, _)), Some((last, _))) = (planned.first_key_value(), planned.last_key_value()) else {
        return Ok(());
    };
    let mut list = ListMultipartUploads::new(bucket.name(), common_prefix(&first.key, &last.key));
    loop {
        let page = bucket.gateway().run(list.clone()).await?;
        for upload in page.uploads {
            if let Some(known) = planned.get_mut(&UploadId { key: upload.key, upload: upload.upload_id }) {
                known.is_there = true;
            }
        }
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return Ok(()),
        }
    }
}
