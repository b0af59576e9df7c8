//! Buckets that keep versions: GetBucketVersioning, PutBucketVersioning, ListObjectVersions, and versions by their ids.
//! The embedded endpoint keeps none.

use std::time::{Duration, SystemTime};

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{
    BucketVersioning, DeleteObject, GetBucketVersioning, HeadObject, ListObjectVersions, ListedVersion,
    PutBucketVersioning,
};

use crate::support::{EMBEDDED, Place, Service};

async fn state(place: &Place) -> BucketVersioning {
    place.gateway.run(GetBucketVersioning::new(&place.bucket)).await.unwrap()
}

/// In pages of `max_keys`.
async fn versions(place: &Place, prefix: &str, max_keys: u32) -> Vec<ListedVersion> {
    let mut list = ListObjectVersions::new(&place.bucket, prefix);
    list.max_keys = Some(max_keys);
    let mut versions = Vec::new();
    loop {
        let page = place.gateway.run(list.clone()).await.unwrap();
        versions.extend(page.versions);
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return versions,
        }
    }
}

async fn delete(place: &Place, key: &str, version: Option<&str>) -> s3core::ops::DeletedObject {
    let mut delete = DeleteObject::new(&place.bucket, key);
    delete.version_id = version.map(str::to_owned);
    place.gateway.run(delete).await.unwrap()
}

/// Removes everything: a bucket with versions cannot be deleted.
async fn empty(place: &Place) {
    for version in versions(place, "", 1000).await {
        delete(place, &version.key, Some(&version.version_id)).await;
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_new_bucket_keeps_no_versions(#[case] service: Service) {
    let place = Place::at(service).await;
    assert_eq!(state(&place).await, BucketVersioning::Off);
}

#[tokio::test]
async fn versioning_is_switched_on_and_suspended() {
    let place = Place::at(Service::Ceph).await;
    for (is_enabled, expected) in [(true, BucketVersioning::Enabled), (false, BucketVersioning::Suspended)] {
        place.gateway.run(PutBucketVersioning::new(&place.bucket, is_enabled)).await.unwrap();
        assert_eq!(state(&place).await, expected);
    }
}

#[tokio::test]
async fn a_delete_marker_is_removed_and_the_object_is_back() {
    let place = Place::at(Service::Ceph).await;
    place.gateway.run(PutBucketVersioning::new(&place.bucket, true)).await.unwrap();
    let key = "a b+\u{e9}/k";
    let etag = place.put(key, "x").await;
    let before = place.gateway.run(HeadObject::new(&place.bucket, key)).await.unwrap();
    let version = before.others["x-amz-version-id"].clone();

    let marked = delete(&place, key, None).await;
    assert!(marked.is_delete_marker, "{marked:?}");
    let marker = marked.version_id.unwrap();
    let gone = place.gateway.run(HeadObject::new(&place.bucket, key)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let head = |id: &str| HeadObject { version_id: Some(id.to_owned()), ..HeadObject::new(&place.bucket, key) };
    assert_eq!(place.gateway.run(head(&version)).await.unwrap().etag, Some(etag));
    assert_eq!(place.gateway.run(head(&marker)).await.unwrap_err().kind(), ErrorKind::NotFound);

    let removed = delete(&place, key, Some(&marker)).await;
    assert_eq!((removed.is_delete_marker, removed.version_id), (true, Some(marker)));
    assert_eq!(place.gateway.run(HeadObject::new(&place.bucket, key)).await.unwrap(), before);
    delete(&place, key, Some(&version)).await;
    assert_eq!(versions(&place, "", 1000).await, []);
}

#[tokio::test]
async fn what_is_deleted_twice_has_as_many_markers_as_were_named() {
    let place = Place::at(Service::Ceph).await;
    place.gateway.run(PutBucketVersioning::new(&place.bucket, true)).await.unwrap();
    place.put("k", "x").await;
    let named = [delete(&place, "k", None).await, delete(&place, "k", None).await].map(|deleted| deleted.version_id);
    let listed = versions(&place, "", 1000).await.into_iter().filter(|version| version.is_delete_marker);
    let listed: Vec<_> = listed.map(|version| Some(version.version_id)).collect();
    // Before Tentacle there is no second one, and the answer names none.
    let expected: Vec<_> = named.into_iter().rev().filter(Option::is_some).collect();
    assert_eq!(listed, expected);
    empty(&place).await;
}

#[tokio::test]
async fn no_time_holds_a_deletion_back_where_versions_are_kept() {
    let place = Place::at(Service::Ceph).await;
    place.gateway.run(PutBucketVersioning::new(&place.bucket, true)).await.unwrap();
    place.put("k", "x").await;
    let mut delete = DeleteObject::new(&place.bucket, "k");
    delete.unmodified_since = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000));
    assert!(place.gateway.run(delete).await.unwrap().is_delete_marker);
    empty(&place).await;
}

#[tokio::test]
async fn versions_are_listed_page_by_page() {
    let place = Place::at(Service::Ceph).await;
    place.put("a", "before").await;
    place.gateway.run(PutBucketVersioning::new(&place.bucket, true)).await.unwrap();
    for (key, content) in [("a", "1"), ("a", "22"), ("b c+%20\u{e9}", "333"), ("z", "4444")] {
        place.put(key, content).await;
    }
    delete(&place, "b c+%20\u{e9}", None).await;
    let all = versions(&place, "", 1000).await;
    let shown: Vec<_> = all
        .iter()
        .map(|version| (version.key.as_str(), version.length, version.is_latest, version.is_delete_marker))
        .collect();
    let expected = [
        ("a", 2, true, false),
        ("a", 1, false, false),
        ("a", 6, false, false),
        ("b c+%20\u{e9}", 0, true, true),
        ("b c+%20\u{e9}", 3, false, false),
        ("z", 4, true, false),
    ];
    assert_eq!(shown, expected);
    assert_eq!(all[2].version_id, "null");
    for size in 1..=3 {
        assert_eq!(versions(&place, "", size).await, all, "pages of {size}");
    }
    assert_eq!(versions(&place, "b", 1000).await, all[3..5]);
    empty(&place).await;
}
