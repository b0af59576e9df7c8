//! What a lease looks like in the bucket.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::run::keys;

/// A process that may hold a lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// Name of its machine.
    pub host: String,
    /// Its process id there.
    pub process: u32,
}

impl Holder {
    /// This process.
    pub fn this_process() -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let host = host.trim();
        Self { host: if host.is_empty() { "unknown".to_owned() } else { host.to_owned() }, process: std::process::id() }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "process {} on {}", self.process, self.host)
    }
}

/// What a lease is taken for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Purpose {
    /// The command, "apply".
    pub command: String,
    /// The run that it works on, where it is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
}

impl Purpose {
    /// A command that works on this run.
    pub fn of_run(command: &str, run: &str) -> Self {
        Self { command: command.to_owned(), run: Some(run.to_owned()) }
    }
}

impl From<&str> for Purpose {
    fn from(command: &str) -> Self {
        Self { command: command.to_owned(), run: None }
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.run {
            Some(run) => write!(formatter, "{} of the run {run}", self.command),
            None => formatter.write_str(&self.command),
        }
    }
}

/// A lease.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LeaseDocument {
    pub(super) number: u64,
    pub(super) holder: Holder,
    pub(super) purpose: Purpose,
    /// Chance, by which its holder knows it.
    pub(super) token: String,
    /// How long it lasts without renewal.
    term_ms: u64,
    /// When it was taken, by the gateway's clock.
    pub(super) taken: Timestamp,
    /// Makes every renewal another document, with another ETag.
    renewals: u64,
    pub(super) closed: Option<Closed>,
    /// The leases before it, the latest last: they are removed, and runs that were killed under them are found later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) former: Vec<Former>,
}

/// When the holder of a lease may have changed something, by the gateway's clock: with what gateways' clocks may be apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Former {
    pub(super) number: u64,
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
}

/// So many are named: each renewal writes them.
const MOST_FORMER: usize = 100;

/// Whether the holder of an earlier lease may have changed something then. One that is no longer named had ended when the next
/// one that is was over; of what is not known at all it may be so.
pub(super) fn may_have_worked(former: &[Former], lease: u64, at: Timestamp) -> bool {
    match former.iter().find(|former| former.number >= lease) {
        Some(named) if named.number == lease => named.from <= at && at <= named.until,
        Some(later) => at <= later.until,
        None => true,
    }
}

/// Why nobody holds a lease any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "snake_case")]
pub(super) enum Closed {
    /// Its holder gave it back.
    Released,
    /// It was not renewed, and somebody else takes the next one.
    TakenOver { by: Holder },
}

/// No lease lasts longer.
const LONGEST_TERM: Duration = Duration::from_secs(86_400);

impl LeaseDocument {
    pub(super) fn new(
        number: u64,
        holder: &Holder,
        purpose: &Purpose,
        token: String,
        term: Duration,
        taken: Timestamp,
        mut former: Vec<Former>,
    ) -> Self {
        former.drain(..former.len().saturating_sub(MOST_FORMER));
        let term_ms = u64::try_from(term.min(LONGEST_TERM).as_millis()).unwrap_or(u64::MAX);
        let (holder, purpose) = (holder.clone(), purpose.clone());
        Self { number, holder, purpose, token, term_ms, taken, renewals: 0, closed: None, former }
    }

    pub(super) fn renewed(&self) -> Self {
        Self { renewals: self.renewals.wrapping_add(1), ..self.clone() }
    }

    pub(super) fn closed(&self, closed: Closed) -> Self {
        Self { closed: Some(closed), ..self.clone() }
    }

    pub(super) fn term(&self) -> Duration {
        Duration::from_millis(self.term_ms).min(LONGEST_TERM)
    }
}

/// The key of the lease with this number.
pub(super) fn key(number: u64) -> String {
    format!("{}{number:08}", keys::leases())
}

/// The number of the lease with this key; `None` for a key that is no lease's.
pub(super) fn number(found: &str) -> Option<u64> {
    let number = found.strip_prefix(&keys::leases())?.parse().ok()?;
    (key(number) == found).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_numbers_of_eight_digits_or_more() {
        assert_eq!(key(7), ".s3core/life/leases/00000007");
        for lease in [0, 7, 99_999_999, 100_000_000, u64::MAX] {
            assert_eq!(number(&key(lease)), Some(lease));
        }
        for other in ["7", "000000007", "+0000007", "0000000x", "00000007/", ""] {
            assert_eq!(number(&format!("{}{other}", keys::leases())), None, "{other}");
        }
        assert_eq!(number("00000007"), None);
    }

    #[test]
    fn renewals_differ() {
        let holder = Holder { host: "h".into(), process: 1 };
        let (term, taken) = (Duration::from_secs(60), Timestamp::UNIX_EPOCH);
        let first = LeaseDocument::new(1, &holder, &"apply".into(), "t".into(), term, taken, Vec::new());
        let (second, third) = (first.renewed(), first.renewed().renewed());
        assert!(first != second && second != third);
        assert_eq!(serde_json::from_str::<LeaseDocument>(&serde_json::to_string(&third).unwrap()).unwrap(), third);
    }

    #[test]
    fn what_a_holder_may_have_done_is_known_by_the_time_of_its_lease() {
        let second = |second| Timestamp::from_second(second).unwrap();
        let of = |number, from, until| Former { number, from: second(from), until: second(until) };
        let former = [of(4, 40, 49), of(5, 50, 59), of(7, 70, 79)];
        for (lease, at, expected) in [
            (5, 49, false),
            (5, 50, true),
            (5, 59, true),
            (5, 60, false),
            // Named no more, or removed: it had ended then.
            (3, 1, true),
            (3, 49, true),
            (3, 50, false),
            (6, 79, true),
            (6, 80, false),
            // Nobody knows.
            (8, 1_000_000, true),
        ] {
            assert_eq!(may_have_worked(&former, lease, second(at)), expected, "{lease} at {at}");
        }
    }

    #[test]
    fn the_latest_leases_are_named() {
        let holder = Holder { host: "h".into(), process: 1 };
        let (term, at) = (Duration::from_secs(60), Timestamp::UNIX_EPOCH);
        let former: Vec<_> =
            (1..=MOST_FORMER as u64 + 3).map(|number| Former { number, from: at, until: at }).collect();
        let document = LeaseDocument::new(104, &holder, &"apply".into(), "t".into(), term, at, former);
        let named: Vec<_> = document.former.iter().map(|former| former.number).collect();
        assert_eq!(named, (4..=MOST_FORMER as u64 + 3).collect::<Vec<_>>());
    }
}
