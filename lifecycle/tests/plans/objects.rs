//! Datasets in which each object is a unit.

use std::time::Duration;

use super::lake::{Lake, summary, units};

const POLICY: &str = "\
version: 1
hold:
  - {path: \"s3a://BUCKET/tmp/held/\", reason: audit}
datasets:
  - name: scratch
    location: s3a://BUCKET/tmp/
    age: {from: newest_object}
    unit: object
    settle: 0h
    guard: {max_removed: none}
    rules:
      - {name: temporary, when: {older_than: 3d, name: '*.tmp'}, then: expire}
      - {name: sweep, then: sweep_abandoned}
";

#[tokio::test(flavor = "multi_thread")]
async fn objects_go_one_by_one() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put_all([
        "tmp/a.tmp",
        "tmp/b",
        "tmp/c/d.tmp",
        "tmp/c/_temporary/0/x.tmp",
        "tmp/c/_temporary/0/y",
        "tmp/c/",
        "tmp/held/e.tmp",
    ])
    .await;
    lake.rest().await;
    let plan = lake.planned("2036-01-01T00:00:00Z");
    assert_eq!(units(&plan, "temporary"), ["tmp/a.tmp", "tmp/c/d.tmp"]);
    assert_eq!(units(&plan, "sweep"), ["tmp/c/_temporary/"]);
    assert_eq!(summary(&plan)["left"], serde_json::json!({"held": 1, "untouched": 1}));
    assert_eq!((&summary(&plan)["total"]["units"], &summary(&plan)["outside"]["objects"]), (&4.into(), &1.into()));
}

/// More objects than one range has, in directories and right in the dataset.
#[tokio::test(flavor = "multi_thread")]
async fn many_objects_come_in_the_order_of_their_keys() {
    let endpoint = s3core_gateway::Gateway::builder().request_log(0).start().unwrap();
    endpoint.set_backdating(Duration::from_secs(86_400));
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    let name =
        |number: usize| if number.is_multiple_of(3) { format!("{number:05}.tmp") } else { format!("{number:05}") };
    let key = |number: usize| match number % 5 {
        0 => format!("tmp/{}", name(number)),
        1 => format!("tmp/large/{}", name(number)),
        2 => format!("tmp/large/{:02}/{}", number % 17, name(number)),
        _ => format!("tmp/{:03}/{}", number % 101, name(number)),
    };
    let mut keys: Vec<_> = (0..36_000).map(key).collect();
    lake.put_all(&keys).await;
    let plan = lake.planned("2036-01-01T00:00:00Z");
    keys.retain(|key| key.ends_with(".tmp"));
    keys.sort_unstable();
    assert_eq!(keys.len(), 12_000);
    assert!(units(&plan, "temporary") == keys, "the same objects in the same order");
    assert_eq!(
        (&summary(&plan)["total"]["units"], &summary(&plan)["left"]),
        (&36_000.into(), &serde_json::json!({"untouched": 24_000}))
    );
}
