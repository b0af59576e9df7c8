//! No command sends more requests in a second than it was asked to.

use std::time::{Duration, Instant};

use bytes::Bytes;
use s3core::ops::{GetObjectTagging, PutObject, PutObjectTagging};

use super::POLICY;
use super::lake::Lake;

#[tokio::test(flavor = "multi_thread")]
async fn every_command_keeps_to_the_rate() {
    const RATE: u32 = 40;
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all((1..4).map(|day| format!("events/day=2020-01-0{day}/a"))).await;
    lake.rest().await;
    let mut run = String::new();
    for command in ["apply", "undo", "purge"] {
        let rate = RATE.to_string();
        let paced = ["--output", "json", "--requests-per-second", &rate, command];
        let rest = if command == "apply" { vec!["policy.yaml", "--yes"] } else { vec![&*run, "policy.yaml"] };
        let yes = if command == "purge" { ["--yes"].as_slice() } else { &[] };
        endpoint.reset_requests();
        let began = Instant::now();
        let said = lake.run(&[&paced, rest.as_slice(), yes].concat());
        let took = began.elapsed();
        assert_eq!(said.status, 0, "{said:?}");
        let answer: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        answer["run"].as_str().unwrap().clone_into(&mut run);
        // The renewals of the lease wait for nobody, and there is none in so short a time.
        let sent = u32::try_from(endpoint.requests().len()).unwrap();
        assert!(sent > 20 && took >= Duration::from_secs(1) * (sent - 1) / RATE, "{command}: {sent} in {took:?}");
    }
}

/// A batch of objects is looked at for two seconds before the first is tagged: one that somebody replaces meanwhile keeps the
/// tags that it was given.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_tagged_was_looked_at_right_before() {
    let endpoint = s3core_gateway::Gateway::builder().storage_class("COLD").start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(
        "version: 1\ndefaults: {settle: 0h}\ndatasets:\n  - name: events\n    location: s3a://BUCKET/events/\n    \
         age: {from: newest_object}\n    unit: object\n    \
         rules: [{name: large, when: {larger_than: 5}, then: {tier: COLD}}]\n",
    );
    lake.put_all((10..30).map(|number| format!("events/{number}"))).await;
    lake.rest().await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    endpoint.reset_requests();
    let paced = ["--requests-per-second", "20", "apply", "--plan", "plan.jsonl", "--yes"];
    let mut applies = lake.command(&paced).stdout(std::process::Stdio::null()).spawn().unwrap();
    let key = "events/10";
    let was_sent = |operation: &str, key: &str| {
        endpoint.requests().iter().any(|sent| sent.operation == operation && sent.key == key)
    };
    while !was_sent("GetObjectTagging", key) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    lake.gateway.run(PutObject::new(&lake.bucket, key, Bytes::from_static(b"of somebody else"))).await.unwrap();
    let tags = [("team".to_owned(), "theirs".to_owned())].into();
    lake.gateway.run(PutObjectTagging::new(&lake.bucket, key, tags)).await.unwrap();
    assert!(applies.wait().unwrap().success());
    let tags = lake.gateway.run(GetObjectTagging::new(&lake.bucket, key)).await.unwrap();
    assert_eq!(tags, [("team".to_owned(), "theirs".to_owned())].into());
    let others = lake.gateway.run(GetObjectTagging::new(&lake.bucket, "events/29")).await.unwrap();
    assert!(others.contains_key("s3core-tier"), "{others:?}");
}
