//! What `serve` has said of policies, for people.

use bytesize::ByteSize;
use jiff::Timestamp;

use crate::plan::line::Amount;
use crate::serve::{ServedPolicy, ServedRule};

/// What was said of a policy, at `now`.
pub(super) fn lines(served: &ServedPolicy, now: Timestamp) -> Vec<String> {
    let mut lines = vec![format!("served {}, last planned at {}", served.policy.path, served.round)];
    for rule in &served.rules {
        let ServedRule { digest, dataset, rule: name, action, approved, waits, announcements, .. } = rule;
        if !approved {
            lines.push(format!(
                "  {name} of {dataset} waits to be approved, and is due for: {action} {}; `s3life approve {digest} POLICY`",
                amount(*waits)
            ));
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

fn amount(Amount { units, objects, bytes }: Amount) -> String {
    format!("{units} units ({objects} objects, {})", ByteSize::b(bytes))
}
