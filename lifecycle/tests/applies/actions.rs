//! What each action does.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rstest::rstest;
use s3core::ops::{CreateMultipartUpload, GetBucketLifecycleConfiguration, ListMultipartUploads, PutBucketVersioning};
use serde_json::json;

use super::lake::Lake;
use super::{POLICY, apply, keys, name, three_days};

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_changed_since_it_was_planned_is_left_as_a_whole() {
    let lake = three_days(POLICY).await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    lake.put("events/day=2020-01-01/a").await;
    lake.put("events/day=2020-01-03/new").await;
    let applied = lake.run(&["apply", "--plan", "plan.jsonl", "--yes"]);
    assert_eq!(applied.status, 0, "{applied:?}");
    for part in [
        "events: expire 1 unit (3 objects, 30 B)",
        "left: events/day=2020-01-01/: events/day=2020-01-01/a: it was written again after it was planned",
        "left: events/day=2020-01-03/: events/day=2020-01-03/new: it came after the plan",
        "brings it back",
    ] {
        assert!(applied.out.contains(part), "{part}: {applied:?}");
    }
    assert_eq!(lake.listed("events/").await.len(), 7);
    assert!(lake.listed("events/day=2020-01-02/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_job_has_left_does_not_keep_a_unit_and_a_job_at_work_does() {
    let lake = three_days(POLICY).await;
    // Planned as if the job had been killed long ago.
    lake.put("events/day=2020-01-01/_temporary/0/task/part").await;
    lake.rest().await;
    let planned = lake.plan(&["--out", "plan.jsonl", "--output", "json"]);
    assert_eq!(planned.status, 0, "{planned:?}");
    // Younger than a week, it is taken for at work.
    let plan: serde_json::Value = serde_json::from_str(&planned.out).unwrap();
    assert_eq!(plan["units"].as_array().unwrap().len(), 2, "{plan}");
    lake.put("events/day=2020-01-02/_temporary/0/task/part").await;
    let applied = lake.run(&["apply", "--plan", "plan.jsonl", "--yes"]);
    assert_eq!(applied.status, 0, "{applied:?}");
    assert!(applied.out.contains("left: events/day=2020-01-02/: "), "{applied:?}");
    let days = |day: u32| format!("events/day=2020-01-0{day}/");
    let counts =
        [lake.listed(&days(1)).await.len(), lake.listed(&days(2)).await.len(), lake.listed(&days(3)).await.len()];
    assert_eq!(counts, [4, 4, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guard_counts_what_earlier_runs_removed() {
    let policy = POLICY.replace("max_removed: none", "max_removed: 50% per 30d");
    let lake = three_days(&policy.replace("older_than: 1y", "older_than: 100y")).await;
    lake.put_all((1..4).map(|day| format!("events/day=2030-01-0{day}/a"))).await;
    lake.rest().await;
    // A third of the units and two thirds of the bytes: too much, unless it is allowed.
    lake.policy(&policy);
    let stopped = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(stopped.status == 1 && stopped.error.contains("--allow events="), "{stopped:?}");
    assert_eq!(lake.listed("events/").await.len(), 12);
    let allowed = lake.run(&["apply", "policy.yaml", "--yes", "--allow", "events=80%"]);
    assert_eq!(allowed.status, 0, "{allowed:?}");
    assert_eq!(lake.listed("events/").await.len(), 3);
    // What is left is a fourth of what there was: nothing more may go.
    lake.put("events/day=2020-02-01/a").await;
    lake.rest().await;
    let stopped = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(stopped.status == 1 && stopped.error.contains("--allow events="), "{stopped:?}");
    assert_eq!(lake.listed("events/").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_for_good_must_be_confirmed_and_leaves_no_copy() {
    let lake = three_days(&POLICY.replace("then: expire", "then: {delete: without_trash}")).await;
    let refused = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(refused.status == 1 && refused.error.contains("--confirm-delete events"), "{refused:?}");
    assert_eq!(lake.listed("events/").await.len(), 9);
    let applied = lake.run(&["--output", "json", "apply", "policy.yaml", "--yes", "--confirm-delete", "events"]);
    let run = super::json(&applied);
    assert_eq!(run["actions"]["delete"]["objects"], 9);
    assert!(lake.listed("events/").await.is_empty() && lake.listed(".s3core/trash/").await.is_empty());
    let record = format!(".s3core/life/runs/{}/run.json", name(&run));
    let before = [lake.listed(&record).await, lake.listed(".s3core/life/leases/").await];
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    let is_told =
        undone.error.contains("has only deleted without trash and aborted uploads (events): nothing of it was kept");
    assert!(undone.status == 1 && undone.out.is_empty() && is_told, "{undone:?}");
    // Before anything is touched: not even a lease was taken.
    assert_eq!([lake.listed(&record).await, lake.listed(".s3core/life/leases/").await], before);
}

#[tokio::test(flavor = "multi_thread")]
async fn undo_brings_back_what_went_to_the_trash_and_names_what_did_not() {
    let other = "  - name: other\n    location: s3a://BUCKET/other/\n    age: {from: partition, time: \"{day:%F}\"}\n    \
                 rules: [{name: away, when: {older_than: 1y}, then: {delete: without_trash}}]\n";
    let lake = three_days(&format!("{POLICY}{other}")).await;
    lake.put("other/day=2020-01-01/a").await;
    lake.rest().await;
    let applied = lake.run(&["--output", "json", "apply", "policy.yaml", "--yes", "--confirm-delete", "other"]);
    let run = super::json(&applied);
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 0 && undone.out.starts_with("events: 3 units with 9 objects are back."), "{undone:?}");
    assert!(undone.out.contains("  left: other/day=2020-01-01/: it went for good, as the policy says"), "{undone:?}");
    assert_eq!((lake.listed("events/").await.len(), lake.listed("other/").await.len()), (9, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_nobody_goes_on_with_are_aborted() {
    let lake = Lake::new().await;
    lake.policy(
        "version: 1\ndatasets:\n  - name: scratch\n    location: s3a://BUCKET/tmp/\n    age: {from: newest_object}\n    \
         abandoned_after: 24h\n    rules: [{name: uploads, when: {older_than: 0h}, then: abort_uploads}]\n",
    );
    lake.gateway.run(CreateMultipartUpload::new(&lake.bucket, "tmp/part")).await.unwrap();
    let uploads = async || lake.gateway.run(ListMultipartUploads::new(&lake.bucket, "")).await.unwrap().uploads.len();
    // It is younger than a day: somebody may work on it, whatever the rule says.
    assert_eq!((apply(&lake)["run"].clone(), uploads().await), (json!(null), 1));
}

#[rstest]
#[case::without_versions(false)]
#[case::versions(true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_tiers_where_it_lies(#[case] keeps_versions: bool) {
    let lake = three_days(&POLICY.replace("then: expire", "then: {tier: COLD}")).await;
    if keeps_versions {
        lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
        lake.put_all(lake.listed("events/").await.iter().map(|object| object.key.clone())).await;
        lake.rest().await;
    }
    let before = lake.listed("events/").await;
    let (started, limit) = (Instant::now(), Duration::from_secs(300));
    let mut run = apply(&lake);
    assert_eq!(run["state"], "waiting-for-gateway");
    // A day of the gateway's lasts ten seconds here.
    while run["state"] == "waiting-for-gateway" && started.elapsed() < limit {
        tokio::time::sleep(Duration::from_secs(2)).await;
        run = apply(&lake);
    }
    assert_eq!((&run["state"], &run["actions"]["tier"]["units"]), (&json!("done"), &json!(3)));
    let after = lake.listed("events/").await;
    assert_eq!(keys(&after), keys(&before));
    for (after, before) in after.iter().zip(&before) {
        assert_eq!((&after.etag, after.modified), (&before.etag, before.modified), "{}", after.key);
        assert_eq!(after.storage_class.as_deref(), Some("COLD"));
    }
    assert_eq!(apply(&lake)["run"], json!(null));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_that_changed_does_not_tier_and_an_undone_run_leaves_no_rule() {
    let lake = three_days(&POLICY.replace("then: expire", "then: {tier: COLD}")).await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    lake.put("events/day=2020-01-02/new").await;
    let applied = lake.run(&["--output", "json", "apply", "--plan", "plan.jsonl", "--yes"]);
    let run = super::json(&applied);
    assert_eq!(run["state"], "waiting-for-gateway");
    assert_eq!(run["left"][0]["key"], "events/day=2020-01-02/new");
    let rules = async || {
        let rules = lake.gateway.run(GetBucketLifecycleConfiguration::new(&lake.bucket)).await.unwrap().rules;
        rules.iter().map(|rule| rule.filter().prefix.clone()).collect::<Vec<_>>()
    };
    assert_eq!(rules().await, ["events/day=2020-01-01/", "events/day=2020-01-03/"]);
    // The gateway may have moved some of it by now.
    let undo = || super::json(&lake.run(&["--output", "json", "undo", name(&run), "policy.yaml"]));
    let started = Instant::now();
    while undo()["waiting"] != 0 {
        assert!(started.elapsed() < Duration::from_secs(300));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(rules().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_of_the_trash_counts_from_the_end_of_the_run() {
    let lake = three_days(&POLICY.replace("settle: 0h,", "settle: 0h, trash: 1h,")).await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    lake.rest().await;
    let run = super::json(&lake.run(&["--output", "json", "apply", "--plan", "plan.jsonl", "--yes"]));
    let time = |name: &str| run[name].as_str().unwrap().parse::<Timestamp>().unwrap();
    assert_eq!(time("trash_until").duration_since(time("finished")), SignedDuration::from_hours(1), "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_goes_without_the_units_in_it() {
    let lake = Lake::new().await;
    lake.policy(
        "version: 1\ndefaults: {settle: 0h, guard: {max_removed: none}}\ndatasets:\n  - name: out\n    \
         location: s3a://BUCKET/out/\n    age: {from: newest_object}\n    \
         rules: [{name: sweep, when: {older_than: 0h}, then: expire}]\n",
    );
    let inner = ["out/a/inner/_SUCCESS", "out/a/inner/x"];
    lake.put_all(["out/a/_SUCCESS", "out/a/sub/x", "out/a/x"].into_iter().chain(inner)).await;
    lake.rest().await;
    let before = lake.listed("out/").await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    lake.put(inner[1]).await;
    let run = super::json(&lake.run(&["--output", "json", "apply", "--plan", "plan.jsonl", "--yes"]));
    assert_eq!(run["actions"]["expire"], json!({"units": 1, "objects": 3, "bytes": 30}));
    assert_eq!((&run["left"][0]["unit"], keys(&lake.listed("out/").await)), (&json!("out/a/inner/"), inner.to_vec()));
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(keys(&lake.listed("out/").await), keys(&before));
}
