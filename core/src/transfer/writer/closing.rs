//! The end of a writer: its object becomes visible, is left pending, or is given up.

use std::sync::Arc;

use crate::gateway::capabilities::Capability;
use crate::ops::{HeadObject, PutObject, UploadPart, WriteCondition, WriteId};
use crate::probe::probe;
use crate::{Error, ErrorKind, Result};

use super::super::budget::Reservation;
use super::super::pending::{PendingBody, PendingObject, PendingSink, PendingUpload};
use super::part::PartBuffer;
use super::{Form, Shared, Target, WrittenObject, closed};

impl Shared {
    pub(super) async fn finish(self: &Arc<Self>) -> Result<WrittenObject> {
        let whole = {
            let mut state = self.until(|state| !state.spilling && self.has_turn(state)).await?;
            state.closing = true;
            let room = match (&self.target.pending, &self.target.form) {
                (Some(sink), _) => sink.room(),
                (None, Form::Upload) => 0,
                (None, _) => u64::MAX,
            };
            if state.upload.is_none() && state.part.length() <= room {
                Some(std::mem::take(&mut state.part))
            } else {
                self.seal(state);
                None
            }
        };
        if let Some(part) = whole {
            return match &self.target.pending {
                Some(sink) => leave_whole(part, sink.as_ref()),
                None => self.put_whole(part).await,
            };
        }
        let (upload, mut parts, length) = {
            let mut state = self.until(|state| state.in_flight == 0).await?;
            (state.upload.clone(), std::mem::take(&mut state.completed), state.sealed)
        };
        let Some(upload) = upload else {
            return Err(Error::new(ErrorKind::Internal, "an upload without parts"));
        };
        parts.sort_unstable_by_key(|part| part.number);
        if let Some(sink) = &self.target.pending {
            let upload_id = upload.id().await?;
            sink.take(PendingObject::Upload(PendingUpload { upload_id, parts, length }))?;
            self.lock().upload = None; // it is the sink's now: dropping the writer must not remove it
            return Ok(WrittenObject { etag: None, length });
        }
        self.check_condition().await?;
        let etag = upload.complete(parts, length, self.target.condition.clone()).await?;
        Ok(WrittenObject { etag: Some(etag), length })
    }

    async fn put_whole(&self, part: PartBuffer) -> Result<WrittenObject> {
        let (payload, digest, _memory) = part.into_payload();
        let length = payload.len();
        if let Form::Part { upload_id, number } = &self.target.form {
            let mut upload_part = UploadPart::new(&self.target.bucket, &self.target.key, upload_id, *number, payload);
            upload_part.digest = Some(digest);
            let etag = self.target.gateway.run(upload_part).await?;
            return Ok(WrittenObject { etag: Some(etag), length });
        }
        let mut put = PutObject::new(&self.target.bucket, &self.target.key, payload);
        put.digest = Some(digest);
        put.attributes = self.target.attributes.clone();
        if self.target.condition != WriteCondition::Always {
            put.condition = self.target.condition.clone();
            put.write_id = Some(WriteId::new(self.target.gateway.environment().random.bits()));
        }
        let etag = self.target.gateway.run(put).await?;
        Ok(WrittenObject { etag: Some(etag), length })
    }

    /// Looks before a completion whether its condition holds, since the gateway may ignore it there.
    async fn check_condition(&self) -> Result<()> {
        let Target { gateway, bucket, key, condition, for_certain, .. } = &self.target;
        if *condition == WriteCondition::Always {
            return Ok(());
        }
        if *for_certain && !probe(gateway, bucket, Capability::ExclusiveComplete).await? {
            return Err(not_for_certain().at(bucket, key));
        }
        let existing = match gateway.run(HeadObject::new(bucket, key)).await {
            Ok(head) => Some(head),
            Err(failure) if failure.kind() == ErrorKind::NotFound => None,
            Err(failure) => return Err(failure),
        };
        let refusal = match (condition, existing) {
            (WriteCondition::IfAbsent, Some(_)) => {
                Error::new(ErrorKind::AlreadyExists, "somebody created it meanwhile")
            }
            (WriteCondition::IfMatch(etag), found)
                if found.as_ref().and_then(|head| head.etag.as_ref()) != Some(etag) =>
            {
                Error::new(ErrorKind::PreconditionFailed, format!("the object no longer has the ETag {etag}"))
            }
            _ => return Ok(()),
        };
        Err(refusal.at(bucket, key))
    }

    pub(super) async fn abort(&self) -> Result<()> {
        let (upload, mut sending) = {
            let mut state = self.lock();
            state.failure = Some(closed());
            state.part = PartBuffer::default();
            (state.upload.take(), std::mem::take(&mut state.sending))
        };
        self.changed.notify_waiters();
        // A part that arrives after the abort would stay for ever.
        sending.shutdown().await;
        match upload {
            Some(upload) => upload.abort().await,
            None => Ok(()),
        }
    }

    /// Aborts where nobody can be told of a failure to do so.
    pub(super) async fn give_up(&self) {
        if let Err(failure) = self.abort().await {
            tracing::warn!(%failure, "an upload was given up but could not be removed; it stays pending, invisible");
        }
    }
}

fn leave_whole(part: PartBuffer, sink: &dyn PendingSink) -> Result<WrittenObject> {
    let (payload, _, memory) = part.into_payload();
    let length = payload.len();
    let memory = memory.map(Reservation::no_longer_in_flight);
    sink.take(PendingObject::Body(PendingBody { payload, _memory: memory }))?;
    Ok(WrittenObject { etag: None, length })
}

fn not_for_certain() -> Error {
    let message = "this gateway ignores conditions when an upload is completed (Radosgw before 20.2.1), so whether somebody \
                   else was first cannot be told for certain: write less than one part (fs.s3a.multipart.size), or ask for \
                   the condition with opt() rather than must()";
    Error::new(ErrorKind::Unsupported, message)
}
