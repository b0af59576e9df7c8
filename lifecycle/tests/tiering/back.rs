//! What was moved to another storage class moves back: `undo` and `restore`, and objects that move one by one.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rstest::rstest;
use s3core::ops::{GetObjectTagging, PutObjectTagging};
use serde_json::{Value, json};

use crate::lake::{Lake, Service, variable};
use crate::{FOREIGN, day, listed};

pub(crate) const PARTITIONS: &str = "\
version: 1
defaults: {guard: {max_removed: none}}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 30d}, then: {tier: COLD}}
";

const OBJECTS: &str = "\
version: 1
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: newest_object}
    unit: object
    rules:
      - {name: large, when: {larger_than: 5}, then: {tier: COLD}}
      - {name: risky, when: {tags: {team: risk}}, then: {tier: COLD}}
";

/// The command again and again, until it says that nothing is waiting for the gateway.
pub(crate) async fn until_moved(lake: &Lake, arguments: &[&str], waits: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + Duration::from_secs(300);
    loop {
        let said = lake.json(arguments);
        if !waits(&said) {
            return said;
        }
        assert!(Instant::now() < deadline, "{said}");
        lake.let_rules_work().await;
    }
}

async fn apply(lake: &Lake) -> Value {
    let first = lake.json(&["apply", "policy.yaml", "--yes"]);
    until_done(lake, &first["run"], &["apply", "policy.yaml", "--yes"]).await;
    first
}

/// Goes on with a run by this command, until it waits for the gateway no more.
pub(crate) async fn until_done(lake: &Lake, run: &Value, go_on: &[&str]) {
    until_moved(lake, &["history", "policy.yaml"], |said| {
        let is_waiting = state(said, run) == "waiting-for-gateway";
        if is_waiting {
            lake.json(go_on);
        }
        is_waiting
    })
    .await;
}

pub(crate) fn state<'a>(history: &'a Value, run: &Value) -> &'a str {
    let run = history.as_array().unwrap().iter().find(|one| one["run"] == *run);
    run.map_or("", |run| run["state"].as_str().unwrap())
}

/// What `verify` says of a run, which is proven: objects in their class, objects that are back, and what others changed.
fn proven(lake: &Lake, run: &str) -> (u64, u64, u64) {
    let proof = lake.json(&["verify", run, "policy.yaml"]);
    let number = |value: &Value| value.as_u64().unwrap();
    (number(&proof["moved"]["objects"]), number(&proof["back"]["objects"]), number(&proof["changed_count"]))
}

/// Times and ETags, and storage classes.
pub(crate) type State = BTreeMap<String, (Option<std::time::SystemTime>, Option<String>)>;

pub(crate) async fn state_and_classes(lake: &Lake) -> (State, Vec<String>) {
    let listed = listed(lake).await;
    let classes = listed.iter().map(|(.., class)| class.clone()).collect();
    (listed.into_iter().map(|(key, modified, etag, _)| (key, (modified, etag))).collect(), classes)
}

