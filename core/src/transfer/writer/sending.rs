//! Parts on their way to the gateway while the writer still writes.

use std::sync::{Arc, MutexGuard};

use crate::ops::{CompletedPart, UploadPart};
use crate::{Error, ErrorKind, Result};

use super::super::upload::Upload;
use super::part::PartBuffer;
use super::sizes::MOST_PARTS;
use super::{Form, Shared, State, Target};

impl Shared {
    /// Sends the part that was being filled and begins the next.
    pub(super) fn seal(self: &Arc<Self>, mut state: MutexGuard<'_, State>) {
        if state.part.length() == 0 {
            return;
        }
        if let Form::Part { .. } = self.target.form {
            state.failure.get_or_insert_with(too_large_part);
            return;
        }
        if state.next_part > MOST_PARTS {
            state.failure.get_or_insert_with(too_many_parts);
            return;
        }
        let part = std::mem::take(&mut state.part);
        let number = state.next_part;
        let upload = state.upload.get_or_insert_with(|| self.begin_upload()).clone();
        let length = part.length();
        state.sealed += length;
        state.next_part += 1;
        state.in_flight += 1;
        state.in_flight_bytes += length;
        while state.sending.try_join_next().is_some() {}
        let shared = Arc::clone(self);
        state.sending.spawn(async move {
            let outcome = shared.send(&upload, number, part).await;
            let mut state = shared.lock();
            state.in_flight -= 1;
            state.in_flight_bytes -= length;
            match outcome {
                Ok(completed) => state.completed.push(completed),
                Err(failure) => {
                    state.failure.get_or_insert(failure);
                }
            }
            drop(state);
            shared.changed.notify_waiters();
        });
    }

    fn begin_upload(&self) -> Upload {
        let Target { gateway, bucket, key, attributes, pending, .. } = &self.target;
        let sink = pending.clone();
        let before = async move {
            match sink {
                Some(sink) => sink.before_upload().await,
                None => Ok(()),
            }
        };
        Upload::create(gateway, bucket, key, attributes.clone(), before)
    }

    /// Sends one part; its memory comes back when the gateway has it.
    async fn send(&self, upload: &Upload, number: u32, part: PartBuffer) -> Result<CompletedPart> {
        let (payload, digest, _memory) = part.into_payload();
        let Target { gateway, bucket, key, .. } = &self.target;
        let mut upload_part = UploadPart::new(bucket, key, &upload.id().await?, number, payload);
        upload_part.digest = Some(digest);
        let etag = gateway.run(upload_part).await?;
        Ok(CompletedPart { number, etag })
    }
}

fn too_many_parts() -> Error {
    let message = "the object needs more than 10,000 parts: set fs.s3a.multipart.size to a larger one";
    Error::new(ErrorKind::InvalidOption, message)
}

fn too_large_part() -> Error {
    Error::new(ErrorKind::InvalidOption, "a part of an upload has at most 5 GiB: send more, smaller parts")
}
