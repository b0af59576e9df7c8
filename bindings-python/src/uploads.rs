//! Jobs that were neither committed nor aborted, and their pending uploads.

use pyo3::prelude::*;
use s3core::commit::{self, CommitOptions, Job, JobState, Scope};
use s3core::ops::MultipartUpload;

use crate::store::{Store, seconds};
use crate::wait::wait;

/// Key, upload id, seconds since 1970.
type UploadRow = (String, String, Option<f64>);

/// Destination, id, committed tasks and their files, uploads of committed tasks, other uploads, seconds since 1970.
type JobRow = (String, String, usize, usize, Vec<UploadRow>, Vec<UploadRow>, Option<f64>);

/// The jobs with state in the directory `path` or below it, and the uploads that are of none of them.
#[pyfunction]
pub(crate) fn pending_jobs(py: Python<'_>, store: &Store, path: &str) -> PyResult<(Vec<JobRow>, Vec<UploadRow>)> {
    let (process, files) = store.open(py)?;
    let found = wait(py, process, commit::survey(&files, path, Scope::Tree))?;
    Ok((found.jobs.into_iter().map(job_row).collect(), found.unattributed.into_iter().map(upload_row).collect()))
}

/// Commits a job as it was begun: number and bytes of the files that became visible, and whether `_SUCCESS` was put: where
/// that is asked for, and where the job's own commit would have. What became visible stays where others cannot, so that it
/// can be tried again.
#[pyfunction]
pub(crate) fn complete_job(
    py: Python<'_>,
    store: &Store,
    destination: &str,
    job: &str,
    mark_success: bool,
) -> PyResult<(u64, u64, bool)> {
    let (process, files) = store.open(py)?;
    let commit = async {
        let job = Job::new(destination, job)?;
        let conflict = job.recorded_conflict_mode(&files).await?;
        let mark_success = mark_success || job.owes_success_marker(&files).await?;
        let options = CommitOptions { mark_success, conflict, roll_back: false, ..CommitOptions::default() };
        job.commit(&files, options).await.map(|committed| (committed, mark_success))
    };
    let (committed, is_marked) = wait(py, process, commit)?;
    Ok((committed.files, committed.bytes, is_marked))
}

/// Aborts a job.
#[pyfunction]
pub(crate) fn abort_job(py: Python<'_>, store: &Store, destination: &str, job: &str) -> PyResult<()> {
    let (process, files) = store.open(py)?;
    Ok(wait(py, process, async { Job::new(destination, job)?.abort(&files).await })?)
}

/// Removes what is old: number of uploads and of jobs.
#[pyfunction]
pub(crate) fn purge_uploads(py: Python<'_>, store: &Store, path: &str) -> PyResult<(usize, usize)> {
    let (process, files) = store.open(py)?;
    let purged = wait(py, process, commit::purge(&files, path, Scope::Tree))?;
    Ok((purged.uploads, purged.jobs))
}

fn job_row(state: JobState) -> JobRow {
    let rows = |uploads: Vec<MultipartUpload>| uploads.into_iter().map(upload_row).collect();
    (
        state.job.destination().to_owned(),
        state.job.id().to_owned(),
        state.committed_tasks,
        state.committed_files,
        rows(state.committed),
        rows(state.uncommitted),
        seconds(state.last_written),
    )
}

fn upload_row(upload: MultipartUpload) -> UploadRow {
    (upload.key, upload.upload_id, seconds(upload.initiated))
}
