//! Many small rounds remove no more than one large one may.

use std::time::Duration;

use s3core_gateway::Gateway;

use super::lake::Lake;
use super::{approve_all, round, with_message};

const OBJECTS: usize = 100;
const A_ROUND: usize = 3;
const ROUNDS: usize = 30;

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, notice: 0h, guard: {max_removed: 20% per 30d}}
datasets:
  - name: scratch
    location: s3a://BUCKET/scratch/
    unit: object
    age: {from: newest_object}
    rules: [{name: sweep, when: {older_than: 1d}, then: expire}]
  - name: other
    location: s3a://BUCKET/other/
    unit: object
    age: {from: newest_object}
    guard: {max_removed: none}
    rules: [{name: sweep, when: {older_than: 1d}, then: expire}]
";

fn key(number: usize) -> String {
    format!("scratch/{number:03}")
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_rounds_do_not_get_around_the_guard() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all((0..OBJECTS).map(key)).await;
    approve_all(&lake);
    let mut stopped = 0;
    for number in 0..ROUNDS {
        // With each round a few more are old enough.
        endpoint.set_backdating(Duration::from_secs(48 * 3600));
        lake.put_all((number * A_ROUND..(number + 1) * A_ROUND).map(key)).await;
        lake.put(&format!("other/{number}")).await;
        endpoint.set_backdating(Duration::ZERO);
        stopped += with_message(&round(&lake), "the guard stops").len();
        let left = lake.listed("scratch/").await.len();
        // 20 of 100 may go: six rounds take 18, and the seventh would take the 21st.
        let expected = OBJECTS - A_ROUND * (number + 1).min(6);
        assert_eq!(left, expected, "after {} rounds", number + 1);
        // What has no guard goes on.
        assert!(lake.listed("other/").await.is_empty());
    }
    assert_eq!(stopped, ROUNDS - 6);
    let told = lake.run(&["status", "policy.yaml"]).out;
    assert!(told.contains("\n  the guard stops what is due in scratch: look at `s3life plan /"), "{told}");
    assert!(!told.contains("what is due in other"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_meets_nothing_is_logged() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    let hold = "hold: [{path: \"s3a://BUCKET/scratch/nowhere/\", reason: audit}]\ndatasets:";
    lake.policy(&POLICY.replace("datasets:", hold));
    lake.put("scratch/a").await;
    let told = with_message(&round(&lake), "the hold at s3a://").len();
    lake.put("scratch/nowhere/a").await;
    assert_eq!((told, with_message(&round(&lake), "the hold at").len()), (1, 0));
}
