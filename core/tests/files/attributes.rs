//! What is known of files besides their bytes, and removing many of them.

use rstest::rstest;
use s3core::ErrorKind;
use s3core::fs::{CreateOptions, Summary};
use s3core::ops::ObjectAttributes;

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::{paths, read, write};

const MIB: usize = 1 << 20;

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn headers_tell_what_was_stored_beside_the_bytes(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let attributes = ObjectAttributes {
        content_type: Some("text/csv".into()),
        storage_class: Some("COLD".into()),
        metadata: [("owner".to_owned(), "risk".to_owned())].into(),
        ..ObjectAttributes::default()
    };
    for unchecked in [false, true] {
        let options = CreateOptions { attributes: attributes.clone(), unchecked, ..CreateOptions::default() };
        let path = if unchecked { "dir/unchecked" } else { "dir/file" };
        let mut writer = files.create_file(path, options).await.unwrap();
        writer.write(b"1,2").await.unwrap();
        let etag = writer.close().await.unwrap().etag.unwrap();
        let headers = files.headers(path).await.unwrap();
        let texts: Vec<_> = headers.texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        let expected = [
            ("content-length", "3"),
            ("content-type", "text/csv"),
            ("etag", &etag),
            ("x-amz-meta-owner", "risk"),
            ("x-amz-storage-class", "COLD"),
        ];
        assert_eq!(texts, expected);
        assert!(headers.modified.is_some());
    }

    files.make_directory("marked").await.unwrap();
    for directory in ["", "dir", "marked"] {
        let texts = files.headers(directory).await.unwrap().texts;
        assert_eq!(texts["content-length"], "0");
        assert_eq!(texts["content-type"], "application/x-directory");
    }
    assert_eq!(files.headers("none").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_is_counted_in_one_listing(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::with(service, &[("fs.s3a.paging.maximum", "3")], 64 << 20).await;
    for path in ["t/a/b/one", "t/a/b/two", "t/a-1/x/three", "t/four", "t-2/five"] {
        write(&files, path, &content(100, 1)).await.unwrap();
    }
    files.make_directory("t/empty/deep").await.unwrap();
    let summary = |path: &'static str| {
        let files = &files;
        async move { files.summary(path).await.unwrap() }
    };
    assert_eq!(summary("t").await, Summary { files: 4, directories: 7, bytes: 400 });
    assert_eq!(summary("t/four").await, Summary { files: 1, directories: 0, bytes: 100 });
    assert_eq!(summary("t/empty/deep").await, Summary { files: 0, directories: 1, bytes: 0 });
    assert_eq!(summary("").await, Summary { files: 5, directories: 9, bytes: 500 });
    assert_eq!(files.summary("none").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn many_files_are_removed_in_one_request(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::with(service, &[("fs.s3a.bulk.delete.page.size", "20")], 64 << 20).await;
    let all: Vec<_> = (0..20).map(|number| format!("dir/{number}")).collect();
    for path in &all {
        write(&files, path, b"x").await.unwrap();
    }
    files.make_directory("dir/kept").await.unwrap();
    assert_eq!(files.delete_maximum(), 20);
    let mut removed = all.clone();
    removed.truncate(18);
    removed.extend(["dir/kept".to_owned(), "none".to_owned()]);
    assert!(files.delete_files(removed).await.unwrap().is_empty());
    assert_eq!(files.gateway().statistics().snapshot()["DeleteObjects"].requests, 1);
    assert_eq!(paths(&files, "dir", false).await, ["dir/18", "dir/19", "dir/kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_many_cannot_be_removed_at_once_each_is_alone() {
    let options = [("fs.s3a.multiobjectdelete.enable", "false")];
    let files = Files::with(EMBEDDED, &options, 64 << 20).await;
    for number in 0..30 {
        write(&files, &format!("dir/{number}"), b"x").await.unwrap();
    }
    assert_eq!(files.delete_maximum(), 1);
    assert!(files.delete_files(vec!["dir/0".to_owned()]).await.unwrap().is_empty());
    files.delete("dir", true).await.unwrap();
    let counts = files.gateway().statistics().snapshot();
    assert_eq!((counts["DeleteObject"].requests, counts.contains_key("DeleteObjects")), (30, false));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_not_looked_at_costs_one_request(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let options = || CreateOptions { unchecked: true, ..CreateOptions::default() };
    let mut writer = files.create_file("file", options()).await.unwrap();
    writer.write(b"first").await.unwrap();
    writer.close().await.unwrap();
    let counts = files.gateway().statistics().snapshot();
    assert_eq!((counts.len(), counts["PutObject"].requests), (1, 1), "{counts:?}");
    // Whether one is there already the gateway still knows.
    let mut writer = files.create_file("file", options()).await.unwrap();
    writer.write(b"second").await.unwrap();
    assert_eq!(writer.close().await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(read(&files, "file").await.unwrap(), b"first");
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_small_file_goes_out_as_an_upload_where_that_is_wanted(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
    #[values(5, 9 * MIB)] length: usize,
) {
    let files = Files::at(service).await;
    let mut writer =
        files.create_file("file", CreateOptions { as_upload: true, ..CreateOptions::default() }).await.unwrap();
    writer.write(&content(length, 1)).await.unwrap();
    let etag = writer.close().await.unwrap().etag.unwrap();
    assert!(etag.contains('-'), "{etag}");
    assert_eq!(writer.requests()["CompleteMultipartUpload"].requests, 1);
    assert!(read(&files, "file").await.unwrap() == content(length, 1));
}
