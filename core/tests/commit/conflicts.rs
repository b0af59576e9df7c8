//! What becomes of files that were at the destination before.

use s3core::ErrorKind;

use super::support::EMBEDDED;
use super::*;

/// A table of two partitions, and a job that writes to the second and to a third.
async fn table() -> (Files, Job) {
    let files = Files::at(EMBEDDED).await;
    for path in ["day=1/old", "day=2/old", "day=2/same", "_SUCCESS"] {
        write(&files, &format!("out/table/{path}"), b"old").await.unwrap();
    }
    (files, job("j1"))
}

async fn run(files: &Files, job: &Job, conflict: ConflictMode) -> Result<Vec<String>> {
    job.set_up(files, false, conflict).await?;
    for path in ["day=2/new", "day=2/same", "day=3/new"] {
        write_as(files, &attempt(job, 0, 0), path, b"new").await;
    }
    attempt(job, 0, 0).commit(files).await?;
    job.commit(files, CommitOptions { conflict, ..CommitOptions::default() }).await?;
    Ok(visible(files).await.into_iter().map(|path| path.replace("out/table/", "")).collect())
}

#[rstest::rstest]
#[case(ConflictMode::Append, &["day=1/old", "day=2/new", "day=2/old", "day=2/same", "day=3/new"])]
#[case(ConflictMode::Replace, &["day=2/new", "day=2/same", "day=3/new"])]
#[case(ConflictMode::ReplacePartitions, &["day=1/old", "day=2/new", "day=2/same", "day=3/new"])]
#[tokio::test(flavor = "multi_thread")]
async fn earlier_files_stay_or_go(#[case] conflict: ConflictMode, #[case] left: &[&str]) {
    let (files, job) = table().await;
    assert_eq!(run(&files, &job, conflict).await.unwrap(), left);
    assert_eq!(read(&files, "out/table/day=2/same").await.unwrap(), b"new");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_fails_before_it_changes_anything() {
    for conflict in [ConflictMode::Fail, ConflictMode::FailInPartitions] {
        let (files, job) = table().await;
        let error = run(&files, &job, conflict).await.unwrap_err();
        assert!(error.kind() == ErrorKind::AlreadyExists && error.message().contains("conflict-mode"), "{error}");
        job.abort(&files).await.unwrap();
        assert_eq!(visible(&files).await.len(), 3);
        assert_eq!(read(&files, "out/table/day=2/same").await.unwrap(), b"old");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_destination_is_no_conflict() {
    let files = Files::at(EMBEDDED).await;
    files.make_directory("out/table").await.unwrap();
    assert_eq!(run(&files, &job("j1"), ConflictMode::Fail).await.unwrap().len(), 3);
    let files = Files::at(EMBEDDED).await;
    write(&files, "out/table/day=1/old", b"old").await.unwrap();
    assert_eq!(run(&files, &job("j1"), ConflictMode::FailInPartitions).await.unwrap().len(), 4);
}
