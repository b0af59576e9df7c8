//! What a guard stops, and what becomes of plans that were tampered with.

use std::fs;

use s3life::plan::document::{PlanError, PlanReader};
use s3life::plan::line::PolicySource;
use s3life::plan::report::Report;
use s3life::policy::Policy;

use super::lake::Lake;

const POLICY: &str = "\
version: 1
defaults: {guard: {max_removed: 20% per 30d}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1d}, then: expire}]
";

const NOW: &str = "2036-01-21T00:00:00Z";

async fn lake() -> Lake {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put_all((1..=20).map(|day| format!("events/day=2036-01-{day:02}/a"))).await;
    lake.rest().await;
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_would_drop_95_percent_is_stopped() {
    let lake = lake().await;
    let said = lake.plan(&["--now", NOW, "--out", "stopped.jsonl", "--detailed-exitcode"]);
    assert_eq!(said.status, 1, "{said:?}");
    assert!(said.out.contains("guard: 95% of units and 95% of bytes within 30d, 20% allowed: STOPPED"), "{said:?}");
    assert!(said.error.contains("plan again with `--allow events=95%`"), "{said:?}");
    assert_eq!(lake.plan(&["--now", NOW, "--allow", "events=94%"]).status, 1);
    let allowed = ["--now", NOW, "--allow", "events=95%", "--out", "allowed.jsonl"];
    assert_eq!(lake.plan(&allowed).status, 0);
    assert_eq!(lake.plan(&[&allowed[..], &["--detailed-exitcode"]].concat()).status, 3);
    let few = lake.plan(&["--now", "2036-01-05T12:00:00Z", "--detailed-exitcode"]);
    assert!(few.status == 3 && few.out.contains("guard: 15% of units"), "{few:?}");
    assert_eq!(lake.plan(&["--now", "2036-01-01T12:00:00Z", "--detailed-exitcode"]).status, 0);

    let text = fs::read_to_string(lake.path("policy.yaml")).unwrap();
    let (policy, source) = (Policy::read(&text).unwrap(), PolicySource::of(String::new(), &text));
    let open = |name: &str| PlanReader::open_for(&lake.path(name), &policy, &source.sha256);
    let failure = open("stopped.jsonl").unwrap_err();
    assert!(
        matches!(&failure, PlanError::Policy { .. }) && failure.to_string().contains("--allow events="),
        "{failure}"
    );
    let mut plan = open("allowed.jsonl").unwrap();
    assert_eq!(plan.header().allowed["events"], 95);
    let listed = lake.listed("events/").await;
    for day in 1..20 {
        let (unit, objects) = plan.next_unit().unwrap().unwrap();
        assert_eq!(unit.prefix, format!("events/day=2036-01-{day:02}/"));
        let [object] = objects.as_slice() else { panic!("{objects:?}") };
        let found = &listed[day - 1];
        assert_eq!((&object.key, object.bytes, Some(&object.etag)), (&found.key, found.length, found.etag.as_ref()));
        assert_eq!(object.class, "STANDARD");
        assert_eq!(object.written, found.modified.unwrap().try_into().unwrap());
    }
    assert!(plan.next_unit().unwrap().is_none());
    let report = Report::of(&plan).to_string();
    assert!(report.contains("drop (expire): 19 units, 19 objects, 190 B") && !plan.is_empty(), "{report}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_that_was_tampered_with_is_refused() {
    let lake = lake().await;
    let now = "2036-01-05T00:00:00Z";
    assert_eq!(lake.plan(&["--now", now, "--out", "plan.jsonl"]).status, 0);
    let plan = fs::read_to_string(lake.path("plan.jsonl")).unwrap();
    let text = fs::read_to_string(lake.path("policy.yaml")).unwrap();
    let (policy, source) = (Policy::read(&text).unwrap(), PolicySource::of(String::new(), &text));
    let refused = |plan: &str, sha256: &str| {
        fs::write(lake.path("tampered.jsonl"), plan).unwrap();
        PlanReader::open_for(&lake.path("tampered.jsonl"), &policy, sha256).unwrap_err().to_string()
    };
    let swapped = plan.replacen("day=2036-01-02/a", "day=2036-01-02/b", 1);
    assert!(refused(&swapped, &source.sha256).contains("was changed after it was made"));
    let cut = &plan[..plan.len() - 10];
    assert!(refused(cut, &source.sha256).contains("is not whole"));
    assert!(refused(&plan, "abc").contains("the text is another now"));
    PlanReader::open_for(&lake.path("plan.jsonl"), &policy, &source.sha256).unwrap();
}
