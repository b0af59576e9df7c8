//! One file below a work path, from its creation until its attempt ends.

use std::sync::Arc;
use std::time::SystemTime;

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::Result;
use crate::gateway::Gateway;
use crate::ops::ObjectAttributes;
use crate::transfer::pending::{PendingObject, PendingSink};

use super::WorkPath;

/// A file that was written below a work path.
pub(crate) struct PendingFile {
    pub(crate) object: PendingObject,
    /// What will be stored beside its bytes. An upload has it already.
    pub(crate) attributes: ObjectAttributes,
    /// When it was closed.
    pub(super) written: SystemTime,
}

impl PendingFile {
    /// Bytes that are kept rather than uploaded.
    pub(super) fn kept(&self) -> u64 {
        match &self.object {
            PendingObject::Body(body) => body.payload.len(),
            PendingObject::Upload(_) => 0,
        }
    }
}

/// Takes one file when its writer closes it.
pub(in crate::fs) struct FileSink {
    pub(in crate::fs) work: Arc<WorkPath>,
    pub(in crate::fs) gateway: Gateway,
    /// Path below the work path.
    pub(in crate::fs) relative: String,
    pub(in crate::fs) attributes: ObjectAttributes,
}

impl PendingSink for FileSink {
    fn room(&self) -> u64 {
        self.work.room()
    }

    fn before_upload(&self) -> BoxFuture<'_, Result<()>> {
        self.work.mark(&self.gateway, &self.relative).boxed()
    }

    fn take(&self, object: PendingObject) -> Result<()> {
        let written = self.gateway.environment().clock.wall();
        self.work.take(&self.relative, PendingFile { object, attributes: self.attributes.clone(), written })
    }
}
