//! Buckets that keep versions: units go under delete markers.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use rstest::rstest;
use s3core::ops::{
    DeleteObject, GetObjectTagging, ListObjectVersions, ListedVersion, PutBucketVersioning, PutObject, PutObjectTagging,
};
use serde_json::json;

use super::lake::Lake;
use super::{POLICY, apply, as_if_killed, change, json as said, keys, name, three_days};

const TAGGED: &str = "events/day=2020-01-01/a";

fn tags() -> BTreeMap<String, String> {
    [("team".to_owned(), "risk".to_owned())].into()
}

async fn three_days_with_versions(policy: &str) -> Lake {
    let lake = three_days(policy).await;
    // Where versions are kept, Pacific tells two times of an object whose tags were changed.
    lake.gateway.run(PutObjectTagging::new(&lake.bucket, TAGGED, tags())).await.unwrap();
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    // One partition is from the time before.
    lake.put_all(["_SUCCESS", "a", "b"].map(|name| format!("events/day=2020-01-02/{name}"))).await;
    lake.put_all(["_SUCCESS", "a", "b"].map(|name| format!("events/day=2020-01-03/{name}"))).await;
    for version in versions(&lake).await {
        if version.version_id == "null" && !version.key.contains("day=2020-01-01") {
            remove(&lake, version).await;
        }
    }
    lake.rest().await;
    lake
}

pub(crate) async fn versions(lake: &Lake) -> Vec<ListedVersion> {
    lake.gateway.run(ListObjectVersions::new(&lake.bucket, "events/")).await.unwrap().versions
}

