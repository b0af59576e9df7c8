//! Jobs with Hadoop's own committer, which share `_temporary/0` at a destination.

use s3core::ErrorKind;

use super::support::EMBEDDED;
use super::*;

const DIRECTORY: &str = "out/table/_temporary/0";

#[tokio::test(flavor = "multi_thread")]
async fn another_processs_live_job_is_refused() {
    let files = Files::at(EMBEDDED).await;
    elsewhere(&files).make_directory(DIRECTORY).await.unwrap();
    let error = files.make_directory(DIRECTORY).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.message().contains("remove s3a://") && error.message().contains("out/table/_temporary;"), "{error}");
    // It has ended.
    elsewhere(&files).delete("out/table/_temporary", true).await.unwrap();
    files.make_directory(DIRECTORY).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_job_has_committed_does_not_become_the_next_ones() {
    let files = Files::at(EMBEDDED).await;
    let killed = elsewhere(&files);
    backdate(&files, Duration::from_secs(3600));
    killed.make_directory(DIRECTORY).await.unwrap();
    files.make_directory(DIRECTORY).await.unwrap();
    write(&killed, &format!("{DIRECTORY}/task_1_0001_m_000000/part-0"), b"x").await.unwrap();
    assert_eq!(files.make_directory(DIRECTORY).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[tokio::test(flavor = "multi_thread")]
async fn committed_tasks_are_seen_behind_any_number_of_attempts() {
    let files = Files::with(EMBEDDED, &[("fs.s3a.paging.maximum", "10")], 16 << 20).await;
    let killed = elsewhere(&files);
    backdate(&files, Duration::from_secs(3600));
    killed.make_directory(DIRECTORY).await.unwrap();
    for number in 0..15 {
        write(&killed, &format!("{DIRECTORY}/_temporary/attempt_{number}/part-0"), b"x").await.unwrap();
    }
    files.make_directory(DIRECTORY).await.unwrap();
    write(&killed, &format!("{DIRECTORY}/task_1_0001_m_000000/part-0"), b"x").await.unwrap();
    assert_eq!(files.make_directory(DIRECTORY).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_processes_that_begin_at_once_one_is_refused() {
    let files = Files::at(EMBEDDED).await;
    let others: Vec<_> = (0..4).map(|_| elsewhere(&files)).collect();
    let begun = others.iter().map(|other| other.make_directory(DIRECTORY));
    let outcomes = futures::future::join_all(begun).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_jobs_follow_each_other() {
    let files = Files::at(EMBEDDED).await;
    for _ in 0..2 {
        files.make_directory(DIRECTORY).await.unwrap();
        files.make_directory(DIRECTORY).await.unwrap();
        files.delete("out/table/_temporary", true).await.unwrap();
    }
    elsewhere(&files).make_directory(DIRECTORY).await.unwrap();
    assert_eq!(files.make_directory(DIRECTORY).await.unwrap_err().kind(), ErrorKind::AlreadyExists);
}
