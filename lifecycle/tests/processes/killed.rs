//! Killed and started again, as often as it takes: the end is that of a run that nobody disturbed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::{Instant, sleep};

use crate::lake::{Lake, OBJECTS};
use crate::support::content;

/// Lakes at a time: most wait for the lease of a process that was killed.
const AT_ONCE: usize = 10;

/// How often processes are killed, and how often of that when a part of the objects is gone; on a machine that is very fast or
/// very busy more kills are needed for that, up to three times as many.
const KILLS: (usize, usize) = (50, 10);
const KILLS_OF_UNDO: (usize, usize) = (20, 3);
const MOST: usize = 3;

/// Kills of processes that were at work, and of those the ones when a part of the objects was gone.
#[derive(Debug, Default)]
struct Kills {
    enough: (usize, usize),
    in_time: AtomicUsize,
    in_the_middle: AtomicUsize,
    seed: AtomicU64,
}

impl Kills {
    fn new(enough: (usize, usize)) -> Arc<Self> {
        Arc::new(Self { enough, ..Self::default() })
    }

    fn are_enough(&self) -> bool {
        let (enough, in_time) = (self.enough.0, self.in_time.load(Ordering::SeqCst));
        in_time >= MOST * enough || in_time >= enough && self.met_their_race()
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

    /// Starts a command again and again, killing it at random moments within `longest` of its work, until it ends before or
    /// there were enough kills in all lakes. It comes to its end.
    async fn kill(&self, lake: &Lake, arguments: &[&str], mut longest: Duration) {
        let mut left = lake.listed("events/").await.len();
        while !self.are_enough() {
            let lease = lake.newest_lease().await;
            let mut process = lake.start(arguments);
            // Work begins when it has a lease.
            while lake.newest_lease().await == lease && process.try_wait().unwrap().is_none() {
                sleep(Duration::from_millis(100)).await;
            }
            let kill_at = Instant::now() + self.chance(longest);
            while process.try_wait().unwrap().is_none() && Instant::now() < kill_at {
                sleep(Duration::from_millis(5)).await;
            }
            // It may have ended by now.
            let _ = process.kill();
            if process.wait().unwrap().code().is_some() {
                break;
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
            while !kills.are_enough() || !kills_of_undo.are_enough() {
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
    assert!(kills.met_their_race() && kills_of_undo.met_their_race(), "{kills:?} {kills_of_undo:?}");
}
