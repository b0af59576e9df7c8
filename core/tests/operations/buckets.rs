//! HeadBucket, CreateBucket, DeleteBucket.

use std::time::{Duration, SystemTime};

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{CreateBucket, DeleteBucket, DeleteObject, HeadBucket, HeadObject, ListObjectsV2};

use crate::support::{EMBEDDED, Place, Service};

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_bucket_comes_and_goes(#[case] service: Service) {
    let place = Place::at(service).await;
    let (gateway, bucket) = (&place.gateway, place.bucket.as_str());
    let date = gateway.run(HeadBucket::new(bucket)).await.unwrap().date.unwrap();
    let apart = SystemTime::now().duration_since(date).unwrap();
    assert!(apart < Duration::from_secs(60), "the gateway's clock is this machine's");
    gateway.run(DeleteBucket::new(bucket)).await.unwrap();
    let gone = gateway.run(HeadBucket::new(bucket)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NoSuchBucket);
    let gone = gateway.run(DeleteBucket::new(bucket)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NoSuchBucket);
    let gone = gateway.run(ListObjectsV2::new(bucket, "")).await.unwrap_err();
    assert_eq!((gone.kind(), gone.service_code()), (ErrorKind::NoSuchBucket, Some("NoSuchBucket")));
    assert_eq!(gone.bucket(), Some(bucket));
    gateway.run(CreateBucket::new(bucket, gateway.settings())).await.unwrap();
    gateway.run(HeadBucket::new(bucket)).await.unwrap();
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_bucket_with_objects_stays(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    let refused = place.gateway.run(DeleteBucket::new(&place.bucket)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::DirectoryNotEmpty);
    place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    place.gateway.run(DeleteObject::new(&place.bucket, "k")).await.unwrap();
    place.gateway.run(DeleteBucket::new(&place.bucket)).await.unwrap();
}
