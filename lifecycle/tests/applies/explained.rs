//! `explain` knows what runs did with what somebody asks for.

use serde_json::{Value, json};

use super::lake::Lake;
use super::{POLICY, apply, name, three_days};

const UNIT: &str = "events/day=2020-01-02/";

/// What `explain` says of a place, for programs and for people.
fn explained(lake: &Lake, path: &str) -> (Vec<Value>, String) {
    let uri = format!("s3a://{}/{path}", lake.bucket);
    let said = lake.run(&["--output", "json", "explain", "policy.yaml", &uri]);
    assert_eq!(said.status, 0, "{said:?}");
    let lines = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (lines, lake.run(&["explain", "policy.yaml", &uri]).out)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_removed_is_told_with_the_way_back() {
    let lake = three_days(POLICY).await;
    lake.put("events/day=2999-01-01/a").await;
    let run = apply(&lake);
    let (until, undo) = (run["trash_until"].as_str().unwrap(), format!("s3life undo {} ", name(&run)));
    for path in [UNIT, "events/day=2020-01-02", "events/day=2020-01-02/a"] {
        let (told, text) = explained(&lake, path);
        assert_eq!((told.len(), &told[0]["verdict"], &told[0]["run"]["until"]), (1, &json!("removed"), &json!(until)));
        assert!(told[0]["run"]["command"].as_str().unwrap().starts_with(&undo), "{told:?}");
        let line = format!("s3a://{}/{UNIT}: removed by the run {} at ", lake.bucket, name(&run));
        assert!(text.starts_with(&line) && text.contains(&format!("in the trash until {until}: `{undo}")), "{text}");
    }
    let (all, _) = explained(&lake, "events/");
    let verdicts: Vec<_> = all.iter().map(|told| told["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["not yet", "removed", "removed", "removed"]);

    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    let (told, text) = explained(&lake, "events/day=2020-01-02/a");
    assert_eq!((told.len(), &told[0]["verdict"], &told[0]["run"]["run"]), (1, &json!("undone"), &run["run"]));
    assert!(text.contains(&format!("no rule works there until `s3life release {} ", name(&run))), "{text}");
    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    lake.rest().await;
    assert_eq!(explained(&lake, UNIT).0[0]["verdict"], "due");

    let second = apply(&lake);
    assert_eq!(lake.run(&["purge", name(&second), "policy.yaml", "--yes"]).status, 0);
    let (told, text) = explained(&lake, UNIT);
    assert_eq!((told[0]["run"]["what"].as_str(), &told[0]["run"]["command"]), (Some("gone"), &json!(null)));
    assert!(text.contains(name(&second)) && text.contains("it is gone for good"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_lies_that_is_said_with_the_nearest_place() {
    let lake = three_days(POLICY).await;
    let bucket = format!("s3a://{}", lake.bucket);
    let (told, text) = explained(&lake, "events/day=2020-01-09/x/a");
    assert_eq!((told.len(), &told[0]["verdict"]), (1, &json!("nothing")));
    assert_eq!(told[0]["nearest"], format!("{bucket}/events/"));
    let line = "nothing lies at {}/events/day=2020-01-09/x/a; the nearest place where something does is {}/events/\n";
    assert_eq!(text, line.replace("{}", &bucket));
    // Of a unit that is there, and the object is not.
    let (told, _) = explained(&lake, &format!("{UNIT}c"));
    let verdicts: Vec<_> = told.iter().map(|told| &told["verdict"]).collect();
    assert_eq!(
        (verdicts, &told[0]["nearest"]),
        (vec![&json!("nothing"), &json!("due")], &json!(format!("{bucket}/{UNIT}")))
    );
    // What lies there and belongs to no unit is something else.
    lake.put("events/readme").await;
    assert_eq!(explained(&lake, "events/readme").0[0]["verdict"], "outside");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_moves_and_what_has_moved_is_told() {
    let builder = s3core_gateway::Gateway::builder().quirks(s3core_gateway::Quirks::Pacific).storage_class("COLD");
    let endpoint = builder.start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(&POLICY.replace("then: expire", "then: {tier: COLD}"));
    lake.put("events/day=2020-01-02/a").await;
    lake.rest().await;
    let run = apply(&lake);
    let (told, text) = explained(&lake, UNIT);
    assert_eq!(told[0]["verdict"], "waiting for gateway");
    assert!(text.contains(&format!("to move it to COLD, by the run {}", name(&run))), "{text}");
    endpoint.run_lifecycle();
    apply(&lake);
    let (told, text) = explained(&lake, UNIT);
    assert_eq!((&told[0]["run"]["what"], &told[0]["run"]["run"]), (&json!("moved"), &run["run"]));
    assert!(text.contains(&format!("it was moved to COLD by the run {} at ", name(&run))), "{text}");
}
