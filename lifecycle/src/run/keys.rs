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

/// First letters of the keys of what a run writes down of uploads.
pub fn all_uploads(run: &str) -> String {
    format!("{}{run}/uploads/", runs())
}

/// The same, of the holder of the lease with this number.
pub fn uploads_of_lease(run: &str, lease: u64) -> String {
    format!("{}{lease:08}-", all_uploads(run))
}

/// What the holder of a lease writes down of a batch of uploads.
pub fn uploads(run: &str, lease: u64, sequence: u64) -> String {
    format!("{}{sequence:08}.json", uploads_of_lease(run, lease))
}

/// First letters of what `serve` has announced, by policy.
pub fn served() -> String {
    format!("{CONTROL_PREFIX}life/served/")
}

/// First letters of the keys that rules were approved by: their digests follow.
pub fn approvals() -> String {
    format!("{CONTROL_PREFIX}life/approvals/")
}

/// First letters of the keys of what a run drops from catalogs.
pub fn all_dropped(run: &str) -> String {
    format!("{}{run}/catalog/", runs())
}

/// What the holder of the lease with this number drops from catalogs for a batch of units.
pub fn dropped(run: &str, lease: u64, sequence: u64) -> String {
    format!("{}{lease:08}-{sequence:08}.json", all_dropped(run))
}

/// First letters of all that is in the trash.
pub fn trashes() -> String {
    format!("{CONTROL_PREFIX}trash/")
}

/// First letters of the keys that holders of the bucket's lease copied objects to for a run.
pub fn trash(run: &str) -> String {
    format!("{}{run}/", trashes())
}

/// Where the holder of the lease with this number copies an object to. No two holders write, or remove, at one key: one
/// that was suspended and does not know that it lost the lease cannot take away what its successor has copied.
pub fn trashed(run: &str, lease: u64, key: &str) -> String {
    format!("{}{lease}/{key}", trash(run))
}

/// Whether this may be the name of a run: what somebody typed names no other place in the bucket.
pub fn is_run_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_runs_stay_in_their_place() {
        assert!(is_run_name("20261125T214500Z-a1b2c3"));
        for other in ["", "a/b", "..", "a b", "a\u{e9}"] {
            assert!(!is_run_name(other), "{other}");
        }
    }
}
