//! Writing: in one request or many, visible only when closed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::fs::CreateOptions;
use s3core::ops::ListMultipartUploads;
use s3core_gateway::Fault;

use super::support::files::Files;
use super::support::in_flight::InFlight;
use super::support::{EMBEDDED, Place, Service, content, environment};
use super::{paths, read, write};

const MIB: usize = 1 << 20;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn sizes_around_the_part_size_come_back_equal(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values(0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 21 * MIB)] length: usize,
) {
    let files = Files::at(service).await;
    let bytes = content(length, 1);
    let written = write(&files, "file", &bytes).await.unwrap();
    assert_eq!(written.length, length as u64);
    let status = files.status("file").await.unwrap();
    assert_eq!((status.length, status.etag), (length as u64, written.etag));
    assert!(read(&files, "file").await.unwrap() == bytes);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_visible_before_close_nor_after_an_abort(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values(100, 20 * MIB)] length: usize,
    #[values(true, false)] dropped: bool,
) {
    let files = Files::at(service).await;
    let mut writer = files.create_file("file", CreateOptions::default()).await.unwrap();
    writer.write(&content(length, 1)).await.unwrap();
    assert_eq!(paths(&files, "", true).await, Vec::<String>::new());
    if dropped {
        drop(writer);
        tokio::time::sleep(Duration::from_secs(2)).await;
    } else {
        writer.abort().await.unwrap();
        assert_eq!(writer.write(b"x").await.unwrap_err().kind(), ErrorKind::Closed);
    }
    assert_eq!(paths(&files, "", true).await, Vec::<String>::new());
    let pending = files.gateway().run(ListMultipartUploads::new(files.bucket(), "")).await.unwrap();
    assert!(pending.uploads.is_empty(), "{:?}", pending.uploads);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_came_meanwhile_is_not_replaced(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values(100, 20 * MIB)] length: usize,
) {
    let files = Files::at(service).await;
    let mut writer = files.create_file("file", CreateOptions::default()).await.unwrap();
    writer.write(&content(length, 1)).await.unwrap();
    write(&files, "file", b"theirs").await.unwrap();
    assert_eq!(writer.close().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(read(&files, "file").await.unwrap(), b"theirs");
    let again = files.create_file("file", CreateOptions::default()).await.map(|_| ());
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_costs_one_put() {
    let files = Files::at(EMBEDDED).await;
    write(&files, "d/file", &content(1000, 1)).await.unwrap();
    let counts = files.gateway().statistics().snapshot();
    assert_eq!((counts["PutObject"].requests, counts["ListObjectsV2"].requests, counts.len()), (1, 1, 2), "{counts:?}");
    let mut exclusive = files.create_file("d/other", CreateOptions::default()).await.unwrap();
    exclusive.close().await.unwrap();
    let counts = files.gateway().statistics().snapshot();
    assert_eq!((counts["PutObject"].requests, counts["ListObjectsV2"].requests, counts.len()), (2, 2, 2), "{counts:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn as_many_parts_are_under_way_as_the_option_says(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values("1", "3")] blocks: &str,
) {
    let place = Place::at(service).await;
    let options = [
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ("fs.s3a.multipart.size", "8M"),
        ("fs.s3a.fast.upload.active.blocks", blocks),
    ];
    let (environment, most) = InFlight::before(environment(), "PUT", "partNumber=");
    let files = Files::in_world(environment, &place.running.url, &place.bucket, &options, 512 << 20);
    let bytes = content(50 * MIB, 1);
    write(&files, "file", &bytes).await.unwrap();
    assert_eq!(most.load(Ordering::SeqCst).to_string(), blocks);
    assert!(read(&files, "file").await.unwrap() == bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_and_busy_answers_lose_nothing() {
    let files = Files::at(EMBEDDED).await;
    for fault in [Fault::lose_reply(), Fault::slow_down(), Fault::reset(), Fault::error(500, "InternalError")] {
        files.place.faults().add(fault.every(3));
    }
    let bytes = content(20 * MIB, 1);
    for number in 0..5 {
        let path = format!("file-{number}");
        let mut writer = files.create_file(&path, CreateOptions::default()).await.unwrap();
        writer.write(&bytes[number..]).await.unwrap();
        writer.close().await.unwrap();
        assert!(read(&files, &path).await.unwrap() == bytes[number..]);
    }
    assert!(files.place.faults().injected() > 10, "{}", files.place.faults().injected());
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_change_on_the_way_are_noticed() {
    let files = Files::at(EMBEDDED).await;
    files.place.faults().add(Fault::corrupt_upload(100).operation("PutObject").times(2));
    let bytes = content(MIB, 1);
    write(&files, "file", &bytes).await.unwrap();
    assert_eq!(files.place.faults().injected(), 2);
    assert!(read(&files, "file").await.unwrap() == bytes);
}

/// Closing, sealing and spilling meet: each takes the part that another wants.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_in_little_memory_lose_nothing() {
    let files = Files::with(EMBEDDED, &[("fs.s3a.multipart.size", "8M")], 16 << 20).await;
    let bytes = content(20 * MIB, 1);
    let writers = (0..40_usize).map(|number| {
        let (files, bytes) = (files.clone(), bytes.clone());
        tokio::spawn(async move {
            let length = 7 * MIB + number * 300_000;
            let mut writer = files.create_file(&format!("file-{number}"), CreateOptions::default()).await.unwrap();
            for piece in bytes[..length].chunks(100_000 + number) {
                writer.write(piece).await.unwrap();
            }
            assert_eq!(writer.close().await.unwrap().length, length as u64);
            assert!(read(&files, &format!("file-{number}")).await.unwrap() == bytes[..length], "file-{number}");
        })
    });
    futures::future::try_join_all(writers).await.unwrap();
    assert_eq!(files.budget().used(), 0);
    let uploads = files.gateway().run(ListMultipartUploads::new(&files.place.bucket, "")).await.unwrap();
    assert!(uploads.uploads.is_empty(), "{uploads:?}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_close_that_was_given_up_is_not_repeated(#[values(1, 9)] mebibytes: usize) {
    let files = Files::at(EMBEDDED).await;
    let operation = if mebibytes == 1 { "PutObject" } else { "CompleteMultipartUpload" };
    files.place.faults().add(Fault::stall(Duration::from_secs(1)).operation(operation));
    let mut writer = files.create_file("file", CreateOptions::default()).await.unwrap();
    writer.write(&content(mebibytes * MIB, 1)).await.unwrap();
    tokio::time::timeout(Duration::from_millis(300), writer.close()).await.unwrap_err();
    assert_eq!(writer.close().await.unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(writer.write(b"more").await.unwrap_err().kind(), ErrorKind::Closed);
}

/// Radosgw may keep an object without data where an upload is aborted while it is being completed.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_not_aborted_once_its_completion_has_begun() {
    let files = Files::at(EMBEDDED).await;
    files.place.faults().add(Fault::stall(Duration::from_secs(1)).operation("CompleteMultipartUpload"));
    let bytes = content(9 * MIB, 1);
    let mut writer = files.create_file("file", CreateOptions::default()).await.unwrap();
    writer.write(&bytes).await.unwrap();
    tokio::time::timeout(Duration::from_millis(300), writer.close()).await.unwrap_err();
    drop(writer);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(read(&files, "file").await.unwrap() == bytes);
    assert!(!files.gateway().statistics().snapshot().contains_key("AbortMultipartUpload"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_fails_the_one_who_needs_memory_and_harms_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let files = Files::with(EMBEDDED, &[("fs.s3a.buffer.dir", directory.path().to_str().unwrap())], 1 << 20).await;
    directory.close().unwrap();
    let bytes = content(MIB, 1);
    let mut idle = files.create_file("idle", CreateOptions::default()).await.unwrap();
    idle.write(&bytes[..MIB - 200_000]).await.unwrap();
    let mut needy = files.create_file("needy", CreateOptions::default()).await.unwrap();
    let failure = needy.write(&bytes).await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::LocalDisk, "{failure}");
    drop(needy);
    idle.close().await.unwrap();
    assert!(read(&files, "idle").await.unwrap() == bytes[..MIB - 200_000]);
}

/// One writer's memory goes to disk for another, who is interrupted meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn who_needs_memory_may_go_away_while_another_spills() {
    let files = Files::with(EMBEDDED, &[], 1 << 20).await;
    let bytes = content(MIB, 1);
    for round in 0..50 {
        let mut idle = files.create_file("idle", CreateOptions::default()).await.unwrap();
        idle.write(&bytes[..MIB - 200_000]).await.unwrap();
        let mut needy = files.create_file("needy", CreateOptions::default()).await.unwrap();
        let _ = tokio::time::timeout(Duration::from_micros(50 * round), needy.write(&bytes)).await;
        drop(needy);
        let closed = tokio::time::timeout(Duration::from_secs(20), idle.close()).await;
        closed.expect("a close that waits for ever").unwrap();
        assert!(read(&files, "idle").await.unwrap() == bytes[..MIB - 200_000]);
        files.delete("idle", false).await.unwrap();
    }
}
