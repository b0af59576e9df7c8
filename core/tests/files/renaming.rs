//! Renaming, with S3A's answers.

use rstest::rstest;
use s3core::ErrorKind;

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::{paths, read, write};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_moves_and_its_old_directory_stays(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let bytes = content(100_000, 1);
    write(&files, "from/file", &bytes).await.unwrap();
    assert!(files.rename("from/file", "to/file").await.unwrap());
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
    assert_eq!(kind(files.rename("", "x").await), ErrorKind::InvalidPath);
    assert!(files.rename("file", "file").await.unwrap());
    assert!(!files.rename("directory", "directory").await.unwrap());
    assert!(!files.rename("directory", "directory/below").await.unwrap());
    assert!(!files.rename("directory", "full").await.unwrap());
    assert!(!files.rename("directory", "file/below").await.unwrap());
    assert!(!files.rename("other", "file/far/below").await.unwrap());
    assert_eq!(paths(&files, "", true).await, ["directory/entry", "file", "full/directory/entry", "other"]);
}
