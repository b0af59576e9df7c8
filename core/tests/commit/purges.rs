//! `fs.s3a.multipart.purge`: what the first write of a process removes from the bucket.

use std::time::Duration;

use s3core::commit::purge_before_first_write;

use super::support::EMBEDDED;
use super::surveys::{UUID, leave_behind};
use super::*;

const PURGES: &[(&str, &str)] = &[("fs.s3a.multipart.purge", "true"), ("fs.s3a.multipart.purge.age", "1s")];

#[rstest::rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_write_removes_old_uploads_and_none_of_committed_tasks(#[case] service: Service) {
    let files = Files::at(service).await;
    let job = leave_behind(&files).await;
    // A job whose destination is itself a partition.
    let partition = Job::new("lake/other/day=9", "j2").unwrap();
    partition.set_up(&files, false, ConflictMode::Append).await.unwrap();
    write_as(&files, &attempt(&partition, 0, 0), &format!("part-0-{UUID}"), &content(LARGE, 4)).await;
    attempt(&partition, 0, 0).commit(&files).await.unwrap();
    assert_eq!(uploads(&files).await, 4);
    tokio::time::sleep(Duration::from_secs(3)).await;

    let others: [&[(&str, &str)]; 2] = [&[], &[("fs.s3a.multipart.purge", "true")]];
    for options in others {
        purge_before_first_write(&elsewhere_with(&files, options)).await;
        assert_eq!(uploads(&files).await, 4, "{options:?}");
    }
    let process = elsewhere_with(&files, PURGES);
    purge_before_first_write(&process).await;
    assert_eq!(uploads(&files).await, 2);
    let listings = requests(&process, "ListMultipartUploads");
    purge_before_first_write(&process).await;
    assert_eq!(requests(&process, "ListMultipartUploads"), listings, "once is enough");

    for job in [job, partition] {
        assert_eq!(job.commit(&files, CommitOptions::default()).await.unwrap().files, 1);
    }
    assert_eq!(visible(&files).await.len(), 2);
}

/// Nobody is kept from writing by what he may not do.
#[tokio::test(flavor = "multi_thread")]
async fn a_purge_that_fails_fails_nothing() {
    let files = Files::at(EMBEDDED).await;
    let process = elsewhere_with(&files, &[("fs.s3a.bucket.none.multipart.purge", "true")]);
    purge_before_first_write(&process).await;
    assert_eq!(requests(&process, "ListMultipartUploads"), 0, "another bucket's option");
    let stranger = elsewhere_with(&files, &[("fs.s3core.secret.key", "wrong"), ("fs.s3core.access.key", "devkey")]);
    purge_before_first_write(&stranger).await;
    let purging = [PURGES, &[("fs.s3core.secret.key", "wrong"), ("fs.s3core.access.key", "devkey")]].concat();
    let stranger = elsewhere_with(&files, &purging);
    purge_before_first_write(&stranger).await;
    assert_eq!(requests(&stranger, "ListMultipartUploads"), 1);
}
