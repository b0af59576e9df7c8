//! Output of tasks and jobs that becomes visible when the job is committed, and not before: without renames.
//!
//! A committer says what it knows: destination, job, task and attempt. Files below an attempt's work path are uploaded
//! to the keys where they will lie, and the uploads stay pending ([`fs::work`](crate::fs)). Everything that another
//! process must know lies in the job's directory, inside the destination:
//!
//! ```text
//! DESTINATION/_s3core_job-JOB/_s3core_job            made when the job is set up
//! DESTINATION/_s3core_job-JOB/ATTEMPT/               the work path of an attempt
//! DESTINATION/_s3core_job-JOB/ATTEMPT/_s3core_attempt  its marker, put before its first upload is begun
//! DESTINATION/_s3core_job-JOB/TASK.pendingset        what the task has written, put when the task is committed
//! DESTINATION/_s3core_job-JOB/_s3core_commit         put before the first of several files becomes visible
//! ```
//!
//! Committing a task is one conditional PUT of its pending set: of two attempts that are both told to commit, the later
//! one replaces the earlier, never half of it. Committing the job completes what the pending sets name, in parallel, and
//! removes the directory, the job's own record first: without it nobody completes or takes back anything any more. An
//! upload that no pending set names is never completed, and one whose completion may have begun is never aborted
//! (Radosgw then may keep an object without data: <https://tracker.ceph.com/issues/68982>).

mod attempt;
mod conflict;
mod first_write;
mod job;
mod pending_set;
mod survey;
mod uploads;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorKind, Result};

pub use attempt::TaskAttempt;
pub use conflict::ConflictMode;
pub use first_write::purge_before_first_write;
pub use job::{CommitOptions, CommittedJob, Job};
pub use survey::{JobState, Purged, Scope, Survey, purge, survey};

/// First words of the name of a job's directory. Names that begin with an underscore are hidden from Hadoop and Spark.
const JOB_DIRECTORY: &str = "_s3core_job-";
/// Name of the object that says that a job was set up.
const JOB_MARKER: &str = "_s3core_job";
/// Name of the object that says that an attempt may have uploads.
const ATTEMPT_MARKER: &str = "_s3core_attempt";
/// Name of the object that says that the job's commit has begun: some of its files may be visible.
const COMMIT_RECORD: &str = "_s3core_commit";
/// Last letters of the key of a pending set.
const PENDING_SET: &str = ".pendingset";

/// Version of everything in a job's directory.
const VERSION: u32 = 1;

/// Content of a job's marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct JobMarker {
    version: u32,
    job: String,
    destination: String,
    #[serde(default)]
    conflict: ConflictMode,
}

/// Content of an attempt's marker.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct AttemptMarker {
    version: u32,
    job: String,
    task: String,
    attempt: String,
    destination: String,
    /// Path below the destination of the first file that is uploaded: Spark names its job in it.
    first_file: String,
}

/// # Errors
/// `InvalidPath` for a name that is no single name of a path.
fn check_name(what: &str, name: &str) -> Result<()> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(Error::new(ErrorKind::InvalidPath, format!("\"{name}\" cannot be the name of a {what}")));
    }
    Ok(())
}

fn internal(failure: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("a commit's state could not be written as JSON: {failure}"))
}

/// The UUID in the name of a file of Spark's: that of its job, `part-00000-UUID-c000` (`HadoopMapReduceCommitProtocol`).
/// One that stands elsewhere in a name may be data, as in `sensor-UUID.json`.
fn uuid_of(path: &str) -> Option<&str> {
    const LENGTH: usize = 36;
    let number_and_rest = path.rsplit('/').next()?.strip_prefix("part-")?;
    let rest = number_and_rest.trim_start_matches(|character: char| character.is_ascii_digit());
    let candidate = rest.strip_prefix('-').filter(|_| rest.len() < number_and_rest.len())?.get(..LENGTH)?;
    let is_uuid = candidate.bytes().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    is_uuid.then_some(candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_is_found_in_the_name_only() {
        let uuid = "2dd664f9-d2c4-4ffe-878f-c6c70c1fb0cb";
        assert_eq!(uuid_of(&format!("a/day=1/part-00000-{uuid}.c000.snappy.parquet")), Some(uuid));
        assert_eq!(uuid_of(&format!("{uuid}/part-r-00000")), None);
        assert_eq!(uuid_of("part-00000-é2dd664f9"), None);
        for name in [format!("sensor-{uuid}.json"), uuid.to_owned(), format!("part--{uuid}"), format!("part-1{uuid}")] {
            assert_eq!(uuid_of(&name), None, "{name}");
        }
    }

    #[test]
    fn names_hold_no_path() {
        assert!(check_name("job", "job_1").is_ok());
        for name in ["", "a/b", "..", "."] {
            assert_eq!(check_name("job", name).unwrap_err().kind(), ErrorKind::InvalidPath, "{name}");
        }
    }
}