pub(crate) async fn three_days(service: Service) -> Lake {
    let lake = Lake::at(service).await;
    lake.policy(PARTITIONS);
    for number in 1..4 {
        for file in ["_SUCCESS", "part-0"] {
            lake.put(&format!("events/day=2020-01-0{number}/{file}"), "some bytes").await;
        }
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    lake
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_tier_is_undone_and_held_back_until_it_is_released(#[case] service: Service) {
    let lake = three_days(service).await;
    let foreign = lake.put_rules(&FOREIGN).await;
    let (before, _) = state_and_classes(&lake).await;
    let run = apply(&lake).await["run"].as_str().unwrap().to_owned();
    assert_eq!(state_and_classes(&lake).await, (before.clone(), vec!["COLD".to_owned(); 6]));
    assert_eq!(proven(&lake, &run), (6, 0, 0));

    // Of what was written since nobody knows where it belongs.
    lake.put("events/day=2020-01-03/late", "late").await;
    let said = lake.run(&["undo", &run, "policy.yaml"]);
    assert!(
        said.contains("  left: events/day=2020-01-03/: events/day=2020-01-03/late: it came after the plan"),
        "{said}"
    );
    let undo = ["undo", run.as_str(), "policy.yaml", "--merge"];
    let undone = until_moved(&lake, &undo, |said| said["waiting"] != 0).await;
    assert_eq!(undone["moved_back_in_all"]["events"]["units"], 3);
    let (mut after, classes) = state_and_classes(&lake).await;
    after.remove("events/day=2020-01-03/late");
    assert_eq!((after, classes), (before, vec!["STANDARD".to_owned(); 7]));
    assert_eq!(proven(&lake, &run), (0, 6, 0));
    assert_eq!(lake.rules().await, foreign);
    let history = lake.json(&["history", "policy.yaml"]);
    assert_eq!((state(&history, &json!(run)), &history[0]["moved_back"]["units"]), ("undone", &json!(3)));

    let due = |lake: &Lake| lake.json(&["plan", "policy.yaml"])["units"].as_array().unwrap().len();
    assert_eq!(due(&lake), 0);
    lake.run(&["release", &run, "policy.yaml"]);
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(due(&lake), 3);
    lake.remove().await;
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn partitions_that_were_asked_for_stay_until_they_are_released(#[case] service: Service) {
    let lake = three_days(service).await;
    let first = apply(&lake).await["run"].as_str().unwrap().to_owned();
    let restore = |path: &'static str| ["restore", "events", "policy.yaml", "--yes", "--partition", path];
    let said = lake.refused(&restore("day=2021-01-01"));
    assert!(said.contains("events has no partition at or below `day=2021-01-01`"), "{said}");
    let said = lake.refused(&[&restore("day=2020-01-02")[..], &["--class", "NOWHERE"]].concat());
    assert!(said.contains("storage class NOWHERE") && said.contains("COLD, STANDARD; give one of these"), "{said}");
    let restored = lake.json(&restore("day=2020-01-02"));
    assert_eq!((&restored["moved"], &restored["waiting"]["units"]), (&json!(0), &json!(1)));
    let run = restored["run"].clone();
    let history = lake.run(&["history", "policy.yaml"]);
    let told = "  restore, waiting for gateway: nothing yet, 1 unit waits for the gateway's lifecycle since ";
    assert_eq!((history.matches(told).count(), history.matches("  done: tier 3 units").count()), (1, 1), "{history}");
    assert_eq!(lake.json(&["status", "policy.yaml"])["runs"][0]["command"], "restore");
    until_done(&lake, &run, &["apply", "policy.yaml", "--yes"]).await;
    let (_, classes) = state_and_classes(&lake).await;
    assert_eq!(classes, ["COLD", "COLD", "STANDARD", "STANDARD", "COLD", "COLD"]);
    assert_eq!(proven(&lake, run.as_str().unwrap()), (2, 0, 0));
    // What the later run has moved is no fault of the first one.
    assert_eq!(proven(&lake, &first), (4, 0, 2));
    assert_eq!(lake.json(&restore("day=2020-01-02"))["run"], Value::Null);
    assert_eq!(lake.json(&["plan", "policy.yaml"])["units"], json!([]));
    assert_eq!(lake.rules().await, []);
    lake.run(&["release", run.as_str().unwrap(), "policy.yaml"]);
    let due = lake.json(&["plan", "policy.yaml"])["units"].clone();
    assert_eq!(due.as_array().unwrap().len(), 1);
    assert_eq!(due[0]["prefix"], "events/day=2020-01-02/");
    lake.remove().await;
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn single_objects_move_by_a_tag_and_keep_those_that_they_had(#[case] service: Service) {
    let lake = Lake::at(service).await;
    lake.policy(OBJECTS);
    for (key, content) in
        [("large", "ten bytes."), ("small", "x"), ("tagged", "x"), ("other", "x"), ("full", "ten bytes.")]
    {
        lake.put(&format!("{}{key}", day(1)), content).await;
    }
    let tag = async |key: &str, tags: &[(&str, &str)]| {
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        lake.gateway.run(PutObjectTagging::new(&lake.bucket, &format!("{}{key}", day(1)), tags)).await.unwrap();
    };
    tag("tagged", &[("team", "risk"), ("a", "b c")]).await;
    tag("other", &[("team", "other")]).await;
    let many: Vec<_> = (0..10).map(|number| format!("tag{number}")).collect();
    tag("full", &many.iter().map(|key| (key.as_str(), "v")).collect::<Vec<_>>()).await;
    let tags = async || {
        let mut tags = Vec::new();
        for (key, ..) in listed(&lake).await {
            tags.push(lake.gateway.run(GetObjectTagging::new(&lake.bucket, &key)).await.unwrap());
        }
        tags
    };
    let (before, foreign) = (tags().await, lake.put_rules(&FOREIGN).await);
    tokio::time::sleep(Duration::from_secs(3)).await;

    let report = lake.run(&["plan", "policy.yaml"]);
    assert!(report.contains("objects move one by one: each has the tag s3core-tier until it has moved"), "{report}");
    let sets_times = match service {
        Service::Embedded => true,
        Service::Ceph => variable("S3CORE_TEST_CEPH_RELEASE") == "pacific",
    };
    assert_eq!(report.contains("this gateway sets its modification time to now"), sets_times, "{report}");
    let applied = apply(&lake).await;
    let left = &applied["left"];
    assert!(left.as_array().unwrap().len() == 1 && left[0]["reason"].as_str().unwrap().contains("10 tags"), "{left}");
    let classes = async || state_and_classes(&lake).await.1;
    // full, large, other, small, tagged
    assert_eq!(classes().await, ["STANDARD", "COLD", "STANDARD", "STANDARD", "COLD"]);
    assert_eq!((tags().await, lake.rules().await), (before.clone(), foreign.clone()));

    let run = applied["run"].as_str().unwrap();
    assert_eq!(proven(&lake, run), (2, 0, 0));
    // The one that had no room for a tag has nothing to move back.
    until_moved(&lake, &["undo", run, "policy.yaml"], |said| said["waiting"] != 0).await;
    assert_eq!(classes().await, vec!["STANDARD"; 5]);
    assert_eq!((tags().await, lake.rules().await), (before, foreign));
    lake.remove().await;
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn own_rules_are_taken_away_and_put_in_place_again(#[case] service: Service) {
    let lake = three_days(service).await;
    let foreign = lake.put_rules(&FOREIGN).await;
    let run = lake.json(&["apply", "policy.yaml", "--yes"])["run"].clone();
    let own = |rules: &Value| rules["rules"].as_array().unwrap().iter().filter(|rule| !rule["run"].is_null()).count();
    assert_eq!(own(&lake.json(&["native", "policy.yaml", "--remove"])), 0);
    assert_eq!(lake.rules().await, foreign);

    // Of what has moved before, no rule comes back.
    let elsewhere = |classes: &[String]| classes.iter().filter(|class| *class != "COLD").count();
    let (_, before) = state_and_classes(&lake).await;
    let placed = own(&lake.json(&["native", "policy.yaml", "--apply"]));
    let (_, after) = state_and_classes(&lake).await;
    assert!((elsewhere(&after).div_ceil(2)..=elsewhere(&before).div_ceil(2)).contains(&placed), "{placed} rules");
    until_done(&lake, &run, &["native", "policy.yaml", "--apply"]).await;
    assert_eq!(state_and_classes(&lake).await.1, vec!["COLD"; 6]);
    assert_eq!(lake.rules().await, foreign);
    lake.remove().await;
}

#[rstest]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_takes_back_only_what_it_has_moved(#[case] service: Service) {
    let lake = three_days(service).await;
    lake.run(&["plan", "policy.yaml", "--out", "plan.jsonl"]);
    lake.put("events/day=2020-01-03/late", "late").await;
    let first = lake.json(&["apply", "--plan", "plan.jsonl", "--yes"]);
    assert_eq!(first["left"][0]["key"], "events/day=2020-01-03/late");
    until_done(&lake, &first["run"], &["native", "policy.yaml", "--apply"]).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    apply(&lake).await;
    assert_eq!(state_and_classes(&lake).await.1, vec!["COLD"; 7]);
    let undo = ["undo", first["run"].as_str().unwrap(), "policy.yaml"];
    let undone = until_moved(&lake, &undo, |said| said["waiting"] != 0).await;
    assert_eq!(undone["moved_back_in_all"]["events"]["units"], 2);
    assert_eq!(state_and_classes(&lake).await.1, [vec!["STANDARD"; 4], vec!["COLD"; 3]].concat());
    lake.remove().await;
}

#[rstest]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_while_a_run_waits_does_not_move(#[case] service: Service) {
    let lake = three_days(service).await;
    let run = lake.json(&["apply", "policy.yaml", "--yes"])["run"].clone();
    let hold =
        format!("hold: [{{path: \"s3a://{}/events/day=2020-01-02/\", reason: audit, owner: risk}}]\n", lake.bucket);
    lake.policy(&PARTITIONS.replace("datasets:", &format!("{hold}datasets:")));
    lake.json(&["apply", "policy.yaml", "--yes"]);
    until_done(&lake, &run, &["apply", "policy.yaml", "--yes"]).await;
    let (_, classes) = state_and_classes(&lake).await;
    assert_eq!(classes, ["COLD", "COLD", "STANDARD", "STANDARD", "COLD", "COLD"]);
    lake.remove().await;
}

/// Nothing of it goes: somebody who needs what is held gets it.
#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_restored_although_it_is_held_and_stays_then() {
    let lake = three_days(Service::Embedded).await;
    apply(&lake).await;
    let (before, _) = state_and_classes(&lake).await;
    let hold =
        format!("hold: [{{path: \"s3a://{}/events/day=2020-01-02/\", reason: audit, owner: risk}}]\n", lake.bucket);
    lake.policy(&PARTITIONS.replace("datasets:", &format!("{hold}datasets:")));
    let restored = lake.json(&["restore", "events", "policy.yaml", "--yes", "--partition", "day=2020-01-02"]);
    assert_eq!(restored["waiting"]["units"], 1);
    until_done(&lake, &restored["run"], &["apply", "policy.yaml", "--yes"]).await;
    let (after, classes) = state_and_classes(&lake).await;
    assert_eq!(
        (after, classes),
        (before, ["COLD", "COLD", "STANDARD", "STANDARD", "COLD", "COLD"].map(String::from).to_vec())
    );
    // From then on the hold keeps it there.
    let run = restored["run"].as_str().unwrap();
    lake.run(&["release", run, "policy.yaml"]);
    assert_eq!(lake.json(&["plan", "policy.yaml"])["units"], json!([]));
    lake.policy(PARTITIONS);
    assert_eq!(lake.json(&["plan", "policy.yaml"])["units"][0]["prefix"], "events/day=2020-01-02/");
    lake.remove().await;
}

#[rstest]
#[case::embedded(Service::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_waiting_run_moves_is_told_and_what_it_has_moved_comes_back_at_once(#[case] service: Service) {
    let lake = Lake::at(service).await;
    lake.policy(PARTITIONS);
    // One more than rules are in place at a time.
    for day in 0..51 {
        lake.put(&format!("events/day=2020-{:02}-{:02}/a", 1 + day / 28, 1 + day % 28), "some bytes").await;
    }
    tokio::time::sleep(Duration::from_secs(3)).await;
    let run = lake.json(&["apply", "policy.yaml", "--yes"])["run"].as_str().unwrap().to_owned();
    let restore = |path: &'static str| ["restore", "events", "policy.yaml", "--yes", "--partition", path];
    // They are in the class that was asked for, and not for long.
    let said = lake.refused(&restore("day=2020-02-23"));
    let told = format!(
        "nothing can be moved now, 1 unit being left (1 waiting for gateway): the run {run} has the gateway move units \
         there: bring it back with `s3life undo {run} policy.yaml`, or try again when"
    );
    assert!(said.contains(&told), "{said}");
    lake.let_rules_work().await;
    assert_eq!(lake.json(&["apply", "policy.yaml", "--yes"])["state"], "waiting-for-gateway");
    assert_eq!(lake.json(&["status", "policy.yaml"])["runs"][0]["waiting"]["units"], 1);
    let restored = lake.json(&restore("day=2020-01-01"));
    assert_eq!(restored["waiting"]["units"], 1);
    assert!(lake.refused(&restore("day=2020-02-23")).contains("1 waiting for gateway"));
    until_done(&lake, &restored["run"], &["apply", "policy.yaml", "--yes"]).await;
    until_done(&lake, &json!(run), &["apply", "policy.yaml", "--yes"]).await;
    let classes = state_and_classes(&lake).await.1;
    assert_eq!((classes[0].as_str(), classes[1].as_str(), classes[50].as_str()), ("STANDARD", "COLD", "COLD"));
    lake.remove().await;
}
