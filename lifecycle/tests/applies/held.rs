//! What cannot be copied waits where it is.

use rstest::rstest;
use s3core::ops::PutObject;
use s3core_gateway::{Fault, Gateway, Quirks};
use serde_json::json;

use super::lake::Lake;
use super::lake::admin::limit_bucket;
use super::{POLICY, apply, json as said, keys, name, three_days_in};

/// Two partitions whose keys are too long below the trash's prefix.
pub(super) async fn two_days(policy: &str) -> Lake {
    two_days_in(Lake::new().await, policy).await
}

async fn two_days_in(lake: Lake, policy: &str) -> Lake {
    lake.policy(policy);
    lake.put_all([1, 2].iter().flat_map(|day| [key(*day, "_SUCCESS"), key(*day, "a")])).await;
    lake.rest().await;
    lake
}

pub(super) fn key(day: u32, name: &str) -> String {
    format!(
        "events/day=2020-01-0{day}/{}/{}/{}/{}/{name}",
        "w".repeat(240),
        "x".repeat(240),
        "y".repeat(240),
        "z".repeat(240)
    )
}

pub(super) fn policy(trash: &str) -> String {
    POLICY.replace("settle: 0h,", &format!("settle: 0h, trash: {trash},"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_copied_is_held_until_it_is_undone() {
    let guarded = policy("1h").replace("max_removed: none", "max_removed: 100% per 30d");
    let lake = two_days(&guarded).await;
    let before = lake.listed("events/").await;
    let run = apply(&lake);
    assert_eq!(run["actions"], json!({"held": {"units": 2, "objects": 4, "bytes": 40}}));
    assert!(run["left"][0]["reason"].as_str().unwrap().contains("it stays in place, and goes after"), "{run}");
    assert_eq!(lake.listed("events/").await, before);
    let proof = said(&lake.run(&["--output", "json", "verify", name(&run), "policy.yaml"]));
    assert_eq!((&proof["proven"], &proof["held"]["objects"]), (&json!(true), &json!(4)), "{proof}");

    let status = || said(&lake.run(&["--output", "json", "status", "policy.yaml"]));
    let kept = json!([{"run": run["run"], "units": 2, "objects": 4, "bytes": 40, "until": run["trash_until"]}]);
    assert_eq!((&status()["held"], &status()["hidden"]), (&kept, &json!([])));
    let told = lake.run(&["status", "policy.yaml"]).out;
    assert!(
        told.contains(&format!(
            "\nstays  {}  2 units (4 objects, 40 B) in place, because they cannot be copied, goes for good",
            name(&run)
        )),
        "{told}"
    );
    // The word is that of a policy's hold.
    let uri = format!("s3a://{}/events/day=2020-01-01/", lake.bucket);
    for command in
        [&["history", "policy.yaml"][..], &["verify", name(&run), "policy.yaml"], &["explain", "policy.yaml", &uri]]
    {
        let said = lake.run(command).out.replace("held until:", "");
        assert!(said.contains("in place") && !said.contains("held"), "{said}");
    }
    let plan = lake.plan(&["--detailed-exitcode"]);
    assert!(plan.status == 0 && plan.out.contains("  in place until "), "{plan:?}");
    // What is held counts for the guard as if it had gone.
    let plan: serde_json::Value = said(&lake.plan(&["--output", "json"]));
    let summary = &plan["end"]["datasets"][0];
    assert_eq!((&summary["left"]["held until"], &summary["guard"]["before"]["units"]), (&json!(2), &json!(2)));

    let undone = lake.run(&["undo", name(&run), "policy.yaml"]);
    assert!(undone.status == 0 && undone.out.starts_with("events: 2 units with 4 objects are back."), "{undone:?}");
    assert_eq!(status()["held"], json!([]));
    assert_eq!(said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]))["objects"], 0);
    assert_eq!(lake.listed("events/").await, before);
    // Until it is released.
    assert_eq!(apply(&lake)["run"], json!(null));
    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    // A plan of another second has another digest.
    lake.rest().await;
    assert_eq!(apply(&lake)["actions"]["held"]["units"], 2);
}

/// An object that is encrypted, on old releases, or has moved to another cloud: its unit stays as a whole, and no others do.
#[rstest]
#[case::encrypted(501, "NotImplemented")]
#[case::in_another_cloud(403, "InvalidObjectState")]
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_of_which_one_object_is_never_copied_is_held(#[case] status: u16, #[case] code: &str) {
    let endpoint = Gateway::builder().quirks(Quirks::Pacific).start().unwrap();
    let lake = three_days_in(Lake::embedded(&endpoint).await, &policy("1h")).await;
    let before = lake.listed("events/").await;
    let never = endpoint.faults().add(Fault::error(status, code).operation("CopyObject").times(1));
    let run = apply(&lake);
    assert_eq!(endpoint.faults().injected_by(never), 1);
    let amount = |units: u64| json!({"units": units, "objects": 3 * units, "bytes": 30 * units});
    assert_eq!(run["actions"], json!({"held": amount(1), "expire": amount(2)}));
    let left = &run["left"][0];
    let (unit, reason) = (left["unit"].as_str().unwrap(), left["reason"].as_str().unwrap());
    assert!(reason.starts_with("it cannot be copied (") && reason.contains(code), "{run}");
    let stays: Vec<_> = before.iter().filter(|object| object.key.starts_with(unit)).cloned().collect();
    assert_eq!(lake.listed("events/").await, stays);
    assert_eq!(lake.listed(".s3core/trash/").await.len(), 6);
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    let back = lake.listed("events/").await;
    assert_eq!(keys(&back), keys(&before));
    assert!(stays.iter().all(|object| back.contains(object)));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_goes_when_the_trash_is_emptied_unless_it_was_written_again() {
    let lake = two_days(&policy("0h")).await;
    let run = apply(&lake);
    assert_eq!(run["actions"]["held"]["units"], 2);
    let put = PutObject::new(&lake.bucket, &key(2, "a"), bytes::Bytes::from_static(b"new"));
    lake.gateway.run(put).await.unwrap();
    let emptied = apply(&lake);
    assert_eq!(emptied["left"][0]["key"], key(2, "a"), "{emptied}");
    assert_eq!(keys(&lake.listed("events/").await), [key(2, "_SUCCESS"), key(2, "a")]);
    let proof = said(&lake.run(&["--output", "json", "verify", name(&run), "policy.yaml"]));
    assert_eq!((&proof["removed"]["objects"], &proof["left"]), (&json!(2), &json!(1)), "{proof}");
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 1);
    // It may be planned again.
    lake.rest().await;
    assert_eq!(apply(&lake)["actions"]["held"]["units"], 1);
}

