//! A hold that meets nothing is told, and each says how many units it holds.

use s3core_gateway::{Fault, Gateway, Quirks};
use serde_json::json;

use super::lake::Lake;

const POLICY: &str = "\
version: 1
hold:
  - {path: \"s3a://BUCKET/events/day=2026-8-19/\", reason: audit, owner: risk}
  - {path: \"s3a://BUCKET/events/day=2020-01-02/\", reason: audit}
  - {path: \"s3a://BUCKET/events/*/\", reason: typo}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    settle: 0h
    guard: {max_removed: none}
    rules: [{name: drop, when: {older_than: 1y}, then: expire}]
";

#[tokio::test(flavor = "multi_thread")]
async fn a_hold_that_meets_nothing_is_told() {
    let endpoint = Gateway::builder().quirks(Quirks::Pacific).start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all((1..=3).map(|day| format!("events/day=2020-01-0{day}/a"))).await;
    lake.rest().await;
    let events = format!("s3a://{}/events/", lake.bucket);
    let plan = lake.planned("2027-01-01T00:00:00Z");
    let met: Vec<_> = plan["holds"].as_array().unwrap().iter().map(|hold| (&hold["units"], &hold["nearest"])).collect();
    assert_eq!(met, [(&json!(0), &json!(events)), (&json!(1), &json!(null)), (&json!(0), &json!(events))]);
    let said = lake.plan(&[]);
    for name in ["day=2026-8-19", "*"] {
        let told = format!(
            "\nWARNING: the hold at {events}{name}/ meets nothing that lies there; the nearest place is {events}: correct"
        );
        assert!(said.status == 0 && said.out.contains(&told), "{said:?}");
    }
    assert_eq!(said.out.matches("WARNING").count(), 2, "{said:?}");
    assert!(said.out.contains("  held: 1 unit at events/day=2020-01-02/ for audit\n"), "{said:?}");

    // Also where nobody is asked.
    let applied = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(applied.status == 0 && applied.out.matches("WARNING: the hold at ").count() == 2, "{applied:?}");

    let page = lake.run(&["report", "policy.yaml", "--html", "page.html"]);
    let html = std::fs::read_to_string(lake.path("page.html")).unwrap();
    assert!(
        page.status == 0 && html.contains(&format!("the hold at {events}day=2026-8-19/ meets nothing")),
        "{page:?}"
    );
}

/// Places of holds are written as directories, and an object that is held is one all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_hold_on_one_object_keeps_it() {
    let lake = Lake::new().await;
    lake.policy(
        "version: 1\nhold:\n  - {path: \"s3a://BUCKET/tmp/model.bin\", reason: release}\ndatasets:\n  - name: scratch\n    \
         location: s3a://BUCKET/tmp/\n    unit: object\n    age: {from: newest_object}\n    settle: 0h\n    \
         guard: {max_removed: none}\n    rules: [{name: sweep, when: {older_than: 0h}, then: expire}]\n",
    );
    lake.put_all(["tmp/model.bin", "tmp/model.bin.bak", "tmp/model", "tmp/model.bin2/a"].map(str::to_owned)).await;
    lake.rest().await;
    let plan = lake.planned("2027-01-01T00:00:00Z");
    assert_eq!(plan["holds"][0]["units"], 1, "{plan}");
    let applied = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(applied.status == 0 && !applied.out.contains("WARNING"), "{applied:?}");
    let left: Vec<_> = lake.listed("tmp/").await.into_iter().map(|object| object.key).collect();
    assert_eq!(left, ["tmp/model.bin"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_location_where_nothing_lies_is_told() {
    let endpoint = Gateway::builder().quirks(Quirks::Pacific).start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(
        &POLICY
            .replace("location: s3a://BUCKET/events/", "location: s3a://BUCKET/wh/event/")
            .replace("/events/", "/wh/event/"),
    );
    lake.put_all(["wh/events/day=2020-01-01/a".to_owned()]).await;
    lake.rest().await;
    let said = lake.plan(&[]);
    let told =
        format!("  nothing lies there; the nearest place where something does is s3a://{}/wh/: correct", lake.bucket);
    assert!(said.status == 0 && said.out.contains(&told), "{said:?}");
    // Whoever may not look above it is told nothing of that.
    let denied = Fault::error(403, "AccessDenied").operation("ListObjectsV2").query("prefix", "wh/");
    endpoint.faults().add(denied);
    let blind = lake.plan(&[]);
    assert!(blind.status == 0 && !blind.out.contains("nothing lies there"), "{blind:?}");
    endpoint.faults().clear();
    lake.policy(&POLICY.replace("/events/", "/wh/"));
    let told = lake.run(&["explain", "policy.yaml", &format!("s3a://{}/wh/events/day=2020-01-01/a", lake.bucket)]);
    assert!(told.status == 0 && !told.out.contains("no unit"), "{told:?}");
    lake.put_all(["wh/2020-01-01/a".to_owned()]).await;
    let told = lake.run(&["explain", "policy.yaml", &format!("s3a://{}/wh/2020-01-01/a", lake.bucket)]);
    let units = format!("its units are directories such as s3a://{}/wh/day=2024-03-05/", lake.bucket);
    assert!(told.out.contains(&units), "{told:?}");
}
