//! Keys that may do less than a plan needs.

use bytes::Bytes;
use http::Method;
use rstest::rstest;
use s3core::gateway::{Exchange, OperationRequest};
use s3core::http::{Payload, Response};
use s3core::ops::{GetObjectAcl, ListObjectVersions, PutBucketVersioning};
use s3core::sign::PayloadHash;
use serde_json::{Value, json};

use super::lake::Lake;
use super::lake::admin::User;
use super::{POLICY, apply, name, three_days};

/// Says who may do what with a bucket.
struct PutBucketPolicy<'a>(&'a str, String);

impl Exchange for PutBucketPolicy<'_> {
    type Output = ();

    fn operation(&self) -> &'static str {
        "PutBucketPolicy"
    }

    fn place(&self) -> (&str, &str) {
        (self.0, "")
    }

    fn request(&mut self) -> s3core::Result<OperationRequest> {
        let mut request = OperationRequest::new(Method::PUT, self.0, "");
        request.query.push(("policy", String::new()));
        request.payload = Payload::from(Bytes::from(self.1.clone()));
        request.payload_hash = PayloadHash::Unsigned;
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> s3core::Result<()> {
        assert!(response.status.is_success(), "{}", response.status);
        Ok(())
    }
}

const WRITES: [&str; 3] = ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"];

/// A user who may do nothing there.
async fn stranger(lake: &Lake) -> (User, (String, String)) {
    let keys = (format!("other-{}", lake.bucket), "secret".to_owned());
    (User::make(&lake.gateway, &format!("stranger-{}", lake.bucket), &keys.0, &keys.1).await, keys)
}

