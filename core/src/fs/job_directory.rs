//! `_temporary/N`: the directory of a job with Hadoop's own FileOutputCommitter, which jobs at one destination share.
//!
//! When the first of two jobs ends, it takes the other's committed tasks along and removes the directory; the other one
//! then fails or loses rows. And what a killed job has left there becomes visible with the next one. HDFS lets it
//! happen; here a directory that somebody else uses is refused.

use std::time::Duration;

use crate::{Error, ErrorKind, Result};

use super::{FileSystem, keys};

/// A job that has written nothing for so long is taken for killed.
const LIVE: Duration = Duration::from_secs(600);

impl FileSystem {
    /// Notes that this process has made a directory, where it is one of a job.
    pub(super) fn remember_job_directory(&self, path: &str) {
        if is_job_directory(path) {
            self.shared.work.own_job_directory(&self.shared.place, path);
        }
    }

    /// Forgets the directories of jobs that are `path` or below it.
    pub(super) fn forget_job_directories(&self, path: &str) {
        self.shared.work.forget_job_directories(&self.shared.place, path);
    }

    /// # Errors
    /// `AlreadyExists` where `path` is the directory of another process's job that is alive or has committed tasks.
    pub(super) async fn check_job_directory(&self, path: &str) -> Result<()> {
        if !is_job_directory(path) || self.shared.work.is_own_job_directory(&self.shared.place, path) {
            return Ok(());
        }
        let prefix = keys::directory(path);
        let page = self.keys_below(path).next_page().await?.unwrap_or_default();
        let has_committed_tasks =
            page.iter().any(|object| object.key.strip_prefix(&prefix).is_some_and(|rest| rest.starts_with("task_")));
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

fn is_job_directory(path: &str) -> bool {
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
