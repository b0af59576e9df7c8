//! A hold binds also what a run has removed before, and what it was about to remove.

use rstest::rstest;
use s3core::ops::{DeleteObject, ListObjectVersions, PutBucketVersioning, PutObject};
use serde_json::{Value, json};

use super::held::{key, policy as held_policy, two_days};
use super::lake::{Lake, units};
use super::{POLICY, apply, json as said, keys, name, three_days_in};

/// The policy with a hold on the second day, and a trash whose time is over at once.
fn policies() -> [String; 2] {
    let policy = POLICY.replace("settle: 0h,", "settle: 0h, trash: 0h,");
    [held(&policy), policy]
}

fn held(policy: &str) -> String {
    let hold = "hold: [{path: \"s3a://BUCKET/events/day=2020-01-02/\", reason: audit, owner: risk}]\ndatasets:";
    policy.replace("datasets:", hold)
}

fn embedded() -> s3core_gateway::Gateway {
    s3core_gateway::Gateway::builder().quirks(s3core_gateway::Quirks::Pacific).start().unwrap()
}

fn status(lake: &Lake) -> Value {
    said(&lake.run(&["--output", "json", "status", "policy.yaml"]))
}

fn state(lake: &Lake, run: &str) -> Value {
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    history.as_array().unwrap().iter().find(|one| one["run"] == run).unwrap()["state"].clone()
}

/// How a trash is emptied.
#[rstest]
#[case::apply(&["apply"])]
#[case::purge(&["purge", "RUN"])]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_stays_in_the_trash_until_the_hold_is_lifted(#[case] command: &[&str]) {
    let endpoint = embedded();
    let [with_hold, without] = policies();
    let lake = three_days_in(Lake::embedded(&endpoint).await, &without).await;
    let run = apply(&lake);
    let trash = format!(".s3core/trash/{}/", name(&run));
    assert_eq!(lake.listed(&trash).await.len(), 9);
    let empty = |lake: &Lake| {
        let command: Vec<_> = command.iter().map(|word| if *word == "RUN" { name(&run) } else { word }).collect();
        lake.run(&[&command[..], &["policy.yaml", "--yes"]].concat())
    };

    lake.policy(&with_hold);
    let told = format!(
        "  left: events/day=2020-01-02/: trash of run {}: 1 unit is held (audit, risk): it goes when the hold is taken out of the policy",
        name(&run)
    );
    let plan = lake.plan(&[]);
    let goes = plan.out.contains("\ntrash of 1 earlier run is emptied: 6 objects, 60 B, gone for good: ");
    assert!(plan.status == 0 && goes && plan.out.contains(&told), "{plan:?}");
    // The hold meets what the run keeps.
    assert!(!plan.out.contains("WARNING"), "{plan:?}");
    let emptied = empty(&lake);
    assert!(emptied.status == 0 && emptied.out.contains(&told), "{emptied:?}");
    let left = lake.listed(&trash).await;
    assert!(left.len() == 3 && left.iter().all(|copy| copy.key.contains("/events/day=2020-01-02/")), "{left:?}");

    // Nothing is to be done until then, and both say why.
    let kept = json!([{"run": run["run"], "hold": "events/day=2020-01-02/", "units": 1}]);
    assert_eq!((state(&lake, name(&run)), &status(&lake)["held_back"]), (json!("purging"), &kept));
    let plan = lake.plan(&["--detailed-exitcode"]);
    assert!(plan.status == 0 && plan.out.contains(&told), "{plan:?}");
    let nothing = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(nothing.out.starts_with("nothing is due; left in place: 1 held in trash"), "{nothing:?}");
    let bucket = format!("s3a://{}", lake.bucket);
    let line =
        format!("held   {}  1 unit of its trash stays until the hold at {bucket}/events/day=2020-01-02/ ", name(&run));
    assert!(lake.run(&["status", &bucket]).out.contains(&line));

    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    let is_told = undone.error.contains(&format!("but for 1 unit that a hold keeps, as copies below {trash}"));
    assert!(undone.status == 1 && is_told, "{undone:?}");

    lake.policy(&without);
    assert_eq!(lake.plan(&["--detailed-exitcode"]).status, 3);
    assert_eq!(empty(&lake).status, 0);
    assert_eq!((lake.listed(&trash).await, state(&lake, name(&run))), (Vec::new(), json!("purged")));
}

