//! GetObjectTagging and PutObjectTagging.

use std::collections::BTreeMap;
use std::time::Duration;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{
    CompleteMultipartUpload, CompletedPart, CopyObject, CreateMultipartUpload, GetObjectTagging, HeadObject,
    PutObjectTagging, UploadPart,
};
use s3core_gateway::Quirks;

use crate::support::{EMBEDDED, Place, Service, content};

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

async fn found(place: &Place, key: &str) -> BTreeMap<String, String> {
    place.gateway.run(GetObjectTagging::new(&place.bucket, key)).await.unwrap()
}

async fn put(place: &Place, key: &str, tags: BTreeMap<String, String>) {
    place.gateway.run(PutObjectTagging::new(&place.bucket, key, tags)).await.unwrap();
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn tags_come_back(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    assert!(found(&place, "k").await.is_empty());
    let first = tags(&[("a b", "c<&>\"d"), ("\u{e9}+/=", ""), ("class", "gold")]);
    put(&place, "k", first.clone()).await;
    assert_eq!(found(&place, "k").await, first);
    assert_eq!(place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap().tags, 3);
    place.gateway.run(CopyObject::new(&place.bucket, "k", &place.bucket, "copy")).await.unwrap();
    assert_eq!(found(&place, "copy").await, first);
    put(&place, "k", tags(&[("only", "one")])).await;
    assert_eq!(found(&place, "k").await, tags(&[("only", "one")]));
    put(&place, "k", BTreeMap::new()).await;
    assert!(found(&place, "k").await.is_empty());
    let missing = place.gateway.run(GetObjectTagging::new(&place.bucket, "none")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn an_object_of_parts_has_tags_too(#[case] service: Service) {
    let place = Place::at(service).await;
    let upload = place.gateway.run(CreateMultipartUpload::new(&place.bucket, "k")).await.unwrap();
    let part = UploadPart::new(&place.bucket, "k", &upload, 1, content(1000, 1));
    let etag = place.gateway.run(part).await.unwrap();
    let parts = vec![CompletedPart { number: 1, etag }];
    place.gateway.run(CompleteMultipartUpload::new(&place.bucket, "k", &upload, parts, 1000)).await.unwrap();
    put(&place, "k", tags(&[("a", "1")])).await;
    assert_eq!(found(&place, "k").await, tags(&[("a", "1")]));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn new_tags_make_an_object_new_before_reef(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    let modified = async || place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap().modified;
    let before = modified().await;
    tokio::time::sleep(Duration::from_millis(1100)).await;
    put(&place, "k", tags(&[("a", "1")])).await;
    let is_pacific = match service {
        Service::Ceph => std::env::var("S3CORE_TEST_CEPH_RELEASE").unwrap() == "pacific",
        other => other == Service::Embedded(Quirks::Pacific),
    };
    assert_eq!(modified().await > before, is_pacific);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn eleven_tags_are_refused(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    let many = (0..11).map(|number| (format!("k{number}"), "v".to_owned())).collect();
    let refused = place.gateway.run(PutObjectTagging::new(&place.bucket, "k", many)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BadRequest);
    assert!(found(&place, "k").await.is_empty());
}
