//! What earlier runs and those under way mean for a plan.

use jiff::{Timestamp, ToSpan};
use s3core::ops::PutObject;
use s3life::plan::line::{Amount, PlannedAction, PolicySource, Shape};
use s3life::plan::make::{Moves, Past};
use s3life::run::journal::{IntendedUnit, Journal, Means, Outcome, UnitOutcome};
use s3life::run::keys;
use s3life::run::record::{DatasetDone, RunRecord, RunState};
use s3life::run::store::Store;

use super::lake::{Lake, summary, units};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: 60% per 30d}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1d}, then: expire}]
  - name: others
    location: s3a://BUCKET/others/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop, when: {older_than: 1d}, then: expire}]
";

const NOW: &str = "2036-01-03T00:00:00Z";
const RUN: &str = "20261101T000000Z-a1b2c3";

async fn lake() -> Lake {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let keys =
        ["events", "others"].iter().flat_map(|name| (1..5).map(move |day| format!("{name}/day=2036-01-0{day}/a")));
    lake.put_all(keys).await;
    lake.rest().await;
    lake
}

/// Puts the record of a run that began a day ago in the place of `events`, by another policy.
async fn record(lake: &Lake, state: RunState, removed: u64, undone: u64) {
    let amount = |units| Amount { units, objects: units, bytes: 10 * units };
    let started = Timestamp::now().checked_sub(24.hours()).unwrap();
    let done = DatasetDone {
        prefix: "events/day=".to_owned(),
        total: amount(9),
        actions: [("expire".to_owned(), amount(removed))].into(),
        undone: amount(undone),
        ..DatasetDone::default()
    };
    let policy = PolicySource { path: "/other.yaml".to_owned(), sha256: "abc".to_owned() };
    let record = RunRecord {
        run: RUN.to_owned(),
        state,
        holder: "elsewhere".to_owned(),
        trash_until: Some("2030-01-01T00:00:00Z".parse().unwrap()),
        ..RunRecord::begun(policy, "a1b2c3", started, 1, [("renamed".to_owned(), done)].into())
    };
    let text = serde_json::to_vec(&record).unwrap();
    lake.gateway.run(PutObject::new(&lake.bucket, &keys::record(RUN), bytes::Bytes::from(text))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_planned_beside_a_run_that_is_under_way() {
    let lake = lake().await;
    record(&lake, RunState::Running, 0, 0).await;
    let plan = lake.planned(NOW);
    let prefixes: Vec<_> = units(&plan, "drop");
    assert_eq!(prefixes, ["others/day=2036-01-01/"]);
    assert_eq!((&summary(&plan)["left"]["running run"], &plan["running"][0]), (&1.into(), &RUN.into()));
    let said = lake.plan(&["--now", NOW]);
    assert!(said.out.contains(&format!("the run {RUN} is under way here")), "{}", said.out);
    record(&lake, RunState::Done, 0, 0).await;
    assert_eq!(units(&lake.planned(NOW), "drop"), ["events/day=2036-01-01/", "others/day=2036-01-01/"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_earlier_runs_removed_counts_for_the_guard() {
    let lake = lake().await;
    // Of the six that were there two went, and of the four that are left two would be four of six.
    record(&lake, RunState::Done, 2, 0).await;
    let said = lake.plan(&["--now", "2036-01-04T00:00:00Z"]);
    assert!(said.status == 1 && said.out.contains("66.67% of units"), "{said:?}");
    assert!(said.out.contains("2 units by earlier runs"), "{said:?}");
    record(&lake, RunState::Done, 2, 2).await;
    assert_eq!(lake.plan(&["--now", "2036-01-04T00:00:00Z"]).status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn so_does_what_the_gateway_has_still_to_archive() {
    let lake = Lake::new().await;
    let policy = |days: u32| POLICY.replace("1d", &format!("{days}d")).replace("expire", "{archive: COLD}");
    let today = Timestamp::now();
    let day = |days: i64| today.checked_sub((24 * days).hours()).unwrap().strftime("%F").to_string();
    lake.put_all([10, 20, 30, 40].map(|days| format!("events/day={}/a", day(days)))).await;
    lake.rest().await;
    lake.policy(&policy(25));
    let said = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(said.status == 0 && said.out.contains("2 units wait for the gateway's lifecycle since 20"), "{said:?}");
    // Two of four are on their way, and one more is too much.
    lake.policy(&policy(15));
    let said = lake.plan(&[]);
    assert!(said.status == 1 && said.out.contains("75% of units"), "{said:?}");
    assert!(said.out.contains("2 units by earlier runs"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plans_and_journals_of_runs_that_wait_are_read_once() {
    let endpoint = s3core_gateway::Gateway::builder().storage_class("COLD").start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(&POLICY.replace("expire", "{tier: COLD}"));
    lake.put_all(["events/day=2020-01-01/a", "others/day=2020-01-01/a"]).await;
    lake.rest().await;
    assert_eq!(lake.run(&["apply", "policy.yaml", "--yes"]).status, 0);
    let reads = |what: &str| {
        let requests = endpoint.requests();
        let reads = requests.iter().filter(|request| request.operation == "GetObject" && request.key.ends_with(what));
        reads.count()
    };
    endpoint.reset_requests();
    let (store, moves) = (Store::new(lake.state.clone()), Moves::default());
    for _ in 0..3 {
        let past = Past::of(&lake.state, store.records().await.unwrap(), &moves).await.unwrap();
        assert_eq!(past.waiting.around("events/day=2020-01-01/"), Some(&"waiting for gateway"));
    }
    assert_eq!(reads("/plan.jsonl"), 1);
    let run = store.records().await.unwrap()[0].run.clone();
    endpoint.reset_requests();
    let undone = lake.run(&["undo", &run, "policy.yaml"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    // Two batches, what moves back and that it is back, by each pass of what looks for units to be put back. What moves is known
    // from before the first one.
    assert_eq!(reads("-intent.jsonl"), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn trash_whose_time_is_over_is_emptied() {
    let lake = lake().await;
    record(&lake, RunState::Done, 2, 1).await;
    assert_eq!(lake.planned("2029-12-31T23:59:59Z")["trash"], serde_json::json!([]));
    let plan = lake.planned("2030-01-01T00:00:00Z");
    let expected = serde_json::json!([{"run": RUN, "since": "2030-01-01T00:00:00Z", "objects": 1, "bytes": 10}]);
    assert_eq!((&plan["trash"], units(&plan, "drop").len()), (&expected, 0));
    assert_eq!(lake.plan(&["--now", "2030-01-01T00:00:00Z", "--detailed-exitcode"]).status, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_brought_back_is_not_planned_again() {
    let lake = lake().await;
    record(&lake, RunState::Undone, 2, 2).await;
    let prefix = |day: u32| format!("events/day=2036-01-0{day}/");
    let journal = Journal::open(&lake.state, RUN, 1).await.unwrap();
    let intended = |day: u32| IntendedUnit {
        dataset: "events".to_owned(),
        prefix: prefix(day),
        shape: Shape::Prefix,
        action: PlannedAction::Expire,
        means: Means::default(),
        objects: Vec::new(),
    };
    let at = Timestamp::now();
    let outcome = |day: u32, outcome: Outcome| UnitOutcome { prefix: prefix(day), outcome, at, markers: Vec::new() };
    let batch = journal.intend(&[intended(1), intended(2)]).await.unwrap();
    journal.conclude(batch, &[outcome(1, Outcome::Restored), outcome(2, Outcome::Done)]).await.unwrap();
    let plan = lake.planned("2036-01-04T00:00:00Z");
    assert_eq!(
        units(&plan, "drop"),
        [prefix(2), "others/day=2036-01-01/".to_owned(), "others/day=2036-01-02/".to_owned()]
    );
    assert_eq!(summary(&plan)["left"]["undone"], 1);

    // The trash of a run that nobody has brought back says nothing of its units.
    record(&lake, RunState::Purged, 2, 0).await;
    assert_eq!(summary(&lake.planned(NOW))["left"]["undone"], serde_json::Value::Null);
    record(&lake, RunState::Purged, 2, 2).await;
    assert_eq!(summary(&lake.planned(NOW))["left"]["undone"], 1);
}
