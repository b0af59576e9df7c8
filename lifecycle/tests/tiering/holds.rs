//! Objects that move one by one are held by a later hold, and lose their tag with it.

use std::collections::BTreeMap;
use std::time::Duration;

use s3core::ops::GetObjectTagging;
use serde_json::json;

use crate::lake::{Lake, Service};
use crate::listed;

const POLICY: &str = "\
version: 1
defaults: {guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: newest_object}
    unit: object
    rules: [{name: cool, when: {larger_than: 5}, then: {tier: COLD}}]
";

async fn waiting() -> (Lake, String) {
    let lake = Lake::at(Service::Embedded).await;
    lake.policy(POLICY);
    for key in ["events/held/a", "events/other/a"] {
        lake.put(key, "ten bytes.").await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let run = lake.json(&["apply", "policy.yaml", "--yes"])["run"].as_str().unwrap().to_owned();
    assert_eq!(tags(&lake).await, [true, true]);
    (lake, run)
}

/// Whether objects have the tag.
async fn tags(lake: &Lake) -> Vec<bool> {
    let mut all = Vec::new();
    for (key, ..) in listed(lake).await {
        let tags: BTreeMap<_, _> = lake.gateway.run(GetObjectTagging::new(&lake.bucket, &key)).await.unwrap();
        all.push(tags.contains_key("s3core-tier"));
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_while_it_waits_loses_its_tag_and_does_not_move() {
    let (lake, _) = waiting().await;
    let hold = format!("hold: [{{path: \"s3a://{}/events/held/\", reason: audit, owner: risk}}]\n", lake.bucket);
    lake.policy(&POLICY.replace("datasets:", &format!("{hold}datasets:")));
    let again = lake.json(&["native", "policy.yaml", "--apply"]);
    assert_eq!((again["rules"].as_array().unwrap().len(), tags(&lake).await), (1, vec![false, true]));
    lake.let_rules_work().await;
    lake.json(&["native", "policy.yaml", "--apply"]);
    let classes: Vec<_> = listed(&lake).await.into_iter().map(|(.., class)| class).collect();
    assert_eq!((classes, tags(&lake).await), (vec!["STANDARD".to_owned(), "COLD".to_owned()], vec![false, false]));
    let left = &lake.json(&["status", "policy.yaml"])["skipped"][0];
    assert_eq!((&left["unit"], &left["reason"]), (&json!("events/held/a"), &json!("the policy holds it by now")));
    lake.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_purged_while_it_waits_leaves_no_tags() {
    let (lake, run) = waiting().await;
    lake.json(&["purge", &run, "policy.yaml", "--yes"]);
    assert_eq!((tags(&lake).await, lake.rules().await), (vec![false, false], Vec::new()));
    lake.remove().await;
}
