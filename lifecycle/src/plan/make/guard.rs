//! What must not happen at once: more than a share of a dataset goes within a time, by this plan and earlier runs.

use crate::plan::line::{Amount, GuardVerdict};
use crate::policy::Dataset;

use super::Request;

/// What the guard of a dataset says where `planned` of `total` would go. None where the policy has none.
pub(crate) fn verdict(
    request: &Request<'_>,
    dataset: &Dataset,
    total: Amount,
    planned: Amount,
) -> Option<GuardVerdict> {
    let guard = dataset.guard?;
    let percent = request.allowed.get(&dataset.name).copied().unwrap_or(guard.percent);
    // By the gateway's clock: what was removed does not get older by `--now`.
    let since = guard.within.before(&request.created.to_zoned_datetime(request.policy.zone.clone()));
    let since = since.map(|since| since.timestamp());
    let before = request.past.removed(&dataset.prefix, since);
    // It counts as if it had gone.
    let lying = request.past.lying(&dataset.prefix, since);
    let counts = |of: fn(&Amount) -> u64| {
        let all = (of(&total) + of(&before)).saturating_sub(of(&lying));
        (of(&before) + of(&planned), all)
    };
    let (units, bytes) = (counts(|amount| amount.units), counts(|amount| amount.bytes));
    let is_too_much = |(gone, all): (u64, u64)| u128::from(gone) * 100 > u128::from(all) * u128::from(percent);
    Some(GuardVerdict {
        percent,
        within: guard.within.to_string(),
        before,
        planned,
        share: (share(units), share(bytes)),
        exceeded: planned.units > 0 && (is_too_much(units) || is_too_much(bytes)),
    })
}

/// In percent, with two digits behind the point.
fn share((gone, all): (u64, u64)) -> f64 {
    if all == 0 {
        return 0.0;
    }
    (gone as f64 / all as f64 * 10_000.0).round() / 100.0
}

#[cfg(test)]
mod tests;