/// What a reader is told who misses a file.
async fn told(lake: &Lake, key: &str) -> String {
    lake.state.files().open_file(key, Default::default()).await.err().unwrap().message().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_hides_what_it_removes_and_undo_shows_it_as_it_was() {
    let lake = three_days_with_versions(POLICY).await;
    let (before, versions_before) = (lake.listed("events/").await, versions(&lake).await);
    // Nothing is copied.
    let planned = lake.plan(&[]).out;
    assert!(planned.contains("\nplanned: 3 units with 9 objects, 90 B\n"), "{planned}");
    let run = apply(&lake);
    assert_eq!(run["actions"], json!({"expire": {"units": 3, "objects": 9, "bytes": 90}}));
    assert_eq!(lake.listed("events/").await, []);
    let hidden = versions(&lake).await;
    assert_eq!((hidden.len(), hidden.iter().filter(|version| version.is_delete_marker).count()), (18, 9));
    assert_eq!(lake.listed(".s3core/trash/").await, []);
    let brings_back = format!("hidden it under a delete marker; `s3life undo {} s3a://{}`", name(&run), lake.bucket);
    for key in ["events/day=2020-01-01/_SUCCESS", "events/day=2020-01-02/a", "events/day=2020-01-03/b"] {
        let told = told(&lake, key).await;
        assert!(told.contains(&brings_back), "{told}");
    }
    let status = said(&lake.run(&["--output", "json", "status", "policy.yaml"]));
    let kept = json!([{"run": run["run"], "units": 3, "objects": 9, "bytes": 90, "until": run["trash_until"]}]);
    assert_eq!((&status["hidden"], &status["held"], &status["trash"]), (&kept, &json!([]), &json!([])));
    let status = lake.run(&["status", "policy.yaml"]);
    let line = format!("hidden {}  3 units (9 objects, 90 B) under delete markers, goes for good after 20", name(&run));
    assert!(status.out.contains(&line), "{status:?}");
    assert_eq!(lake.run(&["report", "policy.yaml", "--html", "page.html"]).status, 0);
    let page = std::fs::read_to_string(lake.path("page.html")).unwrap();
    assert!(page.contains("<td>under delete markers</td>"), "{page}");
    // Nothing is due any more, and nobody comes by the guard.
    assert_eq!(apply(&lake)["run"], json!(null));

    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 0 && undone.out.starts_with("events: 3 units with 9 objects are back."), "{undone:?}");
    assert_eq!(said(&lake.run(&["--output", "json", "status", "policy.yaml"]))["hidden"], json!([]));
    // Also their times.
    assert_eq!((lake.listed("events/").await, versions(&lake).await), (before, versions_before));
    assert_eq!(lake.gateway.run(GetObjectTagging::new(&lake.bucket, TAGGED)).await.unwrap(), tags());
    // Nothing is in the trash: what is visible again stays.
    assert_eq!(said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]))["objects"], 0);
    assert_eq!(lake.listed("events/").await.len(), 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trash_of_versions_is_emptied_and_older_ones_stay_hidden() {
    let lake = three_days_with_versions(POLICY).await;
    lake.put("events/day=2020-01-02/a").await;
    lake.rest().await;
    let older = versions(&lake).await.into_iter().find(|version| version.key.ends_with("02/a") && !version.is_latest);
    let older = older.unwrap().version_id;
    let run = apply(&lake);
    // Written since: it stays, and what it lies over goes.
    lake.put("events/day=2020-01-03/a").await;
    let purged = said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]));
    assert_eq!((&purged["objects"], &purged["skipped"]), (&json!(9), &json!(0)), "{purged}");
    let left = versions(&lake).await;
    let shown = left.iter().map(|left| (left.key.as_str(), left.is_delete_marker, left.is_latest));
    let expected = [
        ("events/day=2020-01-02/a", true, true),
        ("events/day=2020-01-02/a", false, false),
        ("events/day=2020-01-03/a", false, true),
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    assert_eq!(left[1].version_id, older);
    let missed = told(&lake, "events/day=2020-01-02/a").await;
    assert!(missed.contains(name(&run)) && missed.contains("emptied its trash"), "{missed}");
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 1 && undone.error.contains("its trash was emptied"), "{undone:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_written_or_deleted_since_stays_as_they_left_it() {
    let lake = three_days_with_versions(POLICY).await;
    let run = apply(&lake);
    lake.put("events/day=2020-01-02/new").await;
    let put = PutObject::new(&lake.bucket, "events/day=2020-01-03/a", Bytes::from_static(b"new"));
    let etag = lake.gateway.run(put).await.unwrap();
    let undone = lake.run(&["undo", name(&run), "policy.yaml", "--merge"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    assert_eq!(lake.listed("events/day=2020-01-02/").await.len(), 4);
    let third = lake.listed("events/day=2020-01-03/").await;
    // All but `_SUCCESS`: the partition is not what it was.
    assert_eq!(keys(&third), ["events/day=2020-01-03/a", "events/day=2020-01-03/b"]);
    assert_eq!(third[0].etag.as_ref(), Some(&etag));
}

async fn remove(lake: &Lake, version: ListedVersion) {
    let delete = DeleteObject::new(&lake.bucket, &version.key);
    lake.gateway.run(DeleteObject { version_id: Some(version.version_id), ..delete }).await.unwrap();
}

/// Lets a run look as if it had been killed before it could write down what came of its units.
async fn forget_outcomes(lake: &Lake, run: &serde_json::Value) {
    let journal = ListObjectVersions::new(&lake.bucket, &format!(".s3core/life/runs/{}/journal/", name(run)));
    let outcomes = lake.gateway.run(journal).await.unwrap().versions;
    for outcome in outcomes.into_iter().filter(|version| version.key.ends_with("-outcome.jsonl")) {
        remove(lake, outcome).await;
    }
}

/// Somebody deletes an object when the lease of a run that was killed has ended, and before another command has the next one: the
/// deletion is not the run's.
#[tokio::test(flavor = "multi_thread")]
async fn what_others_delete_between_two_leases_stays_deleted() {
    let lake = three_days_with_versions(POLICY).await;
    let (success, theirs) = ("events/day=2020-01-02/_SUCCESS", "events/day=2020-01-02/a");
    let mut before = lake.listed("events/").await;
    let run = said(&lake.run(&["--output", "json", "apply", "policy.yaml", "--yes", "--lease-seconds", "4"]));
    forget_outcomes(&lake, &run).await;
    // It had not come to this one.
    let marker = versions(&lake).await.into_iter().find(|version| version.key == theirs).unwrap();
    assert!(marker.is_delete_marker);
    remove(&lake, marker).await;
    // More than a term and a half.
    for _ in 0..4 {
        lake.rest().await;
    }
    lake.gateway.run(DeleteObject::new(&lake.bucket, theirs)).await.unwrap();
    as_if_killed(&lake, &run).await;

    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 0 && undone.out.contains("somebody has written and deleted it since"), "{undone:?}");
    // `_SUCCESS` comes back only beside all that it speaks of.
    before.retain(|object| object.key != theirs && object.key != success);
    assert_eq!(lake.listed("events/").await, before);
    let proof = said(&lake.run(&["--output", "json", "verify", name(&run), "policy.yaml"]));
    assert_eq!((&proof["proven"], &proof["not_back"]), (&json!(true), &json!(1)), "{proof}");
}

/// A run that was killed before it could write down what came of its units, and was undone but for one: that one comes back
/// later, or goes for good.
#[rstest]
#[case::comes_back(&["undo", "--merge"], (3, 0))]
#[case::goes_for_good(&["purge", "--yes"], (0, 0))]
#[tokio::test(flavor = "multi_thread")]
async fn markers_that_nobody_wrote_down_are_known_later(#[case] end: &[&str], #[case] left: (usize, usize)) {
    let lake = three_days_with_versions(POLICY).await;
    let run = apply(&lake);
    forget_outcomes(&lake, &run).await;
    let missed = told(&lake, "events/day=2020-01-02/a").await;
    assert!(missed.contains(&format!("the run {} of s3life had begun to remove it", name(&run))), "{missed}");
    lake.put("events/day=2020-01-02/new").await;
    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert_eq!((undone.status, lake.listed("events/day=2020-01-02/").await.len()), (0, 1), "{undone:?}");
    let ended = lake.run(&[&[end[0], name(&run), "policy.yaml"], &end[1..]].concat());
    assert_eq!(ended.status, 0, "{ended:?}");
    let mut all = versions(&lake).await;
    all.retain(|version| version.key.contains("day=2020-01-02") && !version.key.ends_with("new"));
    let markers = all.iter().filter(|version| version.is_delete_marker).count();
    assert_eq!((all.len() - markers, markers), left, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_for_good_leaves_no_version() {
    let lake = three_days_with_versions(&POLICY.replace("then: expire", "then: {delete: without_trash}")).await;
    let applied = lake.run(&["--output", "json", "apply", "policy.yaml", "--yes", "--confirm-delete", "events"]);
    assert_eq!(said(&applied)["actions"]["delete"]["objects"], 9);
    assert_eq!(versions(&lake).await, []);
    assert_eq!(said(&lake.run(&["--output", "json", "status", "policy.yaml"]))["hidden"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_where_versioning_is_suspended() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    lake.put("events/day=2020-01-04/a").await;
    lake.rest().await;
    change(&lake, &run, |record| record.trash_until = Some(Timestamp::UNIX_EPOCH)).await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, false)).await.unwrap();
    for command in [&["apply", "policy.yaml", "--yes"][..], &["purge", name(&run), "policy.yaml", "--yes"]] {
        let refused = lake.run(command);
        assert!(refused.status == 1 && refused.error.contains("is suspended"), "{refused:?}");
    }
    // Where nothing else is due the trash, which is, keeps nothing from its end.
    lake.policy(&POLICY.replace("1y", "100y"));
    let applied = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert!(applied.status == 0 && applied.out.starts_with("nothing is due"), "{applied:?}");
    let left = [lake.listed("events/").await.len(), lake.listed(".s3core/trash/").await.len()];
    assert_eq!(left, [1, 9]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trash_from_before_versions_leaves_none_when_it_is_emptied() {
    let lake = three_days(POLICY).await;
    let run = apply(&lake);
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let purged = said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]));
    assert_eq!((&purged["objects"], &purged["bytes"]), (&json!(9), &json!(90)), "{purged}");
    let trash = ListObjectVersions::new(&lake.bucket, ".s3core/trash/");
    assert_eq!(lake.gateway.run(trash).await.unwrap().versions, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_is_told_while_versioning_is_suspended() {
    let lake = three_days_with_versions(POLICY).await;
    let run = apply(&lake);
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, false)).await.unwrap();
    let told = "is suspended, and what its runs have hidden lies in versions: enable versioning again";
    for command in [&["undo", name(&run), "policy.yaml"][..], &["purge", name(&run), "policy.yaml", "--yes"]] {
        let refused = lake.run(command);
        assert!(refused.status == 1 && refused.error.contains(told), "{refused:?}");
    }
    let status = said(&lake.run(&["--output", "json", "status", "policy.yaml"]));
    assert_eq!((status["hidden"].as_array().unwrap().len(), &status["hidden"][0]["units"]), (1, &json!(3)));
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(lake.listed("events/").await.len(), 9);
}
