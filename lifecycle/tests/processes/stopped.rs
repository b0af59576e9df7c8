//! Two processes: one is stopped in the middle, the other takes over.

use std::process::{Child, Command};
use std::time::Duration;

use futures::future::join_all;

use crate::lake::{Lake, OBJECTS};

fn signal(process: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Starts a process that applies, and stops it when at least so many objects are gone, and not all. None where it was faster
/// than that, or where the machine is too busy for a lease of so many seconds.
async fn stopped_in_the_middle(lake: &Lake, gone: usize, lease: u32) -> Option<Child> {
    let mut process = lake.start_with_lease(&["apply", "policy.yaml", "--yes"], lease);
    while lake.listed("events/").await.len() > OBJECTS - gone {
        if process.try_wait().unwrap().is_some() {
            let output = process.wait_with_output().unwrap();
            let error = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success() || error.contains(" is lost: "), "{output:?}");
            return None;
        }
    }
    signal(&process, "STOP");
    // What it had sent arrives.
    tokio::time::sleep(Duration::from_millis(50)).await;
    if !lake.listed("events/").await.is_empty() {
        return Some(process);
    }
    process.kill().unwrap();
    process.wait().unwrap();
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn a_process_that_was_stopped_loses_nothing_when_it_goes_on() {
    let rounds = [1, 40, 80, 120, 160].map(|gone| {
        tokio::spawn(async move {
            let mut lease = 2;
            let (lake, before, mut stopped) = loop {
                let lake = Lake::new().await;
                let before = lake.read("events/").await;
                if let Some(stopped) = stopped_in_the_middle(&lake, gone, lease).await {
                    break (lake, before, stopped);
                }
                lease = (2 * lease).min(30);
            };
            let done = lake.run(&["apply", "policy.yaml", "--yes"]);
            assert!(lake.listed("events/").await.is_empty(), "{gone} were gone: {done}");
            let run = lake.only_run(OBJECTS);
            lake.run(&["undo", &run, "policy.yaml"]);
            assert_eq!(lake.read("events/").await, before, "{gone} were gone");
            signal(&stopped, "CONT");
            let status = stopped.wait().unwrap();
            assert_eq!(lake.read("events/").await, before, "{gone} were gone");
            // It found that the lease is another's.
            assert_eq!(status.code(), Some(1));
        })
    });
    for round in join_all(rounds).await {
        round.unwrap();
    }
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