/// A user who may list and read the bucket, and what else is allowed: actions, and first letters of keys.
async fn guest(lake: &Lake, allowed: &[(&[&str], &str)]) -> (User, (String, String)) {
    let name = format!("guest-{}", lake.bucket);
    let keys = (format!("key-{}", lake.bucket), "secret".to_owned());
    let user = User::make(&lake.gateway, &name, &keys.0, &keys.1).await;
    let statement = |actions: &[&str], prefix: &str| {
        let bucket = format!("arn:aws:s3:::{}", lake.bucket);
        let keys = format!("{bucket}/{prefix}*");
        json!({"Effect": "Allow", "Principal": {"AWS": [format!("arn:aws:iam:::user/{name}")]}, "Action": actions,
               "Resource": [bucket, keys]})
    };
    let reads: &[&str] = &[
        "s3:ListBucket",
        "s3:GetObject",
        "s3:GetObjectAcl",
        "s3:GetObjectTagging",
        "s3:GetLifecycleConfiguration",
        "s3:ListBucketMultipartUploads",
        "s3:GetBucketVersioning",
        "s3:ListBucketVersions",
    ];
    let mut statements = vec![statement(reads, "")];
    let allowed = allowed.iter().filter(|(actions, _)| !actions.is_empty());
    statements.extend(allowed.map(|(actions, prefix)| statement(actions, prefix)));
    let policy = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
    lake.gateway.run(PutBucketPolicy(&lake.bucket, policy)).await.unwrap();
    (user, keys)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_list_and_read_is_told_so_before_anything_is_touched() {
    let lake = three_days(POLICY).await;
    let (user, keys) = guest(&lake, &[]).await;
    for arguments in [&["plan", "policy.yaml"] as &[&str], &["apply", "policy.yaml", "--yes"]] {
        let refused = lake.run_with(&keys, arguments);
        let is_told = refused.error.contains("AccessDenied") && refused.error.contains(".s3core/");
        let needs = refused.error.contains("; s3life needs s3:PutObject at s3a://");
        assert!(refused.status == 1 && is_told && needs, "{refused:?}");
    }
    assert_eq!((lake.listed("").await.len(), lake.listed("events/").await.len()), (9, 9));
    user.remove().await;
    let (user, keys) = stranger(&lake).await;
    let refused = lake.run_with(&keys, &["status", "policy.yaml"]);
    let told = format!("; s3life needs s3:ListBucket at s3a://{}/: ask the bucket's owner for it", lake.bucket);
    assert!(refused.status == 1 && refused.error.contains(&told), "{refused:?}");
    user.remove().await;
}

#[rstest]
#[case::by_copies(false)]
#[case::by_markers(true)]
#[tokio::test(flavor = "multi_thread")]
async fn units_that_this_user_may_not_remove_are_left_and_told(#[case] keeps_versions: bool) {
    let lake = three_days(POLICY).await;
    if keeps_versions {
        lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    }
    let before = lake.listed("events/").await;
    let (user, keys) = guest(&lake, &[(&WRITES, ".s3core/"), (&WRITES, "events/day=2020-01-01/")]).await;
    let applied = lake.run_with(&keys, &["--output", "json", "apply", "policy.yaml", "--yes"]);
    let run: Value = serde_json::from_str(&applied.out).unwrap();
    let error: Value = serde_json::from_str(&applied.error).unwrap();
    let told = error["error"].as_str().unwrap();
    assert!(applied.status == 1 && told.starts_with("2 of 3 units were left: this user may not remove it: "), "{told}");
    assert!(told.contains("; mend that, then run `s3life apply "), "{told}");
    assert_eq!(run["refused"]["units"], 2);
    assert_eq!((&run["actions"]["expire"]["units"], &run["skipped"]), (&json!(1), &json!(2)), "{run}");
    assert!(run["left"][0]["reason"].as_str().unwrap().contains("this user may not remove it"), "{run}");
    assert_eq!(lake.listed("events/").await, before[3..]);
    assert_eq!(lake.listed(".s3core/trash/").await.len(), if keeps_versions { 0 } else { 3 });
    user.remove().await;
}

/// Who may plan need not be who may remove: a plan says it, and nothing of a run is begun.
#[rstest]
#[case::by_copies(false)]
#[case::by_markers(true)]
#[tokio::test(flavor = "multi_thread")]
async fn who_may_remove_nothing_of_a_dataset_is_told_so_before_anything_is_touched(#[case] keeps_versions: bool) {
    let lake = three_days(POLICY).await;
    if keeps_versions {
        lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    }
    let versions = async || lake.gateway.run(ListObjectVersions::new(&lake.bucket, "events/")).await.unwrap().versions;
    let before = versions().await;
    let own = lake.plan(&["--output", "json"]);
    assert!(own.status == 0 && own.out.contains("\"denied\":[],"), "{own:?}");
    // Whoever may hide, and not show again, has tried out nothing that stays hidden.
    let hides: &[&str] = if keeps_versions { &["s3:DeleteObject"] } else { &[] };
    let (user, keys) = guest(&lake, &[(&WRITES, ".s3core/"), (hides, "events/")]).await;
    let planned = lake.run_with(&keys, &["plan", "policy.yaml", "--out", "plan.jsonl"]);
    let is_told =
        planned.out.contains("  these keys may remove nothing here, so that `apply` refuses: it needs s3:Delete");
    assert!(planned.status == 0 && is_told, "{planned:?}");
    let planned = lake.run_with(&keys, &["--output", "json", "plan", "policy.yaml"]);
    assert!(planned.out.contains("\"denied\":[\"events\"],"), "{planned:?}");
    for arguments in [&["apply", "policy.yaml", "--yes"] as &[&str], &["apply", "--plan", "plan.jsonl", "--yes"]] {
        let refused = lake.run_with(&keys, arguments);
        let place = format!("at s3a://{}/events/day=2020-01-01/.s3core-probe-", lake.bucket);
        let is_told = refused.error.contains("; s3life needs s3:DeleteObject, and s3:DeleteObjectVersion where");
        assert!(refused.status == 1 && is_told && refused.error.contains(&place), "{refused:?}");
    }
    assert!(lake.listed(".s3core/life/").await.is_empty() && lake.listed(".s3core/trash/").await.is_empty());
    assert_eq!(versions().await, before, "what was tried out leaves no delete marker");
    // Somebody else may carry out the same plan.
    let applied = lake.run(&["apply", "--plan", "plan.jsonl", "--yes"]);
    assert!(applied.status == 0 && lake.listed("events/").await.is_empty(), "{applied:?}");
    user.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_remove_delete_markers_is_told_so_before_anything_is_hidden() {
    let lake = three_days(POLICY).await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let before = lake.listed("events/").await;
    let (user, keys) = guest(&lake, &[(&["s3:PutObject", "s3:DeleteObject"], "")]).await;
    let refused = lake.run_with(&keys, &["apply", "policy.yaml", "--yes"]);
    let is_told = refused.error.contains("AccessDenied") && refused.error.contains(".s3core/probe/");
    assert!(refused.status == 1 && is_told, "{refused:?}");
    assert_eq!(lake.listed("events/").await, before);
    user.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_remove_versions_empties_no_trash() {
    let lake = three_days(POLICY).await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let run = apply(&lake);
    let set = async |effect: &str| {
        let versions = format!("arn:aws:s3:::{}/events/*", lake.bucket);
        let statement =
            json!({"Effect": effect, "Principal": "*", "Action": "s3:DeleteObjectVersion", "Resource": versions});
        let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
        lake.gateway.run(PutBucketPolicy(&lake.bucket, policy)).await.unwrap();
    };
    set("Deny").await;
    let purge = ["purge", name(&run), "policy.yaml", "--yes"];
    let refused = lake.run(&purge);
    let told = "error: 3 of 3 units were left: this user may not remove it: ";
    assert!(refused.status == 1 && refused.error.starts_with(told), "{refused:?}");
    assert!(refused.out.contains(" is not empty: 0 objects"), "{refused:?}");
    let again = format!("; mend that, then run `s3life purge {} policy.yaml` again", name(&run));
    assert!(refused.error.contains(&again), "{refused:?}");
    set("Allow").await;
    let purged = lake.run(&purge);
    assert!(purged.status == 0 && purged.out.contains(" is empty: 9 objects"), "{purged:?}");
}

/// What they may not remove by a plan is tried again a day later, and not by every plan.
#[tokio::test(flavor = "multi_thread")]
async fn a_trash_that_may_not_be_emptied_is_not_due_at_once() {
    let lake = three_days(&POLICY.replace("settle: 0h,", "settle: 0h, trash: 0h,")).await;
    lake.gateway.run(PutBucketVersioning::new(&lake.bucket, true)).await.unwrap();
    let run = apply(&lake);
    let statement = json!({"Effect": "Deny", "Principal": "*", "Action": "s3:DeleteObjectVersion",
                           "Resource": format!("arn:aws:s3:::{}/events/*", lake.bucket)});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]}).to_string();
    lake.gateway.run(PutBucketPolicy(&lake.bucket, policy)).await.unwrap();
    let refused = lake.run(&["--output", "json", "apply", "policy.yaml", "--yes"]);
    assert_eq!(refused.status, 1, "{refused:?}");
    let said: Value = serde_json::from_str(&refused.out).unwrap();
    assert_eq!(said["emptied"], json!([]), "{said}");
    assert_eq!(lake.plan(&["--detailed-exitcode"]).status, 0, "{run}");
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_do_with_the_rights_that_are_documented() {
    let lake = three_days(POLICY).await;
    let place = format!("s3a://{}/events/", lake.bucket);
    let (user, keys) = guest(&lake, &[]).await;
    for arguments in [
        &["explain", "policy.yaml", &place] as &[&str],
        &["history", "policy.yaml"],
        &["status", "policy.yaml"],
        &["report", "policy.yaml", "--html", "page.html"],
        &["inventory", "policy.yaml", "--out", "all.parquet"],
        &["native", "policy.yaml"],
    ] {
        let said = lake.run_with(&keys, arguments);
        assert_eq!(said.status, 0, "{arguments:?} {said:?}");
    }
    user.remove().await;
    let (user, keys) = guest(&lake, &[(&WRITES, ".s3core/")]).await;
    let planned = lake.run_with(&keys, &["plan", "policy.yaml"]);
    assert_eq!(planned.status, 0, "{planned:?}");
    user.remove().await;
    let (user, keys) = guest(&lake, &[(&WRITES, ""), (&["s3:PutObjectAcl"], "")]).await;
    let applied = lake.run_with(&keys, &["--output", "json", "apply", "policy.yaml", "--yes"]);
    assert_eq!(applied.status, 0, "{applied:?}");
    let applied: Value = serde_json::from_str(&applied.out).unwrap();
    assert_eq!((&applied["actions"]["expire"]["units"], &applied["skipped"]), (&json!(3), &json!(0)), "{applied}");
    let run = applied["run"].as_str().unwrap();
    let proven = lake.run_with(&keys, &["verify", run, "policy.yaml"]);
    assert_eq!(proven.status, 0, "{proven:?}");
    assert!(lake.listed("events/").await.is_empty());
    let undone = lake.run_with(&keys, &["undo", run, "policy.yaml"]);
    assert_eq!(undone.status, 0, "{undone:?}");
    // They belong to who brought them back, and their former owner may still do all with them.
    let back = lake.listed("events/").await;
    assert_eq!(back.len(), 9);
    for object in back {
        let list = lake.gateway.run(GetObjectAcl::new(&lake.bucket, &object.key)).await.unwrap();
        assert!(list.owner().starts_with("guest-"), "{list:?}");
    }
    user.remove().await;
}
