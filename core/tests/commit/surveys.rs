//! What killed jobs leave behind: whose it is, and for how long it stays.

use std::time::Duration;

use s3core::commit::{Scope, purge, survey};

use super::support::EMBEDDED;
use super::*;

pub(crate) const UUID: &str = "2dd664f9-d2c4-4ffe-878f-c6c70c1fb0cb";

/// A committed task, a killed attempt of the same job, and an upload of an unknown program.
pub(crate) async fn leave_behind(files: &Files) -> Job {
    let job = Job::new("lake/events", "j1").unwrap();
    job.set_up(files, false, ConflictMode::Append).await.unwrap();
    let process = elsewhere(files);
    write_as(&process, &attempt(&job, 0, 0), &format!("day=1/part-0-{UUID}"), &content(LARGE, 1)).await;
    attempt(&job, 0, 0).commit(&process).await.unwrap();
    write_as(&process, &attempt(&job, 1, 0), &format!("day=2/part-1-{UUID}"), &content(LARGE, 2)).await;
    let mut writer = process.create_file("lake/events/day=3/raw", CreateOptions::default()).await.unwrap();
    writer.write(&content(LARGE, 3)).await.unwrap();
    while uploads(files).await < 3 {
        tokio::task::yield_now().await;
    }
    std::mem::forget(writer); // its process is gone
    job
}

#[rstest::rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn uploads_are_told_by_their_jobs(#[case] service: Service) {
    let files = Files::at(service).await;
    let job = leave_behind(&files).await;
    for (path, scope) in
        [("", Scope::Uploads), ("", Scope::Tree), ("lake", Scope::Tree), ("lake/events", Scope::Uploads)]
    {
        let found = survey(&files, path, scope).await.unwrap();
        assert_eq!(found.jobs.len(), 1, "{path}");
        let state = &found.jobs[0];
        assert_eq!((&state.job, state.committed_tasks, state.committed_files), (&job, 1, 1));
        let keys = |uploads: &[s3core::ops::MultipartUpload]| -> Vec<String> {
            uploads.iter().map(|upload| upload.key.clone()).collect()
        };
        assert_eq!(keys(&state.committed), [format!("lake/events/day=1/part-0-{UUID}")]);
        assert_eq!(keys(&state.uncommitted), [format!("lake/events/day=2/part-1-{UUID}")]);
        assert_eq!(keys(&found.unattributed), ["lake/events/day=3/raw"]);
    }
    assert!(survey(&files, "other", Scope::Tree).await.unwrap().jobs.is_empty());
    // What was committed can be completed.
    assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 1);
    assert_eq!(visible(&files).await, [format!("lake/events/day=1/part-0-{UUID}")]);
    assert_eq!(uploads(&files).await, 1);
}

const DAY: Duration = Duration::from_secs(24 * 3600);

#[rstest::rstest]
#[case::today(0, 0, 0, 3)]
#[case::uncommitted_ones(2, 2, 0, 1)]
#[case::jobs(8, 1, 1, 0)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_old_is_purged_and_what_was_committed_stays_longer(
    #[case] days: u32,
    #[case] uploads_purged: usize,
    #[case] jobs_purged: usize,
    #[case] left: usize,
) {
    let files = Files::at(EMBEDDED).await;
    backdate(&files, DAY * days);
    leave_behind(&files).await;
    let purged = purge(&files, "lake", Scope::Tree).await.unwrap();
    assert_eq!((purged.uploads, purged.jobs, uploads(&files).await), (uploads_purged, jobs_purged, left));
    assert_eq!(survey(&files, "lake", Scope::Tree).await.unwrap().jobs.len(), 1 - jobs_purged);
}

#[rstest::rstest]
#[case::today(0, 3)]
#[case::old(2, 1)]
#[tokio::test(flavor = "multi_thread")]
async fn the_next_job_removes_what_is_old(#[case] days: u32, #[case] left: usize) {
    let files = Files::at(EMBEDDED).await;
    backdate(&files, DAY * days);
    leave_behind(&files).await;
    backdate(&files, Duration::ZERO);
    let job = Job::new("lake/events", "next").unwrap();
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    job.commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!(uploads(&files).await, left);
}

#[rstest::rstest]
#[case::by_the_job_at_a_partition_of_it("lake/events", "lake/events/day=1")]
#[case::by_the_job_at_the_directory_above("lake/events/day=1", "lake/events")]
#[case::by_the_job_beside_it("lake/events", "lake/events")]
#[tokio::test(flavor = "multi_thread")]
async fn committed_uploads_of_another_job_are_kept_for_a_week(#[case] killed: &str, #[case] next: &str) {
    let files = Files::at(EMBEDDED).await;
    backdate(&files, DAY * 2);
    let killed = Job::new(killed, "killed").unwrap();
    killed.set_up(&files, false, ConflictMode::Append).await.unwrap();
    let process = elsewhere(&files);
    for (task, name) in [(0, "day=1/committed"), (1, "day=1/uncommitted")] {
        write_as(&process, &attempt(&killed, task, 0), name, &content(LARGE, 1)).await;
    }
    attempt(&killed, 0, 0).commit(&process).await.unwrap();
    backdate(&files, Duration::ZERO);
    let next = Job::new(next, "next").unwrap();
    next.set_up(&files, false, ConflictMode::Append).await.unwrap();
    next.commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!(uploads(&files).await, 1, "the uncommitted one is two days old");
    for path in ["", "lake", "lake/events/day=1"] {
        purge(&files, path, Scope::Tree).await.unwrap();
    }
    let committed = killed.commit(&files, CommitOptions::default()).await.unwrap();
    assert_eq!((committed.files, visible(&files).await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_job_removes_an_old_one_of_small_files_too() {
    let files = Files::at(EMBEDDED).await;
    backdate(&files, DAY * 8);
    let killed = Job::new("lake/events", "killed").unwrap();
    killed.set_up(&files, false, ConflictMode::Append).await.unwrap();
    write_as(&files, &attempt(&killed, 0, 0), "part-0", &content(SMALL, 1)).await;
    attempt(&killed, 0, 0).commit(&files).await.unwrap();
    backdate(&files, Duration::ZERO);
    let listings = async |id: &str| {
        let job = Job::new("lake/events", id).unwrap();
        job.set_up(&files, false, ConflictMode::Append).await.unwrap();
        let before = requests(&files, "ListObjectsV2");
        job.commit(&files, CommitOptions::default()).await.unwrap();
        requests(&files, "ListObjectsV2") - before
    };
    listings("first").await;
    assert_eq!(all_files(&files).await, ["lake/events/_SUCCESS"]);
    // A stream that commits once a second does not look every time: only at its own state.
    assert_eq!(listings("second").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_without_uploads_is_found_in_the_tree() {
    let files = Files::at(EMBEDDED).await;
    let job = Job::new("lake/2026/11/events/.spark-staging-1", "j1").unwrap();
    job.set_up(&files, false, ConflictMode::Append).await.unwrap();
    write_as(&files, &attempt(&job, 0, 0), "day=1/part-0", &content(SMALL, 1)).await;
    attempt(&job, 0, 0).commit(&files).await.unwrap();
    assert!(survey(&files, "lake", Scope::Uploads).await.unwrap().jobs.is_empty());
    let found = survey(&files, "", Scope::Tree).await.unwrap();
    assert_eq!((found.jobs.len(), &found.jobs[0].job, found.jobs[0].committed_tasks), (1, &job, 1));
}
