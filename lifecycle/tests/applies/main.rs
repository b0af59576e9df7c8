//! Plans are applied, undone and forgotten on real Ceph, by the program in a process of its own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code, reason = "the bucket's helpers serve the tests of plans, too")]

mod aborted;
mod actions;
mod collected;
mod explained;
mod held;
mod holds;
#[path = "../plans/lake.rs"]
mod lake;
mod locked;
mod paced;
mod refusals;
mod rights;
mod switched;
mod undone;
mod verified;
mod versions;
mod waiting;

use lake::{Lake, Said};
use s3life::run::lease::{Holder, Lease, Purpose};
use s3life::run::record::{RunRecord, RunState};
use s3life::run::store::Store;
use serde_json::Value;

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

/// Three partitions with two objects and `_SUCCESS` each, which are due.
async fn three_days(policy: &str) -> Lake {
    three_days_in(Lake::new().await, policy).await
}

async fn three_days_in(lake: Lake, policy: &str) -> Lake {
    lake.policy(policy);
    let days = 1..4;
    let keys = days.flat_map(|day| ["_SUCCESS", "a", "b"].map(|name| format!("events/day=2020-01-0{day}/{name}")));
    lake.put_all(keys).await;
    lake.rest().await;
    lake
}

fn keys(listed: &[s3core::ops::ListedObject]) -> Vec<&str> {
    listed.iter().map(|object| object.key.as_str()).collect()
}

/// What a command prints for programs that ended well.
fn json(said: &Said) -> Value {
    assert_eq!(said.status, 0, "{said:?}");
    serde_json::from_str(&said.out).unwrap()
}

/// Applies what is due; returns what was said of the run.
fn apply(lake: &Lake) -> Value {
    json(&lake.run(&["--output", "json", "apply", "policy.yaml", "--yes"]))
}

fn name(run: &Value) -> &str {
    run["run"].as_str().unwrap()
}

/// Lets a run look as if it had been killed just before its end.
async fn as_if_killed(lake: &Lake, run: &Value) {
    change(lake, run, |record| record.state = RunState::Running).await;
}

/// Changes the record of a run.
async fn change(lake: &Lake, run: &Value, mut change: impl FnMut(&mut RunRecord)) {
    let lease = Lease::take(&lake.state, &Holder::this_process(), &Purpose::from("test")).await.unwrap();
    let change = |record: &mut RunRecord| {
        change(record);
        Ok(())
    };
    Store::new(lake.state.clone()).update(&lease, name(run), change).await.unwrap();
    lease.release().await.unwrap();
}
