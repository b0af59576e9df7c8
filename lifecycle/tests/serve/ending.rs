//! A process that is asked to end does so between two units, and another one goes on.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use s3core::ops::DeleteObject;
use s3core_gateway::{Fault, Gateway};
use serde_json::{Value, json};

use super::lake::Lake;
use super::{approve_all, round, with_message};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, notice: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

const DAYS: usize = 28;
const FILES: usize = 5;

pub(super) fn terminate(process: &Child) {
    assert!(Command::new("kill").args(["-TERM", &process.id().to_string()]).status().unwrap().success());
}

fn status(lake: &Lake) -> Value {
    serde_json::from_str(&lake.run(&["--output", "json", "status", "policy.yaml"]).out).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_between_two_units_and_the_next_one_goes_on() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    approve_all(&lake);
    let files = |day| (0..FILES).map(move |file| format!("events/day=2020-01-{day:02}/{file}"));
    lake.put_all((1..=DAYS).flat_map(files)).await;
    lake.rest().await;
    // A quarter goes, and from then on every one takes its time.
    let stall = Fault::stall(Duration::from_secs(2)).operation("DeleteObject").key_prefix("events/");
    let stalled = endpoint.faults().add(stall.after((DAYS * FILES / 4) as u64));
    let arguments = ["--output", "json", "serve", "policy.yaml", "--every", "1h"];
    let mut process = lake.command(&arguments).stdout(Stdio::piped()).spawn().unwrap();
    while endpoint.faults().injected_by(stalled) == 0 {
        assert!(process.try_wait().unwrap().is_none());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    terminate(&process);
    assert!(process.wait().unwrap().success());
    endpoint.faults().clear();
    let left = lake.listed("events/").await.len();
    assert!(left > 0 && left % FILES == 0, "{left}");
    let status = status(&lake);
    assert_eq!(status["lease"], json!(null));
    assert_eq!((&status["runs"][0]["state"], &status["runs"][0]["active"]), (&json!("running"), &json!(false)));

    // Not while its rule is not approved any more.
    for approval in lake.listed(".s3core/life/approvals/").await {
        lake.gateway.run(DeleteObject::new(&lake.bucket, &approval.key)).await.unwrap();
    }
    let logged = round(&lake);
    let told = with_message(&logged, "was begun, and these rules are not approved");
    let undo = format!("`s3life undo {} /", status["runs"][0]["run"].as_str().unwrap());
    let message = told[0]["message"].as_str().unwrap();
    assert!(told.len() == 1 && message.contains(&undo) && message.ends_with("policy.yaml`"), "{logged:?}");
    assert_eq!(lake.listed("events/").await.len(), left);
    approve_all(&lake);

    let logged = round(&lake);
    assert_eq!(with_message(&logged, "done")[0]["units"], DAYS, "{logged:?}");
    assert!(lake.listed("events/").await.is_empty());
    let history = lake.run(&["--output", "json", "history", "policy.yaml"]);
    let history: Value = serde_json::from_str(&history.out).unwrap();
    assert_eq!((history.as_array().unwrap().len(), &history[0]["state"]), (1, &json!("done")));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_at_once_while_it_waits() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    let mut process = lake.command(&["serve", "policy.yaml"]).stdout(Stdio::piped()).spawn().unwrap();
    while lake.listed(".s3core/life/served/").await.is_empty() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    terminate(&process);
    assert!(process.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_serve_one_works() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    approve_all(&lake);
    lake.put_all((1..=DAYS).map(|day| format!("events/day=2020-01-{day:02}/a"))).await;
    lake.rest().await;
    // In one round, or some, each may find the other at work.
    let serve = ["--output", "json", "serve", "policy.yaml", "--rounds", "5", "--every", "1s"];
    let processes = [0, 1].map(|_| lake.command(&serve).stdout(Stdio::piped()).spawn().unwrap());
    let said = processes.map(|process| process.wait_with_output().unwrap());
    assert!(said.iter().all(|said| said.status.success()), "{said:?}");
    assert!(lake.listed("events/").await.is_empty());
    let history = lake.run(&["--output", "json", "history", "policy.yaml"]);
    let history: Value = serde_json::from_str(&history.out).unwrap();
    let removed = history.as_array().unwrap().iter().filter_map(|run| run["actions"]["expire"]["objects"].as_u64());
    assert_eq!(removed.sum::<u64>(), DAYS as u64, "{history}");
}
