//! Killed and started again, as often as it takes: the end is that of a run that nobody disturbed.

use std::time::{Duration, Instant};

use crate::lake::{Lake, OBJECTS};
use crate::support::content;

/// So long a successor waits for the lease of a process that was killed: a kill that comes earlier comes before its work.
const TAKE_OVER: Duration = Duration::from_millis(1500);

/// So many requests a second: a run has hundreds, and takes some seconds however fast the machine is.
const RATE: &str = "100";

/// A number below `limit` that differs from one `seed` to the next.
fn chance(seed: u64, limit: Duration) -> Duration {
    let bytes = content(8, seed);
    let number = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    Duration::from_nanos(number % (limit.as_nanos() as u64))
}

/// Starts a command again and again and kills it at random moments: until it comes to its end before it is killed, or has been
/// killed `enough` times at its work. Then lets it end. The moments come later from one time to the next: on a slow machine, too,
/// it gets to work. Returns how often it was killed at it.
async fn killed_again_and_again(lake: &Lake, arguments: &[&str], enough: u64) -> u64 {
    let arguments = [arguments, &["--requests-per-second", RATE]].concat();
    let (mut at_work, mut take_over, mut longest) = (0, Duration::ZERO, Duration::from_millis(300));
    for seed in 1.. {
        let mut process = lake.start(&arguments);
        let killed_at = Instant::now() + take_over + chance(seed, longest);
        while process.try_wait().unwrap().is_none() && Instant::now() < killed_at {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if process.try_wait().unwrap().is_some() {
            break;
        }
        process.kill().unwrap();
        process.wait().unwrap();
        // One that was killed before it had the lease keeps nobody waiting.
        let is_held = lake.is_held();
        at_work += u64::from(is_held);
        if at_work == enough {
            break;
        }
        take_over = if is_held { TAKE_OVER } else { Duration::ZERO };
        longest += longest / 10;
    }
    lake.run(&arguments);
    at_work
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_again_and_again_ends_as_one_that_is_not() {
    let lake = Lake::new().await;
    let before = lake.read("events/").await;
    assert_eq!(before.len(), OBJECTS);
    let at_work = killed_again_and_again(&lake, &["apply", "policy.yaml", "--yes"], 10).await;
    assert!(at_work >= 5, "{at_work} kills met it at work");
    assert!(lake.read("events/").await.is_empty());
    let history = lake.history();
    let runs: Vec<_> = history.iter().filter(|run| !run["actions"].as_object().unwrap().is_empty()).collect();
    assert_eq!(runs.len(), 1, "{history:?}");
    assert_eq!((&runs[0]["state"], &runs[0]["actions"]["expire"]["objects"]), (&"done".into(), &OBJECTS.into()));
    let run = runs[0]["run"].as_str().unwrap();

    let at_work = killed_again_and_again(&lake, &["undo", run, "policy.yaml"], 5).await;
    assert!(at_work >= 3, "{at_work} kills met it at work");
    assert_eq!(lake.read("events/").await, before);
    assert_eq!(lake.history()[0]["state"], "undone");
}
