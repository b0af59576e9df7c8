//! Forgets runs that nobody needs any more, and what is left of those that never began.

use jiff::{SignedDuration, Timestamp};
use s3core::ops::ListObjectsV2;

use super::bucket::Bucket;
use super::error::StateError;
use super::keys;
use super::lease::Lease;
use super::record::{RunRecord, RunState};
use super::store::Store;

/// How long runs are remembered that have ended and have nothing in the trash.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(400 * 24);

/// What is left of a run without a record is left by one that was cut short: by then its process is gone for certain.
const CUT_SHORT: SignedDuration = SignedDuration::from_hours(24);

/// Forgets, as the holder of the lease, the runs below these prefixes that ended 400 days and `window` before `now`, have
/// nothing in the trash, and hold no unit back; and what has no record and was written a day before, or earlier. Returns how
/// many. How long runs elsewhere count for guards, other policies say.
///
/// # Errors
/// `Lost`, `Malformed`, and the gateway's: it can be called again.
pub async fn tidy(
    bucket: &Bucket,
    lease: &Lease,
    now: Timestamp,
    window: SignedDuration,
    prefixes: &[&str],
) -> Result<u64, StateError> {
    let store = Store::new(bucket.clone());
    let mut forgotten = 0;
    for run in bucket.directories(&keys::runs()).await? {
        let is_over = match store.record(&run).await {
            Ok(record) => is_below(&record, prefixes) && is_needless(&record, now, window.max(REMEMBERED)),
            Err(StateError::NoSuchRun { .. }) => is_left(bucket, &run, now).await?,
            Err(failure) => return Err(failure),
        };
        if is_over {
            forget(bucket, lease, &run).await?;
            forgotten += 1;
        }
    }
    Ok(forgotten)
}

fn is_below(record: &RunRecord, prefixes: &[&str]) -> bool {
    record.datasets.values().all(|done| prefixes.iter().any(|prefix| done.prefix.starts_with(prefix)))
}

fn is_needless(record: &RunRecord, now: Timestamp, remembered: SignedDuration) -> bool {
    let has_no_trash =
        record.state == RunState::Purged || record.state == RunState::Done && record.trash_until.is_none();
    let holds_back = record.came_back() && !record.released;
    has_no_trash && !holds_back && record.finished.is_some_and(|end| now.duration_since(end) > remembered)
}

/// Whether all that there is of a run is old.
async fn is_left(bucket: &Bucket, run: &str, now: Timestamp) -> Result<bool, StateError> {
    let mut list = ListObjectsV2::new(bucket.name(), &directory(run));
    loop {
        let page = bucket.gateway().run(list.clone()).await?;
        let written = page.objects.iter().map(|object| object.modified.and_then(|time| Timestamp::try_from(time).ok()));
        let is_old = |written: Option<Timestamp>| written.is_some_and(|time| now.duration_since(time) > CUT_SHORT);
        if !written.into_iter().all(is_old) {
            return Ok(false);
        }
        match page.next {
            Some(token) => list.continuation_token = Some(token),
            None => return Ok(true),
        }
    }
}

/// The record first: without it there is no such run, and the rest is what was left.
async fn forget(bucket: &Bucket, lease: &Lease, run: &str) -> Result<(), StateError> {
    let record = keys::record(run);
    let rest = bucket.keys(&directory(run)).await?.into_iter().filter(|key| *key != record);
    for key in [record.clone()].into_iter().chain(rest) {
        lease.check()?;
        bucket.remove(&key).await?;
    }
    Ok(())
}

fn directory(run: &str) -> String {
    format!("{}{run}/", keys::runs())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    /// A run in `events/` of which so many units came back or, where it has moved them, moved back.
    fn record(state: &str, back: (u64, u64), released: bool) -> RunRecord {
        let amount = |units| serde_json::json!({"units": units, "objects": 1, "bytes": 1});
        let (undone, moved_back) = (amount(back.0), amount(back.1));
        let record = serde_json::json!({
            "run": "a", "policy": {"path": "", "sha256": ""}, "digest": "", "started": "2026-01-01T00:00:00Z",
            "finished": "2026-01-01T00:00:00Z", "state": state, "holder": "", "lease": 1, "skipped": [],
            "skipped_count": 0, "trash_until": null, "released": released,
            "datasets": {"events": {
                "prefix": "events/", "total": amount(1), "actions": {}, "undone": undone, "moved_back": moved_back,
            }},
        });
        serde_json::from_value(record).unwrap()
    }

    #[rstest]
    #[case("purged", (0, 0), false, 401, true)]
    #[case("purged", (0, 0), false, 399, false)]
    // Units that came back, or moved back, wait for `release`.
    #[case("purged", (1, 0), false, 401, false)]
    #[case("purged", (1, 0), true, 401, true)]
    #[case("purged", (0, 1), false, 401, false)]
    #[case("purged", (0, 1), true, 401, true)]
    #[case("done", (0, 0), false, 401, true)]
    #[case("undone", (0, 0), false, 401, false)]
    #[case("running", (0, 0), false, 401, false)]
    fn only_what_nobody_needs_is_forgotten(
        #[case] state: &str,
        #[case] back: (u64, u64),
        #[case] released: bool,
        #[case] days: i64,
        #[case] is_forgotten: bool,
    ) {
        let mut record = record(state, back, released);
        let now = record.started.saturating_add(SignedDuration::from_hours(24 * days)).unwrap();
        assert_eq!(is_needless(&record, now, REMEMBERED), is_forgotten);
        // What still counts for a guard stays.
        assert!(!is_needless(&record, now, SignedDuration::from_hours(24 * 500)));
        record.finished = None;
        assert!(!is_needless(&record, now, REMEMBERED));
    }

    #[test]
    fn runs_elsewhere_are_left_to_other_policies() {
        let record = record("purged", (0, 0), false);
        let is_below = |prefixes: &[&str]| is_below(&record, prefixes);
        assert!(is_below(&["events/"]) && is_below(&["other/", "eve"]) && is_below(&[""]));
        assert!(!is_below(&["events/day=1/"]) && !is_below(&["other/"]) && !is_below(&[]));
    }
}
