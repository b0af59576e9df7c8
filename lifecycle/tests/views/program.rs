//! What the program says of a policy and of a path, and of mistakes.

use std::process::{Command, Output};

use s3core::config::{Options, Sources};
use s3core::environment::{Random, SystemRandom};
use s3core::gateway::Gateway;
use s3core::ops::{CreateBucket, PutObject};
use serde_json::{Value, json};

use super::lake::{cleanup, environment, variable};

/// A bucket of one test, and a policy for it.
struct Lake {
    bucket: String,
    gateway: Gateway,
    directory: tempfile::TempDir,
}

const POLICY: &str = "\
version: 1
zone: Europe/Berlin
hold:
  - {path: \"s3a://BUCKET/events/day=2024-01-03/\", reason: audit, owner: risk}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    settle: 0h
    rules:
      - {name: drop, when: {older_than: 6y}, then: expire}
      - {name: ends, keep: {last_of: month}}
";

const KEYS: [&str; 5] = [
    "events/_SUCCESS",
    "events/day=2024-01-01/a",
    "events/day=2024-01-03/a",
    "events/day=2024-01-31/a",
    "events/day=__HIVE_DEFAULT_PARTITION__/a",
];

impl Lake {
    async fn new() -> Self {
        let bucket = format!("life-{:016x}", SystemRandom.bits() as u64);
        let sources = Sources { explicit: explicit(), hadoop: Vec::new(), environment: &|_| None, home: None };
        let options = Options::resolve(&bucket, &sources).unwrap();
        let gateway = Gateway::new(options.gateway, environment());
        gateway.run(CreateBucket::new(&bucket, gateway.settings())).await.unwrap();
        for key in KEYS {
            gateway.run(PutObject::new(&bucket, key, bytes::Bytes::from_static(b"ten bytes."))).await.unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.yaml"), POLICY.replace("BUCKET", &bucket)).unwrap();
        Self { bucket, gateway, directory }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let given = arguments.iter().map(|argument| argument.replace("BUCKET", &self.bucket));
        Command::new(env!("CARGO_BIN_EXE_s3life"))
            .args(given)
            .current_dir(self.directory.path())
            .env_clear()
            .env("AWS_ACCESS_KEY_ID", variable("S3CORE_TEST_ACCESS_KEY"))
            .env("AWS_SECRET_ACCESS_KEY", variable("S3CORE_TEST_SECRET_KEY"))
            .output()
            .unwrap()
    }

    fn explain(&self, path: &str, now: &str) -> Vec<Value> {
        let uri = format!("s3a://BUCKET/{path}");
        let endpoint = variable("S3CORE_TEST_ENDPOINT");
        let output =
            self.run(&["--output", "json", "explain", "policy.yaml", &uri, "--now", now, "--endpoint", &endpoint]);
        assert!(output.status.success(), "{output:?}");
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

fn explicit() -> Vec<(String, String)> {
    let pair = |option: &str, name: &str| (option.to_owned(), variable(name));
    vec![
        pair("endpoint", "S3CORE_TEST_ENDPOINT"),
        pair("access.key", "S3CORE_TEST_ACCESS_KEY"),
        pair("secret.key", "S3CORE_TEST_SECRET_KEY"),
    ]
}

impl Drop for Lake {
    fn drop(&mut self) {
        cleanup::remove(self.gateway.settings().clone(), environment(), &self.bucket);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_partition_is_explained() {
    let lake = Lake::new().await;
    let explained = |path: &str, now: &str| {
        let lines = lake.explain(path, now);
        let verdicts: Vec<_> = lines.iter().map(|line| line["verdict"].as_str().unwrap().to_owned()).collect();
        (lines, verdicts)
    };
    let (lines, _) = explained("events/day=2024-01-01/a", "2030-01-01T23:00:00Z");
    assert_eq!(
        lines,
        [json!({
            "uri": format!("s3a://{}/events/day=2024-01-01/", lake.bucket), "verdict": "due", "rule": "drop", "action": "expire",
            // The day ends at midnight in Berlin.
            "when": "2030-01-01T23:00:00Z", "reason": "by line 11 of the policy", "objects": 1, "bytes": 10,
            "classes": {"STANDARD": 10}, "run": null,
        })]
    );
    assert_eq!(explained("events/day=2024-01-01/", "2030-01-01T22:59:59Z").1, ["not yet"]);
    let (_, all) = explained("events/", "2031-01-01T00:00:00Z");
    assert_eq!(all, ["due", "held", "kept", "undated"]);
    assert_eq!(explained("events/_SUCCESS", "2031-01-01T00:00:00Z").1, ["outside"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn people_get_a_line() {
    let lake = Lake::new().await;
    let endpoint = variable("S3CORE_TEST_ENDPOINT");
    let uri = "s3a://BUCKET/events/day=2024-01-03";
    let output = lake.run(&["explain", "policy.yaml", uri, "--now", "2031-01-01T00:00:00Z", "--endpoint", &endpoint]);
    let line = String::from_utf8(output.stdout).unwrap();
    assert_eq!(line, format!("s3a://{}/events/day=2024-01-03/: held: audit, until risk lifts it\n", lake.bucket));
    let valid = lake.run(&["validate", "policy.yaml"]);
    let line = String::from_utf8(valid.stdout).unwrap();
    assert_eq!(
        line,
        format!("policy.yaml: 1 dataset with 2 rules in s3a://{}, ages counted in Europe/Berlin\n", lake.bucket)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_name_their_place_and_remedy() {
    let lake = Lake::new().await;
    std::fs::write(lake.directory.path().join("wrong.yaml"), POLICY.replace("6y", "6x").replace("Berlin", "Nowhere"))
        .unwrap();
    let said = |arguments: &[&str]| {
        let output = lake.run(arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (status, text) = said(&["validate", "wrong.yaml"]);
    assert_eq!(status, Some(1));
    assert!(text.contains("wrong.yaml:2:7: ") && text.contains("wrong.yaml:11:41: `6x` is no period"), "{text}");
    // For programs: on standard output, and nothing else anywhere.
    let told = lake.run(&["--output", "json", "validate", "wrong.yaml"]);
    let findings: Value = serde_json::from_slice(&told.stdout).unwrap();
    let lines: Vec<_> = findings["findings"].as_array().unwrap().iter().map(|finding| &finding["line"]).collect();
    assert_eq!((told.status.code(), lines, told.stderr.as_slice()), (Some(1), vec![&json!(2), &json!(11)], &b""[..]));
    for (arguments, part) in [
        (&["explain", "policy.yaml", "s3a://other/events/"] as &[&str], "lies in another bucket than the policy's"),
        (&["explain", "policy.yaml", "s3a://BUCKET/elsewhere/"], "in none of the policy's datasets"),
        (&["validate", "missing.yaml"], "missing.yaml cannot be read"),
        (&["explain", "policy.yaml", "s3a://BUCKET/events/", "--endpoint", "http://127.0.0.1:9"], "127.0.0.1:9"),
    ] {
        let (status, text) = said(arguments);
        assert!(status == Some(1) && text.contains(part), "{text}");
    }
    assert_eq!(said(&["explain"]).0, Some(2));
}
