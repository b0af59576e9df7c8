//! Killed and started again, as often as it takes: the end is that of a run that nobody disturbed.

use std::time::{Duration, Instant};

use crate::lake::{Lake, OBJECTS};
use crate::support::content;

/// So long a successor waits for the lease of a process that was killed: a kill that comes earlier comes before its work.
const TAKE_OVER: Duration = Duration::from_millis(1500);

/// A number below `limit` that differs from one `seed` to the next.
fn chance(seed: u64, limit: Duration) -> Duration {
    let bytes = content(8, seed);
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    Duration::from_nanos(number % (limit.as_nanos() as u64))
}

/// Starts a command again and again, killing it at random moments `kills` times, within `longest`, then lets it end.
/// Returns how often the kill came before its end.
async fn killed_again_and_again(lake: &Lake, arguments: &[&str], kills: u64, longest: Duration) -> u64 {
    let (mut in_time, mut take_over) = (0, Duration::ZERO);
    for seed in 1..=kills {
        let mut process = lake.start(arguments);
        let killed_at = Instant::now() + take_over + chance(seed, longest);
        while process.try_wait().unwrap().is_none() && Instant::now() < killed_at {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        in_time += u64::from(process.try_wait().unwrap().is_none());
        // It may have ended by now.
        let _ = process.kill();
        process.wait().unwrap();
        // One that was killed before it had the lease keeps nobody waiting.
        take_over = if lake.is_held() { TAKE_OVER } else { Duration::ZERO };
    }
    lake.run(arguments);
    in_time
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_fifty_times_ends_as_one_that_is_not() {
    let undisturbed = Lake::new().await;
    let started = Instant::now();
    let done = undisturbed.run(&["apply", "policy.yaml", "--yes"]);
    let whole = started.elapsed();
    assert_eq!(done["actions"]["expire"]["objects"], OBJECTS);
    let started = Instant::now();
    undisturbed.run(&["undo", done["run"].as_str().unwrap(), "policy.yaml"]);
    let whole_undo = started.elapsed();

    let lake = Lake::new().await;
    let before = lake.read("events/").await;
    assert_eq!(before.len(), OBJECTS);
    let in_time = killed_again_and_again(&lake, &["apply", "policy.yaml", "--yes"], 50, whole / 4).await;
    assert!(in_time >= 5, "{in_time} of 50 kills came before the end");
    assert!(lake.read("events/").await.is_empty());
    let history = lake.history();
    let runs: Vec<_> = history.iter().filter(|run| !run["actions"].as_object().unwrap().is_empty()).collect();
    assert_eq!(runs.len(), 1, "{history:?}");
    assert_eq!((&runs[0]["state"], &runs[0]["actions"]["expire"]["objects"]), (&"done".into(), &OBJECTS.into()));
    let run = runs[0]["run"].as_str().unwrap();

    let in_time = killed_again_and_again(&lake, &["undo", run, "policy.yaml"], 20, whole_undo / 8).await;
    assert!(in_time >= 5, "{in_time} of 20 kills came before the end");
    assert_eq!(lake.read("events/").await, before);
    assert_eq!(lake.history()[0]["state"], "undone");
}
