//! Units that move to another storage class by the gateway's own rules, on real Ceph and on the embedded endpoint.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod back;
mod holds;
mod lake;
mod native;
mod parts;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use lake::{Lake, Service};
use rstest::rstest;
use s3core::ops::{
    AccessControlList, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, GetObjectAcl, GetObjectTagging,
    HeadObject, LifecycleRule, ListObjectsV2, PutObjectTagging, UploadPart,
};
use s3core::{Error, ErrorKind, Result};
use s3life::tier::{AT_ONCE, Rules, TierUnit, Tiering};

const RUN: &str = "20261125T120000Z-0a1b2c3d";
/// Rules of somebody else's: one with everything that a filter can have, and one in the form before filters.
const FOREIGN: [&str; 2] = [
    "<Rule><ID>theirs</ID><Filter><And><Prefix>other/</Prefix><Tag><Key>keep</Key><Value>no &amp; never</Value></Tag>\
     <Tag><Key>team</Key><Value>risk</Value></Tag><ObjectSizeGreaterThan>500</ObjectSizeGreaterThan></And></Filter>\
     <Status>Enabled</Status><Expiration><Days>3650</Days></Expiration></Rule>",
    "<Rule><ID>uploads</ID><Prefix></Prefix><Status>Enabled</Status><AbortIncompleteMultipartUpload><DaysAfterInitiation>7000\
     </DaysAfterInitiation></AbortIncompleteMultipartUpload></Rule>",
];

/// What must not change while an object moves.
#[derive(Debug, Clone, PartialEq)]
struct Known {
    length: u64,
    etag: Option<String>,
    modified: Option<SystemTime>,
    content_type: Option<String>,
    metadata: BTreeMap<String, String>,
    tags: BTreeMap<String, String>,
    acl: AccessControlList,
}

async fn known(lake: &Lake, key: &str) -> Known {
    let head = lake.gateway.run(HeadObject::new(&lake.bucket, key)).await.unwrap();
    Known {
        length: head.length,
        etag: head.etag,
        modified: head.modified,
        content_type: head.content_type,
        metadata: head.metadata,
        tags: lake.gateway.run(GetObjectTagging::new(&lake.bucket, key)).await.unwrap(),
        acl: lake.gateway.run(GetObjectAcl::new(&lake.bucket, key)).await.unwrap(),
    }
}

/// Keys with times, ETags and classes, as listed.
async fn listed(lake: &Lake) -> Vec<(String, Option<SystemTime>, Option<String>, String)> {
    let page = lake.gateway.run(ListObjectsV2::new(&lake.bucket, "events/")).await.unwrap();
    assert!(page.next.is_none());
    let entry = |object: s3core::ops::ListedObject| {
        (object.key, object.modified, object.etag, object.storage_class.unwrap_or_else(|| "STANDARD".into()))
    };
    page.objects.into_iter().map(entry).collect()
}

async fn put_in_parts(lake: &Lake, key: &str) {
    let upload = lake.gateway.run(CreateMultipartUpload::new(&lake.bucket, key)).await.unwrap();
    let mut parts = Vec::new();
    for (number, length) in [(1, 5 << 20), (2, 1000)] {
        let part = UploadPart::new(&lake.bucket, key, &upload, number, Bytes::from(vec![7; length]));
        parts.push(CompletedPart { number, etag: lake.gateway.run(part).await.unwrap() });
    }
    let complete = CompleteMultipartUpload::new(&lake.bucket, key, &upload, parts, (5 << 20) + 1000);
    lake.gateway.run(complete).await.unwrap();
}

fn day(number: usize) -> String {
    format!("events/day={number:03}/")
}

fn units(days: usize, class: &str) -> Vec<TierUnit> {
    (0..days).map(|number| TierUnit { prefix: day(number), class: class.to_owned() }).collect()
}

fn held() -> Result<()> {
    Ok(())
}

