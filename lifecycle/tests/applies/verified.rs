//! Runs are proven: what is wrong is told, and apart from it what others have changed since.

use bytes::Bytes;
use rstest::rstest;
use s3core::ops::{DeleteObject, GetObject, ListObjectVersions, ObjectHead, PutBucketVersioning, PutObject, Sink};
use serde_json::{Value, json};

use super::lake::Lake;
use super::{POLICY, apply, name, three_days_in};

/// Where it is verified.
enum Where {
    Ceph,
    Embedded,
}

impl Where {
    async fn three_days(self) -> (Lake, Option<s3core_gateway::Gateway>) {
        let endpoint = match self {
            Self::Ceph => None,
            Self::Embedded => Some(s3core_gateway::Gateway::builder().start().unwrap()),
        };
        let lake = match &endpoint {
            None => Lake::new().await,
            Some(endpoint) => Lake::embedded(endpoint).await,
        };
        (three_days_in(lake, POLICY).await, endpoint)
    }
}

pub(super) fn verify(lake: &Lake, run: &Value) -> Value {
    let verified = lake.run(&["--output", "json", "verify", name(run), &format!("s3a://{}", lake.bucket)]);
    let proof: Value = serde_json::from_str(&verified.out).unwrap();
    assert_eq!((verified.status == 0, &proof["run"]), (proof["proven"] == true, &run["run"]), "{verified:?}");
    proof
}

/// How many of what is told, with the first of it.
pub(super) fn first<'p>(proof: &'p Value, list: &str) -> (u64, &'p Value) {
    (proof[format!("{list}_count")].as_u64().unwrap(), &proof[list][0])
}

pub(super) async fn put(lake: &Lake, key: &str, body: impl Into<Bytes>) {
    lake.gateway.run(PutObject::new(&lake.bucket, key, body.into())).await.unwrap();
}

pub(super) async fn delete(lake: &Lake, key: &str) {
    lake.gateway.run(DeleteObject::new(&lake.bucket, key)).await.unwrap();
}

#[rstest]
#[case::ceph(Where::Ceph)]
#[case::embedded(Where::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn what_others_have_changed_since_is_no_fault_of_the_run(#[case] place: Where) {
    let (lake, _endpoint) = place.three_days().await;
    let run = apply(&lake);
    let all = json!({"units": 3, "objects": 9, "bytes": 90});
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], &proof["removed"], first(&proof, "changed").0), (&json!(true), &all, 0), "{proof}");

    put(&lake, "events/day=2020-01-01/a", "of somebody else").await;
    put(&lake, "events/day=2020-01-02/new", "new").await;
    let trash = lake.listed(".s3core/trash/").await;
    delete(&lake, &trash[8].key).await;
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], &proof["removed"]), (&json!(true), &all), "{proof}");
    let changes: Vec<_> = proof["changed"].as_array().unwrap().iter().map(|change| change["key"].as_str()).collect();
    let expected = ["events/day=2020-01-01/a", "events/day=2020-01-02/new", "events/day=2020-01-03/b"];
    assert_eq!(changes, expected.map(Some), "{proof}");
    assert!(proof["changed"][2]["change"].as_str().unwrap().contains("gone from the trash"), "{proof}");
    let text = lake.run(&["verify", name(&run), "policy.yaml"]);
    assert!(text.out.contains("  gone as planned: 9 objects with 90 bytes (units: 3)\n"), "{text:?}");
    assert!(text.status == 0 && text.out.contains("\nproven: "), "{text:?}");

    // A copy that is something else is no copy.
    put(&lake, &trash[0].key, "something else").await;
    let proof = verify(&lake, &run);
    let (wrong, first_wrong) = first(&proof, "wrong");
    assert_eq!((wrong, &first_wrong["key"]), (1, &json!(trash[0].key)), "{proof}");
    assert!(first_wrong["expected"].as_str().unwrap().starts_with("10 bytes with the ETag "), "{proof}");
    let text = lake.run(&["verify", name(&run), "policy.yaml"]);
    assert!(text.status == 1 && text.out.ends_with("not proven\n"), "{text:?}");
}

