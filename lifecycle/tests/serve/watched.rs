//! What Prometheus reads.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::approve_all;
use super::ending::terminate;
use super::lake::Lake;

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, notice: 0h, guard: {max_removed: 50% per 30d}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Reads the metrics until this one has such a value.
fn wait_for(address: &str, metric: &str, is_awaited: impl Fn(f64) -> bool) {
    let started = Instant::now();
    loop {
        let metrics = get(address, "/metrics");
        let mut values = metrics.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
        if values.any(|value| is_awaited(value.parse().unwrap())) {
            return;
        }
        assert!(started.elapsed() < Duration::from_secs(60), "{metric} in {metrics}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_policy_is_told_and_changes_nothing() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let old = ["events/day=2020-01-01/a", "events/day=2020-01-02/a"];
    lake.put_all(old).await;
    lake.put_all(["a", "b"].map(|name| format!("events/day=2999-01-01/{name}"))).await;
    lake.put_all(["events/day=2999-01-02/a"]).await;
    lake.rest().await;
    approve_all(&lake);
    let policy = std::fs::read_to_string(lake.path("policy.yaml")).unwrap();
    std::fs::write(lake.path("policy.yaml"), "version: 2\n").unwrap();

    let serve = ["--output", "json", "serve", "policy.yaml", "--every", "1s", "--metrics", "127.0.0.1:0"];
    let mut process = lake.command(&serve).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let address = loop {
        let line: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        if let Some(address) = line["address"].as_str() {
            break address.to_owned();
        }
    };
    assert!(get(&address, "/health").starts_with("HTTP/1.1 200"));
    assert!(get(&address, "/").starts_with("HTTP/1.1 404"));
    // Once each round.
    wait_for(&address, "s3life_errors_total{kind=\"policy\"}", |errors| errors >= 2.0);
    assert_eq!(lake.listed("events/").await.len(), 5);

    // What is put right goes on.
    std::fs::write(lake.path("policy.yaml"), policy).unwrap();
    let labels = format!("bucket=\"{}\",dataset=\"events\"", lake.bucket);
    let is = |awaited: f64| move |value: f64| value == awaited;
    wait_for(&address, &format!("s3life_action_units_total{{{labels},action=\"expire\"}}"), is(2.0));
    assert_eq!(lake.listed("events/").await.len(), 3);
    wait_for(&address, &format!("s3life_due_units{{{labels},rule=\"drop\"}}"), is(0.0));
    wait_for(&address, &format!("s3life_trash_bytes{{bucket=\"{}\"}}", lake.bucket), is(20.0));
    wait_for(&address, &format!("s3life_guard_share_ratio{{{labels},of=\"units\"}}"), is(0.5));
    assert!(get(&address, "/metrics").contains("s3life_last_success_timestamp_seconds{bucket="));
    terminate(&process);
    assert!(process.wait().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_busy_is_told_and_is_no_failure() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let holder = s3life::run::lease::Holder { host: "another".to_owned(), process: 7 };
    let lease = s3life::run::lease::Lease::take(&lake.state, &holder, &"apply".into()).await.unwrap();
    let said = lake.run(&["--output", "json", "serve", "policy.yaml", "--rounds", "1"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(said.out.contains("another process is at work on the bucket"), "{said:?}");
    lease.release().await.unwrap();
}
