//! Files that nobody else may have created: one of several writers succeeds, and none replaces what it did not mean to.

use futures::future::join_all;
use rstest::rstest;
use s3core::ErrorKind;
use s3core::fs::{CreateOptions, Existing};
use s3core::ops::ObjectAttributes;
use s3core::transfer::writer::WrittenObject;
use s3core_gateway::{Fault, Quirks};

use super::support::files::Files;
use super::support::{EMBEDDED, Service, content};
use super::{paths, read, write};

const MIB: usize = 1 << 20;
const PACIFIC: Service = Service::Embedded(Quirks::Pacific);
const TENTACLE: Service = Service::Embedded(Quirks::Tentacle);

async fn create(files: &Files, existing: Existing, bytes: &[u8]) -> s3core::Result<WrittenObject> {
    let options = CreateOptions { existing, ..CreateOptions::default() };
    let mut writer = files.create_file("file", options).await?;
    writer.write(bytes).await?;
    writer.close().await
}

#[rstest]
#[case::small_on_ceph(Service::Ceph, 100)]
#[case::small(EMBEDDED, 100)]
#[case::large(TENTACLE, 20 * MIB)]
#[tokio::test(flavor = "multi_thread")]
async fn of_eight_writers_one_succeeds(#[case] service: Service, #[case] length: usize) {
    let files = Files::at(service).await;
    for _ in 0..5 {
        let writers = (0..8).map(|number| {
            let files = &files;
            async move { create(files, Existing::StaysForCertain, &content(length, number)).await }
        });
        let outcomes = join_all(writers).await;
        let winners: Vec<_> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(read(&files, "file").await.unwrap() == content(length, winners[0].0 as u64));
        for outcome in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            assert_eq!(outcome.kind(), ErrorKind::AlreadyExists, "{outcome}");
        }
        files.delete("file", false).await.unwrap();
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::pacific(PACIFIC)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_gateway_cannot_promise_is_refused_rather_than_tried(#[case] service: Service) {
    let files = Files::at(service).await;
    let etag = write(&files, "other", b"x").await.unwrap().etag.unwrap();
    for existing in [Existing::StaysForCertain, Existing::IsReplacedIf(etag)] {
        let error = create(&files, existing, &content(20 * MIB, 1)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("fs.s3a.multipart.size"), "{error}");
    }
    assert_eq!(paths(&files, "", true).await, ["other"]);
}

#[rstest]
#[case::small_on_ceph(Service::Ceph, 100)]
#[case::small(EMBEDDED, 100)]
#[case::small_on_pacific(PACIFIC, 100)]
#[case::large(TENTACLE, 20 * MIB)]
#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_replaced_where_it_is_the_one_that_was_meant(#[case] service: Service, #[case] length: usize) {
    let files = Files::at(service).await;
    let first = write(&files, "file", b"first").await.unwrap().etag.unwrap();
    create(&files, Existing::IsReplacedIf(first.clone()), &content(length, 1)).await.unwrap();
    assert!(read(&files, "file").await.unwrap() == content(length, 1));
    let error = create(&files, Existing::IsReplacedIf(first), &content(length, 2)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(read(&files, "file").await.unwrap() == content(length, 1));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test(flavor = "multi_thread")]
async fn of_eight_renames_to_one_name_one_succeeds(#[case] service: Service) {
    let files = Files::at(service).await;
    for round in 0..5 {
        let target = format!("v{round}.json");
        for number in 0..8 {
            write(&files, &format!("tmp-{number}"), &content(1000, number)).await.unwrap();
        }
        let renames = (0..8).map(|number| {
            let (files, target) = (&files, &target);
            async move { files.rename(&format!("tmp-{number}"), target).await }
        });
        let outcomes = join_all(renames).await;
        let winners: Vec<_> = outcomes.iter().enumerate().filter(|(_, outcome)| outcome.is_ok()).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert!(outcomes.iter().flat_map(Result::as_ref).all(|renamed| *renamed));
        let (winner, _) = winners[0];
        assert!(read(&files, &target).await.unwrap() == content(1000, winner as u64));
        for (number, outcome) in outcomes.iter().enumerate().filter(|(number, _)| *number != winner) {
            assert_eq!(outcome.as_ref().unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert!(read(&files, &format!("tmp-{number}")).await.unwrap() == content(1000, number as u64));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn renames_whose_replies_are_lost_are_done_once() {
    let files = Files::at(EMBEDDED).await;
    files.place.faults().add(Fault::lose_reply().every(3));
    for number in 0..10 {
        write(&files, "tmp", &content(1000, number)).await.unwrap();
        assert!(files.rename("tmp", &format!("v{number}")).await.unwrap());
        assert!(read(&files, &format!("v{number}")).await.unwrap() == content(1000, number));
    }
    assert!(files.place.faults().injected() > 10);
    assert_eq!(paths(&files, "", true).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renamed_file_keeps_what_is_stored_beside_it() {
    let files = Files::at(Service::Ceph).await;
    let attributes = ObjectAttributes {
        content_type: Some("application/x-table".into()),
        storage_class: Some("COLD".into()),
        metadata: [("owner".to_owned(), "risk".to_owned())].into(),
        ..ObjectAttributes::default()
    };
    let options = CreateOptions { attributes, ..CreateOptions::default() };
    let mut writer = files.create_file("from", options).await.unwrap();
    writer.write(b"small").await.unwrap();
    writer.close().await.unwrap();
    files.rename("from", "to").await.unwrap();
    let head = files.gateway().run(s3core::ops::HeadObject::new(files.bucket(), "to")).await.unwrap();
    assert_eq!(head.content_type.as_deref(), Some("application/x-table"));
    assert_eq!(head.storage_class.as_deref(), Some("COLD"));
    assert_eq!(head.metadata.get("owner").map(String::as_str), Some("risk"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_is_renamed_on_the_server() {
    let files = Files::at(EMBEDDED).await;
    write(&files, "small", &content(MIB, 1)).await.unwrap();
    write(&files, "large", &content(33 * MIB, 2)).await.unwrap();
    files.rename("small", "small-too").await.unwrap();
    let copies = || files.gateway().statistics().snapshot().get("CopyObject").map_or(0, |counts| counts.requests);
    assert_eq!(copies(), 0);
    files.rename("large", "large-too").await.unwrap();
    assert_eq!(copies(), 1);
    assert!(read(&files, "large-too").await.unwrap() == content(33 * MIB, 2));
}
