//! A rule waits until somebody has approved it, and again when it was changed.

use s3core::ops::DeleteObject;
use s3core_gateway::{Fault, Gateway, Quirks};
use serde_json::json;

use super::lake::Lake;
use super::{approve_all, logged, round, rules, with_message};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, notice: 0h, guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: drop, when: {older_than: 1y}, then: expire}
      - {name: recent, keep: {newest: 1, of: partition}}
";

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_waits_to_be_approved_and_so_does_what_it_is_changed_to() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let days = ["2020-01-01", "2020-01-02", "2020-01-03"];
    lake.put_all(days.iter().flat_map(|day| ["_SUCCESS", "a"].map(|name| format!("events/day={day}/{name}")))).await;
    lake.rest().await;

    let unknown = lake.run(&["approve", "0123456789abcdef", "policy.yaml"]);
    assert!(unknown.status == 1 && unknown.error.contains("none was announced yet"), "{unknown:?}");
    let logged = round(&lake);
    let waits = with_message(&logged, "waits for `s3life approve`");
    assert_eq!(waits.len(), 1, "{logged:?}");
    assert_eq!((&waits[0]["rule"], &waits[0]["units"], &waits[0]["objects"]), (&json!("drop"), &json!(2), &json!(4)));
    let digest = waits[0]["digest"].as_str().unwrap();
    assert_eq!(lake.listed("events/").await.len(), 6);
    assert!(lake.listed(".s3core/life/runs/").await.is_empty());
    let status = lake.run(&["status", "policy.yaml"]);
    let line = format!(
        "drop of events waits to be approved, and is due for: expire 2 units (4 objects, 40 B); `s3life approve {digest} s3a://{}`",
        lake.bucket
    );
    assert!(status.out.contains(&line), "{status:?}");

    let unknown = lake.run(&["approve", "0123456789abcdef", "policy.yaml"]);
    assert!(unknown.status == 1 && unknown.error.contains(digest), "{unknown:?}");
    let short = lake.run(&["approve", &digest[..7], "policy.yaml"]);
    let is_told =
        short.error.contains("is too short for a digest: give its first 8 digits") && short.error.contains(digest);
    assert!(short.status == 1 && is_told, "{short:?}");
    let bucket = format!("s3a://{}", lake.bucket);
    let approved = lake.run(&["--output", "json", "approve", &digest[..8], &bucket, "--by", "risk"]);
    assert_eq!(approved.status, 0, "{approved:?}");
    let approval: serde_json::Value = serde_json::from_str(&approved.out).unwrap();
    assert_eq!((&approval["digest"], &approval["by"]), (&json!(digest), &json!("risk")));
    // At once, and not when the next round has begun.
    let status = lake.run(&["status", "policy.yaml"]);
    let is_told = status.out.contains("drop of events is approved since then: the next round announces it, or does it");
    assert!(is_told && !status.out.contains("waits to be approved"), "{status:?}");
    assert_eq!(rules(&lake)[0]["approved"], true);
    // Who was first stays.
    let again = lake.run(&["approve", digest, &bucket, "--by", "another"]);
    assert!(again.status == 0 && again.out.contains("approved by risk since"), "{again:?}");

    let logged = round(&lake);
    assert_eq!(with_message(&logged, "done")[0]["units"], 2, "{logged:?}");
    assert_eq!(lake.listed("events/").await.len(), 2);

    // Without what had kept the last one it is another rule.
    lake.policy(&POLICY.replace("      - {name: recent, keep: {newest: 1, of: partition}}\n", ""));
    let logged = round(&lake);
    assert_eq!(with_message(&logged, "waits for `s3life approve`")[0]["units"], 1, "{logged:?}");
    assert_eq!(lake.listed("events/").await.len(), 2);
    assert_ne!(rules(&lake)[0]["digest"], digest);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_whose_action_is_changed_under_its_name_waits_again() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    lake.put("events/day=2999-01-01/a").await;
    approve_all(&lake);
    let approved = rules(&lake)[0]["digest"].clone();
    lake.policy(&POLICY.replace("then: expire", "then: {delete: without_trash}"));
    lake.put("events/day=2020-01-01/a").await;
    lake.rest().await;
    let confirmed = ["--output", "json", "serve", "policy.yaml", "--rounds", "1", "--confirm-delete", "events"];
    let said = lake.run(&confirmed);
    let logged = logged(&said);
    let waits = with_message(&logged, "waits for `s3life approve`");
    assert_eq!((waits.len(), &waits[0]["rule"], &waits[0]["units"]), (1, &json!("drop"), &json!(1)), "{said:?}");
    assert_ne!(waits[0]["digest"], approved);
    assert_eq!((lake.listed("events/").await.len(), rules(&lake)[0]["approved"].clone()), (2, json!(false)));
    // What was approved may still act.
    lake.policy(POLICY);
    let logged = round(&lake);
    assert_eq!(with_message(&logged, "done")[0]["units"], 1, "{logged:?}");
    assert_eq!((lake.listed("events/").await.len(), lake.listed(".s3core/trash/").await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_there_needs_no_approval() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a"]).await;
    lake.rest().await;
    round(&lake);
    assert_eq!(lake.run(&["apply", "policy.yaml", "--yes"]).status, 0);
    assert_eq!(lake.listed("events/").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_for_good_and_was_not_confirmed_stops_nothing_else() {
    let lake = Lake::new().await;
    let other = "  - name: other\n    location: s3a://BUCKET/other/\n    age: {from: partition, time: \"{day:%F}\"}\n    \
                 rules: [{name: away, when: {older_than: 1y}, then: {delete: without_trash}}]\n";
    lake.policy(&format!("{POLICY}{other}"));
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a", "other/day=2020-01-01/a"]).await;
    lake.rest().await;
    approve_all(&lake);
    let logged = round(&lake);
    let waits = with_message(&logged, "to be deleted without trash");
    assert_eq!((waits.len(), &waits[0]["dataset"], &waits[0]["units"]), (1, &json!("other"), &json!(1)), "{logged:?}");
    assert_eq!(with_message(&logged, "done")[0]["units"], 1, "{logged:?}");
    assert_eq!((lake.listed("events/").await.len(), lake.listed("other/").await.len()), (1, 1));
    let said = lake.run(&["serve", "policy.yaml", "--rounds", "1", "--confirm-delete", "other"]);
    assert_eq!(said.status, 0, "{said:?}");
    assert!(lake.listed("other/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_these_keys_may_not_remove_stops_nothing_else() {
    let endpoint = Gateway::builder().quirks(Quirks::Pacific).start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    let other = "  - name: other\n    location: s3a://BUCKET/other/\n    age: {from: partition, time: \"{day:%F}\"}\n    \
                 rules: [{name: away, when: {older_than: 1y}, then: expire}]\n";
    lake.policy(&format!("{POLICY}{other}"));
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a", "other/day=2020-01-01/a"]).await;
    lake.rest().await;
    approve_all(&lake);
    endpoint.faults().add(Fault::error(403, "AccessDenied").method("DELETE").key_prefix("other/"));
    let logged = round(&lake);
    let done = with_message(&logged, "done");
    assert_eq!((done.len(), &done[0]["dataset"], &done[0]["units"]), (1, &json!("events"), &json!(1)), "{logged:?}");
    assert_eq!((lake.listed("events/").await.len(), lake.listed("other/").await.len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_waits_goes_on_only_while_its_rules_are_approved_whatever_the_text() {
    let builder = Gateway::builder().quirks(Quirks::Pacific).storage_class("COLD");
    let endpoint = builder.start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    let policy = POLICY.replace("then: expire", "then: {tier: COLD}");
    lake.policy(&policy);
    lake.put_all(["events/day=2020-01-01/a", "events/day=2020-01-02/a"]).await;
    lake.rest().await;
    approve_all(&lake);
    round(&lake);
    let state = || {
        let history = lake.run(&["--output", "json", "history", "policy.yaml"]).out;
        serde_json::from_str::<serde_json::Value>(&history).unwrap()[0]["state"].clone()
    };
    assert_eq!(state(), "waiting-for-gateway");
    endpoint.run_lifecycle();
    for approval in lake.listed(".s3core/life/approvals/").await {
        lake.gateway.run(DeleteObject::new(&lake.bucket, &approval.key)).await.unwrap();
    }
    lake.policy(&format!("# As before.\n{policy}"));
    let logged = round(&lake);
    assert_eq!(with_message(&logged, "was begun, and these rules are not approved").len(), 1, "{logged:?}");
    assert_eq!(state(), "waiting-for-gateway");
    // Under its name another action is approved by now, and not that of the run.
    lake.policy(&POLICY.replace("older_than: 1y", "older_than: 900y"));
    approve_all(&lake);
    let logged = round(&lake);
    assert_eq!(with_message(&logged, "was begun, and these rules are not approved").len(), 1, "{logged:?}");
    assert_eq!(state(), "waiting-for-gateway");
    lake.policy(&format!("# As before.\n{policy}"));
    approve_all(&lake);
    round(&lake);
    assert_eq!(state(), "done");
}