/// The trash is emptied by a process that ends between two objects of a unit; then somebody writes there.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_unit_of_which_a_part_is_gone_is_told_as_that() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = two_days_in(Lake::embedded(&endpoint).await, &policy("0h")).await;
    let run = apply(&lake);
    assert_eq!(run["actions"]["held"]["units"], 2, "{run}");
    let busy = Fault::error(500, "InternalError").method("DELETE").key_prefix(&key(1, "a"));
    let busy = endpoint.faults().add(busy);
    let purge =
        |more: &[&str]| lake.run(&[&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"], more].concat());
    let ended = purge(&["--lease-seconds", "2"]);
    assert!(ended.status == 1 && ended.out.is_empty(), "{ended:?}");
    assert_eq!(keys(&lake.listed("events/day=2020-01-01/").await), [key(1, "a")]);
    endpoint.faults().remove(busy);
    lake.put(&key(1, "new")).await;
    let purged = purge(&["--wait-seconds", "60"]);
    assert_eq!(purged.status, 1, "{purged:?}");
    let purged: serde_json::Value = serde_json::from_str(&purged.out).unwrap();
    assert_eq!(
        (&purged["refused"]["units"], &purged["left"][0]["key"]),
        (&json!(1), &json!(key(1, "new"))),
        "{purged}"
    );
    assert_eq!(keys(&lake.listed("events/").await), [key(1, "a"), key(1, "new")]);
    let proof = said(&lake.run(&["--output", "json", "verify", name(&run), "policy.yaml"]));
    assert_eq!(proof["proven"], true, "{proof}");
}

/// A job overwrites `_SUCCESS` after the unit was looked at: nothing of the rest goes, since there is no copy of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_held_unit_that_is_being_rewritten_stays() {
    let endpoint = Gateway::builder().start().unwrap();
    let lake = two_days_in(Lake::embedded(&endpoint).await, &policy("0h")).await;
    let before = lake.listed("events/").await;
    let run = apply(&lake);
    assert_eq!(run["actions"]["held"]["units"], 2, "{run}");
    let rewritten = Fault::error(412, "PreconditionFailed").method("DELETE").key_prefix(&key(1, "_SUCCESS"));
    let fault = endpoint.faults().add(rewritten);
    let purge = lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]);
    let purged: serde_json::Value = serde_json::from_str(&purge.out).unwrap();
    assert_eq!(endpoint.faults().injected_by(fault), 1);
    assert_eq!((&purged["objects"], &purged["left"][0]["key"]), (&json!(2), &json!(key(1, "_SUCCESS"))), "{purged}");
    assert_eq!(lake.listed("events/").await, before[..2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_at_its_quota_holds_what_it_cannot_copy() {
    let lake = Lake::new().await;
    lake.policy(&policy("1h"));
    for day in 1..3 {
        let body = bytes::Bytes::from(vec![day; 2 << 20]);
        lake.gateway.run(PutObject::new(&lake.bucket, &format!("events/day=2020-01-0{day}/a"), body)).await.unwrap();
    }
    lake.put("events/day=2020-01-03/a").await;
    lake.rest().await;
    let before = lake.listed("events/").await;
    // Room for the journal, and for small copies.
    limit_bucket(&lake.gateway, &lake.bucket, 5 << 20).await;
    let run = apply(&lake);
    let (held, gone) = (&run["actions"]["held"], &run["actions"]["expire"]["units"]);
    assert_eq!((held, gone), (&json!({"units": 2, "objects": 2, "bytes": 4 << 20}), &json!(1)), "{run}");
    assert!(run["left"][0]["reason"].as_str().unwrap().contains("quota"), "{run}");
    assert_eq!(lake.listed("events/").await, before[..2]);
    assert_eq!(lake.run(&["undo", name(&run), "policy.yaml"]).status, 0);
    assert_eq!((&lake.listed("events/").await[..2], lake.listed("events/").await.len()), (&before[..2], 3));

    assert_eq!(lake.run(&["release", name(&run), "policy.yaml"]).status, 0);
    lake.rest().await;
    let run = apply(&lake);
    assert_eq!(run["actions"]["held"]["units"], 2);
    let purged: serde_json::Value = said(&lake.run(&["--output", "json", "purge", name(&run), "policy.yaml", "--yes"]));
    assert_eq!((&purged["objects"], &purged["skipped"]), (&json!(3), &json!(0)), "{purged}");
    assert_eq!(lake.listed("events/").await, []);
}
