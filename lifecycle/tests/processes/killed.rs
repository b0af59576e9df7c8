//! Killed and started again, as often as it takes: the end is that of a run that nobody disturbed.

use std::process::Output;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::lake::{Lake, OBJECTS, said};
use crate::support::content;

/// Lakes at a time: most wait for the lease of a process that was killed.
const AT_ONCE: usize = 10;

/// How often processes are killed, and how often of that when a part of the objects is gone; on a machine that is very fast or
/// very busy more kills are needed for that, up to three times as many.
const KILLS: (usize, usize) = (50, 10);
const KILLS_OF_UNDO: (usize, usize) = (20, 3);
const MOST: usize = 3;

/// The shortest lease in seconds, and the longest: where the machine is busy a process loses a short one, and fails by itself.
const LEASES: (u32, u32) = (1, 8);

/// So many processes may fail by themselves in one lake, and so many lakes be made one after the other.
const MOST_FAILURES: usize = 5;
const MOST_LAKES: usize = 10;

/// Kills of processes that were at work, and of those the ones when a part of the objects was gone.
#[derive(Debug, Default)]
struct Kills {
    enough: (usize, usize),
    in_time: AtomicUsize,
    in_the_middle: AtomicUsize,
    seed: AtomicU64,
    /// In seconds: the lease of the processes that are started.
    lease: AtomicU32,
    failures: AtomicUsize,
}

impl Kills {
    fn new(enough: (usize, usize)) -> Arc<Self> {
        Arc::new(Self { enough, lease: LEASES.0.into(), ..Self::default() })
    }

    fn are_enough(&self) -> bool {
        let (enough, in_time) = (self.enough.0, self.in_time.load(Ordering::SeqCst));
        in_time >= MOST * enough || in_time >= enough && self.met_their_race()
    }

    fn were_enough_and_met_their_race(&self) -> bool {
        self.in_time.load(Ordering::SeqCst) >= self.enough.0 && self.met_their_race()
    }

    fn met_their_race(&self) -> bool {
        self.in_the_middle.load(Ordering::SeqCst) >= self.enough.1
    }

    /// A time below `limit`, another one each time.
    fn chance(&self, limit: Duration) -> Duration {
        let bytes = content(8, self.seed.fetch_add(1, Ordering::SeqCst) + 1);
        let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
        Duration::from_nanos(number % (limit.as_nanos() as u64))
    }

    /// The next processes get a longer lease than one that failed with this one, or that failed to get its own.
    fn failed(&self, lease: u32, output: &Output) {
        println!("with a lease of {lease} seconds: {}", String::from_utf8_lossy(&output.stderr));
        self.failures.fetch_add(1, Ordering::SeqCst);
        self.lease.fetch_max((2 * lease).min(LEASES.1), Ordering::SeqCst);
    }

    /// Starts a command again and again, killing it at random moments within `longest` of its work, until it ends before or
    /// there were enough kills in all lakes. It comes to its end.
    async fn kill(&self, lake: &Lake, arguments: &[&str], mut longest: Duration) {
        let mut left = lake.listed("events/").await.len();
        let mut failures = 0;
        while !self.are_enough() && failures < MOST_FAILURES {
            let lease = self.lease.load(Ordering::SeqCst);
            let newest = lake.newest_lease().await;
            let mut process = lake.start(arguments, lease);
            // Work begins when it has a lease.
            while lake.newest_lease().await == newest && process.try_wait().unwrap().is_none() {
                sleep(Duration::from_millis(100)).await;
            }
            let kill_at = Instant::now() + self.chance(longest);
            while process.try_wait().unwrap().is_none() && Instant::now() < kill_at {
                sleep(Duration::from_millis(5)).await;
            }
            // It may have ended by now.
            let _ = process.kill();
            let output = process.wait_with_output().unwrap();
            match output.status.code() {
                None => {}
                Some(1) => {
                    failures += 1;
                    self.failed(lease, &output);
                    continue;
                }
                Some(_) => {
                    said(&output);
                    break;
                }
            }
            self.in_time.fetch_add(1, Ordering::SeqCst);
            let before = std::mem::replace(&mut left, lake.listed("events/").await.len());
            self.in_the_middle.fetch_add(usize::from(0 < left && left < OBJECTS), Ordering::SeqCst);
            // A busy machine comes less far.
            longest = if left == before { longest * 3 / 2 } else { longest };
        }
        lake.run(arguments);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 10)]
async fn a_run_that_is_killed_at_any_time_ends_as_one_that_is_not() {
    let undisturbed = Lake::new().await;
    let started = Instant::now();
    undisturbed.run(&["apply", "policy.yaml", "--yes"]);
    let longest = started.elapsed() / 4;
    let run = undisturbed.only_run(OBJECTS);
    let started = Instant::now();
    undisturbed.run(&["undo", &run, "policy.yaml"]);
    let longest_undo = started.elapsed() / 2;

    let (kills, kills_of_undo) = (Kills::new(KILLS), Kills::new(KILLS_OF_UNDO));
    let lakes = (0..AT_ONCE).map(|_| {
        let (kills, kills_of_undo) = (kills.clone(), kills_of_undo.clone());
        tokio::spawn(async move {
            for _ in 0..MOST_LAKES {
                if kills.are_enough() && kills_of_undo.are_enough() {
                    break;
                }
                let lake = Lake::new().await;
                let before = lake.read("events/").await;
                assert_eq!(before.len(), OBJECTS);
                kills.kill(&lake, &["apply", "policy.yaml", "--yes"], longest).await;
                assert!(lake.listed("events/").await.is_empty());
                let run = lake.only_run(OBJECTS);
                kills_of_undo.kill(&lake, &["undo", &run, "policy.yaml"], longest_undo).await;
                assert_eq!(lake.read("events/").await, before);
                assert_eq!(lake.history()[0]["state"], "undone");
            }
        })
    });
    for lake in join_all(lakes).await {
        lake.unwrap();
    }
    let were_enough = kills.were_enough_and_met_their_race() && kills_of_undo.were_enough_and_met_their_race();
    assert!(were_enough, "{kills:?} {kills_of_undo:?}");
}