#[rstest]
#[case::ceph(Where::Ceph)]
#[case::embedded(Where::Embedded)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_undone_is_proven_by_what_is_back(#[case] place: Where) {
    let (lake, _endpoint) = place.three_days().await;
    let run = apply(&lake);
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    let proof = verify(&lake, &run);
    let back = json!({"units": 3, "objects": 9, "bytes": 90});
    assert_eq!((&proof["proven"], &proof["state"], &proof["back"]), (&json!(true), &json!("undone"), &back), "{proof}");
    put(&lake, "events/day=2020-01-02/a", "of somebody else").await;
    delete(&lake, "events/day=2020-01-03/a").await;
    let proof = verify(&lake, &run);
    let (changed, change) = first(&proof, "changed");
    assert_eq!((changed, &change["key"]), (1, &json!("events/day=2020-01-02/a")), "{proof}");
    assert!(change["change"].as_str().unwrap().starts_with("it was written since: 16 bytes"), "{proof}");
    let wrong = first(&proof, "wrong");
    assert_eq!(
        (wrong.0, &wrong.1["key"], &wrong.1["found"]),
        (1, &json!("events/day=2020-01-03/a"), &json!("nothing"))
    );
    // What a later run removes is none of its faults.
    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    lake.rest().await;
    let second = apply(&lake);
    let proof = verify(&lake, &run);
    assert_eq!((first(&proof, "wrong").0, first(&proof, "changed").0), (0, 9), "{proof}");
    assert!(first(&proof, "changed").1["change"].as_str().unwrap().contains(name(&second)), "{proof}");
    // Nothing of the trash is left, and nothing is to be.
    assert_eq!(lake.run(&["purge", name(&second), "policy.yaml", "--yes"]).status, 0);
    let proof = verify(&lake, &second);
    assert_eq!((&proof["proven"], &proof["removed"]["objects"]), (&json!(true), &json!(8)), "{proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_written_into_the_journal_by_others_is_told() {
    let (lake, _endpoint) = Where::Embedded.three_days().await;
    let run = apply(&lake);
    let journal = lake.listed(&format!(".s3core/life/runs/{}/journal/", name(&run))).await;
    let intent = journal.iter().map(|object| &object.key).find(|key| key.ends_with("-intent.jsonl")).unwrap();
    let text = read(&lake, intent).await;
    let forged = |from: &str, to: &str| {
        assert!(text.contains(from), "{text}");
        text.replacen(from, to, 1)
    };
    let object = "\"key\":\"events/day=2020-01-02/a\"";
    for (text, key) in [
        (forged(object, "\"key\":\"events/day=2020-01-02/c\""), "events/day=2020-01-02/c"),
        (forged(&format!("{object},\"bytes\":10"), &format!("{object},\"bytes\":11")), "events/day=2020-01-02/a"),
        (forged("/events/day=2020-01-03/b\"", "/events/day=2020-01-03/a\""), "events/day=2020-01-03/b"),
        (forged("\"prefix\":\"events/day=2020-01-03/\"", "\"prefix\":\"other/\""), "other/"),
    ] {
        put(&lake, intent, text).await;
        let proof = verify(&lake, &run);
        let wrong = proof["wrong"].as_array().unwrap();
        assert!(proof["proven"] == false && wrong.iter().any(|wrong| wrong["key"] == key), "{key}: {proof}");
    }
    put(&lake, intent, text.clone()).await;
    assert_eq!(verify(&lake, &run)["proven"], true);
    // What came of the units is gone from the journal.
    delete(&lake, &intent.replace("-intent", "-outcome")).await;
    let proof = verify(&lake, &run);
    assert_eq!(first(&proof, "wrong").0, 3, "{proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_are_those_of_the_run() {
    let lake = Lake::new().await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let lake = three_days_in(lake, POLICY).await;
    let run = apply(&lake);
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], &proof["removed"]["objects"]), (&json!(true), &json!(9)), "{proof}");
    put(&lake, "events/day=2020-01-01/a", "of somebody else").await;
    let versions = ListObjectVersions::new(&lake.bucket, "events/day=2020-01-02/a");
    let versions = lake.gateway.run(versions).await.unwrap().versions;
    let marker = versions.into_iter().find(|version| version.is_delete_marker).unwrap();
    let unhide = DeleteObject::new(&lake.bucket, &marker.key);
    lake.gateway.run(DeleteObject { version_id: Some(marker.version_id), ..unhide }).await.unwrap();
    let proof = verify(&lake, &run);
    let changes: Vec<_> = proof["changed"].as_array().unwrap().iter().map(|change| change["key"].as_str()).collect();
    assert_eq!(changes, [Some("events/day=2020-01-01/a"), Some("events/day=2020-01-02/a")], "{proof}");
    assert!(proof["changed"][1]["change"].as_str().unwrap().contains("delete marker was removed since"), "{proof}");
    let removed = json!({"units": 2, "objects": 8, "bytes": 80});
    assert_eq!((&proof["proven"], &proof["removed"]), (&json!(true), &removed), "{proof}");
    delete(&lake, "events/day=2020-01-01/a").await;
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], &proof["back"]["objects"]), (&json!(true), &json!(6)), "{proof}");
    // The run has removed it.
    assert_eq!((&proof["left"], &proof["not_back"]), (&json!(0), &json!(1)), "{proof}");
    let text = lake.run(&["verify", name(&run), "policy.yaml"]).out;
    assert!(text.contains("\n  gone at least in part, and not brought back (units): 1\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_later_run_has_begun_is_no_fault_of_the_first() {
    let (lake, endpoint) = Where::Embedded.three_days().await;
    let run = apply(&lake);
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    lake.rest().await;
    let busy =
        s3core_gateway::Fault::error(500, "InternalError").method("DELETE").key_prefix("events/day=2020-01-02/b");
    endpoint.as_ref().unwrap().faults().add(busy);
    let killed = lake.run(&["apply", "policy.yaml", "--yes", "--lease-seconds", "2"]);
    assert_eq!(killed.status, 1, "{killed:?}");
    let history: Value = serde_json::from_str(&lake.run(&["--output", "json", "history", "policy.yaml"]).out).unwrap();
    assert_eq!((&history[0]["state"], &history[0]["actions"]), (&json!("running"), &json!({})), "{history}");
    let proof = verify(&lake, &run);
    let (changed, change) = first(&proof, "changed");
    assert!(proof["proven"] == true && changed > 0, "{proof}");
    assert!(change["change"].as_str().unwrap().contains(name(&history[0])), "{proof}");
    // Of no unit that is not whole it is said that it is back.
    let back = proof["back"]["units"].as_u64().unwrap();
    assert!(back < 3 && proof["back"]["objects"].as_u64().unwrap() + changed == 9, "{proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_gateway_moves_for_a_later_run_is_no_fault_of_the_first() {
    let endpoint = s3core_gateway::Gateway::builder().storage_class("COLD").start().unwrap();
    let lake = three_days_in(Lake::embedded(&endpoint).await, POLICY).await;
    let run = apply(&lake);
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    lake.policy(&POLICY.replace("then: expire", "then: {tier: COLD}"));
    lake.rest().await;
    let moves = apply(&lake);
    assert_eq!(moves["state"], "waiting-for-gateway", "{moves}");
    assert_eq!(endpoint.run_lifecycle(), 9);
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], first(&proof, "changed").0), (&json!(true), 9), "{proof}");
    assert!(first(&proof, "changed").1["change"].as_str().unwrap().contains(name(&moves)), "{proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn more_objects_than_a_listing_shows_are_all_looked_at() {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.put_all((0..1_100).map(|number| format!("events/day=2020-01-09/{number:04}"))).await;
    let lake = three_days_in(lake, POLICY).await;
    let run = apply(&lake);
    let removed = json!({"units": 4, "objects": 1_109, "bytes": 11_090});
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], &proof["removed"]), (&json!(true), &removed), "{proof}");
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    delete(&lake, "events/day=2020-01-09/1050").await;
    endpoint.reset_requests();
    let proof = verify(&lake, &run);
    assert_eq!((proof["back"]["objects"].as_u64(), first(&proof, "wrong").0), (Some(1_108), 1), "{proof}");
    // Objects are listed, not asked for one by one.
    let requests = endpoint.requests().len();
    assert!(requests < 40, "{requests}");
}

/// Takes an object in one piece.
#[derive(Default)]
struct Text(Vec<u8>);

impl Sink for Text {
    fn head(&mut self, _: &ObjectHead) -> s3core::Result<()> {
        Ok(())
    }

    fn frame(&mut self, frame: Bytes) -> s3core::Result<()> {
        self.0.extend_from_slice(&frame);
        Ok(())
    }
}

pub(super) async fn read(lake: &Lake, key: &str) -> String {
    let mut text = Text::default();
    lake.gateway.run(GetObject::new(&lake.bucket, key, &mut text)).await.unwrap();
    String::from_utf8(text.0).unwrap()
}
