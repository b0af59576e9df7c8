//! Task attempts: several of one task, lost ones, late ones.

use rstest::rstest;
use s3core::ErrorKind;
use s3core_gateway::Fault;

use super::support::EMBEDDED;
use super::*;

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn of_two_committed_attempts_the_later_one_counts(#[case] service: Service) {
    let files = Files::at(service).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    for number in 0..2 {
        let attempt = attempt(&job, 0, number);
        write_as(&files, &attempt, &format!("part-{number}"), &content(LARGE, number.into())).await;
        attempt.commit(&files).await.unwrap();
    }
    // The job's commit may be completing the uploads of the earlier one: it is the one to abort them.
    assert_eq!((uploads(&files).await, requests(&files, "AbortMultipartUpload")), (2, 0));
    job.commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!((visible(&files).await, uploads(&files).await), (vec!["out/table/part-1".to_owned()], 0));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_is_aborted_or_never_committed_stays_invisible(#[case] service: Service) {
    let files = Files::at(service).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let [aborted, forgotten, committed] = [0, 1, 2].map(|number| attempt(&job, 0, number));
    for (attempt, name) in [(&aborted, "part-a"), (&forgotten, "part-f"), (&committed, "part-c")] {
        write_as(&files, attempt, name, &content(LARGE, 1)).await;
    }
    aborted.abort(&files).await.unwrap();
    committed.commit(&files).await.unwrap();
    job.commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!(visible(&files).await, ["out/table/part-c"]);
    // The one that is still at work finds out, and leaves nothing.
    let late = write(&files, &format!("{}/part-late", forgotten.work_path()), b"x").await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::Closed);
    assert_eq!((uploads(&files).await, visible(&files).await.len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_closed_after_its_attempt_has_ended_is_given_up() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    for (number, length) in [(0, SMALL), (1, LARGE)] {
        let attempt = attempt(&job, 0, number);
        attempt.set_up(&files);
        let path = format!("{}/part", attempt.work_path());
        let mut writer = files.create_file(&path, CreateOptions::default()).await.unwrap();
        writer.write(&content(length, 1)).await.unwrap();
        attempt.abort(&files).await.unwrap();
        assert_eq!(writer.close().await.unwrap_err().kind(), ErrorKind::Closed);
    }
    assert_eq!(uploads(&files).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_with_uploads_of_another_process_cannot_be_committed() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    write_as(&elsewhere(&files), &attempt, "part-0", &content(LARGE, 1)).await;
    assert!(attempt.needs_commit(&files).await.unwrap());
    let error = attempt.commit(&files).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Internal);
    assert!(error.message().contains("attempt_0_0") && error.message().contains("run again"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_can_be_committed_again_until_its_job_ends() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    write_as(&files, &attempt, "part-0", &content(LARGE, 1)).await;
    attempt.commit(&files).await.unwrap();
    attempt.commit(&files).await.unwrap();
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 1);
    assert_eq!(attempt.commit(&files).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(all_files(&files).await, ["out/table/_SUCCESS", "out/table/part-0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_that_was_aborted_cannot_be_committed() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    write_as(&files, &attempt, "part-0", &content(SMALL, 1)).await;
    attempt.abort(&files).await.unwrap();
    assert_eq!(attempt.commit(&files).await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_commit_that_fails_can_be_tried_again() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    write_as(&files, &attempt, "part-0", &content(LARGE, 1)).await;
    write_as(&files, &attempt, "part-1", &content(SMALL, 2)).await;
    files.place.faults().add(Fault::error(403, "AccessDenied").operation("PutObject"));
    assert_eq!(attempt.commit(&files).await.unwrap_err().kind(), ErrorKind::AccessDenied);
    files.place.faults().clear();
    attempt.commit(&files).await.unwrap();
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_small_files_is_one_request_and_the_job_one_for_each_file() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    for file in 0..10 {
        write_as(&files, &attempt, &format!("part-{file}"), &content(SMALL, 1)).await;
    }
    let before = total(&files);
    attempt.commit(&files).await.unwrap();
    assert_eq!(total(&files) - before, 1);
    job.commit(&files, CommitOptions::default()).await.unwrap();
    // The list, the pending set, the commit's record, ten files, _SUCCESS, the removal of the job's record and of the rest
    // of its state, the looks for uploads and for jobs left behind.
    assert_eq!(total(&files) - before, 1 + 2 + 1 + 10 + 1 + 2 + 2);
}

fn total(files: &Files) -> u64 {
    files.gateway().statistics().snapshot().values().map(|counts| counts.requests).sum()
}
