//! `_temporary/N`: the directory of a job with Hadoop's own FileOutputCommitter, which jobs at one destination share.
//!
//! When the first of two jobs ends, it takes the other's committed tasks along and removes the directory; the other one
//! then fails or loses rows. And what a killed job has left there becomes visible with the next one. HDFS lets it
//! happen; here a directory that somebody else uses is refused.

use std::time::Duration;

use crate::ops::{ListObjectsV2, ListedObject, WriteCondition, WriteId};
use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// First letters of the directory of a committed task (Hadoop's `FileOutputCommitter`, algorithm 1).
const COMMITTED_TASK: &str = "task_";
/// A job that has written nothing for so long is taken for killed.
const LIVE: Duration = Duration::from_secs(600);

impl FileSystem {
    /// Makes the directory of a job where there is none; of two processes that do so, the later one is refused.
    pub(super) async fn make_job_directory(&self, path: &str) -> Result<()> {
        let mut marker = self.marker(path);
        marker.condition = WriteCondition::IfAbsent;
        marker.write_id = Some(WriteId::new(self.gateway().environment().random.bits()));
        match self.gateway().run(marker).await {
            Err(failure) if failure.kind() == ErrorKind::AlreadyExists => return self.check_job_directory(path).await,
            outcome => outcome?,
        };
        self.shared.work.own_job_directory(&self.shared.place, path);
        Ok(())
    }

    /// Forgets the directories of jobs that are `path` or below it.
    pub(super) fn forget_job_directories(&self, path: &str) {
        self.shared.work.forget_job_directories(&self.shared.place, path);
    }

    async fn has_keys_with(&self, prefix: &str) -> Result<bool> {
        let mut list = ListObjectsV2::new(self.bucket(), prefix);
        list.max_keys = Some(1);
        Ok(!self.gateway().run(list).await?.objects.is_empty())
    }

    /// # Errors
    /// `AlreadyExists` where `path` is the directory of another process's job that is alive or has committed tasks.
    pub(super) async fn check_job_directory(&self, path: &str) -> Result<()> {
        if !is_job_directory(path) || self.shared.work.is_own_job_directory(&self.shared.place, path) {
            return Ok(());
        }
        let prefix = keys::directory(path);
        let mut pages = self.keys_below(path);
        let page = pages.next_page().await?.unwrap_or_default();
        let is_task = |object: &ListedObject| {
            object.key.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with(COMMITTED_TASK))
        };
        // Files of attempts, in `_temporary`, come before those of committed tasks.
        let has_committed_tasks = page.iter().any(is_task)
            || (pages.next_page().await?.is_some() && self.has_keys_with(&format!("{prefix}{COMMITTED_TASK}")).await?);
        let now = self.gateway().environment().clock.wall();
        let is_live = page
            .iter()
            .filter_map(|object| object.modified)
            .any(|written| now.duration_since(written).is_ok_and(|age| age < LIVE));
        if !has_committed_tasks && !is_live {
            return Ok(());
        }
        let temporary = keys::parent(path).unwrap_or_default();
        let message = format!(
            "another job with Hadoop's FileOutputCommitter writes to this destination, or was killed here: the two would \
             take each other's files. Where none runs, remove s3a://{}/{temporary}; or let s3core's committers commit (no \
             other spark.sql.parquet.output.committer.class, mapreduce.outputcommitter.factory.class or \
             mapred.output.committer.class), with which jobs share a destination",
            self.bucket()
        );
        Err(Error::new(ErrorKind::AlreadyExists, message).at(self.bucket(), path))
    }
}

pub(super) fn is_job_directory(path: &str) -> bool {
    let number = keys::name(path);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && keys::parent(path).is_some_and(|parent| keys::name(parent) == "_temporary")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_directory_is_told_by_its_names() {
        assert!(is_job_directory("lake/events/_temporary/0") && is_job_directory("_temporary/12"));
        for path in ["_temporary", "0", "a/0", "a/_temporary/x", "a/_temporary/0/_temporary"] {
            assert!(!is_job_directory(path), "{path}");
        }
    }
}
