//! A hold that meets nothing is told, and each says how many units it holds.

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
    let endpoint = s3core_gateway::Gateway::builder().quirks(s3core_gateway::Quirks::Pacific).start().unwrap();
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

    let page = lake.run(&["report", "policy.yaml", "--html", "page.html"]);
    let html = std::fs::read_to_string(lake.path("page.html")).unwrap();
    assert!(
        page.status == 0 && html.contains(&format!("the hold at {events}day=2026-8-19/ meets nothing")),
        "{page:?}"
    );
}
