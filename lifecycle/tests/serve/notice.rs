//! A unit goes when it was announced for long enough, as it is.

use jiff::Timestamp;
use rstest::rstest;
use serde_json::json;

use super::lake::Lake;
use super::{approve_all, hours_pass, round, rules, with_message};

const PARTITIONS: &str = "\
version: 1
defaults: {settle: 0h, notice: 2h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: drop, when: {older_than: 1y}, then: expire}
      - {name: recent, keep: {newest: 1, of: partition}}
";

/// Ages of objects are hours at least, so that what is due is due from the first moment.
const OBJECTS: &str = "\
version: 1
defaults: {settle: 0h, notice: 2h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    unit: object
    age: {from: newest_object}
    rules: [{name: drop, when: {older_than: 0h}, then: expire}]
";

fn days(days: std::ops::RangeInclusive<u32>) -> impl Iterator<Item = String> {
    days.map(|day| format!("events/day=2020-01-0{day}/a"))
}

#[rstest]
#[case(PARTITIONS, 2)]
#[case(OBJECTS, 3)]
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_goes_when_the_notice_is_over_and_what_is_younger_waits(#[case] policy: &str, #[case] due: u64) {
    let lake = Lake::new().await;
    lake.policy(policy);
    lake.put_all(days(1..=3)).await;
    lake.rest().await;
    approve_all(&lake);
    // Nothing is announced before it was approved: the first round with the approval does it.
    assert_eq!(rules(&lake)[0]["announcements"], json!([]));
    let logged = round(&lake);
    let announced = with_message(&logged, "announced");
    assert_eq!((announced.len(), &announced[0]["units"]), (1, &json!(due)), "{logged:?}");
    let from: Timestamp = announced[0]["from"].as_str().unwrap().parse().unwrap();
    let time = lake.state.time().await.unwrap();
    assert!(from.duration_since(time).as_secs() > 7100, "{from} {time}");
    let status = lake.run(&["status", "policy.yaml"]);
    let line = format!("drop of events: expire {due} units ({due} objects, {due}0 B), announced at ");
    assert!(status.out.contains(&line) && status.out.contains("goes from"), "{status:?}");

    hours_pass(&lake, 1).await;
    let logged = round(&lake);
    assert!(with_message(&logged, "announced").is_empty() && with_message(&logged, "done").is_empty(), "{logged:?}");

    // A day that is older than all of them, but was written since; and one that was written again.
    lake.put("events/day=2019-12-31/late").await;
    lake.put("events/day=2020-01-01/again").await;
    lake.rest().await;
    hours_pass(&lake, 1).await;
    let logged = round(&lake);
    assert_eq!(with_message(&logged, "done")[0]["objects"], due - u64::from(policy == PARTITIONS), "{logged:?}");
    let left = lake.listed("events/").await;
    let left: Vec<_> = left.iter().map(|object| object.key.as_str()).collect();
    if policy == PARTITIONS {
        let expected = ["2019-12-31/late", "2020-01-01/a", "2020-01-01/again", "2020-01-03/a"];
        assert_eq!(left, expected.map(|name| format!("events/day={name}")));
    } else {
        assert_eq!(left, ["events/day=2019-12-31/late", "events/day=2020-01-01/again"]);
    }
    let announced = with_message(&logged, "announced");
    assert_eq!((announced.len(), &announced[0]["units"]), (1, &json!(2)), "{logged:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_newer_partition_lets_go_was_not_announced() {
    let lake = Lake::new().await;
    lake.policy(PARTITIONS);
    lake.put_all(days(1..=3)).await;
    lake.rest().await;
    approve_all(&lake);
    round(&lake);
    lake.put_all(days(4..=4)).await;
    lake.rest().await;
    hours_pass(&lake, 2).await;
    round(&lake);
    let left: Vec<_> = lake.listed("events/").await.into_iter().map(|object| object.key).collect();
    assert_eq!(left, days(3..=4).collect::<Vec<_>>());
    assert_eq!(rules(&lake)[0]["announcements"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_lifted_hold_lets_go_is_announced_first() {
    let lake = Lake::new().await;
    let hold = "hold: [{path: \"s3a://BUCKET/events/day=2020-01-01/\", reason: audit}]\ndatasets:";
    lake.policy(&PARTITIONS.replace("datasets:", hold));
    lake.put_all(days(1..=3)).await;
    lake.rest().await;
    approve_all(&lake);
    round(&lake);
    hours_pass(&lake, 2).await;
    lake.policy(PARTITIONS);
    let logged = round(&lake);
    assert!(with_message(&logged, "done").is_empty(), "{logged:?}");
    assert_eq!(with_message(&logged, "announced")[0]["units"], 2, "{logged:?}");
    hours_pass(&lake, 2).await;
    assert_eq!(with_message(&round(&lake), "done")[0]["units"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn policies_at_one_path_and_one_that_gets_a_dataset_keep_their_announcements() {
    let lake = Lake::new().await;
    let other = PARTITIONS.replace("events", "other");
    let (_, dataset) = other.split_once("datasets:\n").unwrap();
    lake.put_all(days(1..=3).chain(days(1..=3).map(|key| key.replace("events", "other")))).await;
    lake.rest().await;
    // Those of two teams, each in a container of its own.
    for policy in [PARTITIONS, &other] {
        lake.policy(policy);
        approve_all(&lake);
        assert_eq!(with_message(&round(&lake), "announced").len(), 1);
    }
    for policy in [PARTITIONS, &other, &format!("{PARTITIONS}{dataset}")] {
        lake.policy(policy);
        let logged = round(&lake);
        assert!(with_message(&logged, "announced").is_empty(), "{logged:?}");
    }
    hours_pass(&lake, 2).await;
    assert_eq!(with_message(&round(&lake), "done").len(), 2);
}
