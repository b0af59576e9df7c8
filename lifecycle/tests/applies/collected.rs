//! The gateway collects its garbage between a run and its undoing: nothing of what comes back is missing.

use std::collections::BTreeMap;

use bytes::Bytes;
use rstest::rstest;
use s3core::ops::{
    AccessControlList, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, DeleteObject, GetObject,
    GetObjectAcl, GetObjectTagging, HeadObject, ListedObject, ObjectHead, PutBucketVersioning, PutObject, PutObjectAcl,
    PutObjectTagging, UploadPart,
};
use sha2::{Digest, Sha256};

use super::lake::Lake;
use super::lake::admin::{limit_bucket, radosgw_admin};
use super::{POLICY, apply, name};

/// All that can be known of an object but its time.
#[derive(Debug, PartialEq)]
struct Whole {
    sha256: Vec<u8>,
    length: u64,
    etag: Option<String>,
    content_type: Option<String>,
    class: String,
    metadata: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    list: AccessControlList,
}

async fn whole(lake: &Lake, key: &str) -> Whole {
    let (gateway, bucket) = (&lake.gateway, lake.bucket.as_str());
    let mut body: Vec<Bytes> = Vec::new();
    gateway.run(GetObject::new(bucket, key, &mut body)).await.unwrap();
    let ObjectHead { length, etag, content_type, storage_class, metadata, .. } =
        gateway.run(HeadObject::new(bucket, key)).await.unwrap();
    Whole {
        sha256: Sha256::digest(body.concat()).to_vec(),
        length,
        etag,
        content_type,
        // A copy names the class that its source had without naming it.
        class: storage_class.unwrap_or_else(|| "STANDARD".to_owned()),
        metadata,
        tags: gateway.run(GetObjectTagging::new(bucket, key)).await.unwrap(),
        list: gateway.run(GetObjectAcl::new(bucket, key)).await.unwrap(),
    }
}

async fn all(lake: &Lake) -> BTreeMap<String, Whole> {
    let mut all = BTreeMap::new();
    for object in lake.listed("events/").await {
        all.insert(object.key.clone(), whole(lake, &object.key).await);
    }
    all
}

/// Bytes that no other part has, so that none are shared.
fn bytes(length: usize, seed: u8) -> Bytes {
    (0..length).map(|index| (index / 251) as u8 ^ (index as u8).wrapping_mul(seed)).collect::<Vec<u8>>().into()
}

async fn put(lake: &Lake, name: &str, class: Option<&str>, body: Bytes) {
    let mut put = PutObject::new(&lake.bucket, &format!("events/day=2020-01-01/{name}"), body);
    put.attributes.content_type = Some("application/x-rows".to_owned());
    put.attributes.storage_class = class.map(str::to_owned);
    put.attributes.metadata = [("owner".to_owned(), "risk".to_owned())].into();
    lake.gateway.run(put).await.unwrap();
}

async fn put_in_parts(lake: &Lake, name: &str, class: Option<&str>, seed: u8) {
    let (gateway, bucket, key) = (&lake.gateway, lake.bucket.as_str(), format!("events/day=2020-01-01/{name}"));
    let mut create = CreateMultipartUpload::new(bucket, &key);
    create.attributes.storage_class = class.map(str::to_owned);
    create.attributes.content_type = Some("application/x-rows".to_owned());
    let id = gateway.run(create).await.unwrap();
    let (mut parts, mut length) = (Vec::new(), 0);
    for (number, body) in [(1, bytes(6 << 20, seed)), (2, bytes(5 << 20, seed + 2))] {
        let part = UploadPart::new(bucket, &key, &id, number, body);
        length += part.payload.len();
        parts.push(CompletedPart { number, etag: gateway.run(part).await.unwrap() });
    }
    gateway.run(CompleteMultipartUpload::new(bucket, &key, &id, parts, length)).await.unwrap();
}

/// Objects with tags and a list of their own.
const LABELLED: [&str; 2] = ["small", "parts"];

