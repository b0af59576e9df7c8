//! Commits that fail in their middle: what is visible then, what is taken back, what can be tried again.

use std::sync::Arc;

use rstest::rstest;
use s3core::ErrorKind;
use s3core_gateway::{Fault, Quirks};

use super::support::EMBEDDED;
use super::*;

const UUID: &str = "2dd664f9-d2c4-4ffe-878f-c6c70c1fb0cb";

/// A job with four committed tasks of one file each.
async fn four_tasks(files: &Files, length: usize) -> Job {
    let job = job("j1");
    job.set_up(files, false, ConflictMode::Append).await.unwrap();
    for task in 0..4 {
        write_as(files, &attempt(&job, task, 0), &format!("part-{task}-{UUID}"), &content(length, task.into())).await;
        attempt(&job, task, 0).commit(files).await.unwrap();
    }
    job
}

fn full(operation: &str, key: &str) -> Fault {
    Fault::error(403, "QuotaExceeded").operation(operation).key_prefix(key)
}

fn kept() -> CommitOptions {
    CommitOptions { roll_back: false, ..CommitOptions::default() }
}

fn answered(files: &Files, operation: &str) -> u64 {
    files.place.running.embedded.as_ref().unwrap().request_counts().get(operation).copied().unwrap_or(0)
}

