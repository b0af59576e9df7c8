//! `s3life history` and `s3life status`, in a process of their own, on real Ceph.

use std::path::Path;
use std::process::{Command, Output};

use s3life::plan::line::Amount;
use s3life::run::keys;
use s3life::run::lease::{Holder, Lease, Purpose};
use s3life::run::left::Skipped;
use s3life::run::record::{DatasetDone, RunRecord, RunState};
use s3life::run::store::Store;
use serde_json::{Value, json};

use crate::support::{Lake, Service, record};

const OLD: &str = "20261101T000000Z-0a0b0c";
const NEW: &str = "20261125T214500Z-a1b2c3";

fn run(lake: &Lake, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_s3life"))
        .args(arguments)
        .args(["--endpoint", &lake.url])
        .env_clear()
        .env("AWS_ACCESS_KEY_ID", &lake.access_key)
        .env("AWS_SECRET_ACCESS_KEY", &lake.secret_key)
        .output()
        .unwrap()
}

fn json_of(output: &Output) -> Value {
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn text_of(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn amount(units: u64) -> Amount {
    Amount { units, objects: units * 4, bytes: units << 20 }
}

/// Two runs: one that ended, and one under way.
async fn two_runs(lake: &Lake) -> Lease {
    let holder = Holder { host: "edge1".to_owned(), process: 4711 };
    let lease = Lease::take(&lake.bucket, &holder, &Purpose::of_run("apply", NEW)).await.unwrap();
    let store = Store::new(lake.bucket.clone());
    for name in [OLD, NEW] {
        store.begin(&lease, &record(name), Path::new("/dev/null")).await.unwrap();
    }
    let end = |record: &mut RunRecord| {
        record.state = RunState::Done;
        record.finished = Some("2026-11-01T00:10:00Z".parse().unwrap());
        record.trash_until = Some("2026-11-08T00:00:00Z".parse().unwrap());
        let done = |units| DatasetDone {
            prefix: "events/".to_owned(),
            total: amount(400),
            actions: [("expire".to_owned(), amount(units))].into(),
            ..DatasetDone::default()
        };
        record.datasets = [("events".to_owned(), done(3)), ("scratch".to_owned(), done(2))].into();
        Ok(())
    };
    store.update(&lease, OLD, end).await.unwrap();
    let skip = |record: &mut RunRecord| {
        let (unit, key) = ("events/day=2024-01-01/".to_owned(), Some("events/day=2024-01-01/new".to_owned()));
        record.skipped = vec![Skipped { unit, key, reason: "it came after the plan".to_owned() }];
        record.skipped_count = 1;
        Ok(())
    };
    store.update(&lease, NEW, skip).await.unwrap();
    for (number, key) in ["events/a", "events/b"].into_iter().enumerate() {
        lake.put(&keys::trashed(OLD, number as u64, key), vec![0; 1000]).await;
    }
    lake.put(&keys::trashed("lost", 1, "x"), "x").await;
    lease
}

#[tokio::test(flavor = "multi_thread")]
async fn history_is_an_array_the_newest_first() {
    let lake = Lake::at(Service::Ceph).await;
    let place = format!("s3a://{}", lake.name);
    assert_eq!(json_of(&run(&lake, &["history", &place, "--output", "json"])), json!([]));
    assert_eq!(text_of(&run(&lake, &["history", &place])), format!("{place}: no run so far\n"));
    let lease = two_runs(&lake).await;
    let history = json_of(&run(&lake, &["history", &place, "--output", "json"]));
    let fields = |index: usize| {
        let run = &history[index];
        ["run", "policy", "started", "finished", "state"].map(|name| run[name].clone())
    };
    let started = json!("1970-01-01T00:00:00Z");
    let policy = json!("/etc/lake.yaml");
    assert_eq!(fields(0), [json!(NEW), policy.clone(), started.clone(), Value::Null, json!("running")]);
    assert_eq!(fields(1), [json!(OLD), policy, started, json!("2026-11-01T00:10:00Z"), json!("done")]);
    assert_eq!(history[0]["actions"], json!({}));
    assert_eq!(history[1]["actions"], json!({"expire": {"units": 5, "objects": 20, "bytes": 5 << 20}}));
    assert_eq!(history.as_array().unwrap().len(), 2);

    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.yaml");
    let text = format!(
        "version: 1\nzone: UTC\ndatasets:\n  - name: events\n    location: s3a://{}/events/\n    age: {{from: \
         newest_object}}\n    rules:\n      - {{name: drop, when: {{older_than: 6y}}, then: expire}}\n",
        lake.name
    );
    std::fs::write(&policy, text).unwrap();
    let lines = text_of(&run(&lake, &["history", policy.to_str().unwrap()]));
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(
        lines,
        [
            format!("{NEW}  running: nothing yet, 1 skipped  (/etc/lake.yaml)"),
            format!(
                "{OLD}  done: expire 5 units (20 objects, 5.0 MiB), can be undone until 2026-11-08T00:00:00Z  \
                 (/etc/lake.yaml)"
            ),
        ]
    );
    lease.release().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_who_is_at_work_and_what_the_trash_holds() {
    let lake = Lake::at(Service::Ceph).await;
    let place = format!("s3a://{}", lake.name);
    assert_eq!(text_of(&run(&lake, &["status", &place])), format!("{place}: nobody is at work\n"));
    let lease = two_runs(&lake).await;
    let status = json_of(&run(&lake, &["status", &place, "--output", "json"]));
    let held = &status["lease"];
    assert_eq!((&held["host"], &held["process"], &held["run"]), (&json!("edge1"), &json!(4711), &json!(NEW)));
    assert_eq!((&held["number"], &held["expired"]), (&json!(1), &json!(false)));
    let runs: Vec<_> = status["runs"].as_array().unwrap().iter().map(|run| (&run["run"], &run["active"])).collect();
    assert_eq!(runs, [(&json!(NEW), &json!(true))]);
    assert_eq!(
        status["trash"],
        json!([
            {"run": OLD, "objects": 2, "bytes": 2000, "until": "2026-11-08T00:00:00Z"},
            {"run": "lost", "objects": 1, "bytes": 1, "until": null},
        ])
    );
    let reason = "it came after the plan";
    let unit = "events/day=2024-01-01/";
    assert_eq!(status["skipped"], json!([{"run": NEW, "unit": unit, "key": format!("{unit}new"), "reason": reason}]));
    let text = text_of(&run(&lake, &["status", &place]));
    for part in [
        "process 4711 on edge1 is at work since ",
        &format!("run    {NEW}  running: nothing yet"),
        &format!("trash  {OLD}  2 objects, 2.0 KiB, goes for good after 2026-11-08T00:00:00Z"),
        &format!("skipped  {NEW}  {place}/{unit}: {reason}"),
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    lease.release().await.unwrap();
    let text = text_of(&run(&lake, &["status", &place]));
    assert!(text.contains("nobody is at work\n") && text.contains("; nobody is at work on it"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_said() {
    let lake = Lake::at(Service::Ceph).await;
    let said = |place: &str| {
        let output = run(&lake, &["history", place]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(said("s3a://no-such-bucket-anywhere").contains("no-such-bucket-anywhere"));
    assert!(said("missing.yaml").contains("missing.yaml cannot be read"));
    assert!(said("lake").contains("write s3a://lake where that is the bucket"));
    lake.put(&keys::record(NEW), "{").await;
    let text = said(&format!("s3a://{}", lake.name));
    assert!(text.contains(&keys::record(NEW)), "{text}");
}
