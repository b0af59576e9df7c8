//! What nobody needs any more is removed from the state in the bucket.

use std::time::Duration;

use s3core_gateway::Gateway;
use serde_json::json;

use super::lake::Lake;
use super::{round, with_message};

const POLICY: &str = "\
version: 1
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

fn record(run: &str, finished: &str) -> serde_json::Value {
    json!({
        "run": run, "policy": {"path": "/policy.yaml", "sha256": ""}, "digest": "", "started": "2020-01-01T00:00:00Z",
        "finished": finished, "state": "purged", "holder": "", "lease": 1, "datasets": {}, "skipped": [],
        "skipped_count": 0, "trash_until": null, "released": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_that_ended_long_ago_and_plans_that_never_began_are_forgotten() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    let key = |run: &str, name: &str| format!(".s3core/life/runs/{run}/{name}");
    let recently = lake.state.time().await.unwrap().to_string();
    endpoint.set_backdating(Duration::from_secs(25 * 3600));
    lake.put(&key("20200101T000000Z-aaaaaa", "plan.jsonl")).await;
    endpoint.set_backdating(Duration::ZERO);
    lake.put(&key("20200102T000000Z-bbbbbb", "plan.jsonl")).await;
    for (run, finished) in [("20200103T000000Z-cccccc", "2020-01-04T00:00:00Z"), ("20200104T000000Z-dddddd", &recently)]
    {
        lake.put(&key(run, "journal/00000001-00000001-intent.jsonl")).await;
        lake.state.create_json(&key(run, "run.json"), &record(run, finished)).await.unwrap();
    }
    // Nobody has served this policy for long.
    let served = json!({"policy": {"path": "/other.yaml", "sha256": ""}, "round": "2020-01-01T00:00:00Z", "rules": []});
    lake.state.create_json(".s3core/life/served/0123456789abcdef.json", &served).await.unwrap();
    let logged = round(&lake);
    assert_eq!(lake.listed(".s3core/life/served/").await.len(), 1);
    assert_eq!(with_message(&logged, "forgotten")[0]["runs"], 2, "{logged:?}");
    let left: Vec<_> = lake.listed(".s3core/life/runs/").await.into_iter().map(|object| object.key).collect();
    let expected = [
        key("20200102T000000Z-bbbbbb", "plan.jsonl"),
        key("20200104T000000Z-dddddd", "journal/00000001-00000001-intent.jsonl"),
        key("20200104T000000Z-dddddd", "run.json"),
    ];
    assert_eq!(left, expected);
}
