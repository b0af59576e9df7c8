//! What quotas leave for copies, as a plan says it, on real Ceph.

use serde_json::{Value, json};

use super::lake::Lake;
use super::lake::admin::radosgw_admin;

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

fn limit_objects(bucket: &str, most: u64) {
    let bucket = format!("--bucket={bucket}");
    for arguments in [vec!["set", &format!("--max-objects={most}")], vec!["enable"]] {
        let output = radosgw_admin()
            .args(["quota", arguments[0], "--quota-scope=bucket", &bucket])
            .args(&arguments[1..])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_what_quotas_leave_for_its_copies() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put_all((1..=5).flat_map(|day| ["a", "b"].map(|name| format!("events/day=2020-01-0{day}/{name}")))).await;
    lake.rest().await;
    let headroom = |plan: &Value| plan["end"]["headroom"].clone();
    let now = "2036-01-01T00:00:00Z";
    let free = headroom(&lake.planned(now));
    assert_eq!((&free["copies"], &free["short"]), (&json!({"units": 5, "objects": 10, "bytes": 100}), &json!(false)));
    assert_eq!(free["at_once"], json!({"units": 4, "objects": 8, "bytes": 80}));
    assert_eq!(free["bucket"], json!({"objects": null, "bytes": null}));

    limit_objects(&lake.bucket, 15);
    let full = headroom(&lake.planned(now));
    let left = full["bucket"]["objects"].as_u64().unwrap();
    // Objects of s3life's own count, too.
    assert!(full["short"] == true && left <= 5, "{full}");
    let said = lake.plan(&["--now", now]);
    assert!(said.out.contains("copies in the trash: 10 objects, 100 B"), "{}", said.out);
    assert!(said.out.contains("WARNING: that may be too little"), "{}", said.out);
}
