//! Two processes: one is stopped in the middle, the other takes over.

use std::process::{Child, Command};
use std::time::Duration;

use futures::future::join_all;

use crate::lake::{Lake, OBJECTS, Objects};

fn signal(process: &Child, name: &str) {
    let status = Command::new("kill").args([&format!("-{name}"), &process.id().to_string()]).status().unwrap();
    assert!(status.success());
}

/// Tries to stop a process in the middle.
const TRIES: usize = 12;

/// The shortest lease in seconds, and the longest.
const LEASES: (u32, u32) = (2, 30);

/// How it went with a process that was to be stopped in the middle.
enum Stopped {
    InTheMiddle(Child),
    /// It was faster.
    TooLate,
    /// It failed by itself: the machine is too busy for its lease.
    Failed(String),
}

/// Starts a process that applies, and stops it when at least so many objects are gone, and not all.
async fn stop(lake: &Lake, gone: usize, lease: u32) -> Stopped {
    let mut process = lake.start(&["apply", "policy.yaml", "--yes"], lease);
    while lake.listed("events/").await.len() > OBJECTS - gone {
        if process.try_wait().unwrap().is_some() {
            let output = process.wait_with_output().unwrap();
            return match output.status.code() {
                Some(0) => Stopped::TooLate,
                Some(1) => Stopped::Failed(String::from_utf8_lossy(&output.stderr).into_owned()),
                _ => panic!("{output:?}"),
            };
        }
    }
    signal(&process, "STOP");
    // What it had sent arrives.
    tokio::time::sleep(Duration::from_millis(50)).await;
    if !lake.listed("events/").await.is_empty() {
        return Stopped::InTheMiddle(process);
    }
    process.kill().unwrap();
    process.wait().unwrap();
    Stopped::TooLate
}

/// A lake with what it held before a process was stopped in the middle, and that process.
async fn lake_with_a_stopped_process(gone: usize) -> (Lake, Objects, Child) {
    let mut lease = LEASES.0;
    let mut failures = Vec::new();
    for _ in 0..TRIES {
        let lake = Lake::new().await;
        let before = lake.read("events/").await;
        match stop(&lake, gone, lease).await {
            Stopped::InTheMiddle(process) => return (lake, before, process),
            Stopped::TooLate => {}
            Stopped::Failed(error) => {
                println!("with a lease of {lease} seconds: {error}");
                failures.push(error);
                lease = (2 * lease).min(LEASES.1);
            }
        }
    }
    panic!("{gone} were to be gone, and none of {TRIES} processes could be stopped; some failed: {failures:?}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 5)]
async fn a_process_that_was_stopped_loses_nothing_when_it_goes_on() {
    let rounds = [1, 40, 80, 120, 160].map(|gone| {
        tokio::spawn(async move {
            let (lake, before, mut stopped) = lake_with_a_stopped_process(gone).await;
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