/// Until the gateway has moved everything; returns the prefixes in the order in which they were done.
async fn tier(lake: &Lake, units: Vec<TierUnit>, at_once: usize) -> Vec<String> {
    let deadline = Instant::now() + Duration::from_secs(300);
    let mut tiering = Tiering::start(&lake.gateway, &lake.bucket, RUN, units, Vec::new(), at_once).await.unwrap();
    let mut done = Vec::new();
    loop {
        done.extend(tiering.progress(held).await.unwrap().into_iter().map(|unit| unit.prefix));
        let (moving, waiting) = tiering.left();
        assert!(moving <= at_once && (moving == at_once || waiting == 0), "{moving} {waiting}");
        if tiering.is_done() {
            return done;
        }
        assert!(Instant::now() < deadline, "{moving} units are moving, {waiting} wait, done: {done:?}");
        lake.let_rules_work().await;
    }
}

/// Ceph 16 takes about a second for each rule.
#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_partitions_move_and_nothing_else_changes(#[case] service: Service) {
    let days = 100;
    let lake = Lake::at(service).await;
    for number in 0..days {
        for file in ["_SUCCESS", "part-0"] {
            lake.put(&format!("{}{file}", day(number)), "some bytes").await;
        }
    }
    let in_parts = format!("{}part-1", day(3));
    put_in_parts(&lake, &in_parts).await;
    lake.put("events/day=0030/a", "a neighbour with the same first letters").await;
    let tagged = format!("{}part-0", day(5));
    for key in [&tagged, &in_parts] {
        let tags = [("team".to_owned(), "a b".to_owned())].into();
        lake.gateway.run(PutObjectTagging::new(&lake.bucket, key, tags)).await.unwrap();
    }
    let foreign = lake.put_rules(&FOREIGN).await;
    let (before, kept) = (listed(&lake).await, [known(&lake, &tagged).await, known(&lake, &in_parts).await]);
    // Time that passes is time that a move could have set.
    tokio::time::sleep(Duration::from_millis(1100)).await;

    let done = tier(&lake, units(days, "COLD"), AT_ONCE).await;
    assert_eq!(done.len(), days);
    let expected: Vec<_> = before
        .iter()
        .cloned()
        .map(
            |entry| if entry.0.contains("/day=0030/") { entry } else { (entry.0, entry.1, entry.2, "COLD".to_owned()) },
        )
        .collect();
    assert_eq!(listed(&lake).await, expected);
    assert_eq!([known(&lake, &tagged).await, known(&lake, &in_parts).await], kept);
    assert_eq!(lake.rules().await, foreign);

    // Back, by the same way.
    tier(&lake, units(6, "STANDARD"), 8).await;
    let back: Vec<_> = listed(&lake).await.into_iter().take(14).collect();
    assert_eq!(back, before[..14]);
    assert_eq!(known(&lake, &in_parts).await, kept[1]);
    assert_eq!(lake.rules().await, foreign);
    lake.remove().await;
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_taken_over_goes_on(#[case] service: Service) {
    let lake = Lake::at(service).await;
    for number in 0..3 {
        lake.put(&format!("{}a", day(number)), "x").await;
    }
    let mut first = Tiering::start(&lake.gateway, &lake.bucket, RUN, units(3, "COLD"), Vec::new(), 1).await.unwrap();
    first.progress(held).await.unwrap();
    let [one] = &lake.rules().await[..] else { panic!("one unit at a time") };
    assert_eq!((one.id(), one.filter().prefix.as_str()), (format!("s3core-{RUN}-0").as_str(), day(0).as_str()));
    drop(first);
    // Another run's rule on the same prefix gives way, one on another prefix stays.
    let mut other = Rules::read(&lake.gateway, &lake.bucket).await.unwrap();
    let elsewhere = LifecycleRule::transition("s3core-other-1-0", "elsewhere/", 0, "COLD").unwrap();
    let beneath = LifecycleRule::transition("s3core-other-1-1", "events/", 0, "STANDARD").unwrap();
    other.replace("other-1", vec![elsewhere.clone(), beneath], held).await.unwrap();

    let done = tier(&lake, units(3, "COLD"), 2).await;
    assert_eq!(done.len(), 3);
    let left = lake.rules().await;
    assert!(left.len() == 1 && left[0].means(&elsewhere), "{left:?}");
    other.replace("other-1", Vec::new(), held).await.unwrap();
    assert_eq!(lake.rules().await, []);
    lake.remove().await;
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_given_up_takes_its_rules_along(#[case] service: Service) {
    let lake = Lake::at(service).await;
    lake.put("elsewhere/a", "x").await;
    let days = AT_ONCE + 10;
    for number in 0..days {
        lake.put(&format!("{}a", day(number)), "x").await;
    }
    let foreign = lake.put_rules(&FOREIGN).await;
    let mut tiering =
        Tiering::start(&lake.gateway, &lake.bucket, RUN, units(days, "NOWHERE"), Vec::new(), AT_ONCE).await.unwrap();
    assert_eq!(tiering.progress(held).await.unwrap(), []);
    assert_eq!((lake.rules().await.len(), tiering.left()), (foreign.len() + AT_ONCE, (AT_ONCE, 10)));
    let mut rules = Rules::read(&lake.gateway, &lake.bucket).await.unwrap();
    rules.replace(RUN, Vec::new(), held).await.unwrap();
    assert_eq!(lake.rules().await, foreign);
    lake.remove().await;
}

#[rstest]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_the_lease_writes_nothing(#[case] service: Service) {
    let lake = Lake::at(service).await;
    lake.put(&format!("{}a", day(0)), "x").await;
    let mut tiering = Tiering::start(&lake.gateway, &lake.bucket, RUN, units(1, "COLD"), Vec::new(), 8).await.unwrap();
    let asked = AtomicUsize::new(0);
    let lost = || {
        asked.fetch_add(1, Ordering::Relaxed);
        Err(Error::new(ErrorKind::Interrupted, "the lease is another's"))
    };
    assert_eq!(tiering.progress(lost).await.unwrap_err().kind(), ErrorKind::Interrupted);
    assert_eq!((lake.rules().await, asked.load(Ordering::Relaxed)), (Vec::new(), 1));
    // What nobody was told yet is told later.
    tiering.progress(held).await.unwrap();
    assert_eq!(lake.rules().await.len(), 1);
    lake.let_rules_work().await;
    assert_eq!(tiering.progress(held).await.unwrap(), units(1, "COLD"));
    lake.remove().await;
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn rules_of_others_are_named_or_stop_the_plan(#[case] service: Service) {
    let lake = Lake::at(service).await;
    let datasets = [("other", "other/"), ("events", "events/")];
    let named = async || {
        let rules = Rules::read(&lake.gateway, &lake.bucket).await.unwrap();
        rules.conflicts(datasets).map(|found| found.into_iter().map(|met| (met.dataset, met.rule)).collect::<Vec<_>>())
    };
    assert_eq!(named().await.unwrap(), []);
    lake.put_rules(&FOREIGN).await;
    let pair = |dataset: &str, rule: &str| (dataset.to_owned(), rule.to_owned());
    assert_eq!(named().await.unwrap(), [pair("other", "theirs"), pair("other", "uploads"), pair("events", "uploads")]);
    let everywhere = "<Rule><ID>sweep all</ID><Filter><Tag><Key>a</Key><Value>b</Value></Tag></Filter><Status>Enabled</Status>\
                      <Expiration><Days>9000</Days></Expiration></Rule>";
    lake.put_rules(&[everywhere]).await;
    let refused = named().await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidOption);
    assert!(refused.message().contains("`sweep all`") && refused.message().contains(".s3core/"), "{refused}");
    lake.put_rules(&[&everywhere.replace("Enabled", "Disabled")]).await;
    assert_eq!(named().await.unwrap(), []);
    lake.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_directories_outside_of_the_own_state_move() {
    let lake = Lake::at(Service::Embedded).await;
    for prefix in ["events/day=1", "", ".s3core/", ".s3core/trash/"] {
        let unit = TierUnit { prefix: prefix.to_owned(), class: "COLD".to_owned() };
        let refused = Tiering::start(&lake.gateway, &lake.bucket, RUN, vec![unit], Vec::new(), 8).await.err().unwrap();
        assert_eq!(refused.kind(), ErrorKind::Unsupported, "{prefix}");
    }
    lake.remove().await;
}
