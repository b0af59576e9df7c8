//! `serve` lets rules act that were approved and announced, and is watched by its metrics.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code, reason = "the bucket's helpers serve the tests of plans, too")]

mod approval;
mod ending;
mod forgotten;
mod guard;
#[path = "../plans/lake.rs"]
mod lake;
mod notice;
mod watched;

use lake::{Lake, Said};
use serde_json::Value;

/// What a round that ended well has logged.
fn round(lake: &Lake) -> Vec<Value> {
    let said = lake.run(&["--output", "json", "serve", "policy.yaml", "--rounds", "1"]);
    assert_eq!((said.status, said.error.as_str()), (0, ""), "{said:?}");
    logged(&said)
}

fn logged(said: &Said) -> Vec<Value> {
    said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Those with this message.
fn with_message<'a>(logged: &'a [Value], message: &str) -> Vec<&'a Value> {
    logged.iter().filter(|line| line["message"].as_str().unwrap().starts_with(message)).collect()
}

/// The rules of the policy, as `status` says.
fn rules(lake: &Lake) -> Vec<Value> {
    let said = lake.run(&["--output", "json", "status", "policy.yaml"]);
    assert_eq!(said.status, 0, "{said:?}");
    let status: Value = serde_json::from_str(&said.out).unwrap();
    status["served"].as_array().unwrap().iter().flat_map(|served| served["rules"].as_array().unwrap().clone()).collect()
}

/// Approves all rules of the policy: each of them is known after a round.
fn approve_all(lake: &Lake) {
    round(lake);
    for rule in rules(lake) {
        let said = lake.run(&["approve", rule["digest"].as_str().unwrap(), "policy.yaml"]);
        assert_eq!(said.status, 0, "{said:?}");
    }
}

/// Lets the announcements so far be so many hours older.
async fn hours_pass(lake: &Lake, hours: i64) {
    for object in lake.listed(".s3core/life/served/").await {
        let (mut served, etag) = lake.state.get_json::<Value>(&object.key).await.unwrap().unwrap();
        for rule in served["rules"].as_array_mut().unwrap() {
            for announcement in rule["announcements"].as_array_mut().unwrap() {
                for field in ["at", "from"] {
                    let time: jiff::Timestamp = announcement[field].as_str().unwrap().parse().unwrap();
                    let earlier = time - jiff::SignedDuration::from_hours(hours);
                    announcement[field] = earlier.to_string().into();
                }
            }
        }
        lake.state.replace_json(&object.key, &served, &etag).await.unwrap();
    }
}
