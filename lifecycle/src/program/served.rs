//! What `serve` has said of policies, for people.

use jiff::Timestamp;

use crate::serve::{ServedPolicy, ServedRule};
use crate::words::amount;

/// What was said of a policy of a bucket, at `now`.
pub(super) fn lines(bucket: &str, served: &ServedPolicy, now: Timestamp) -> Vec<String> {
    let mut lines = vec![format!("served {}, last planned at {}", served.policy.path, served.round)];
    lines.extend(served.stopped.iter().map(|dataset| {
        let path = &served.policy.path;
        format!("  the guard stops what is due in {dataset}: look at `s3life plan {path}`")
    }));
    for rule in &served.rules {
        let ServedRule { digest, dataset, rule: name, action, approved, approved_since, waits, announcements, .. } =
            rule;
        let is_new = *approved && approved_since.is_none() && waits.units > 0;
        if !approved {
            lines.push(format!(
                "  {name} of {dataset} waits to be approved, and is due for: {action} {}; `s3life approve {digest} s3a://{bucket}`",
                amount(*waits)
            ));
        }
        if is_new {
            let is_told = "is approved since then: the next round announces it, or does it";
            lines.push(format!("  {name} of {dataset} {is_told}: {action} {}", amount(*waits)));
        }
        for announced in announcements {
            let goes = if announced.from <= now { "goes since" } else { "goes from" };
            lines.push(format!(
                "  {name} of {dataset}: {action} {}, announced at {}, {goes} {}",
                amount(announced.amount),
                announced.at,
                announced.from
            ));
        }
    }
    lines
}
