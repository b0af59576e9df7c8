//! What becomes of files that were at a job's destination before: the conflict modes of S3A's staging committers.

use std::collections::BTreeSet;

use futures::stream;

use serde::{Deserialize, Serialize};

use crate::fs::{FileSystem, keys};
use crate::{Error, ErrorKind, Result};

use super::Job;

/// What becomes of earlier files where a job is committed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictMode {
    /// They stay beside the new ones; one of the same name is replaced.
    #[default]
    Append,
    /// Where there are any at the destination the job is not begun.
    Fail,
    /// They go, once the new ones are visible.
    Replace,
    /// Where there are any in a directory that the job writes to it is not committed.
    FailInPartitions,
    /// Those in the directories that the job writes to go, once the new ones are visible.
    ReplacePartitions,
}

impl ConflictMode {
    /// What S3A's options mean: `fs.s3a.committer.name` and `fs.s3a.committer.staging.conflict-mode`. Empty texts are
    /// S3A's defaults. The mode is that of the committers `directory` and `partitioned`; others append.
    ///
    /// # Errors
    /// `InvalidOption` for a name or mode that S3A does not know.
    pub fn of(committer: &str, mode: &str) -> Result<Self> {
        let unknown = |option: &str, given: &str, known: &str| {
            let message = format!("option fs.s3a.committer.{option}: \"{given}\" is not known; write {known}");
            Err(Error::new(ErrorKind::InvalidOption, message))
        };
        let mode = match mode.trim().to_ascii_lowercase().as_str() {
            "" | "append" => Self::Append,
            "fail" => Self::Fail,
            "replace" => Self::Replace,
            _ => return unknown("staging.conflict-mode", mode, "append, fail or replace"),
        };
        match (committer.trim().to_ascii_lowercase().as_str(), mode) {
            ("" | "file" | "magic", _) => Ok(Self::Append),
            ("directory", mode) => Ok(mode),
            ("partitioned", Self::Fail) => Ok(Self::FailInPartitions),
            ("partitioned", Self::Replace) => Ok(Self::ReplacePartitions),
            ("partitioned", _) => Ok(Self::Append),
            _ => unknown("name", committer, "file, directory, partitioned or magic; all select s3core's own"),
        }
    }

    /// # Errors
    /// `AlreadyExists` where the job must not begin.
    pub(super) async fn check_before_the_job(self, files: &FileSystem, job: &Job) -> Result<()> {
        if self == Self::Fail
            && let Some(key) = earlier_in(files, job.destination(), true).await?.into_iter().next()
        {
            let message = format!(
                "the destination holds {key}, and fs.s3a.committer.staging.conflict-mode is fail: write elsewhere, or \
                 set it to append or replace"
            );
            return Err(Error::new(ErrorKind::AlreadyExists, message).at(files.bucket(), job.destination()));
        }
        Ok(())
    }

    /// The earlier files that go once the job's files, of these paths below the destination, are visible.
    ///
    /// # Errors
    /// `AlreadyExists` where the job must not be committed.
    pub(super) async fn earlier_files<'a>(
        self,
        files: &FileSystem,
        job: &Job,
        written: impl Iterator<Item = &'a str>,
    ) -> Result<BTreeSet<String>> {
        match self {
            Self::Append | Self::Fail => Ok(BTreeSet::new()),
            Self::Replace => earlier_in(files, job.destination(), true).await,
            Self::FailInPartitions | Self::ReplacePartitions => {
                let mut earlier = BTreeSet::new();
                let partitions: BTreeSet<String> =
                    written.map(|path| keys::parent(&job.final_key(path)).unwrap_or_default().to_owned()).collect();
                for partition in &partitions {
                    let found = earlier_in(files, partition, false).await?;
                    if self == Self::FailInPartitions && !found.is_empty() {
                        let message = "the partition holds files, and fs.s3a.committer.staging.conflict-mode is fail: \
                                       write to other partitions, or set it to append or replace";
                        return Err(Error::new(ErrorKind::AlreadyExists, message).at(files.bucket(), partition));
                    }
                    earlier.extend(found);
                }
                Ok(earlier)
            }
        }
    }
}

/// The visible files in a directory: at any depth where `recursive`.
async fn earlier_in(files: &FileSystem, directory: &str, recursive: bool) -> Result<BTreeSet<String>> {
    let prefix = keys::directory(directory);
    let mut found = BTreeSet::new();
    let mut pages = files.keys_below(directory);
    while let Some(page) = pages.next_page().await? {
        let visible = page.into_iter().map(|object| object.key).filter(|key| {
            let rest = key.strip_prefix(&prefix).unwrap_or_default();
            !rest.is_empty()
                && !rest.ends_with('/')
                && !rest.split('/').any(is_hidden)
                && (recursive || !rest.contains('/'))
        });
        found.extend(visible);
    }
    Ok(found)
}

/// Whether Hadoop and Spark pass a name over.
fn is_hidden(name: &str) -> bool {
    (name.starts_with('_') && !name.contains('=')) || name.starts_with('.')
}

/// Removes earlier files, but none that the job has written.
pub(super) async fn remove(
    files: &FileSystem,
    mut earlier: BTreeSet<String>,
    written: impl Iterator<Item = String>,
) -> Result<()> {
    written.for_each(|key| {
        earlier.remove(&key);
    });
    files.delete_keys(stream::iter(earlier.into_iter().map(Ok).collect::<Vec<_>>())).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_modes_are_those_of_the_staging_committers() {
        for (name, mode, meaning) in [
            ("", "", ConflictMode::Append),
            ("magic", "replace", ConflictMode::Append),
            ("file", "fail", ConflictMode::Append),
            ("directory", "", ConflictMode::Append),
            ("directory", "REPLACE", ConflictMode::Replace),
            ("directory", "fail", ConflictMode::Fail),
            ("partitioned", "replace", ConflictMode::ReplacePartitions),
            ("partitioned", "fail", ConflictMode::FailInPartitions),
            ("partitioned", "append", ConflictMode::Append),
        ] {
            assert_eq!(ConflictMode::of(name, mode).unwrap(), meaning, "{name} {mode}");
        }
        for (name, mode) in [("staging", ""), ("directory", "overwrite")] {
            let error = ConflictMode::of(name, mode).unwrap_err();
            assert!(
                error.kind() == ErrorKind::InvalidOption && error.message().contains("fs.s3a.committer."),
                "{error}"
            );
        }
    }
}
