//! Multipart uploads whose parts the caller sends by itself.

use futures::future::join_all;
use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::CompletedPart;

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::{paths, read, write};

const MIB: usize = 1 << 20;

async fn send(files: &Files, id: &str, number: u32, bytes: &[u8]) -> s3core::Result<CompletedPart> {
    let mut writer = files.upload_part("dir/file", id, number);
    writer.write(bytes).await?;
    let etag = writer.close().await?.etag.unwrap();
    Ok(CompletedPart { number, etag })
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn parts_come_in_any_order(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let bytes = content(21 * MIB, 1);
    let id = files.begin_upload("dir/file").await.unwrap();
    // Larger than the part size of files, which does not cut it.
    let cuts = [(3, 10 * MIB..20 * MIB), (7, 20 * MIB..21 * MIB), (2, 0..10 * MIB)];
    let sent = join_all(cuts.map(|(number, range)| send(&files, &id, number, &bytes[range]))).await;
    assert!(paths(&files, "", true).await.is_empty());
    let mut parts: Vec<_> = sent.into_iter().map(Result::unwrap).collect();
    parts.sort_unstable_by_key(|part| part.number);
    let etag = files.complete_upload("dir/file", &id, parts.clone()).await.unwrap();
    assert_eq!(files.status("dir/file").await.unwrap().etag, Some(etag));
    assert!(read(&files, "dir/file").await.unwrap() == bytes);

    let again = files.complete_upload("dir/file", &id, parts).await.unwrap_err();
    assert_eq!(again.kind(), ErrorKind::NotFound, "{again}");
    let late = files.abort_upload("dir/file", &id).await.unwrap_err();
    assert_eq!(late.kind(), ErrorKind::NotFound, "{late}");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_part_is_there_or_the_upload_is_not_completed(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let id = files.begin_upload("dir/file").await.unwrap();
    let part = send(&files, &id, 1, b"x").await.unwrap();
    for parts in [
        vec![part.clone(), CompletedPart { number: 2, etag: part.etag.clone() }],
        vec![CompletedPart { number: 1, etag: "0".repeat(32) }],
    ] {
        let failure = files.complete_upload("dir/file", &id, parts).await.unwrap_err();
        assert_eq!(failure.kind(), ErrorKind::BadRequest, "{failure}");
    }
    files.make_directory("dir/file").await.unwrap();
    let failure = files.complete_upload("dir/file", &id, vec![part.clone()]).await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::IsADirectory, "{failure}");
    files.delete("dir/file", true).await.unwrap();
    files.complete_upload("dir/file", &id, vec![part]).await.unwrap();
    assert_eq!(read(&files, "dir/file").await.unwrap(), b"x");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn uploads_below_a_directory_are_thrown_away(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let mut ids = Vec::new();
    for path in ["dir/file", "dir/file", "dir/inner/file", "dir-2/file"] {
        ids.push((path, files.begin_upload(path).await.unwrap()));
    }
    assert_eq!(files.abort_uploads_below("dir").await.unwrap(), 3);
    assert_eq!(files.abort_uploads_below("dir").await.unwrap(), 0);
    let gone = files.abort_upload(ids[0].0, &ids[0].1).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    files.abort_upload(ids[3].0, &ids[3].1).await.unwrap();
}

/// A part waits in memory until it is complete; what finds no room there waits on disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_part_may_be_larger_than_the_memory() {
    let files = Files::with(EMBEDDED, &[("fs.s3a.multipart.size", "8M")], 16 << 20).await;
    let bytes = content(40 * MIB, 1);
    let id = files.begin_upload("dir/file").await.unwrap();
    let part = send(&files, &id, 1, &bytes).await.unwrap();
    files.complete_upload("dir/file", &id, vec![part]).await.unwrap();
    assert!(read(&files, "dir/file").await.unwrap() == bytes);
    assert!(files.budget().peak() <= 16 << 20);
    assert_eq!(files.budget().used(), 0);
    write(&files, "other", b"x").await.unwrap();
}
