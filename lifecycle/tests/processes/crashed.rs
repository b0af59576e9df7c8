//! Killed before or after one of its requests, and started again: the end is that of a run that nobody disturbed.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures::StreamExt;
use futures::stream;
use s3core_gateway::{Fault, RequestRecord};
use tokio::time::sleep;

use crate::lake::{Lake, OBJECTS, said};

/// Of so many crashes, two for each request, one is tried, and others each time; odd, so that both kinds are.
/// `S3CORE_TEST_CRASH_EVERY=1` tries all, which takes half an hour. `S3CORE_TEST_CRASH_SHIFT` is the number of the first.
const ONE_OF: usize = 41;

/// There are not so many crashes.
const ALONE: usize = 1_000_000;

/// Lakes at a time: most wait for the lease of a process that was killed.
const AT_ONCE: usize = 24;

/// Leases in seconds. A process that loses a short one, where the machine is busy, does not come to its crash: it is tried again
/// with the next.
const LEASES: [u32; 4] = [2, 4, 8, 16];

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
struct Crash {
    /// At which of its requests, from 1.
    at: usize,
    /// After that was carried out, of which the process learns nothing.
    is_after: bool,
}

impl Crash {
    /// The crash of this number, where there are two for each request and `requests` of those; the last ones begin anew.
    fn of(number: usize, requests: usize) -> Self {
        Self { at: 1 + number / 2 % requests, is_after: number % 2 == 1 }
    }
}

/// How far a process came that was to crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Crashed,
    /// It came to its end with fewer requests.
    Ended,
    /// It failed by itself.
    Failed,
}

const APPLY: [&str; 3] = ["apply", "policy.yaml", "--yes"];

/// Lets a process send its requests up to that of the crash, and kills it then.
async fn crash(lake: &Lake, arguments: &[&str], crash: Crash, lease: u32) -> End {
    let faults = lake.endpoint().faults();
    let at = crash.at as u64;
    let last = if crash.is_after { Some(faults.add(Fault::lose_reply().nth(at))) } else { None };
    // What comes then is never carried out.
    let never = Fault::stall(Duration::from_secs(3600)).after(if crash.is_after { at } else { at - 1 });
    let last = last.into_iter().chain([faults.add(never)]).next().unwrap();
    let mut process = lake.start(arguments, lease);
    while faults.injected_by(last) == 0 && process.try_wait().unwrap().is_none() {
        sleep(Duration::from_millis(2)).await;
    }
    let _ = process.kill();
    let output = process.wait_with_output().unwrap();
    faults.clear();
    match output.status.code() {
        _ if faults.injected_by(last) > 0 => End::Crashed,
        Some(1) => {
            println!("{crash:?} with a lease of {lease} seconds: {}", String::from_utf8_lossy(&output.stderr));
            End::Failed
        }
        _ => {
            said(&output);
            End::Ended
        }
    }
}

/// Each object of the lake that was removed was copied to the trash before, as what it was when it was removed. Nothing was
/// removed in another way.
fn assert_copied_first(log: &[RequestRecord]) {
    let mut copies = HashMap::new();
    let mut removed = 0;
    for record in log {
        assert_ne!(record.operation, "DeleteObjects", "{record:?}");
        let Some(etag) = &record.etag else { continue };
        let key = record.key.as_str();
        match record.operation {
            "CopyObject" => {
                let (trash, _) = key.strip_prefix(".s3core/trash/").unwrap().split_once("events/").unwrap();
                copies.insert(&key[".s3core/trash/".len() + trash.len()..], etag);
            }
            "DeleteObject" if key.starts_with("events/") => {
                assert_eq!(copies.get(key), Some(&etag), "{record:?}");
                removed += 1;
            }
            _ => {}
        }
    }
    assert_eq!(removed, OBJECTS);
}

/// What a lake holds below the trash, by the keys that it had.
async fn trashed(lake: &Lake) -> BTreeMap<String, (Option<String>, String)> {
    let found = lake.listed(".s3core/trash/").await.into_iter();
    found.map(|(key, object)| (key.split_once("/events/").unwrap().1.to_owned(), object)).collect()
}

/// One lake, with a crash of apply and one of undo. Returns how far they came.
async fn ends_as_undisturbed(applying: Crash, undoing: Crash, lease: u32) -> [End; 2] {
    let lake = Lake::embedded().await;
    let before = lake.listed("events/").await;
    assert_eq!(before.len(), OBJECTS);
    lake.endpoint().reset_requests();
    let first = crash(&lake, &APPLY, applying, lease).await;
    lake.run(&APPLY);
    assert_copied_first(&lake.endpoint().requests());
    assert!(lake.listed("events/").await.is_empty());
    assert_eq!(trashed(&lake).await, before);
    let run = lake.only_run(OBJECTS);

    let undo = ["undo", run.as_str(), "policy.yaml"];
    let second = crash(&lake, &undo, undoing, lease).await;
    lake.run(&undo);
    assert_eq!(lake.listed("events/").await, before);
    assert!(trashed(&lake).await.is_empty());
    assert_eq!(lake.history()[0]["state"], "undone");
    [first, second]
}

/// The crashes of this number, until both came or cannot come. Returns how many of them came.
async fn crashes(number: usize, applying: Crash, undoing: Crash) -> usize {
    let mut came = [false; 2];
    for lease in LEASES {
        // A task of its own: whatever fails there is said with the crashes.
        let ends = tokio::spawn(ends_as_undisturbed(applying, undoing, lease)).await.unwrap_or_else(|failure| {
            panic!(
                "apply with {applying:?}, undo with {undoing:?}; S3CORE_TEST_CRASH_EVERY={ALONE} \
                 S3CORE_TEST_CRASH_SHIFT={number} tries these alone: {failure}"
            )
        });
        came = [0, 1].map(|command| came[command] || ends[command] == End::Crashed);
        if [0, 1].iter().all(|command| came[*command] || ends[*command] == End::Ended) {
            break;
        }
    }
    came.into_iter().filter(|came| *came).count()
}

fn variable(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|number| number.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 24)]
async fn a_run_that_crashed_at_a_request_ends_as_one_that_did_not() {
    let lake = Lake::embedded().await;
    let requests = async |arguments: &[&str]| {
        lake.endpoint().reset_requests();
        let said = lake.run(arguments);
        (said, lake.endpoint().requests().len())
    };
    let (done, applying) = requests(&APPLY).await;
    let (_, undoing) = requests(&["undo", done["run"].as_str().unwrap(), "policy.yaml"]).await;

    let one_of = variable("S3CORE_TEST_CRASH_EVERY").unwrap_or(ONE_OF);
    let shift = variable("S3CORE_TEST_CRASH_SHIFT")
        .unwrap_or_else(|| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as usize);
    let all = 2 * applying.max(undoing);
    let lakes = (shift % one_of..all).step_by(one_of).map(|number| {
        let (applying, undoing) = (Crash::of(number, applying), Crash::of(number, undoing));
        async move { tokio::spawn(crashes(number, applying, undoing)).await.unwrap() }
    });
    let all = 2 * lakes.len();
    let came: Vec<usize> = stream::iter(lakes).buffer_unordered(AT_ONCE).collect().await;
    let came: usize = came.into_iter().sum();
    // Not every process sends as many requests.
    assert!(came * 10 >= all * 9, "{came} of {all} crashes came, of every {one_of}th from {}", shift % one_of);
}
