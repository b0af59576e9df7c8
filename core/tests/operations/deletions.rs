//! DeleteObject and DeleteObjects.

use std::time::Duration;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{DeleteObject, DeleteObjects, HeadObject, ListObjectsV2};
use s3core_gateway::Quirks;

use crate::support::{EMBEDDED, Place, Service};

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn deleting_twice_is_deleting(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    for _ in 0..2 {
        place.gateway.run(DeleteObject::new(&place.bucket, "k")).await.unwrap();
        let gone = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}

#[rstest]
#[case::embedded(EMBEDDED)]
#[case::embedded_tentacle(Service::Embedded(Quirks::Tentacle))]
#[tokio::test]
async fn only_the_known_object(#[case] service: Service) {
    let place = Place::at(service).await;
    let etag = place.put("k", "x").await;
    let mut delete = DeleteObject::new(&place.bucket, "k");
    delete.if_match = Some("0123456789abcdef0123456789abcdef".to_owned());
    let refused = place.gateway.run(delete.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(place.get("k").await, b"x");
    delete.if_match = Some(etag);
    place.gateway.run(delete).await.unwrap();
    assert!(place.gateway.run(HeadObject::new(&place.bucket, "k")).await.is_err());
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn only_what_is_old_enough(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    let modified = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap().modified.unwrap();
    let mut delete = DeleteObject::new(&place.bucket, "k");
    delete.unmodified_since = Some(modified - Duration::from_secs(60));
    let refused = place.gateway.run(delete.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    delete.unmodified_since = Some(modified + Duration::from_secs(60));
    place.gateway.run(delete).await.unwrap();
    assert!(place.gateway.run(HeadObject::new(&place.bucket, "k")).await.is_err());
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn many_at_once(#[case] service: Service) {
    let place = Place::at(service).await;
    let keys = ["plain", "a b+c", "\u{e9}<&>\"'", "tab\tcr\rlf\n", "a%20b"];
    for key in keys {
        assert!(DeleteObjects::can_name(key));
        place.put(key, "x").await;
    }
    place.put("stays", "x").await;
    let named = keys.iter().map(|key| (*key).to_owned()).chain(["missing".to_owned()]);
    let failures = place.gateway.run(DeleteObjects::new(&place.bucket, named.collect())).await.unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    let page = place.gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap();
    assert_eq!(page.objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), ["stays"]);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_thousand_at_once(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k/0999", "x").await;
    let keys: Vec<_> = (0..DeleteObjects::MOST_KEYS).map(|number| format!("k/{number:04}")).collect();
    let failures = place.gateway.run(DeleteObjects::new(&place.bucket, keys)).await.unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    assert!(place.gateway.run(HeadObject::new(&place.bucket, "k/0999")).await.is_err());
}
