//! Jobs from their beginning to their end.

use std::sync::atomic::Ordering;

use rstest::rstest;
use s3core::ErrorKind;

use super::support::in_flight::InFlight;
use super::support::{EMBEDDED, environment};
use super::*;

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_visible_before_the_job_is_committed_and_everything_after(#[case] service: Service) {
    let files = Files::at(service).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let (large, small) = (content(LARGE, 1), content(SMALL, 2));
    for task in 0..3 {
        let attempt = attempt(&job, task, 0);
        write_as(&files, &attempt, &format!("day={task}/large"), &large).await;
        write_as(&files, &attempt, &format!("day={task}/small"), &small).await;
        assert!(attempt.needs_commit(&files).await.unwrap());
        attempt.commit(&files).await.unwrap();
    }
    let elsewhere = elsewhere(&files);
    assert_eq!(visible(&elsewhere).await, Vec::<String>::new());

    let committed = job.commit(&elsewhere, CommitOptions::default()).await.unwrap();
    assert_eq!((committed.files, committed.bytes), (6, 3 * (LARGE + SMALL) as u64));
    assert_eq!(
        all_files(&elsewhere).await,
        [
            "out/table/_SUCCESS",
            "out/table/day=0/large",
            "out/table/day=0/small",
            "out/table/day=1/large",
            "out/table/day=1/small",
            "out/table/day=2/large",
            "out/table/day=2/small",
        ]
    );
    assert_eq!(read(&elsewhere, "out/table/day=1/large").await.unwrap(), large);
    assert_eq!(read(&elsewhere, "out/table/day=2/small").await.unwrap(), small);
    assert_eq!((requests(&files, "CopyObject"), requests(&elsewhere, "CopyObject"), uploads(&files).await), (0, 0, 0));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn as_many_files_become_visible_at_a_time_as_the_option_says(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values("1", "3")] threads: &str,
) {
    let files = Files::with(service, &[("fs.s3core.committer.small.file.size", "0")], 64 << 20).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let attempt = attempt(&job, 0, 0);
    for file in 0..7 {
        write_as(&files, &attempt, &format!("part-{file}"), &content(SMALL, file)).await;
    }
    attempt.commit(&files).await.unwrap();
    let running = &files.place.running;
    let options = [
        ("fs.s3a.access.key", running.access_key.as_str()),
        ("fs.s3a.secret.key", running.secret_key.as_str()),
        ("fs.s3a.committer.threads", threads),
    ];
    let (environment, most) = InFlight::before(environment(), "POST", "uploadId=");
    let driver = Files::in_world(environment, &running.url, &files.place.bucket, &options, 64 << 20);
    assert_eq!(job.commit(&driver, CommitOptions::default()).await.unwrap().files, 7);
    assert_eq!(most.load(Ordering::SeqCst).to_string(), threads);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn an_aborted_job_leaves_nothing(#[case] service: Service) {
    let files = Files::at(service).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let uuid = "2dd664f9-d2c4-4ffe-878f-c6c70c1fb0cb";
    // One task is committed, one attempt is at work here, one was killed in another process.
    write_as(&files, &attempt(&job, 0, 0), &format!("part-0-{uuid}"), &content(LARGE, 1)).await;
    attempt(&job, 0, 0).commit(&files).await.unwrap();
    write_as(&files, &attempt(&job, 1, 0), "part-1", &content(LARGE, 2)).await;
    let killed = elsewhere(&files);
    write_as(&killed, &attempt(&job, 2, 0), &format!("part-2-{uuid}"), &content(LARGE, 3)).await;
    assert_eq!(uploads(&files).await, 3);

    job.abort(&files).await.unwrap();
    assert_eq!((all_files(&files).await, uploads(&files).await), (Vec::new(), 0));
    // A task that goes on does not know yet, and nobody sees what it does.
    attempt(&job, 2, 0).commit(&killed).await.unwrap();
    assert_eq!(visible(&files).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_killed_attempts_have_uploaded_goes_with_the_commit() {
    let files = Files::at(Service::Ceph).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let uuid = "2dd664f9-d2c4-4ffe-878f-c6c70c1fb0cb";
    write_as(&elsewhere(&files), &attempt(&job, 0, 0), &format!("part-0-{uuid}"), &content(LARGE, 1)).await;
    write_as(&files, &attempt(&job, 0, 1), &format!("part-0-{uuid}"), &content(LARGE, 2)).await;
    attempt(&job, 0, 1).commit(&files).await.unwrap();
    // Another job's upload at the same destination stays.
    let other = Job::new("out/table", "j2").unwrap();
    write_as(&elsewhere(&files), &attempt(&other, 0, 0), "part-r-00000", &content(LARGE, 3)).await;

    job.commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!(visible(&files).await, [format!("out/table/part-0-{uuid}")]);
    assert_eq!(read(&files, &format!("out/table/part-0-{uuid}")).await.unwrap(), content(LARGE, 2));
    assert_eq!(uploads(&files).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_jobs_at_one_destination_both_succeed() {
    let files = Files::at(Service::Ceph).await;
    let jobs = [job("j1"), job("j2")];
    for job in &jobs {
        job.set_up(&files, false, ConflictMode::Append).await.unwrap();
        write_as(&files, &attempt(job, 0, 0), &format!("part-{}", job.id()), &content(LARGE, 1)).await;
        attempt(job, 0, 0).commit(&files).await.unwrap();
    }
    jobs[0].commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!(visible(&files).await, ["out/table/part-j1"]);
    jobs[1].commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!(visible(&files).await, ["out/table/part-j1", "out/table/part-j2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_state_is_gone_is_not_committed_as_an_empty_one() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    write_as(&files, &attempt(&job, 0, 0), "part-0", &content(SMALL, 1)).await;
    attempt(&job, 0, 0).commit(&files).await.unwrap();
    files.delete("out", true).await.unwrap();
    let error = job.commit(&files, CommitOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("j1"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_set_up_once_and_again_only_by_who_knows() {
    let files = Files::at(EMBEDDED).await;
    job("j1").set_up(&files, false, ConflictMode::Append).await.unwrap();
    assert_eq!(
        job("j1").set_up(&files, false, ConflictMode::Append).await.unwrap_err().kind(),
        ErrorKind::AlreadyExists
    );
    job("j1").set_up(&files, true, ConflictMode::Append).await.unwrap();
    write(&files, "file", b"x").await.unwrap();
    let error = Job::new("file", "j1").unwrap().set_up(&files, false, ConflictMode::Append).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotADirectory);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_job_leaves_its_destination() {
    let files = Files::at(EMBEDDED).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    assert!(!attempt(&job, 0, 0).needs_commit(&files).await.unwrap());
    assert_eq!(
        job.commit(&files, CommitOptions { mark_success: false, ..CommitOptions::default() }).await.unwrap().files,
        0
    );
    assert!(files.status("out/table").await.unwrap().is_directory);
}

#[tokio::test(flavor = "multi_thread")]
async fn small_files_beyond_the_memory_are_read_a_second_time() {
    let files = Files::with(EMBEDDED, &[("fs.s3core.committer.small.file.size", "512K")], 1 << 20).await;
    let job = job("j1");
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    for task in 0..6_u32 {
        write_as(&files, &attempt(&job, task, 0), &format!("part-{task}"), &content(400 << 10, task.into())).await;
        attempt(&job, task, 0).commit(&files).await.unwrap();
    }
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 6);
    for task in 0..6_u32 {
        assert_eq!(read(&files, &format!("out/table/part-{task}")).await.unwrap(), content(400 << 10, task.into()));
    }
    assert!(files.budget().peak() <= files.budget().limit());
    assert_eq!(files.budget().used(), 0);
}
