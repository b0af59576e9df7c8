//! What killed jobs have left goes by a plan, and each upload that was aborted is written down and proven.

use std::time::Duration;

use s3core::ops::{CreateMultipartUpload, ListMultipartUploads, UploadPart};
use s3core_gateway::{Fault, Gateway};
use serde_json::{Value, json};

use super::lake::Lake;
use super::verified::{delete, first, put, read, verify};
use super::{apply, name};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: scratch
    location: s3a://BUCKET/tmp/
    age: {from: newest_object}
    abandoned_after: 24h
    rules:
      - {name: uploads, when: {older_than: 0h}, then: abort_uploads}
      - {name: sweep, when: {older_than: 0h}, then: sweep_abandoned}
";

/// Uploads to these keys, and what a job has left, all of it two days old.
async fn abandoned(uploads: &[&str]) -> (Lake, Gateway, Vec<String>) {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(POLICY);
    endpoint.set_backdating(Duration::from_secs(2 * 86_400));
    let mut ids = Vec::new();
    for key in uploads {
        ids.push(lake.gateway.run(CreateMultipartUpload::new(&lake.bucket, key)).await.unwrap());
    }
    lake.put("tmp/table/_temporary/0/part-1").await;
    endpoint.set_backdating(Duration::ZERO);
    (lake, endpoint, ids)
}

async fn pending(lake: &Lake) -> Vec<String> {
    let page = lake.gateway.run(ListMultipartUploads::new(&lake.bucket, "")).await.unwrap();
    page.uploads.into_iter().map(|upload| upload.key).collect()
}

/// What the proof says of uploads: aborted, left, and gone without a word.
fn uploads(proof: &Value) -> [u64; 3] {
    ["aborted", "uploads_left", "aborts_unwritten"].map(|count| proof[count].as_u64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_aborted_is_held_against_the_plan() {
    let (lake, _endpoint, ids) = abandoned(&["tmp/a", "tmp/b", "tmp/c"]).await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    // Somebody goes on with one.
    let part = UploadPart::new(&lake.bucket, "tmp/b", &ids[1], 1, bytes::Bytes::from_static(b"more"));
    lake.gateway.run(part).await.unwrap();
    let run = super::json(&lake.run(&["--output", "json", "apply", "--plan", "plan.jsonl", "--yes"]));
    assert_eq!(
        (&run["actions"]["abort_uploads"]["units"], pending(&lake).await),
        (&json!(2), vec!["tmp/b".to_owned()])
    );
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], uploads(&proof)), (&json!(true), [2, 1, 0]), "{proof}");
    // The tree went as every unit does.
    assert_eq!(proof["removed"], json!({"units": 1, "objects": 1, "bytes": 10}), "{proof}");
    let text = lake.run(&["verify", name(&run), "policy.yaml"]).out;
    assert!(text.contains("\n  uploads aborted as planned: 2\n  uploads left by the run: 1\nproven: "), "{text}");

    let written = lake.listed(&format!(".s3core/life/runs/{}/uploads/", name(&run))).await;
    let [announced, concluded] = written.as_slice() else { panic!("{written:?}") };
    let told = read(&lake, &announced.key).await;
    assert!(ids.iter().all(|id| told.contains(id)) && !told.contains("outcome"), "{told}");
    // One that nobody planned.
    put(&lake, &announced.key, told.replacen(&ids[2], "another", 1)).await;
    let proof = verify(&lake, &run);
    let (wrong, first_wrong) = first(&proof, "wrong");
    assert_eq!((wrong, &first_wrong["key"]), (1, &json!("tmp/c")), "{proof}");
    assert!(first_wrong["found"].as_str().unwrap().starts_with("the upload another in .s3core/"), "{proof}");
    put(&lake, &announced.key, told).await;
    // One that is there still.
    let outcomes = read(&lake, &concluded.key).await;
    put(&lake, &concluded.key, outcomes.replacen("\"at_work\"", "\"gone\"", 1)).await;
    let proof = verify(&lake, &run);
    let (wrong, first_wrong) = first(&proof, "wrong");
    assert_eq!((wrong, &first_wrong["key"], uploads(&proof)), (1, &json!("tmp/b"), [2, 0, 0]), "{proof}");
    // What came of them is gone.
    delete(&lake, &concluded.key).await;
    let proof = verify(&lake, &run);
    assert_eq!((first(&proof, "wrong").0, uploads(&proof)), (3, [0, 0, 0]), "{proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_runs_that_wrote_nothing_down_it_is_said() {
    let (lake, _endpoint, ids) = abandoned(&["tmp/a", "tmp/b"]).await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    let part = UploadPart::new(&lake.bucket, "tmp/b", &ids[1], 1, bytes::Bytes::from_static(b"more"));
    lake.gateway.run(part).await.unwrap();
    let run = super::json(&lake.run(&["--output", "json", "apply", "--plan", "plan.jsonl", "--yes"]));
    for written in lake.listed(&format!(".s3core/life/runs/{}/uploads/", name(&run))).await {
        delete(&lake, &written.key).await;
    }
    // The record reports the one that was left.
    let proof = verify(&lake, &run);
    assert_eq!((&proof["proven"], uploads(&proof)), (&json!(true), [0, 1, 1]), "{proof}");
    let text = lake.run(&["verify", name(&run), "policy.yaml"]).out;
    let told = "  uploads that are gone, as planned, and in no journal of the run: 1\nproven but for uploads: ";
    assert!(text.contains(told), "{text}");
    // That an upload is there whose fate nobody wrote down is wrong.
    let record = format!(".s3core/life/runs/{}/run.json", name(&run));
    let text = read(&lake, &record).await;
    put(&lake, &record, text.replace("\"unit\":\"tmp/b\"", "\"unit\":\"tmp/else\"")).await;
    let proof = verify(&lake, &run);
    assert_eq!((first(&proof, "wrong").0, &first(&proof, "wrong").1["key"]), (1, &json!("tmp/b")), "{proof}");
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_of_a_run_that_was_killed_are_aborted_when_it_goes_on_and_held_ones_stay() {
    let (lake, endpoint, _) = abandoned(&["tmp/a", "tmp/b", "tmp/held/c"]).await;
    let refused = Fault::error(500, "InternalError").method("DELETE").key_prefix("tmp/b").query_name("uploadId");
    let fault = endpoint.faults().add(refused);
    let killed = lake.run(&["apply", "policy.yaml", "--yes"]);
    assert_eq!((killed.status, pending(&lake).await.len()), (1, 2), "{killed:?}");
    endpoint.faults().remove(fault);
    let hold = format!("hold: [{{path: \"s3a://{}/tmp/held/\", reason: audit, owner: risk}}]\n", lake.bucket);
    lake.policy(&POLICY.replace("datasets:", &format!("{hold}datasets:")));
    let history: Value = serde_json::from_str(&lake.run(&["--output", "json", "history", "policy.yaml"]).out).unwrap();
    let resumed = lake.run(&["apply", "policy.yaml", "--yes", "--resume", name(&history[0])]);
    assert_eq!((resumed.status, pending(&lake).await), (0, vec!["tmp/held/c".to_owned()]), "{resumed:?}");
    let proof = verify(&lake, &history[0]);
    assert_eq!((&proof["proven"], uploads(&proof)), (&json!(true), [2, 1, 0]), "{proof}");
    assert_eq!(apply(&lake)["run"], json!(null));
}
