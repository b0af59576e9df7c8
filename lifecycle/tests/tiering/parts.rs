//! Units of which a part has moved when something comes between.

use std::time::Duration;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use s3core::ops::{AbortMultipartUpload, CreateMultipartUpload, DeleteBucketLifecycle, GetObject, PutObject};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::back::{PARTITIONS, state, state_and_classes, three_days, until_done, until_moved};
use crate::lake::{Lake, Service};

/// A unit that somebody writes to when a part of it has moved is left, known to `undo`, and counted.
#[rstest]
#[case::by_its_prefix(PARTITIONS)]
#[case::object_by_object(&PARTITIONS.replace("older_than: 30d", "older_than: 30d, larger_than: 5"))]
#[tokio::test(flavor = "multi_thread")]
async fn what_has_moved_of_a_unit_that_changed_comes_back(#[case] policy: &str) {
    let lake = three_days(Service::Embedded).await;
    lake.policy(policy);
    let run = lake.json(&["apply", "policy.yaml", "--yes"])["run"].as_str().unwrap().to_owned();
    lake.let_rules_work().await;
    lake.put("events/day=2020-01-03/part-0", "some other bytes").await;
    // The state that it was left in is final.
    for _ in 0..2 {
        lake.json(&["native", "policy.yaml", "--apply"]);
        let history = lake.json(&["history", "policy.yaml"]);
        assert_eq!((state(&history, &json!(run)), &history[0]["actions"]["tier"]["units"]), ("done", &json!(3)));
    }
    let skipped = &lake.json(&["status", "policy.yaml"])["skipped"];
    let reason = skipped[0]["reason"].as_str().unwrap();
    assert!(reason.contains("; a part of it has moved to COLD, and `undo` with `--merge` moves it back"), "{skipped}");
    let proof = lake.json(&["verify", &run, "policy.yaml"]);
    assert_eq!((&proof["moved"]["units"], &proof["left"]), (&json!(2), &json!(1)), "{proof}");

    let place = format!("s3a://{}/events/day=2020-01-03/", lake.bucket);
    let explained = lake.json(&["explain", "policy.yaml", &place]);
    let (told, command) = (&explained["run"], explained["run"]["command"].as_str().unwrap());
    assert!(told["what"] == "half moved" && command.contains(&run) && command.ends_with(" --merge"), "{explained}");

    let undone = until_moved(&lake, &["undo", &run, "policy.yaml"], |said| said["waiting"] != 0).await;
    assert_eq!(undone["moved_back_in_all"]["events"]["units"], 2);
    assert!(undone["skipped"][0]["reason"].as_str().unwrap().contains("`--merge` moves"), "{undone}");
    let undone = until_moved(&lake, &["undo", &run, "policy.yaml", "--merge"], |said| said["waiting"] != 0).await;
    assert_eq!(undone["moved_back_in_all"]["events"]["units"], 3);
    assert_eq!(state_and_classes(&lake).await.1, vec!["STANDARD"; 6]);
    assert_eq!(lake.rules().await, []);
    lake.remove().await;
}

/// Saves a plan. Then somebody else's rule moves one object of a unit that it moves, and is taken away.
async fn move_one_object(lake: &Lake) {
    lake.run(&["plan", "policy.yaml", "--out", "plan.jsonl"]);
    let key = "events/day=2020-01-02/part-0";
    lake.put_rules(&[&format!(
        "<Rule><ID>by hand</ID><Filter><Prefix>{key}</Prefix></Filter><Status>Enabled</Status>\
         <Transition><Days>0</Days><StorageClass>COLD</StorageClass></Transition></Rule>"
    )])
    .await;
    lake.let_rules_work().await;
    lake.gateway.run(DeleteBucketLifecycle::new(&lake.bucket)).await.unwrap();
}

/// An upload that is under way may be given up: the rest moves after that, in the same run.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_to_when_a_part_has_moved_waits() {
    let lake = three_days(Service::Embedded).await;
    move_one_object(&lake).await;
    let upload = CreateMultipartUpload::new(&lake.bucket, "events/day=2020-01-02/part-2");
    let upload = lake.gateway.run(upload).await.unwrap();

    let run = lake.json(&["apply", "--plan", "plan.jsonl", "policy.yaml", "--yes"])["run"].clone();
    for _ in 0..2 {
        lake.let_rules_work().await;
        lake.json(&["native", "policy.yaml", "--apply"]);
        let (_, classes) = state_and_classes(&lake).await;
        assert_eq!(classes, ["COLD", "COLD", "STANDARD", "COLD", "COLD", "COLD"]);
        let status = lake.json(&["status", "policy.yaml"]);
        assert_eq!((&status["runs"][0]["waiting"]["units"], &status["runs"][0]["run"]), (&json!(1), &run), "{status}");
        let reason = status["skipped"][0]["reason"].as_str().unwrap();
        assert_eq!(reason, "it is being uploaded, and the rest moves after that");
    }
    lake.gateway.run(AbortMultipartUpload::new(&lake.bucket, "events/day=2020-01-02/part-2", &upload)).await.unwrap();
    until_done(&lake, &run, &["native", "policy.yaml", "--apply"]).await;
    assert_eq!(state_and_classes(&lake).await.1, vec!["COLD"; 6]);
    assert_eq!(lake.json(&["history", "policy.yaml"])[0]["actions"]["tier"]["units"], 3);
    lake.remove().await;
}

