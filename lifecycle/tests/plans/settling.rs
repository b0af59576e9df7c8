//! What changed lately is left alone.

use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan;
use s3core_gateway::Fault;

use super::lake::{Lake, summary, units};

const POLICY: &str = "\
version: 1
defaults: {settle: 7d, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
  - name: runs
    location: s3a://BUCKET/runs/
    age: {from: newest_object}
    rules: [{name: sweep, when: {older_than: 3d}, then: expire}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_or_directory_with_one_new_file_stays() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let keys = [
        "events/day=2020-01-01/a",
        "events/day=2020-01-02/a",
        "events/day=2020-01-02/b",
        "runs/1/_SUCCESS",
        "runs/1/a",
        "runs/2/_SUCCESS",
        "runs/2/sub/a",
    ];
    lake.put_all(keys).await;
    let old = lake.newest("").await;
    lake.rest().await;
    lake.put_all(["events/day=2020-01-02/backfilled", "runs/2/sub/b"]).await;
    lake.rest().await;
    let settled = old.checked_add(7 * 24.hours()).unwrap().checked_add(1.second()).unwrap().to_string();
    let plan = lake.planned(&settled);
    assert_eq!(units(&plan, "drop"), ["events/day=2020-01-01/"]);
    assert_eq!(units(&plan, "sweep"), ["runs/1/"]);
    assert_eq!(summary(&plan)["left"]["settling"], 1);
    let later = old.checked_add(8 * 24.hours()).unwrap().to_string();
    let plan = lake.planned(&later);
    assert_eq!(units(&plan, "drop"), ["events/day=2020-01-01/", "events/day=2020-01-02/"]);
    assert_eq!(units(&plan, "sweep"), ["runs/1/", "runs/2/"]);
}

const AT_ONCE: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_just_now_is_not_planned() {
    let lake = Lake::new().await;
    lake.policy(AT_ONCE);
    lake.put("events/day=2020-01-01/a").await;
    lake.rest().await;
    lake.put("events/day=2020-01-02/a").await;
    // By the gateway's clock, whatever ages are counted to.
    let plan = lake.planned("2050-01-01T00:00:00Z");
    assert_eq!(units(&plan, "drop"), ["events/day=2020-01-01/"]);
    assert_eq!(summary(&plan)["left"]["settling"], 1);
    lake.rest().await;
    assert_eq!(units(&lake.planned("2050-01-01T00:00:00Z"), "drop").len(), 2);
}

/// A writer adds to a partition, replaces an object of another, and begins a job in a third, between the two listings.
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_changes_while_it_is_planned_is_left() {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    endpoint.set_backdating(Duration::from_secs(86_400));
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(AT_ONCE);
    lake.put_all((1..6).map(|day| format!("events/day=2020-01-0{day}/a"))).await;
    endpoint.set_backdating(Duration::from_secs(3600));
    // The first listing ends with the uploads.
    let stall = Fault::stall(Duration::from_secs(5)).operation("ListMultipartUploads");
    let stalled = endpoint.faults().add(stall.nth(1));
    endpoint.reset_requests();
    let lake = Arc::new(lake);
    let planning = Arc::clone(&lake);
    let planning = tokio::task::spawn_blocking(move || planning.planned("2030-01-01T00:00:00Z"));
    while endpoint.faults().injected_by(stalled) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lake.put_all(["events/day=2020-01-02/b", "events/day=2020-01-03/a", "events/day=2020-01-04/_temporary/0/x"]).await;
    let plan = planning.await.unwrap();
    assert_eq!(units(&plan, "drop"), ["events/day=2020-01-01/", "events/day=2020-01-05/"]);
    assert_eq!(summary(&plan)["left"], serde_json::json!({"changed": 2, "running": 1}));
}
