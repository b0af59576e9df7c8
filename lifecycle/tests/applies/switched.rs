//! Versioning that is switched on under a run.

use s3core::ops::{DeleteObject, ListedObject, PutBucketVersioning};
use s3life::act::apply::Applied;
use s3life::plan::document::PlanReader;
use s3life::plan::line::PlannedUnit;
use s3life::run::journal::{IntendedObject, IntendedUnit, Journal, Means};
use s3life::run::lease::{Holder, Lease, Purpose};
use s3life::run::record::RunRecord;
use s3life::run::store::Store;
use serde_json::json;

use super::versions::versions;
use super::{POLICY, apply, as_if_killed, json as said, name, three_days};

/// A removal that was begun with copies does not go on where a DELETE would only hide.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_without_versions_is_put_back_where_they_are_kept_by_now() {
    let lake = three_days(POLICY).await;
    let before = lake.listed("events/").await;
    let run = apply(&lake);
    let journal = format!(".s3core/life/runs/{}/journal/", name(&run));
    for outcome in lake.listed(&journal).await.into_iter().filter(|written| written.key.contains("-outcome")) {
        lake.gateway.run(DeleteObject::new(&lake.bucket, &outcome.key)).await.unwrap();
    }
    as_if_killed(&lake, &run).await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    // Nothing else is due: what is put back would go again once it has rested.
    lake.policy(&POLICY.replace("1y", "100y"));
    assert_eq!(lake.run(&["apply", "policy.yaml", "--yes", "--resume", name(&run)]).status, 0);
    lake.policy(POLICY);
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    assert_eq!((history[0]["run"].clone(), &history[0]["skipped"]), (run["run"].clone(), &json!(3)), "{history}");
    let after = lake.listed("events/").await;
    let same =
        |listed: &[ListedObject]| listed.iter().map(|one| (one.key.clone(), one.etag.clone())).collect::<Vec<_>>();
    assert_eq!(same(&after), same(&before));
    // Then it goes as all goes where versions are kept.
    lake.rest().await;
    let again = apply(&lake);
    assert_eq!((&again["actions"]["expire"]["units"], lake.listed("events/").await.len()), (&json!(3), 0));
    assert_eq!(lake.run(&["undo", name(&again), "policy.yaml"]).status, 0);
    assert_eq!(lake.listed("events/").await, after);
}

/// A removal for good that was announced before versions were kept does not go on where a DELETE would only hide.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_go_for_good_stays_where_versions_are_kept_by_now() {
    let lake = three_days(&POLICY.replace("then: expire", "then: {delete: without_trash}")).await;
    let path = lake.path("plan.jsonl");
    assert_eq!(lake.plan(&["--out", "plan.jsonl", "--confirm-delete", "events"]).status, 0);
    let mut plan = PlanReader::open(&path).unwrap();
    let lease = Lease::take(&lake.state, &Holder::this_process(), &Purpose::from("apply")).await.unwrap();
    let (policy, datasets) = (plan.header().policy.clone(), Applied::of(plan.end()).datasets);
    let now = lake.state.time().await.unwrap();
    let record = RunRecord::begun(policy, &plan.end().digest, now, lease.number(), datasets);
    let run = Store::new(lake.state.clone()).begin_new(&lease, record, &path).await.unwrap().run;
    let mut units = Vec::new();
    while let Some((PlannedUnit { dataset, prefix, shape, action, .. }, objects)) = plan.next_unit().unwrap() {
        let object = |planned| IntendedObject { planned, trash: None, former: Vec::new(), version: None, acl: None };
        let objects = objects.into_iter().map(object).collect();
        units.push(IntendedUnit { dataset, prefix, shape, action, means: Means::InPlace, objects });
    }
    Journal::open(&lake.state, &run, lease.number()).await.unwrap().intend(&units).await.unwrap();
    // It was killed when one object had gone.
    lake.gateway.run(DeleteObject::new(&lake.bucket, "events/day=2020-01-01/a")).await.unwrap();
    lease.release().await.unwrap();
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let before = versions(&lake).await;
    assert_eq!((units.len(), before.len()), (3, 8));

    let resumed = lake.run(&["apply", "policy.yaml", "--yes"]);
    let history = said(&lake.run(&["--output", "json", "history", "policy.yaml"]));
    let state = (&history[0]["run"], &history[0]["state"], &history[0]["skipped"]);
    assert_eq!(state, (&json!(run), &json!("done"), &json!(3)), "{resumed:?}");
    let left = said(&lake.run(&["--output", "json", "status", "policy.yaml"]))["skipped"].clone();
    let mut reasons: Vec<_> = left.as_array().unwrap().iter().map(|left| left["reason"].as_str().unwrap()).collect();
    let late = "the bucket keeps versions by now: plan it again";
    let gone = "a part of the unit is gone and could not be put back: it went for good, as the policy says";
    reasons.sort_unstable();
    assert_eq!(reasons, [gone, late, late]);
    assert_eq!(versions(&lake).await, before);
}
