//! What keeps a plan from being made, said before anything is touched.

use std::collections::BTreeMap;

use jiff::Timestamp;
use s3core::gateway::capabilities::Capability;
use s3core_gateway::{Gateway, Quirks};
use s3life::listing::{Lister, Pace};
use s3life::plan::line::PolicySource;
use s3life::plan::make::{MakeError, Past, Request, make};
use s3life::policy::Policy;

use super::lake::{Lake, units};

fn policy(rules: &str) -> String {
    format!(
        "version: 1\ndefaults: {{settle: 0h, guard: {{max_removed: none}}}}\ndatasets:\n  - name: events\n    \
         location: s3a://BUCKET/events/\n    age: {{from: partition, time: \"{{day:%F}}\"}}\n    rules:\n      {rules}\n"
    )
}

const NOW: [&str; 2] = ["--now", "2036-01-05T00:00:00Z"];

async fn lake(rules: &str) -> Lake {
    let lake = Lake::new().await;
    lake.policy(&policy(rules));
    lake.put("events/day=2020-01-01/a").await;
    lake.rest().await;
    lake
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_class_that_is_not_there_names_its_rule() {
    let lake = lake("- {name: cool, when: {older_than: 1d}, then: {tier: GLACIAL}}").await;
    let said = lake.plan(&NOW);
    assert_eq!((said.status, said.out.as_str()), (1, ""));
    assert!(
        said.error.contains("the rule cool of events, line 8 of the policy, moves to the storage class GLACIAL"),
        "{said:?}"
    );
    // What can be written in its place, and nothing of an option that belongs to Hadoop.
    let helps = said.error.contains("it takes objects in COLD, STANDARD. Write one of these in the rule");
    assert!(helps && !said.error.contains("fs.s3a"), "{said:?}");
    lake.policy(&policy("- {name: cool, when: {older_than: 1d}, then: {tier: COLD}}"));
    assert_eq!(lake.plan(&NOW).status, 0);
    assert!(lake.listed(".s3core/").await.is_empty(), "what is tried out is removed again");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_for_good_is_confirmed() {
    let lake = lake("- {name: away, when: {older_than: 1d}, then: {delete: without_trash}}").await;
    let said = lake.plan(&NOW);
    assert!(said.status == 1 && said.error.contains("--confirm-delete events"), "{said:?}");
    assert!(said.error.contains("line 8"), "{said:?}");
    let said = lake.plan(&[&NOW[..], &["--confirm-delete", "events", "--output", "json"]].concat());
    let plan: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(units(&plan, "away"), ["events/day=2020-01-01/"]);
    assert_eq!(plan["plan"]["confirmed"], serde_json::json!(["events"]));
    // Before it is due there is nothing to confirm.
    assert_eq!(lake.plan(&["--now", "2020-01-01T00:00:00Z"]).status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_options_and_rules_name_the_remedy() {
    let lake = lake("- {name: cool, when: {older_than: 1d}, then: {tier: COLD}}").await;
    for (arguments, status, part) in [
        (
            &["--allow", "others=60%"] as &[&str],
            1,
            "--allow names others, which is no dataset of the policy: it has events",
        ),
        (&["--confirm-delete", "others"], 1, "--confirm-delete names others"),
        (&["--allow", "events=160%"], 2, "events=60%"),
        (&["--allow", "events"], 2, "events=60%"),
        (&["--expires", "soon"], 2, "is no period"),
        (&["--out", "/nowhere/plan.jsonl"], 1, "/nowhere/plan.jsonl"),
    ] {
        lake.policy(&policy("- {name: cool, when: {older_than: 1d}, then: {tier: COLD}}"));
        let said = lake.plan(arguments);
        assert!(said.status == status && said.error.contains(part), "{arguments:?}: {said:?}");
    }
}

/// AWS honours If-Match where Radosgw honours its own header.
#[tokio::test(flavor = "multi_thread")]
async fn removal_needs_a_gateway_that_honours_a_condition() {
    for quirks in [Quirks::Aws, Quirks::Pacific, Quirks::Tentacle] {
        let endpoint = Gateway::builder().quirks(quirks).start().unwrap();
        endpoint.set_backdating(std::time::Duration::from_secs(86_400));
        let lake = Lake::embedded(&endpoint).await;
        lake.policy(&policy("- {name: drop, when: {older_than: 1d}, then: expire}"));
        lake.put("events/day=2020-01-01/a").await;
        endpoint.set_backdating(std::time::Duration::ZERO);
        let said = lake.plan(&NOW);
        assert_eq!(said.status, 0, "{quirks:?}: {said:?}");
    }
}

/// Both conditions are known not to be honoured there, as behind a proxy that takes unknown headers out.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_where_no_condition_is_honoured() {
    let lake = lake("- {name: drop, when: {older_than: 1d}, then: expire}").await;
    for capability in [Capability::DeleteIfUnmodifiedSince, Capability::ConditionalDelete] {
        lake.gateway.capabilities().found(capability, false);
    }
    let read = |rules: &str| Policy::read(&policy(rules).replace("BUCKET", &lake.bucket)).unwrap();
    let lister = Lister::new(lake.gateway.clone(), &lake.bucket, Pace { at_once: 2 });
    let made = async |policy: &Policy| {
        let request = Request {
            policy,
            source: PolicySource::of("/policy.yaml".to_owned(), ""),
            now: "2036-01-05T00:00:00Z".parse().unwrap(),
            created: Timestamp::now(),
            expires: Timestamp::now(),
            allowed: BTreeMap::new(),
            confirmed: Vec::new(),
            past: &Past::default(),
            served: None,
        };
        make(&lister, &request).await.map(|made| made.plan.end.planned.units)
    };
    let failure = made(&read("- {name: drop, when: {older_than: 1d}, then: expire}")).await.unwrap_err();
    assert!(matches!(failure, MakeError::NoConditionalDelete), "{failure}");
    let nothing_due = made(&read("- {name: drop, when: {older_than: 50y}, then: expire}")).await;
    assert_eq!(nothing_due.unwrap(), 0);
    assert_eq!(made(&read("- {name: cool, when: {older_than: 1d}, then: {tier: COLD}}")).await.unwrap(), 1);
}