/// Makes the plan of a run two days older than it is.
async fn age_plan(lake: &Lake, run: &str) {
    let read = async |key: &str| {
        let mut frames: Vec<Bytes> = Vec::new();
        lake.gateway.run(GetObject::new(&lake.bucket, key, &mut frames)).await.unwrap();
        String::from_utf8(frames.concat()).unwrap()
    };
    let put = async |key: &str, text: String| {
        lake.gateway.run(PutObject::new(&lake.bucket, key, Bytes::from(text))).await.unwrap();
    };
    let [plan, record] = ["plan.jsonl", "run.json"].map(|name| format!(".s3core/life/runs/{run}/{name}"));
    let text = read(&plan).await;
    let line = |line: Option<&str>| serde_json::from_str::<Value>(line.unwrap()).unwrap();
    let (header, end) = (line(text.lines().next()), line(text.lines().next_back()));
    let (created, digest) = (header["created"].as_str().unwrap(), end["digest"].as_str().unwrap());
    let earlier = created.parse::<Timestamp>().unwrap() - SignedDuration::from_hours(48);
    let text = text.replacen(&format!("\"created\":\"{created}\""), &format!("\"created\":\"{earlier}\""), 1);
    let (before, after) = text.rsplit_once(digest).unwrap();
    let aged: String = Sha256::digest(before).iter().map(|byte| format!("{byte:02x}")).collect();
    put(&plan, format!("{before}{aged}{after}")).await;
    put(&record, read(&record).await.replace(digest, &aged)).await;
}

/// Nobody may ever end an upload: after a day the unit is left as it is by then.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_to_waits_for_a_day() {
    let lake = three_days(Service::Embedded).await;
    move_one_object(&lake).await;
    let key = "events/day=2020-01-02/part-2";
    let begin = async |hours: u64| {
        lake.embedded.as_ref().unwrap().set_backdating(Duration::from_secs(3600 * hours));
        let upload = lake.gateway.run(CreateMultipartUpload::new(&lake.bucket, key)).await.unwrap();
        lake.embedded.as_ref().unwrap().set_backdating(Duration::ZERO);
        upload
    };
    let upload = begin(0).await;
    let run = lake.json(&["apply", "--plan", "plan.jsonl", "policy.yaml", "--yes"])["run"].clone();
    age_plan(&lake, run.as_str().unwrap()).await;
    lake.gateway.run(AbortMultipartUpload::new(&lake.bucket, key, &upload)).await.unwrap();
    let upload = begin(23).await;
    lake.let_rules_work().await;
    lake.json(&["native", "policy.yaml", "--apply"]);
    let history = lake.json(&["history", "policy.yaml"]);
    assert_eq!((state(&history, &run), &history[0]["waiting"]["units"]), ("waiting-for-gateway", &json!(1)));

    lake.gateway.run(AbortMultipartUpload::new(&lake.bucket, key, &upload)).await.unwrap();
    begin(25).await;
    lake.json(&["native", "policy.yaml", "--apply"]);
    let history = lake.json(&["history", "policy.yaml"]);
    assert_eq!((state(&history, &run), &history[0]["actions"]["tier"]["units"]), ("done", &json!(3)));
    let skipped = &lake.json(&["status", "policy.yaml"])["skipped"];
    let reason = skipped[0]["reason"].as_str().unwrap();
    assert!(reason.starts_with("it is being uploaded; a part of it has moved to COLD"), "{skipped}");
    assert_eq!(state_and_classes(&lake).await.1, ["COLD", "COLD", "STANDARD", "COLD", "COLD", "COLD"]);
}

/// A hold comes too late for a unit that has moved: it is one that has.
#[rstest]
#[case::by_its_prefix(PARTITIONS)]
#[case::object_by_object(&PARTITIONS.replace("older_than: 30d", "older_than: 30d, larger_than: 5"))]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_when_all_of_it_has_moved_has_moved(#[case] policy: &str) {
    let lake = three_days(Service::Embedded).await;
    lake.policy(policy);
    let run = lake.json(&["apply", "policy.yaml", "--yes"])["run"].clone();
    lake.let_rules_work().await;
    let hold =
        format!("hold: [{{path: \"s3a://{}/events/day=2020-01-02/\", reason: audit, owner: risk}}]\n", lake.bucket);
    lake.policy(&policy.replace("datasets:", &format!("{hold}datasets:")));
    lake.json(&["native", "policy.yaml", "--apply"]);
    let history = lake.json(&["history", "policy.yaml"]);
    assert_eq!((state(&history, &run), &history[0]["actions"]["tier"]["units"]), ("done", &json!(3)));
    assert_eq!(lake.json(&["status", "policy.yaml"])["skipped"], json!([]));
    assert_eq!(state_and_classes(&lake).await.1, vec!["COLD"; 6]);
    lake.remove().await;
}
