//! Directories on keys: marked and unmarked ones.

use rstest::rstest;
use s3core::ErrorKind;
use s3core_gateway::Fault;

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::{entries, paths, write};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_made_directory_exists_and_is_empty(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    files.make_directory("a/b/c").await.unwrap();
    files.make_directory("a/b/c").await.unwrap();
    for path in ["", "a", "a/b", "a/b/c"] {
        assert!(files.status(path).await.unwrap().is_directory, "{path}");
    }
    assert_eq!(paths(&files, "a/b/c", false).await, Vec::<String>::new());
    assert_eq!(paths(&files, "a", false).await, ["a/b"]);
    assert_eq!(files.status("a/x").await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_directory_without_marker_exists_while_a_key_is_below_it(
    #[values(Service::Ceph, EMBEDDED)] service: Service,
) {
    let files = Files::at(service).await;
    write(&files, "tree/day=1/part-0", b"x").await.unwrap();
    assert!(files.status("tree/day=1").await.unwrap().is_directory);
    assert!(files.status("tree").await.unwrap().is_directory);
    // "tree-2" sorts between "tree" and "tree/", which is no reason to find it below "tree".
    write(&files, "tree-2", b"y").await.unwrap();
    assert_eq!(paths(&files, "tree", true).await, ["tree/day=1/part-0"]);
    assert_eq!(paths(&files, "", false).await, ["tree", "tree-2"]);
}

/// S3A's `delete` policy removes the markers above each new file and leaves those of empty directories.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn trees_of_the_delete_policy_read_the_same(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    let deleted = ["deleted/a/1", "deleted/a/b/2", "deleted/empty/"];
    let kept = ["kept/", "kept/a/", "kept/a/1", "kept/a/b/", "kept/a/b/2", "kept/empty/"];
    for key in deleted.iter().chain(&kept) {
        files.place.put(key, if key.ends_with('/') { "" } else { "x" }).await;
    }
    for tree in ["deleted", "kept"] {
        let below = |names: &[&str]| names.iter().map(|name| format!("{tree}/{name}")).collect::<Vec<_>>();
        for directory in ["a", "a/b", "empty"] {
            assert!(files.status(&format!("{tree}/{directory}")).await.unwrap().is_directory, "{tree}/{directory}");
        }
        assert_eq!(paths(&files, tree, false).await, below(&["a", "empty"]));
        assert_eq!(paths(&files, &format!("{tree}/a"), false).await, below(&["a/1", "a/b"]));
        let moved = format!("{tree}-moved");
        assert!(files.rename(tree, &moved).await.unwrap());
        assert_eq!(paths(&files, &moved, true).await, [format!("{moved}/a/1"), format!("{moved}/a/b/2")]);
        assert!(files.status(&format!("{moved}/empty")).await.unwrap().is_directory);
        assert!(files.delete(&moved, true).await.unwrap());
        assert_eq!(files.status(&moved).await.unwrap_err().kind(), ErrorKind::NotFound);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn listings_tell_what_a_status_tells(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "d/plus+percent%20 space", &content(1000, 1)).await.unwrap();
    write(&files, "d/e/below", b"").await.unwrap();
    write(&files, "d/job.jar", b"x").await.unwrap(); // its status is a HEAD, which speaks in whole seconds
    let listed = entries(&files, "d", false).await.unwrap();
    assert_eq!(listed.len(), 3);
    for entry in &listed {
        let status = files.status(&entry.path).await.unwrap();
        assert_eq!((status.is_directory, status.length, &status.etag), (entry.is_directory, entry.length, &entry.etag));
        assert_eq!(status.modified, entry.modified, "{}", entry.path);
    }
    let file = entries(&files, "d/plus+percent%20 space", false).await.unwrap();
    assert_eq!((file.len(), file[0].length), (1, 1000));
    assert_eq!(entries(&files, "nothing", false).await.unwrap_err().kind(), ErrorKind::NotFound);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_last_file_keeps_its_directory(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "only/one", b"x").await.unwrap();
    assert!(files.delete("only/one", false).await.unwrap());
    assert!(!files.delete("only/one", false).await.unwrap());
    assert!(files.status("only").await.unwrap().is_directory);
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_goes_only_when_asked_for_as_a_whole(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    files.make_directory("tree/empty").await.unwrap();
    for number in 0..600 {
        write(&files, &format!("tree/{}/{number}", number % 7), b"x").await.unwrap();
    }
    write(&files, "tree-2/stays", b"x").await.unwrap();
    write(&files, "tree/0/with\u{1}control", b"x").await.unwrap();
    assert_eq!(files.delete("tree", false).await.unwrap_err().kind(), ErrorKind::DirectoryNotEmpty);
    assert_eq!(paths(&files, "tree", true).await.len(), 601);
    assert!(files.delete("tree", true).await.unwrap());
    assert_eq!(files.status("tree").await.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(paths(&files, "", true).await, ["tree-2/stays"]);
    files.make_directory("empty").await.unwrap();
    assert!(files.delete("empty", false).await.unwrap());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_made_below_or_over_a_file(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    write(&files, "file", b"x").await.unwrap();
    assert_eq!(files.make_directory("file").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    assert_eq!(files.make_directory("file/a/b").await.unwrap_err().kind(), ErrorKind::NotADirectory);
    files.make_directory("directory").await.unwrap();
    assert_eq!(write(&files, "directory", b"x").await.unwrap_err().kind(), ErrorKind::IsADirectory);
    let opened = files.open_file("directory", Default::default()).await.map(|_| ());
    assert!(opened.unwrap_err().message().contains("is a directory"));
}

/// Keys between `day=1` and `day=1/`, more than a page that looks for one of them holds.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn names_that_begin_alike_hide_neither_file_nor_directory(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let files = Files::at(service).await;
    for number in 10..22 {
        write(&files, &format!("day=1-{number}"), b"x").await.unwrap();
        write(&files, &format!("day=1{number}/x"), b"x").await.unwrap();
    }
    let make = |path| files.make_directory(path);
    make("day=1").await.unwrap();
    assert!(files.status("day=1").await.unwrap().is_directory);
    let requests = files.gateway().statistics().snapshot()["PutObject"].requests;
    make("day=1").await.unwrap();
    assert_eq!(files.gateway().statistics().snapshot()["PutObject"].requests, requests, "it was there already");
    assert_eq!(make("day=1-10").await.unwrap_err().kind(), ErrorKind::AlreadyExists);
    for directory in ["day=1", "day=110"] {
        let refused = files.create_file(directory, Default::default()).await.map(|_| ());
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::IsADirectory, "{directory}");
    }
    let refused = files.create_file("day=1-21", Default::default()).await.map(|_| ());
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::AlreadyExists);
    files.create_file("day=", Default::default()).await.unwrap().abort().await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_names_its_reason(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let place = Files::at(service).await.place;
    let secret = place.running.secret_key.clone();
    for (access_key, secret_key, named) in [
        ("unknown-access-key", secret.as_str(), "access.key"),
        (place.running.access_key.as_str(), "wrong", "secret.key"),
    ] {
        let keys = [("fs.s3a.access.key", access_key), ("fs.s3a.secret.key", secret_key)];
        let files = Files::reaching(&place.running.url, &place.bucket, &keys, 64 << 20);
        for refused in [
            files.status("file").await.map(|_| ()),
            files.open_file("file", Default::default()).await.map(|_| ()),
            files.make_directory("a/b").await,
        ] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::BadCredentials);
            assert!(refused.message().contains(named), "{refused}");
            assert!(!refused.to_string().contains(secret_key), "{refused}");
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_missing_bucket_is_told_from_a_missing_file(#[values(Service::Ceph, EMBEDDED)] service: Service) {
    let place = Files::at(service).await.place;
    let keys = [
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
    ];
    let files = Files::reaching(&place.running.url, "no-such-bucket", &keys, 64 << 20);
    for missing in
        [files.status("file").await.map(|_| ()), files.make_directory("a").await, files.status("").await.map(|_| ())]
    {
        assert_eq!(missing.unwrap_err().kind(), ErrorKind::NoSuchBucket);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_status_takes_one_request_where_the_name_is_as_expected() {
    let files = Files::at(EMBEDDED).await;
    for path in ["table/day=1/part-00000", "table/day=1/data.csv", "table/_SUCCESS", "table/plain"] {
        write(&files, path, b"x").await.unwrap();
    }
    let requests = || files.gateway().statistics().snapshot().values().map(|counts| counts.requests).sum::<u64>();
    for (path, is_directory) in [
        ("table", true),
        ("table/day=1", true),
        ("table/plain", false),
        ("table/_SUCCESS", false),
        ("table/day=1/part-00000", false),
        ("table/day=1/data.csv", false),
    ] {
        let before = requests();
        assert_eq!(files.status(path).await.unwrap().is_directory, is_directory, "{path}");
        assert_eq!(requests() - before, 1, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_list_may_look_at_files() {
    let files = Files::at(EMBEDDED).await;
    write(&files, "table/plain", b"x").await.unwrap();
    files.place.faults().add(Fault::error(403, "AccessDenied").operation("ListObjectsV2"));
    assert_eq!(files.status("table/plain").await.unwrap().length, 1);
}
