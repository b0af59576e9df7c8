//! Renaming, with S3A's answers.

use std::collections::BTreeMap;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::fs::CreateOptions;
use s3core::ops::{HeadObject, PutObject};
use s3core_gateway::Fault;

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::{paths, read, write};

fn requests(files: &Files) -> u64 {
    files.gateway().statistics().snapshot().values().map(|counts| counts.requests).sum()
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_moves_and_its_old_directory_stays(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let bytes = content(100_000, 1);
    write(&files, "from/file", &bytes).await.unwrap();
    let before = requests(&files);
    assert!(files.rename("from/file", "to/file").await.unwrap());
    // What is renamed; whether the target and its directory stand; read, write, delete; whether the old directory is
    // empty; its marker.
    assert_eq!(requests(&files) - before, 8);
    assert!(read(&files, "to/file").await.unwrap() == bytes);
    assert_eq!(files.status("from/file").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(files.status("from").await.unwrap().is_directory);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_moves_with_everything_below(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    files.make_directory("old/empty").await.unwrap();
    write(&files, "old/a/1", b"1").await.unwrap();
    write(&files, "old/a b/2", b"2").await.unwrap();
    write(&files, "older", b"stays").await.unwrap();
    files.make_directory("target").await.unwrap();
    assert!(files.rename("old", "target").await.unwrap());
    assert_eq!(paths(&files, "", true).await, ["older", "target/a b/2", "target/a/1"]);
    assert!(files.status("target/empty").await.unwrap().is_directory);
    assert_eq!(files.status("old").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_renamed_to_an_existing_directory_goes_into_it(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "file", b"x").await.unwrap();
    files.make_directory("directory").await.unwrap();
    assert!(files.rename("file", "directory").await.unwrap());
    assert_eq!(read(&files, "directory/file").await.unwrap(), b"x");
    write(&files, "moved/entry", b"y").await.unwrap();
    assert!(files.rename("moved", "directory").await.unwrap());
    assert_eq!(paths(&files, "", true).await, ["directory/file", "directory/moved/entry"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_renamed_is_not(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "file", b"1").await.unwrap();
    write(&files, "other", b"2").await.unwrap();
    write(&files, "directory/entry", b"3").await.unwrap();
    write(&files, "full/directory/entry", b"4").await.unwrap();
    let kind = |outcome: s3core::Result<bool>| outcome.unwrap_err().kind();
    assert_eq!(kind(files.rename("missing", "x").await), ErrorKind::NotFound);
    assert_eq!(kind(files.rename("file", "other").await), ErrorKind::AlreadyExists);
    assert_eq!(kind(files.rename("directory", "other").await), ErrorKind::AlreadyExists);
    assert!(!files.rename("", "x").await.unwrap());
    assert!(files.rename("file", "file").await.unwrap());
    assert!(!files.rename("directory", "directory").await.unwrap());
    assert!(!files.rename("directory", "directory/below").await.unwrap());
    assert!(!files.rename("directory", "full").await.unwrap());
    assert!(!files.rename("directory", "file/below").await.unwrap());
    assert!(!files.rename("other", "file/far/below").await.unwrap());
    assert_eq!(paths(&files, "", true).await, ["directory/entry", "file", "full/directory/entry", "other"]);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_copied_in_parts(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::with(service, &[("fs.s3a.multipart.threshold", "5M")], 128 << 20).await;
    let bytes = content(36 << 20, 1);
    let mut options = CreateOptions::default();
    options.attributes.content_type = Some("text/x-log".to_owned());
    options.attributes.metadata.insert("owner".to_owned(), "me".to_owned());
    let mut writer = files.create_file("from", options).await.unwrap();
    writer.write(&bytes).await.unwrap();
    writer.close().await.unwrap();
    assert!(files.rename("from", "to").await.unwrap());
    assert!(read(&files, "to").await.unwrap() == bytes);
    assert_eq!(files.gateway().statistics().snapshot()["UploadPartCopy"].requests, 8);
    let head = files.gateway().run(HeadObject::new(files.bucket(), "to")).await.unwrap();
    assert_eq!((head.content_type.as_deref(), head.metadata["owner"].as_str()), (Some("text/x-log"), "me"));
    write(&files, "100%", &bytes).await.unwrap();
    assert_eq!(files.rename("100%", "there").await.unwrap_err().kind(), ErrorKind::Unsupported);
    assert!(read(&files, "100%").await.unwrap() == bytes);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn headers_go_along_with_files_of_every_size(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values(10, 6 << 20)] length: usize,
) {
    let files = Files::with(service, &[("fs.s3a.multipart.threshold", "5M")], 128 << 20).await;
    let headers = BTreeMap::from([
        ("cache-control", "no-cache".to_owned()),
        ("content-disposition", "attachment".to_owned()),
        ("content-encoding", "gzip".to_owned()),
        ("content-language", "de".to_owned()),
        ("expires", "Fri, 20 Nov 2026 10:00:00 GMT".to_owned()),
    ]);
    let mut put = PutObject::new(files.bucket(), "from/file", content(length, 1));
    put.attributes.headers = headers.clone();
    files.gateway().run(put).await.unwrap();
    // A directory is copied; a file alone is read and written, where it is not too large for that.
    for (from, to, key) in [("from", "to", "to/file"), ("to/file", "file", "file")] {
        assert!(files.rename(from, to).await.unwrap());
        let head = files.gateway().run(HeadObject::new(files.bucket(), key)).await.unwrap();
        let mut found = head.others.clone();
        found.extend(head.expires.map(|time| ("expires", time)));
        for (name, value) in &headers {
            assert_eq!(found.get(name), Some(value), "{key}: {name}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rename_that_fails_leaves_the_source_and_nothing_else() {
    let files = Files::at(EMBEDDED).await;
    for number in 0..60 {
        write(&files, &format!("from/{number:02}"), b"x").await.unwrap();
    }
    files.place.faults().add(Fault::error(403, "QuotaExceeded").operation("CopyObject").nth(40));
    assert!(files.rename("from", "to").await.is_err());
    assert_eq!(paths(&files, "", true).await.len(), 60);
    assert_eq!(files.status("to").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(files.rename("from", "to").await.unwrap());
    assert_eq!(paths(&files, "to", true).await.len(), 60);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_of_many_pages_moves_and_goes(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::with(service, &[("fs.s3a.paging.maximum", "10")], 128 << 20).await;
    for number in 0..35 {
        write(&files, &format!("from/{number:02}"), b"x").await.unwrap();
    }
    assert_eq!(paths(&files, "from", false).await.len(), 35);
    assert!(files.rename("from", "to").await.unwrap());
    assert_eq!(paths(&files, "", true).await.len(), 35);
    assert!(files.gateway().statistics().snapshot()["ListObjectsV2"].requests >= 12);
    assert!(files.delete("to", true).await.unwrap());
    assert!(paths(&files, "", true).await.is_empty());
}