#[rstest]
#[case::people(&[])]
#[case::programs(&["--output", "json"])]
#[tokio::test(flavor = "multi_thread")]
async fn who_empties_a_trash_without_a_policy_hears_that_no_hold_is_looked_at(#[case] form: &[&str]) {
    let endpoint = embedded();
    let lake = three_days_in(Lake::embedded(&endpoint).await, &policies()[1]).await;
    let run = apply(&lake);
    let purged = lake.run(&[form, &["purge", name(&run), &format!("s3a://{}", lake.bucket), "--yes"]].concat());
    assert_eq!((purged.status, lake.listed(".s3core/trash/").await.len()), (0, 0), "{purged:?}");
    if form.is_empty() {
        let policy = lake.path("policy.yaml").canonicalize().unwrap();
        let told = format!(
            "\n  no hold is looked at: `s3life purge {} POLICY` leaves what the policy holds; the run was made with {}\n",
            name(&run),
            policy.display()
        );
        assert!(purged.out.contains(&told), "{purged:?}");
    } else {
        assert_eq!(said(&purged)["holds_of"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trash_that_is_held_as_a_whole_is_not_touched_and_comes_back() {
    let endpoint = embedded();
    let [_, without] = policies();
    let lake = three_days_in(Lake::embedded(&endpoint).await, &without).await;
    let run = apply(&lake);
    let all =
        without.replace("datasets:", "hold: [{path: \"s3a://BUCKET/events/\", reason: audit, owner: risk}]\ndatasets:");
    lake.policy(&all);
    let purged = said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]));
    assert_eq!((&purged["objects"], &purged["held_back"][0]["units"]), (&json!(0), &json!(3)), "{purged}");
    assert_eq!(purged["holds_of"], "policy.yaml");
    assert_eq!((state(&lake, name(&run)), apply(&lake)["run"].clone()), (json!("done"), Value::Null));
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(lake.listed("events/").await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_policy_does_not_empty_a_trash_whose_holds_it_does_not_know() {
    let endpoint = embedded();
    let [with_hold, without] = policies();
    let lake = three_days_in(Lake::embedded(&endpoint).await, &without).await;
    apply(&lake);
    lake.policy(&without.replace("/events/", "/events/day=2020-01-01/"));
    assert_eq!(
        (units(&said(&lake.plan(&["--output", "json"])), "drop").len(), apply(&lake)["run"].clone()),
        (0, Value::Null)
    );
    lake.policy(&with_hold);
    assert_eq!(lake.plan(&["--detailed-exitcode"]).status, 3);
}

/// It goes on by whatever policy meets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_run_empties_no_trash_by_another_policy() {
    let endpoint = s3core_gateway::Gateway::builder()
        .quirks(s3core_gateway::Quirks::Pacific)
        .storage_class("COLD")
        .start()
        .unwrap();
    let [_, without] = policies();
    let lake = three_days_in(Lake::embedded(&endpoint).await, &without).await;
    let run = apply(&lake);
    lake.put("events/day=2020-02-01/a").await;
    lake.rest().await;
    let cools = without.replace("expire", "{tier: COLD}");
    lake.policy(&held(&cools));
    assert_eq!(apply(&lake)["state"], "waiting-for-gateway");
    let trash = format!(".s3core/trash/{}/", name(&run));
    let listed = lake.listed(&trash).await;
    let left = keys(&listed);
    assert!(left.len() == 3 && left.iter().all(|key| key.contains("/day=2020-01-02/")), "{left:?}");
    lake.policy(&cools.replace("/events/", "/events/day=2020-02-01/"));
    assert_eq!(lake.run(&["apply", "policy.yaml", "--yes"]).status, 0);
    assert_eq!(keys(&lake.listed(&trash).await), left);
}

/// A run that was killed before it had begun a unit, and one that was killed before it could say what came of them.
#[rstest]
#[case::before_its_first_unit(false, false)]
#[case::in_its_units(true, false)]
#[case::with_something_new_in_one(true, true)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_by_now_does_not_go_with_a_run_that_goes_on(#[case] has_begun: bool, #[case] is_written: bool) {
    let endpoint = embedded();
    let lake = three_days_in(Lake::embedded(&endpoint).await, POLICY).await;
    let run = if has_begun { apply(&lake)["run"].as_str().unwrap().to_owned() } else { begun(&lake).await };
    if has_begun {
        assert_eq!(lake.listed("events/").await.len(), 0);
        for outcome in lake.listed(&format!(".s3core/life/runs/{run}/journal/")).await {
            if outcome.key.ends_with("-outcome.jsonl") {
                lake.gateway.run(DeleteObject::new(&lake.bucket, &outcome.key)).await.unwrap();
            }
        }
        let key = format!(".s3core/life/runs/{run}/run.json");
        let (mut record, etag) = lake.state.get_json::<Value>(&key).await.unwrap().unwrap();
        (record["state"], record["finished"]) = (json!("running"), Value::Null);
        lake.state.replace_json(&key, &record, &etag).await.unwrap();
    }
    if is_written {
        lake.put("events/day=2020-01-02/new").await;
    }
    lake.policy(&held(POLICY));
    let applied = said(&lake.run(&["--output", "json", "apply", "policy.yaml", "--resume", &run, "--yes"]));
    assert_eq!((&applied["run"], &applied["actions"]["expire"]["units"]), (&json!(run), &json!(2)), "{applied}");
    let left = &applied["left"][0];
    assert_eq!(
        (&left["unit"], &left["reason"]),
        (&json!("events/day=2020-01-02/"), &json!("the policy holds it by now"))
    );
    let names = ["_SUCCESS", "a", "b"].into_iter().chain(is_written.then_some("new"));
    let held: Vec<_> = names.map(|name| format!("events/day=2020-01-02/{name}")).collect();
    assert_eq!(keys(&lake.listed("events/").await), held);
    assert_eq!(said(&lake.run(&["--output", "json", "verify", &run, "policy.yaml"]))["proven"], true);
    assert_eq!(lake.run(&["undo", &run, "policy.yaml"]).status, 0);
    assert_eq!(lake.listed("events/").await.len(), 9 + usize::from(is_written));
}

/// A run that was killed when its plan was stored.
async fn begun(lake: &Lake) -> String {
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    let plan = std::fs::read_to_string(lake.path("plan.jsonl")).unwrap();
    let lines = [plan.lines().next().unwrap(), plan.lines().last().unwrap()];
    let [header, end] = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    let run = "20261126T000000Z-a1b2c3".to_owned();
    let amount = json!({"units": 3, "objects": 9, "bytes": 90});
    let record = json!({
        "run": run, "policy": header["policy"], "digest": end["digest"], "started": header["created"], "finished": null,
        "state": "running", "holder": "", "lease": 0, "skipped": [], "skipped_count": 0, "trash_until": null,
        "released": false,
        "datasets": {"events": {"prefix": "events/", "total": amount, "actions": {}, "undone": amount}},
    });
    for (name, text) in [("plan.jsonl", plan), ("run.json", record.to_string())] {
        let key = format!(".s3core/life/runs/{run}/{name}");
        lake.gateway.run(PutObject::new(&lake.bucket, &key, bytes::Bytes::from(text))).await.unwrap();
    }
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_in_its_place_is_held_by_a_later_hold() {
    let policy = held_policy("0h");
    let lake = two_days(&policy).await;
    let run = apply(&lake);
    assert_eq!(run["actions"]["held"]["units"], 2);
    lake.policy(&held(&policy));
    let emptied = apply(&lake);
    assert!(emptied["left"][0]["reason"].as_str().unwrap().contains("1 unit is held (audit, risk)"), "{emptied}");
    assert_eq!(keys(&lake.listed("events/").await), [key(2, "_SUCCESS"), key(2, "a")]);
    assert_eq!(apply(&lake)["run"], Value::Null);
    lake.policy(&policy);
    apply(&lake);
    assert_eq!(lake.listed("events/").await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn hidden_versions_are_held_by_a_later_hold() {
    let [with_hold, without] = policies();
    let lake = Lake::new().await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let lake = three_days_in(lake, &without).await;
    let versions = async || lake.gateway.run(ListObjectVersions::new(&lake.bucket, "events/")).await.unwrap().versions;
    apply(&lake);
    assert_eq!(versions().await.len(), 18);
    lake.policy(&with_hold);
    apply(&lake);
    let left = versions().await;
    assert!(left.len() == 6 && left.iter().all(|left| left.key.contains("day=2020-01-02")), "{left:?}");
    lake.policy(&without);
    apply(&lake);
    assert_eq!(versions().await, []);
}
