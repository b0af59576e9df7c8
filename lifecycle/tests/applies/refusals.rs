//! What is not applied, with the remedy.

use super::lake::Lake;
use super::{POLICY, three_days, three_days_in};

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_applied_changes_nothing() {
    let lake = three_days(POLICY).await;
    let good = lake.plan(&["--out", "good.jsonl"]);
    let parts = ["\nsaved to good.jsonl, digest ", "; until 20", "Z `s3life apply --plan good.jsonl` carries it out"];
    assert!(good.status == 0 && parts.iter().all(|part| good.out.contains(part)), "{good:?}");
    let later = lake.plan(&["--out", "later.jsonl", "--now", "2100-01-01T00:00:00Z"]);
    assert!(
        later.status == 0 && later.out.contains("it is for a later time, so that it cannot be applied"),
        "{later:?}"
    );
    let nowhere = lake.plan(&["--out", "no/such/place.jsonl"]);
    let is_told = nowhere.error.contains("give `--out` a file in a directory that is there");
    assert!(nowhere.status == 1 && is_told && !nowhere.error.contains("TMPDIR"), "{nowhere:?}");
    assert_eq!(lake.plan(&["--out", "old.jsonl", "--expires", "0h"]).status, 0);
    std::fs::write(lake.path("cut.jsonl"), &std::fs::read(lake.path("good.jsonl")).unwrap()[..1000]).unwrap();
    let changed = POLICY.replace("1y", "2y").replace("BUCKET", &lake.bucket);
    std::fs::write(lake.path("changed.yaml"), changed).unwrap();
    for (arguments, part) in [
        (&["apply", "policy.yaml"] as &[&str], "add `--yes`"),
        (&["apply", "--plan", "later.jsonl", "--yes"], "nothing is applied before its time"),
        (&["apply", "policy.yaml", "--now", "2100-01-01T00:00:00Z", "--yes"], "nothing is applied before its time"),
        (&["apply", "--plan", "old.jsonl", "--yes"], "has expired"),
        (&["apply", "--plan", "cut.jsonl", "--yes"], "is not whole"),
        (&["apply", "--plan", "missing.jsonl", "--yes"], "cannot be read"),
        (&["apply", "changed.yaml", "--plan", "good.jsonl", "--yes"], "does not fit the policy"),
        (&["undo", "20200101T000000Z-a1b2c3", "policy.yaml"], "has no run"),
        (&["purge", "20200101T000000Z-a1b2c3", "policy.yaml", "--yes"], "has no run"),
        (&["release", "../x", "policy.yaml"], "has no run"),
    ] {
        let said = lake.run(arguments);
        assert!(said.status == 1 && said.error.contains(part), "{arguments:?}: {said:?}");
    }
    for arguments in [&["apply"] as &[&str], &["apply", "--plan", "good.jsonl", "--now", "2020-01-01T00:00:00Z"]] {
        assert_eq!(lake.run(arguments).status, 2, "{arguments:?}");
    }
    assert_eq!((lake.listed("events/").await.len(), lake.listed(".s3core/life/runs/").await.len()), (9, 0));

    assert_eq!(lake.run(&["apply", "--plan", "good.jsonl", "--yes"]).status, 0);
    let again = lake.run(&["apply", "--plan", "good.jsonl", "--yes"]);
    assert!(again.status == 1 && again.error.contains("was carried out before"), "{again:?}");
}

/// Conditions on removals are tried out under the lease.
#[tokio::test(flavor = "multi_thread")]
async fn what_fails_right_after_the_lease_was_taken_keeps_no_bucket_locked() {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    let lake = three_days_in(Lake::embedded(&endpoint).await, POLICY).await;
    assert_eq!(lake.plan(&["--out", "plan.jsonl"]).status, 0);
    let leases = async || lake.listed(".s3core/life/leases/").await.len();
    // Later and later, until the lease was taken before it.
    let mut nth = 1;
    while leases().await == 0 {
        let denied = s3core_gateway::Fault::error(403, "AccessDenied").method("DELETE").key_prefix(".s3core/probe/");
        let denied = endpoint.faults().add(denied.nth(nth));
        let failed = lake.run(&["apply", "--plan", "plan.jsonl", "--yes"]);
        endpoint.faults().remove(denied);
        assert!(failed.status == 1 && failed.error.contains("AccessDenied"), "{failed:?}");
        nth += 1;
    }
    assert_eq!(lake.run(&["apply", "--plan", "plan.jsonl", "--yes"]).status, 0);
}
