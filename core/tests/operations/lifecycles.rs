//! GetBucketLifecycleConfiguration, PutBucketLifecycleConfiguration, DeleteBucketLifecycle.

use std::time::Duration;

use rstest::rstest;
use s3core::ops::{
    DeleteBucketLifecycle, GetBucketLifecycleConfiguration, HeadBucket, HeadObject, LifecycleConfiguration,
    LifecycleRule, PutBucketLifecycleConfiguration,
};
use s3core::{ErrorKind, Result};

use crate::support::{EMBEDDED, Place, Service};

async fn rules(place: &Place) -> Vec<LifecycleRule> {
    place.gateway.run(GetBucketLifecycleConfiguration::new(&place.bucket)).await.unwrap().rules
}

async fn put(place: &Place, rules: Vec<LifecycleRule>) -> Result<()> {
    let configuration = LifecycleConfiguration { rules, minimum_size: None };
    place.gateway.run(PutBucketLifecycleConfiguration::new(&place.bucket, configuration)).await
}

fn cold(id: &str, prefix: &str) -> LifecycleRule {
    LifecycleRule::transition(id, prefix, 0, "COLD").unwrap()
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn rules_come_and_go(#[case] service: Service) {
    let place = Place::at(service).await;
    assert_eq!(rules(&place).await, []);
    let own = [cold("s3core-1", "a b&/day=2024-01-01/"), cold("s3core-2", "\u{e9}+%20/")];
    put(&place, own.to_vec()).await.unwrap();
    let found = rules(&place).await;
    assert!(found.iter().zip(&own).all(|(found, own)| found.means(own)) && found.len() == 2, "{found:?}");
    // What a gateway has written it writes again in the same way.
    put(&place, found.clone()).await.unwrap();
    assert_eq!(rules(&place).await, found);
    for _ in 0..2 {
        place.gateway.run(DeleteBucketLifecycle::new(&place.bucket)).await.unwrap();
        assert_eq!(rules(&place).await, []);
    }
    place.gateway.run(HeadBucket::new(&place.bucket)).await.unwrap();
}

/// Every kind of rule that Radosgw has had since Pacific.
const FOREIGN: [&str; 9] = [
    "<ID>1</ID><Filter><And><Prefix>a &amp; b/</Prefix><Tag><Key>k</Key><Value> v </Value></Tag><Tag><Key>l</Key><Value>w</Value>\
     </Tag></And></Filter><Status>Enabled</Status><Expiration><Days>900</Days></Expiration>",
    "<ID>2</ID><Filter><And><Prefix>p/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag></And></Filter><Status>Enabled</Status>\
     <Expiration><Date>2040-01-01T00:00:00.000Z</Date></Expiration>",
    "<ID>3</ID><Filter><And><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value>w</Value></Tag></And></Filter>\
     <Status>Enabled</Status><Transition><Date>2040-01-01T00:00:00.000Z</Date><StorageClass>COLD</StorageClass></Transition>",
    "<ID>4</ID><Filter><Tag><Key>k</Key><Value>v</Value></Tag></Filter><Status>Disabled</Status><Transition><Days>900</Days>\
     <StorageClass>COLD</StorageClass></Transition><Transition><Days>1800</Days><StorageClass>STANDARD</StorageClass></Transition>",
    "<ID>5</ID><Prefix>old/</Prefix><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>90\
     </DaysAfterInitiation></AbortIncompleteMultipartUpload>",
    "<ID>6</ID><Filter/><Status>Enabled</Status><NoncurrentVersionExpiration><NoncurrentDays>90</NoncurrentDays>\
     </NoncurrentVersionExpiration><NoncurrentVersionTransition><NoncurrentDays>30</NoncurrentDays><StorageClass>COLD\
     </StorageClass></NoncurrentVersionTransition>",
    "<ID>7</ID><Filter><Prefix>marked/</Prefix></Filter><Status>Enabled</Status><Expiration><ExpiredObjectDeleteMarker>true\
     </ExpiredObjectDeleteMarker></Expiration>",
    "<ID>8</ID><Filter><And><Prefix>large/</Prefix><Tag><Key>k</Key><Value>v</Value></Tag><Tag><Key>l</Key><Value>w</Value></Tag>\
     <ObjectSizeGreaterThan>500</ObjectSizeGreaterThan><ObjectSizeLessThan>5000</ObjectSizeLessThan></And></Filter>\
     <Status>Enabled</Status><Expiration><Days>900</Days></Expiration>",
    "<ID>9</ID><Filter><Prefix></Prefix></Filter><Status>Disabled</Status><Expiration><Days>900</Days></Expiration>",
];

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn rules_of_every_kind_stay_byte_for_byte(#[case] service: Service) {
    let place = Place::at(service).await;
    let foreign = FOREIGN.map(|rule| format!("<Rule>{rule}</Rule>").parse::<LifecycleRule>().unwrap());
    put(&place, foreign.to_vec()).await.unwrap();
    let found = rules(&place).await;
    assert_eq!(found.len(), foreign.len());
    for (found, foreign) in found.iter().zip(&foreign) {
        let said = |rule: &LifecycleRule| (rule.id().to_owned(), rule.is_enabled(), rule.filter().prefix.clone());
        assert_eq!(said(found), said(foreign));
        assert_eq!((&found.filter().tags, found.actions()), (&foreign.filter().tags, foreign.actions()));
    }
    // As a rule comes and goes beside them.
    for others in [vec![cold("s3core-1", "x/")], Vec::new()] {
        put(&place, found.iter().cloned().chain(others).collect()).await.unwrap();
        let kept = rules(&place).await.into_iter().filter(|rule| rule.id() != "s3core-1");
        assert_eq!(kept.collect::<Vec<_>>(), found);
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn two_rules_of_one_id_are_refused(#[case] service: Service) {
    let place = Place::at(service).await;
    let refused = put(&place, vec![cold("a", "x/"), cold("a", "y/")]).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BadRequest);
    let missing = GetBucketLifecycleConfiguration::new("no-such-bucket-here");
    assert_eq!(place.gateway.run(missing).await.unwrap_err().kind(), ErrorKind::NoSuchBucket);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_transition_keeps_time_and_etag(#[case] service: Service) {
    let place = Place::at(service).await;
    for key in ["p/k", "q/k"] {
        place.put(key, "x").await;
    }
    let head = async |key| place.gateway.run(HeadObject::new(&place.bucket, key)).await.unwrap();
    let before = head("p/k").await;
    put(&place, vec![cold("s3core-1", "p/")]).await.unwrap();
    if let Some(embedded) = &place.running.embedded {
        assert_eq!((embedded.run_lifecycle(), embedded.run_lifecycle()), (1, 0));
    }
    // Lifecycle days of the test cluster last 10 s.
    for _ in 0..120 {
        if head("p/k").await.storage_class.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    let after = head("p/k").await;
    assert_eq!(after.storage_class.as_deref(), Some("COLD"));
    assert_eq!((after.modified, after.etag), (before.modified, before.etag));
    assert_eq!(head("q/k").await.storage_class, None);
}

#[tokio::test]
async fn the_embedded_endpoint_can_wait_before_it_carries_out_rules() {
    const DELAY: Duration = Duration::from_millis(300);
    let place = Place::at(EMBEDDED).await;
    place.running.embedded.as_ref().unwrap().set_lifecycle_delay(Some(DELAY));
    place.put("p/k", "x").await;
    put(&place, vec![cold("s3core-1", "p/")]).await.unwrap();
    let class = async || place.gateway.run(HeadObject::new(&place.bucket, "p/k")).await.unwrap().storage_class;
    assert_eq!(class().await, None);
    tokio::time::sleep(DELAY).await;
    assert_eq!(class().await.as_deref(), Some("COLD"));
}
