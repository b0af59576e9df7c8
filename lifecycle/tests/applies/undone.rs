//! What was removed comes back, or is gone for good.

use s3core::ops::{
    AccessControlList, DeleteObject, GetObjectAcl, GetObjectTagging, HeadObject, PutObjectAcl, PutObjectTagging,
};
use serde_json::json;

use s3life::run::record::RunState;

use super::{POLICY, apply, as_if_killed, change, json as said, keys, name, three_days};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_undone_with_lists_and_tags() {
    let lake = three_days(POLICY).await;
    let (bucket, key) = (lake.bucket.as_str(), "events/day=2020-01-02/a");
    let tags = [("team".to_owned(), "risk".to_owned())].into();
    lake.gateway.run(PutObjectTagging::new(bucket, key, tags)).await.unwrap();
    let list = lake.gateway.run(GetObjectAcl::new(bucket, key)).await.unwrap();
    let grant = "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
                 <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>";
    let public = list.as_str().replace("</AccessControlList>", &format!("{grant}</AccessControlList>"));
    let public: AccessControlList = public.parse().unwrap();
    lake.gateway.run(PutObjectAcl::new(bucket, key, public)).await.unwrap();
    lake.rest().await;
    let list = lake.gateway.run(GetObjectAcl::new(bucket, key)).await.unwrap();
    let before = lake.listed("events/").await;

    let run = apply(&lake);
    assert_eq!(run["actions"]["expire"], json!({"units": 3, "objects": 9, "bytes": 90}));
    assert_eq!((&run["state"], lake.listed("events/").await), (&json!("done"), Vec::new()));
    assert_eq!(lake.listed(".s3core/trash/").await.len(), 9);

    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert_eq!((undone.status, undone.error.as_str()), (0, ""));
    assert!(undone.out.starts_with("events: 3 units with 9 objects are back."), "{undone:?}");
    let after = lake.listed("events/").await;
    assert_eq!(keys(&after), keys(&before));
    for (after, before) in after.iter().zip(&before) {
        assert_eq!((&after.etag, after.length), (&before.etag, before.length), "{}", after.key);
    }
    assert_eq!(lake.gateway.run(GetObjectAcl::new(bucket, key)).await.unwrap(), list);
    let tagging = lake.gateway.run(GetObjectTagging::new(bucket, key)).await.unwrap();
    assert_eq!(tagging, [("team".to_owned(), "risk".to_owned())].into());
    assert_eq!(lake.gateway.run(HeadObject::new(bucket, key)).await.unwrap().tags, 1);
    assert!(lake.listed(".s3core/trash/").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_came_back_is_not_planned_until_it_is_released() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    said(&lake.run(&["--output", "json", "undo", name(&run), "policy.yaml"]));
    lake.rest().await;
    assert_eq!(lake.plan(&["--detailed-exitcode"]).status, 0);
    assert_eq!(apply(&lake)["run"], json!(null));
    // Also when its trash is gone.
    assert_eq!(lake.run(&["purge", name(&run), "policy.yaml", "--yes"]).status, 0);
    assert_eq!(lake.plan(&["--detailed-exitcode"]).status, 0);
    let told = said(&lake.run(&["--output", "json", "status", "policy.yaml"]));
    let back = json!([{"run": run["run"], "units": 3, "objects": 9, "bytes": 90}]);
    assert_eq!(told["unreleased"], back);
    let told = lake.run(&["status", "policy.yaml"]).out;
    let line = format!(
        "back   {0}  3 units (9 objects, 90 B): no rule touches them until `s3life release {0} s3a://",
        name(&run)
    );
    assert!(told.contains(&line), "{told}");
    let nothing = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert_eq!((nothing.status, nothing.out.as_str()), (0, "nothing is due; left in place: 3 undone\n"));
    let released = lake.run(&["release", name(&run), "policy.yaml"]);
    assert_eq!(released.status, 0, "{released:?}");
    assert_eq!(lake.plan(&["--detailed-exitcode"]).status, 3);
    assert_eq!(apply(&lake)["actions"]["expire"]["units"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_that_was_written_anew_is_left_unless_it_is_merged() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    lake.put("events/day=2020-01-02/new").await;
    let undone = lake.run(&["--output", "json", "undo", name(&run), "policy.yaml"]);
    // That is as it should be.
    assert!(undone.status == 0 && undone.error.is_empty(), "{undone:?}");
    let result: serde_json::Value = serde_json::from_str(&undone.out).unwrap();
    assert_eq!(result["restored"]["events"]["units"], 2);
    assert_eq!(result["skipped"][0]["key"], "events/day=2020-01-02/new");
    assert!(result["skipped"][0]["reason"].as_str().unwrap().contains("--merge"));
    assert_eq!(keys(&lake.listed("events/day=2020-01-02/").await), ["events/day=2020-01-02/new"]);
    said(&lake.run(&["--output", "json", "undo", name(&run), "policy.yaml", "--merge"]));
    assert_eq!(lake.listed("events/day=2020-01-02/").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_the_way_is_never_replaced() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    let put = s3core::ops::PutObject::new(&lake.bucket, "events/day=2020-01-02/a", bytes::Bytes::from_static(b"new"));
    let etag = lake.gateway.run(put).await.unwrap();
    let undone = lake.run(&["undo", name(&run), "policy.yaml", "--merge"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    assert!(
        undone.out.contains("/a: another object has been written there, and is not replaced: move it away"),
        "{undone:?}"
    );
    let told = lake.run(&["explain", "policy.yaml", &format!("s3a://{}/events/day=2020-01-02/", lake.bucket)]).out;
    let undo = format!("move it away, and undo the run again; then `s3life undo {} ", name(&run));
    assert!(told.contains(": half gone: ") && told.contains(&undo), "{told}");
    let listed = lake.listed("events/day=2020-01-02/").await;
    // All but `_SUCCESS`: the partition is not what it was.
    assert_eq!(keys(&listed), ["events/day=2020-01-02/a", "events/day=2020-01-02/b"]);
    assert_eq!(listed[0].etag.as_ref(), Some(&etag));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trash_that_was_emptied_brings_nothing_back() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    let purged = lake.run(&["purge", name(&run), "policy.yaml", "--yes"]);
    assert_eq!(purged.status, 0, "{purged:?}");
    assert!(purged.out.contains("9 objects, 90 B in all, gone for good"), "{purged:?}");
    assert!(lake.listed(".s3core/trash/").await.is_empty());
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 1 && undone.error.contains("its trash was emptied"), "{undone:?}");
    let again = lake.run(&["purge", name(&run), "policy.yaml"]);
    assert!(again.status == 1 && again.error.contains("nothing in the trash"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_plan_empties_no_trash_that_is_still_wanted() {
    let lake = three_days(&POLICY.replace("settle: 0h,", "settle: 0h, trash: 0h,")).await;
    let run = apply(&lake);
    let planned = lake.plan(&["--out", "saved"]);
    assert!(planned.status == 0 && planned.out.contains("trash of 1 earlier run is emptied"), "{planned:?}");
    lake.put("events/day=2020-01-02/new").await;
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(lake.listed(".s3core/trash/").await.len(), 3);
    let applied = lake.run(&["apply", "policy.yaml", "--plan", "saved", "--yes"]);
    assert_eq!((applied.status, lake.listed(".s3core/trash/").await.len()), (0, 3), "{applied:?}");
    said(&lake.run(&["--output", "json", "undo", name(&run), "policy.yaml", "--merge"]));
    assert_eq!(lake.listed("events/day=2020-01-02/").await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_brings_nothing_back_is_a_failure() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    lake.put_all([1, 2, 3].map(|day| format!("events/day=2020-01-0{day}/new"))).await;
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    let told =
        format!("error: nothing of the run {} came back, and 3 units were left: it was written after", name(&run));
    assert!(undone.status == 1 && undone.error.starts_with(&told) && undone.error.contains("--merge"), "{undone:?}");
    // A copy that is gone is no change of somebody's.
    lake.gateway.run(DeleteObject::new(&lake.bucket, &lake.listed(".s3core/trash/").await[1].key)).await.unwrap();
    let undone = lake.run(&["undo", name(&run), "policy.yaml", "--merge"]);
    let told = "error: 1 of 3 units was left: its copy is no longer in the trash; mend that, then run `s3life undo ";
    assert!(undone.status == 1 && undone.error.starts_with(told), "{undone:?}");
    assert!(undone.out.starts_with("events: 2 units with 6 objects are back."), "{undone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undo_that_is_repeated_says_what_became_of_it_since() {
    let lake = three_days(POLICY).await;
    let first = apply(&lake);
    assert_eq!(lake.run(&["undo", name(&first), "policy.yaml"]).status, 0);
    let again = lake.run(&["undo", name(&first), "policy.yaml"]);
    let told = format!("nothing to bring back: 3 units of the run {} came back before\n", name(&first));
    assert_eq!((again.status, again.out.as_str()), (0, told.as_str()), "{again:?}");
    let again = said(&lake.run(&["--output", "json", "undo", name(&first), "policy.yaml"]));
    assert_eq!((&again["restored"], &again["restored_in_all"]["events"]["units"]), (&json!({}), &json!(3)));

    assert_eq!(lake.run(&["release", name(&first), "policy.yaml"]).status, 0);
    lake.rest().await;
    let planned = lake.plan(&[]).out;
    let sum = "\nplanned: 3 units with 9 objects, 90 B; the bytes of 9 objects (90 B) are really copied\n";
    assert!(planned.contains(sum), "{planned}");
    let second = apply(&lake);
    let again = lake.run(&["undo", name(&first), "policy.yaml"]);
    let told = format!(
        "error: nothing to bring back of the run {}, which was undone before: the run {1} removed 3 units since: \
         `s3life undo {1} policy.yaml`\n",
        name(&first),
        name(&second)
    );
    assert_eq!((again.status, again.error.as_str(), again.out.as_str()), (1, told.as_str(), ""));
    // The release is as it was.
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    assert_eq!((&history[1]["run"], &history[1]["released"]), (&first["run"], &json!(true)));

    // What waits for its release is named by plans, too.
    assert_eq!(lake.run(&["undo", name(&second), "policy.yaml"]).status, 0);
    lake.rest().await;
    let planned = lake.plan(&[]);
    let line =
        format!("  undone: 3 units by the run {0}: no rule works there until `s3life release {0} /", name(&second));
    assert!(planned.out.contains(&line), "{planned:?}");
    let planned = said(&lake.plan(&["--output", "json"]));
    assert_eq!(planned["unreleased"], json!([{"run": second["run"], "units": 3}]));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_came_back_just_now_is_counted() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    lake.put("events/day=2020-01-02/new").await;
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    // Nothing comes back, and nothing is taken back.
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 1 && undone.error.contains("and 1 unit was left: "), "{undone:?}");
    assert_eq!(said(&lake.run(&["--output", "json", "history", "policy.yaml"]))[0]["released"], json!(true));
    let undone = lake.run(&["undo", name(&run), "policy.yaml", "--merge"]);
    let told = "events: 1 unit with 3 objects is back, 3 units with 9 objects in all. No rule works there again until";
    assert!(undone.status == 0 && undone.out.starts_with(told), "{undone:?}");
    assert_eq!(said(&lake.run(&["--output", "json", "history", "policy.yaml"]))[0]["released"], json!(false));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_emptied_is_told_by_the_run_that_did_it() {
    let lake = three_days(&POLICY.replace("settle: 0h,", "settle: 0h, trash: 0h,")).await;
    let first = apply(&lake);
    let planned = lake.plan(&[]).out;
    let line = format!("trash of 1 earlier run is emptied: 9 objects, 90 B, gone for good: {}\n", name(&first));
    assert!(planned.contains(&line), "{planned}");
    // Runs are told in the order of the seconds that they began in.
    lake.rest().await;
    let applied = lake.run(&["apply", "policy.yaml", "--yes"]);
    let told = format!("emptied the trash of the run {}: 9 objects, 90 B, gone for good", name(&first));
    assert!(applied.status == 0 && applied.out.ends_with(&format!("  {told}\n")), "{applied:?}");
    let history = lake.run(&["history", "policy.yaml"]).out;
    assert!(history.lines().next().unwrap().contains(&format!("  done: {told}  (")), "{history}");
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    assert_eq!(history[0]["emptied"], json!([{"run": first["run"], "units": 0, "objects": 9, "bytes": 90}]));
    assert_eq!(lake.run(&["report", "policy.yaml", "--html", "page.html"]).status, 0);
    let page = std::fs::read_to_string(lake.path("page.html")).unwrap();
    assert!(page.contains(&format!("emptied the trash of the run {} (9 objects, 90 B)", name(&first))), "{page}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_goes_on_only_where_somebody_says_so() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    as_if_killed(&lake, &run).await;

    let asked = lake.run(&["apply", "policy.yaml"]);
    let told =
        format!("error: the run {} has not ended, and nobody is there to be asked whether it goes on", name(&run));
    assert!(asked.status == 1 && asked.error.starts_with(&told), "{asked:?}");
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    assert_eq!(history[0]["state"], "running");
    // What it has ended is said before it fails by something else.
    lake.policy(&POLICY.replace("older_than: 1y", "older_than: 2y"));
    let changed = lake.run(&["apply", "policy.yaml", "--yes"]);
    let (run_name, path) = (name(&run), lake.path("policy.yaml").canonicalize().unwrap());
    let (undo, resume) = (
        format!("`s3life undo {run_name} {}`", path.display()),
        format!("`s3life apply {} --resume {run_name}`", path.display()),
    );
    assert!(changed.status == 1 && changed.error.contains(&undo) && changed.error.contains(&resume), "{changed:?}");
    let options = ["--resume", name(&run), "--confirm-delete", "nowhere"];
    let ended = lake.run(&[&["apply", "policy.yaml", "--yes"][..], &options].concat());
    let told = format!("run {}:\n  events: expire 3 units (9 objects, 90 B)\n  until ", name(&run));
    assert!(ended.status == 1 && ended.out.starts_with(&told) && ended.error.contains("nowhere"), "{ended:?}");
    assert!(ended.out.ends_with("brings it back\n"), "{ended:?}");
}

/// What a run removed that was killed, and what of that did not come back, counts for guards.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_removed_is_known_when_it_was_undone() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    change(&lake, &run, |record| {
        (record.state, record.finished) = (RunState::Running, None);
        record.datasets.values_mut().for_each(|done| done.actions.clear());
    })
    .await;
    lake.put("events/day=2020-01-02/new").await;
    let undone = said(&lake.run(&["--output", "json", "undo", name(&run), "policy.yaml"]));
    assert_eq!(undone["skipped_count"], 1, "{undone}");
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    let expired = json!({"expire": {"units": 3, "objects": 9, "bytes": 90}});
    assert_eq!((&history[0]["actions"], &history[0]["undone"]["units"]), (&expired, &json!(2)), "{history}");
    lake.policy(&POLICY.replace("max_removed: none", "max_removed: 100% per 30d"));
    let plan = said(&lake.plan(&["--output", "json"]));
    assert_eq!(plan["end"]["datasets"][0]["guard"]["before"]["units"], 1, "{plan}");
}

/// One that waits for the gateway has said what it did.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_waiting_run_did_stays_known_when_it_was_undone() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    change(&lake, &run, |record| {
        (record.state, record.finished) = (RunState::WaitingForGateway, None);
        let actions = &mut record.datasets.get_mut("events").unwrap().actions;
        let expired = actions["expire"];
        actions.insert("archive".to_owned(), expired);
    })
    .await;
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    let actions = &history[0]["actions"];
    assert_eq!((&actions["archive"]["units"], &actions["expire"]["units"]), (&json!(3), &json!(3)), "{history}");
}
