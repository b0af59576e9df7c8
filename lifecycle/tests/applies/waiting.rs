//! While units wait for the gateway's lifecycle, work goes on beside them.

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
    let builder = s3core_gateway::Gateway::builder().quirks(s3core_gateway::Quirks::Pacific).storage_class("COLD");
    let endpoint = builder.start().unwrap();
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
