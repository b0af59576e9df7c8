//! What a plan costs in memory does not grow with the objects that it names, and what is removed is kept once.

use std::fs;
use std::io::Read;
use std::process::{Child, Stdio};
use std::time::Duration;

use jiff::ToSpan;
use jiff::civil::date;

use super::lake::Lake;

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1d}, then: expire}]
";

const OBJECTS: u64 = 60_000;
/// So many that a plan's units are more than a pipe holds.
const DAYS: u64 = 500;

/// MiB. It takes some 40.
const MOST: u64 = 64;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_many_objects_is_not_kept_in_memory() {
    let endpoint = s3core_gateway::Gateway::builder().request_log(0).start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    endpoint.set_backdating(Duration::from_secs(7 * 86_400));
    // Long, so that what is kept of each is seen: 45 MiB of all.
    let keys = (0..OBJECTS).map(|number| {
        let day = date(2020, 1, 1).checked_add(i64::try_from(number % DAYS).unwrap().days()).unwrap();
        format!("events/day={day}/part-{number:0>600}.parquet")
    });
    endpoint.seed(&lake.bucket, b"x", keys).unwrap();
    endpoint.set_backdating(Duration::ZERO);

    let mut command = lake.command(&["plan", "policy.yaml", "--output", "json", "--at-once", "2"]);
    let (peak, said) = peak_of(command.stdout(Stdio::piped()).spawn().unwrap());
    let plan: serde_json::Value = serde_json::from_slice(&said).unwrap();
    assert_eq!(plan["end"]["planned"]["objects"], OBJECTS);
    assert!(peak < MOST, "{peak} MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_removed_is_in_memory_once() {
    const OBJECTS: u64 = 10_000;
    let endpoint = s3core_gateway::Gateway::builder().request_log(0).start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    endpoint.set_backdating(Duration::from_secs(7 * 86_400));
    let keys = (0..OBJECTS).map(|number| format!("events/day=2020-01-01/part-{number:0>800}.parquet"));
    endpoint.seed(&lake.bucket, b"x", keys).unwrap();
    endpoint.set_backdating(Duration::ZERO);

    let mut command = lake.command(&["apply", "policy.yaml", "--yes"]);
    let mut process = command.stdout(Stdio::null()).spawn().unwrap();
    let mut peak = 0;
    let status = loop {
        peak = peak_so_far(process.id()).unwrap_or(peak);
        match process.try_wait().unwrap() {
            Some(status) => break status,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    assert!(status.success() && lake.listed("events/").await.is_empty());
    // It takes some 60; with copies for the journal, the catalog and each look at the unit 92.
    assert!(peak < 76, "{peak} MiB");
}

/// The most memory that a process has had, in MiB, and what it has said. It waits for its reader when it has said more than a
/// pipe holds, so that it is seen whole.
fn peak_of(mut process: Child) -> (u64, Vec<u8>) {
    let (mut peak, mut said, mut part) = (0, Vec::new(), vec![0; 1 << 14]);
    let mut out = process.stdout.take().unwrap();
    loop {
        match out.read(&mut part).unwrap() {
            0 => break,
            length => said.extend_from_slice(&part[..length]),
        }
        peak = peak_so_far(process.id()).unwrap_or(peak);
    }
    assert!(process.wait().unwrap().success());
    (peak, said)
}

/// None of one that has ended.
fn peak_so_far(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? >> 10)
}
