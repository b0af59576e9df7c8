//! Running work is left alone, and what killed jobs have left goes only where a rule says so.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use s3core::ops::{CreateMultipartUpload, UploadPart};
use s3core_gateway::{Fault, Gateway};
use serde_json::Value;

use super::lake::{Lake, summary, units};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: drop, when: {older_than: 1y}, then: expire}
      - {name: sweep, when: {older_than: 8d}, then: sweep_abandoned}
      - {name: uploads, when: {older_than: 8d}, then: abort_uploads}
";

fn after(moment: Timestamp, days: i64) -> String {
    moment.checked_add((24 * days).hours()).unwrap().checked_add(5.seconds()).unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn units_around_running_jobs_wait_until_these_are_abandoned() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let keys = [
        "events/day=2020-01-01/a",
        "events/day=2020-01-02/a",
        "events/day=2020-01-02/_temporary/0/task/part-1",
        "events/day=2020-01-02/_temporary/0/task/part-2",
        "events/day=2020-01-03/a",
    ];
    lake.put_all(keys).await;
    let upload = CreateMultipartUpload::new(&lake.bucket, "events/day=2020-01-03/part-1");
    let upload = lake.gateway.run(upload).await.unwrap();
    let written = lake.newest("").await;
    lake.rest().await;

    let plan = lake.planned(&after(written, 6));
    assert_eq!(units(&plan, "drop"), ["events/day=2020-01-01/"]);
    assert_eq!((&summary(&plan)["left"]["running"], &plan["uploads"]), (&2.into(), &serde_json::json!([])));
    let said = lake.plan(&["--now", &after(written, 6)]);
    let first = "at work: 2 trees and uploads of jobs, such as events/day=2020-01-02/_temporary/";
    assert!(said.out.contains(first) && !said.out.contains("abandoned:"), "{}", said.out);
    assert_eq!(plan["jobs_count"], serde_json::json!({"at_work": 2, "abandoned": 0}));

    // Abandoned after seven days; the rules wait for the eighth.
    let plan = lake.planned(&after(written, 7));
    assert_eq!(units(&plan, "drop").len(), 3);
    assert_eq!((units(&plan, "sweep").len(), &plan["uploads"]), (0, &serde_json::json!([])));
    // Each is named, though no rule takes it.
    assert_eq!(plan["jobs_count"], serde_json::json!({"at_work": 0, "abandoned": 2}));
    let [tree, left] = plan["jobs"].as_array().unwrap().as_slice() else { panic!("{plan}") };
    let mut expected = serde_json::json!({
        "dataset": "events", "key": "events/day=2020-01-02/_temporary/", "upload": null, "objects": 2, "bytes": 20,
        "abandoned": true, "newest": tree["newest"],
    });
    assert_eq!(*tree, expected);
    expected["key"] = "events/day=2020-01-03/part-1".into();
    (expected["upload"], expected["newest"]) = (upload.clone().into(), left["newest"].clone());
    (expected["objects"], expected["bytes"]) = (Value::Null, Value::Null);
    assert_eq!(*left, expected);
    for job in [tree, left] {
        let newest: Timestamp = job["newest"].as_str().unwrap().parse().unwrap();
        assert!(newest.duration_since(written).as_secs().abs() < 60, "{job}");
    }
    let said = lake.plan(&["--now", &after(written, 7)]);
    let listed =
        ["abandoned: 2 trees and uploads of jobs", "day=2020-01-02/_temporary/: 2 objects, 20 B, the newest of "];
    assert!(listed.iter().all(|part| said.out.contains(part)) && !said.out.contains("at work"), "{}", said.out);
    assert!(said.out.contains(&format!("day=2020-01-03/part-1: the upload {upload}, begun ")), "{}", said.out);

    let plan = lake.planned(&after(written, 8));
    assert_eq!(units(&plan, "drop").len(), 3);
    assert_eq!(units(&plan, "sweep"), ["events/day=2020-01-02/_temporary/"]);
    let prefixes: Vec<_> =
        plan["units"].as_array().unwrap().iter().map(|unit| unit["prefix"].as_str().unwrap()).collect();
    assert_eq!(
        prefixes[1..3],
        ["events/day=2020-01-02/", "events/day=2020-01-02/_temporary/"],
        "in the order of prefixes"
    );
    assert_eq!((&plan["units"][1]["objects"], &plan["units"][2]["objects"]), (&1.into(), &2.into()));
    let [aborted] = plan["uploads"].as_array().unwrap().as_slice() else { panic!("{plan}") };
    assert_eq!((&aborted["key"], &aborted["upload"]), (&"events/day=2020-01-03/part-1".into(), &upload.into()));
}

/// A connector keeps an upload open for days and goes on sending parts.
#[tokio::test(flavor = "multi_thread")]
async fn an_upload_is_as_old_as_its_newest_part() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    endpoint.set_backdating(Duration::from_secs(9 * 86_400));
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a"]).await;
    let mut ids = Vec::new();
    for day in ["01", "02"] {
        let key = format!("events/day=2020-01-{day}/part-1");
        let id = lake.gateway.run(CreateMultipartUpload::new(&lake.bucket, &key)).await.unwrap();
        let body = bytes::Bytes::from_static(b"rows");
        lake.gateway.run(UploadPart::new(&lake.bucket, &key, &id, 1, body.clone())).await.unwrap();
        ids.push((key, id, body));
    }
    endpoint.set_backdating(Duration::from_secs(600));
    let (key, id, body) = ids.swap_remove(0);
    lake.gateway.run(UploadPart::new(&lake.bucket, &key, &id, 2, body)).await.unwrap();
    endpoint.set_backdating(Duration::ZERO);
    let plan = lake.planned(&Timestamp::now().to_string());
    let uploads: Vec<_> = plan["uploads"].as_array().unwrap().iter().map(|upload| &upload["key"]).collect();
    assert_eq!(uploads, ["events/day=2020-01-02/part-1"], "{plan}");
    assert_eq!(units(&plan, "drop"), ["events/day=2020-01-02/"]);
    assert_eq!(plan["jobs_count"], serde_json::json!({"at_work": 1, "abandoned": 1}));
    // Later both are abandoned, and it is told what is known of them.
    let later = after(Timestamp::now(), 9);
    assert_eq!(lake.planned(&later)["uploads"].as_array().unwrap().len(), 2);
    let said = lake.plan(&["--now", &later]);
    assert!(said.out.contains(&format!("{key}: the upload {id}, begun ")), "{}", said.out);
    assert!(said.out.contains(", its newest part sent "), "{}", said.out);
    // Of another user's upload no more is known than when it was begun.
    endpoint.faults().add(Fault::error(403, "AccessDenied").operation("ListParts"));
    let plan = lake.planned(&Timestamp::now().to_string());
    assert_eq!((plan["uploads"].as_array().unwrap().len(), &plan["jobs_count"]["at_work"]), (2, &0.into()), "{plan}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_with_a_log_are_left_with_the_right_procedure_named() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put_all(["events/_delta_log/00000000000000000000.json", "events/day=2020-01-01/a"]).await;
    let plan = lake.planned("2036-01-01T00:00:00Z");
    assert_eq!((units(&plan, "drop").len(), &summary(&plan)["left"]["of a table"]), (0, &1.into()));
    let said = lake.plan(&["--now", "2036-01-01T00:00:00Z"]);
    assert!(said.out.contains("events/ is a Delta table: old data goes by DELETE FROM"), "{}", said.out);
}