#[rstest]
#[case::aws(Quirks::Aws)]
#[case::radosgw(Quirks::Pacific)]
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_keeps_what_it_made_goes_on_when_it_is_tried_again(#[case] quirks: Quirks) {
    let files = Files::at(Service::Embedded(quirks)).await;
    let job = four_tasks(&files, LARGE).await;
    files.place.faults().add(full("CompleteMultipartUpload", "out/table/part-2"));
    assert_eq!(job.commit(&files, kept()).await.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert!(!visible(&files).await.is_empty());
    files.place.faults().clear();
    // Another process finds some of the uploads gone, and their objects there.
    assert_eq!(job.commit(&elsewhere(&files), kept()).await.unwrap().files, 4);
    for task in 0..4_u32 {
        let whole = read(&files, &format!("out/table/part-{task}-{UUID}")).await.unwrap();
        assert_eq!(whole, content(LARGE, task.into()));
    }
    assert_eq!((all_files(&files).await.len(), uploads(&files).await), (5, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_gone_without_its_object_is_an_error() {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, LARGE).await;
    files.place.faults().add(full("CompleteMultipartUpload", "out/table/part-2"));
    job.commit(&files, kept()).await.unwrap_err();
    files.place.faults().clear();
    let path = visible(&files).await.remove(0);
    files.delete(&path, false).await.unwrap();
    let error = job.commit(&files, kept()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.to_string().contains(&path), "{error}");
}

#[rstest]
#[case::small(SMALL, "PutObject")]
#[case::large(LARGE, "CompleteMultipartUpload")]
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_fails_takes_back_what_it_made_visible(#[case] length: usize, #[case] operation: &str) {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, length).await;
    files.place.faults().add(full(operation, "out/table/part-2"));
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert_eq!(visible(&files).await, Vec::<String>::new());
    job.abort(&files).await.unwrap();
    assert_eq!(all_files(&files).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_cannot_be_marked_as_a_success_is_taken_back_too() {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, SMALL).await;
    files.place.faults().add(full("PutObject", "out/table/_SUCCESS"));
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap_err().kind(), ErrorKind::QuotaExceeded);
    assert_eq!(visible(&files).await, Vec::<String>::new());
    files.place.faults().clear();
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 4);
}

/// Radosgw may make the object later, or keep one without data.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_whose_completion_is_in_doubt_is_not_aborted() {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, LARGE).await;
    files.place.faults().add(full("CompleteMultipartUpload", "out/table/part-2"));
    let no_answer = Fault::error(501, "NotImplemented").operation("CompleteMultipartUpload");
    files.place.faults().add(no_answer.key_prefix("out/table/part-3"));
    job.commit(&files, CommitOptions::default()).await.unwrap_err();
    files.place.faults().clear();
    job.abort(&files).await.unwrap();
    assert_eq!(visible(&files).await, Vec::<String>::new());
    // The refused one is aborted, the doubtful one stays.
    assert_eq!((answered(&files, "AbortMultipartUpload"), uploads(&files).await), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_asked_to_stop_begins_nothing_further_and_takes_back_the_rest() {
    let keys = [("fs.s3a.multipart.size", "8M"), ("fs.s3a.committer.threads", "1")];
    let files = Arc::new(Files::with(EMBEDDED, &keys, 128 << 20).await);
    let job = four_tasks(&files, LARGE).await;
    let slow = Fault::stall(Duration::from_millis(400)).operation("CompleteMultipartUpload");
    files.place.faults().add(slow);
    let options = CommitOptions::default();
    let stop = options.stop.clone();
    let commit = tokio::spawn({
        let (files, job) = (Arc::clone(&files), job.clone());
        async move { job.commit(&files, options).await }
    });
    while answered(&files, "CompleteMultipartUpload") < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stop.ask();
    assert_eq!(commit.await.unwrap().unwrap_err().kind(), ErrorKind::Interrupted);
    assert!(answered(&files, "CompleteMultipartUpload") <= 2);
    assert_eq!(visible(&files).await, Vec::<String>::new());
    files.place.faults().clear();
    job.abort(&files).await.unwrap();
    assert_eq!((all_files(&files).await.len(), uploads(&files).await), (0, 0));
}

/// The driver was killed after it had made some files visible.
async fn killed_in_mid_commit(files: &Files) -> Job {
    let job = four_tasks(files, LARGE).await;
    files.place.faults().add(full("CompleteMultipartUpload", "out/table/part-3"));
    job.commit(&elsewhere(files), kept()).await.unwrap_err();
    files.place.faults().clear();
    assert!(!visible(files).await.is_empty());
    job
}

/// Whoever began the commit had all of the job's tasks, and said whether it would mark the success.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_begun_says_whether_success_is_owed() {
    for mark_success in [true, false] {
        let files = Files::at(EMBEDDED).await;
        let job = four_tasks(&files, LARGE).await;
        assert!(!job.owes_success_marker(&files).await.unwrap());
        files.place.faults().add(full("CompleteMultipartUpload", "out/table/part-3"));
        job.commit(&elsewhere(&files), CommitOptions { mark_success, ..kept() }).await.unwrap_err();
        assert_eq!(job.owes_success_marker(&elsewhere(&files)).await.unwrap(), mark_success);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_somebody_may_be_committing_is_not_aborted() {
    let files = Files::at(EMBEDDED).await;
    let job = killed_in_mid_commit(&files).await;
    let error = job.abort(&files).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(error.message().contains("j1") && error.message().contains("abort it in"), "{error}");
    assert_eq!(job.commit(&files, kept()).await.unwrap().files, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_job_that_was_killed_in_mid_commit_nothing_stays_when_it_is_aborted() {
    let files = Files::at(EMBEDDED).await;
    backdate(&files, Duration::from_secs(3600));
    let job = killed_in_mid_commit(&files).await;
    job.abort(&files).await.unwrap();
    assert_eq!((all_files(&files).await.len(), uploads(&files).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_commit_of_this_process_has_kept_goes_when_the_job_is_aborted() {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, LARGE).await;
    files.place.faults().add(full("CompleteMultipartUpload", "out/table/part-3"));
    job.commit(&files, kept()).await.unwrap_err();
    files.place.faults().clear();
    assert!(!visible(&files).await.is_empty());
    job.abort(&files).await.unwrap();
    assert_eq!((all_files(&files).await.len(), uploads(&files).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_committed_job_could_not_remove_is_no_job() {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, LARGE).await;
    files.place.faults().add(Fault::error(403, "AccessDenied").operation("DeleteObjects"));
    job.commit(&files, CommitOptions::default()).await.unwrap();
    files.place.faults().clear();
    assert!(all_files(&files).await.len() > 5);
    let again = job.commit(&elsewhere(&files), kept()).await.unwrap_err();
    assert!(again.kind() == ErrorKind::NotFound && again.message().contains("nothing was committed"), "{again}");
    // Aborting it removes the rest of its state, and none of its files.
    job.abort(&elsewhere(&files)).await.unwrap();
    assert_eq!((all_files(&files).await.len(), visible(&files).await.len()), (5, 4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_takes_anothers_place_in_mid_commit_lends_it_no_bytes() {
    let keys = [("fs.s3core.committer.small.file.size", "512K"), ("fs.s3a.committer.threads", "1")];
    let files = Arc::new(Files::with(EMBEDDED, &keys, 1 << 20).await);
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let write_task = async |task: u32, number: u32| {
        let attempt = attempt(&job, task, number);
        let bytes = content(400 << 10, number.into());
        write_as(&files, &attempt, &format!("part-{task}-{UUID}"), &bytes).await;
        attempt.commit(&files).await.unwrap();
    };
    for task in 0..4 {
        write_task(task, 0).await;
    }
    let slow = Fault::stall(Duration::from_millis(600)).operation("PutObject").key_prefix("out/table/part-");
    files.place.faults().add(slow.times(1));
    let commit = tokio::spawn({
        let (files, job) = (Arc::clone(&files), job.clone());
        async move { job.commit(&files, CommitOptions::default()).await }
    });
    while requests(&files, "ListObjectsV2") < 1 || files.place.faults().injected() < 1 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for task in 0..4 {
        write_task(task, 1).await;
    }
    assert_eq!(commit.await.unwrap().unwrap_err().kind(), ErrorKind::PreconditionFailed);
    assert_eq!(visible(&files).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_nobody_waits_for_any_more_can_be_aborted() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    write_as(&files, &attempt, "part-0", &content(LARGE, 1)).await;
    files.place.faults().add(Fault::stall(Duration::from_secs(30)).operation("PutObject"));
    let cut_off = tokio::time::timeout(Duration::from_millis(100), attempt.commit(&files)).await;
    assert!(cut_off.is_err());
    files.place.faults().clear();
    attempt.abort(&files).await.unwrap();
    assert_eq!(uploads(&files).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_task_removes_while_its_job_is_aborted_is_no_failure() {
    let files = Files::at(EMBEDDED).await;
    let job = four_tasks(&files, LARGE).await;
    write_as(&elsewhere(&files), &attempt(&job, 9, 0), &format!("part-9-{UUID}"), &content(LARGE, 1)).await;
    let gone = Fault::error(404, "NoSuchKey").operation("GetObject");
    files.place.faults().add(gone.key_prefix("out/table/_s3core_job-j1/attempt_9_0"));
    job.abort(&files).await.unwrap();
    assert_eq!((all_files(&files).await.len(), uploads(&files).await), (0, 0));
}
