//! Where runs keep their state in a bucket.

use crate::policy::CONTROL_PREFIX;

/// First letters of the leases' keys: numbers follow.
pub fn leases() -> String {
    format!("{CONTROL_PREFIX}life/leases/")
}

/// First letters of all that is kept of runs.
pub fn runs() -> String {
    format!("{CONTROL_PREFIX}life/runs/")
}

/// The record of a run.
pub fn record(run: &str) -> String {
    format!("{}{run}/run.json", runs())
}

/// The plan of a run.
pub fn plan(run: &str) -> String {
    format!("{}{run}/plan.jsonl", runs())
}

/// First letters of the keys of a run's journal.
pub fn journal(run: &str) -> String {
    format!("{}{run}/journal/", runs())
}

/// First letters of the keys that holders of the bucket's lease copied objects to for a run.
pub fn trash(run: &str) -> String {
    format!("{CONTROL_PREFIX}trash/{run}/")
}

/// Where the holder of the lease with this number copies an object to. No two holders write, or remove, at one key: one
/// that was suspended and does not know that it lost the lease cannot take away what its successor has copied.
pub fn trashed(run: &str, lease: u64, key: &str) -> String {
    format!("{}{lease}/{key}", trash(run))
}
