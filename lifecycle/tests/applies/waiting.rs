//! While units wait for the gateway's lifecycle, work goes on beside them.

use s3core::ops::{LifecycleConfiguration, PutBucketLifecycleConfiguration};
use serde_json::{Value, json};

use super::lake::{Lake, summary, units};
use super::{apply, name};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 1y}, then: {tier: COLD}}
      - {name: drop, when: {older_than: 10y}, then: expire}
";

fn waiting(lake: &Lake) -> Vec<String> {
    let status = lake.run(&["--output", "json", "status", "policy.yaml"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let runs = status["runs"].as_array().unwrap().iter().inspect(|run| assert_eq!(run["state"], "waiting-for-gateway"));
    runs.map(|run| name(run).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_units_that_wait_are_left() {
    let endpoint = endpoint();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a"]).await;
    lake.rest().await;
    let first = apply(&lake);
    assert_eq!((&first["state"], &first["waiting"]["units"]), (&json!("waiting-for-gateway"), &json!(2)));
    let told =
        format!("2 units wait for the gateway's lifecycle since {}", first["waiting"]["since"].as_str().unwrap());
    for command in ["apply", "status", "history"] {
        let arguments =
            [&[command, "policy.yaml"] as &[&str], if command == "apply" { &["--yes"] } else { &[] }].concat();
        let said = lake.run(&arguments);
        assert!(said.status == 0 && said.out.contains(&told), "{command}: {said:?}");
    }
    // What waits is old enough to go by now, and is not planned; what comes beside it is.
    let plan = lake.planned("2036-01-01T00:00:00Z");
    assert_eq!((units(&plan, "drop").len(), &summary(&plan)["left"]["waiting for gateway"]), (0, &json!(2)));
    lake.put_all(["events/day=2010-01-01/a", "events/day=2020-01-03/a"]).await;
    lake.rest().await;
    let second = apply(&lake);
    assert_eq!((&second["state"], &second["actions"]["expire"]["units"]), (&json!("waiting-for-gateway"), &json!(1)));
    assert!(lake.listed("events/day=2010-01-01/").await.is_empty());
    assert_eq!(waiting(&lake), [name(&second), name(&first)]);

    // Another one removes only: it ends at once, and the two wait on.
    lake.put_all(["events/day=2010-01-02/a"]).await;
    lake.rest().await;
    let third = apply(&lake);
    assert_eq!((&third["state"], &third["actions"]["expire"]["units"]), (&json!("done"), &json!(1)));
    assert_eq!(third["resumed"], json!([name(&second), name(&first)]));
    assert_eq!(waiting(&lake).len(), 2);

    // One is taken back, the other one moves.
    assert_eq!(lake.run(&["undo", name(&second), "policy.yaml"]).status, 0);
    assert_eq!(waiting(&lake), [name(&first)]);
    endpoint.run_lifecycle();
    let classes = lake.listed("events/day=2020").await.into_iter().map(|object| object.storage_class.unwrap());
    assert_eq!(classes.collect::<Vec<_>>(), ["COLD", "COLD", "STANDARD"]);
    apply(&lake);
    assert!(!waiting(&lake).iter().any(|run| run == name(&first)));
}

fn endpoint() -> s3core_gateway::Gateway {
    let builder = s3core_gateway::Gateway::builder().quirks(s3core_gateway::Quirks::Pacific).storage_class("COLD");
    builder.start().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_leaves_what_was_brought_back_since_and_the_runs_that_wait() {
    let endpoint = endpoint();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a"]).await;
    lake.rest().await;
    let tiered = apply(&lake);
    endpoint.run_lifecycle();
    apply(&lake);
    assert_eq!(waiting(&lake), [] as [&str; 0]);
    lake.put_all(["events/day=2020-01-03/a", "events/day=2020-01-04/a"]).await;
    lake.rest().await;
    let waits = apply(&lake);

    lake.policy(&POLICY.replace("10y", "3y"));
    lake.rest().await;
    let saved = lake.plan(&["--out", "plan.jsonl"]);
    assert!(saved.status == 0 && saved.out.contains("drop (expire): 2 units"), "{saved:?}");
    // On its way back, and back.
    let undo = || assert_eq!(lake.run(&["undo", name(&tiered), "policy.yaml"]).status, 0);
    undo();
    endpoint.run_lifecycle();
    let applied: Value =
        serde_json::from_str(&lake.run(&["--output", "json", "apply", "--plan", "plan.jsonl", "--yes"]).out).unwrap();
    assert_eq!((&applied["actions"], &applied["skipped"]), (&json!({}), &json!(2)), "{applied}");
    assert_eq!(applied["left"][0]["reason"], "what another run did there is being brought back");
    undo();
    assert_eq!(lake.listed("events/").await.len(), 4);
    // It is carried out alone: what has moved since is not looked for.
    assert_eq!((&applied["resumed"], waiting(&lake)), (&json!([]), vec![name(&waits).to_owned()]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_of_others_about_the_own_state_stops_what_was_planned_before() {
    let endpoint = endpoint();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put_all(["events/day=2020-01-01/a", "events/day=2010-01-01/a"]).await;
    lake.rest().await;
    apply(&lake);
    lake.put_all(["events/day=2010-01-02/a"]).await;
    lake.rest().await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    let everywhere = "<Rule><ID>all</ID><Filter><Prefix></Prefix></Filter><Status>Enabled</Status><Expiration><Days>9000</Days>\
                      </Expiration></Rule>";
    let configuration = LifecycleConfiguration { rules: vec![everywhere.parse().unwrap()], minimum_size: None };
    lake.gateway.run(PutBucketLifecycleConfiguration::new(&lake.bucket, configuration)).await.unwrap();
    // The one of a plan, the other of a run that waits.
    for arguments in [&["apply", "--plan", "plan.jsonl", "--yes"] as &[&str], &["native", "policy.yaml", "--apply"]] {
        let said = lake.run(arguments);
        assert!(
            said.status == 1 && said.error.contains("the lifecycle rule `all` of the bucket is also about"),
            "{said:?}"
        );
    }
    assert_eq!((lake.listed("events/").await.len(), lake.listed(".s3core/life/runs/").await.len()), (2, 4));
}
