//! Units of which a part has moved when something comes between.

use rstest::rstest;
use s3core::ops::{AbortMultipartUpload, CreateMultipartUpload, DeleteBucketLifecycle};
use serde_json::json;

use crate::back::{PARTITIONS, state, state_and_classes, three_days, until_done, until_moved};
use crate::lake::Service;

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

/// An upload that is under way may be given up: the rest moves after that, in the same run.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_uploaded_to_when_a_part_has_moved_waits() {
    let lake = three_days(Service::Embedded).await;
    lake.run(&["plan", "policy.yaml", "--out", "plan.jsonl"]);
    // Somebody else's rule moves one object, and is taken away.
    let key = "events/day=2020-01-02/part-0";
    lake.put_rules(&[&format!(
        "<Rule><ID>by hand</ID><Filter><Prefix>{key}</Prefix></Filter><Status>Enabled</Status>\
         <Transition><Days>0</Days><StorageClass>COLD</StorageClass></Transition></Rule>"
    )])
    .await;
    lake.let_rules_work().await;
    lake.gateway.run(DeleteBucketLifecycle::new(&lake.bucket)).await.unwrap();
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