async fn filled(keeps_versions: bool) -> Lake {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    if keeps_versions {
        lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    }
    put(&lake, "_SUCCESS", None, Bytes::new()).await;
    put(&lake, "small", None, bytes(1000, 3)).await;
    put(&lake, "large", None, bytes(9 << 20, 5)).await;
    put(&lake, "cold", Some("COLD"), bytes(9 << 20, 7)).await;
    put_in_parts(&lake, "parts", None, 11).await;
    put_in_parts(&lake, "cold parts", Some("COLD"), 13).await;
    for name in LABELLED {
        let (gateway, bucket, key) = (&lake.gateway, lake.bucket.as_str(), format!("events/day=2020-01-01/{name}"));
        let tags = [("team".to_owned(), "risk".to_owned())].into();
        gateway.run(PutObjectTagging::new(bucket, &key, tags)).await.unwrap();
        let list = gateway.run(GetObjectAcl::new(bucket, &key)).await.unwrap();
        let grant = "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
                     <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>";
        let public = list.as_str().replace("</AccessControlList>", &format!("{grant}</AccessControlList>"));
        gateway.run(PutObjectAcl::new(bucket, &key, public.parse().unwrap())).await.unwrap();
    }
    lake.rest().await;
    lake
}

/// What was removed and is referred to by nobody is gone for good then.
fn collect_garbage() {
    let collected = radosgw_admin().args(["gc", "process", "--include-all"]).output().unwrap();
    assert!(collected.status.success(), "{collected:?}");
}

#[rstest]
#[case::in_the_trash(false)]
#[case::versions(true)]
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_is_whole_after_garbage_was_collected(#[case] keeps_versions: bool) {
    let lake = filled(keeps_versions).await;
    let (before, listed) = (all(&lake).await, lake.listed("events/").await);
    assert_eq!(before.len(), 6);
    let run = apply(&lake);
    assert_eq!((&run["actions"]["expire"]["objects"], lake.listed("events/").await.len()), (&6.into(), 0));
    collect_garbage();
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    // The copies are gone, too, and what they alone referred to.
    collect_garbage();
    assert_eq!(all(&lake).await, before);
    if keeps_versions {
        // Also the times. Pacific tells two of an object whose tags or list were changed.
        let has_one = |object: &ListedObject| !LABELLED.iter().any(|name| object.key.ends_with(&format!("/{name}")));
        let times = |mut listed: Vec<ListedObject>| {
            listed.retain(has_one);
            listed
        };
        assert_eq!(times(lake.listed("events/").await), times(listed));
    }
}

/// A unit of which one object finds room in the trash and another one does not, beside a unit that goes.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_full_bucket_holds_is_whole_after_garbage_was_collected() {
    let lake = filled(false).await;
    for name in ["cold", "cold parts"] {
        let key = format!("events/day=2020-01-01/{name}");
        lake.gateway.run(DeleteObject::new(&lake.bucket, &key)).await.unwrap();
    }
    let goes = PutObject::new(&lake.bucket, "events/day=2020-01-02/small", bytes(1000, 17));
    lake.gateway.run(goes).await.unwrap();
    lake.rest().await;
    let before = all(&lake).await;
    // 20 MiB are there: 9 more fit, with the journal, and 11 do not.
    limit_bucket(&lake.gateway, &lake.bucket, (30 << 20) + (512 << 10)).await;
    let run = apply(&lake);
    let objects = |action: &str| run["actions"][action]["objects"].as_u64();
    assert_eq!((objects("held"), objects("expire")), (Some(4), Some(1)), "{run}");
    assert_eq!(lake.listed("events/").await.len(), 4);
    // Of the copy that found room nothing is left, and what it shared with its source is.
    assert_eq!(lake.listed(".s3core/trash/").await.len(), 1);
    collect_garbage();
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    collect_garbage();
    assert_eq!(all(&lake).await, before);
}
