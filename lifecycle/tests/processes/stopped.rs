//! Two processes: one is stopped in the middle, the other takes over.

use std::process::{Child, Command};
use std::time::Duration;

use rstest::rstest;

use crate::lake::{Lake, OBJECTS};

fn signal(process: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status().unwrap();
    assert!(status.success());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_was_stopped_loses_nothing_when_it_goes_on(
    #[values(150, 250, 350, 450, 600)] milliseconds: u64,
) {
    let lake = Lake::new().await;
    let before = lake.read("events/").await;
    let mut stopped = lake.start(&["apply", "policy.yaml", "--yes"]);
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    signal(&stopped, "STOP");
    let done = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(lake.read("events/").await.is_empty(), "{done}");
    let run = lake.history().last().unwrap()["run"].as_str().unwrap().to_owned();
    lake.run(&["undo", &run, "policy.yaml"]);
    assert_eq!(lake.read("events/").await.len(), OBJECTS);
    signal(&stopped, "CONT");
    stopped.wait().unwrap();
    assert_eq!(lake.read("events/").await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_that_start_at_once_one_works() {
    let lake = Lake::new().await;
    let apply = ["apply", "policy.yaml", "--yes"];
    let (one, other) = (lake.start_patiently(&apply), lake.start_patiently(&apply));
    for process in [one, other] {
        let output = process.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    assert!(lake.read("events/").await.is_empty());
    let history = lake.history();
    let removed = history.iter().filter_map(|run| run["actions"]["expire"]["objects"].as_u64());
    assert_eq!(removed.sum::<u64>(), OBJECTS as u64);
}
