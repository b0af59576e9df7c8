//! The faults that wait for requests, and how often they really acted.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::faults::{Action, Fault, Trigger};
use crate::front::summary::Summary;

/// Names one fault that was added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FaultId(u64);

/// The faults of a gateway. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    armed: Mutex<Armed>,
    injected: AtomicU64,
}

#[derive(Debug, Default)]
struct Armed {
    faults: BTreeMap<FaultId, Entry>,
    counters: BTreeMap<FaultId, Arc<AtomicU64>>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    fault: Fault,
    matched: u64,
    hit: u64,
}

impl Faults {
    /// Arms a fault. Where several hit one request, the one added first acts.
    pub fn add(&self, fault: Fault) -> FaultId {
        let mut armed = self.armed();
        let id = FaultId(armed.next);
        armed.next += 1;
        armed.counters.insert(id, Arc::default());
        armed.faults.insert(id, Entry { fault, matched: 0, hit: 0 });
        id
    }

    /// Disarms one fault. Its count stays readable.
    pub fn remove(&self, id: FaultId) {
        self.armed().faults.remove(&id);
    }

    /// Disarms all faults. Counts stay readable.
    pub fn clear(&self) {
        self.armed().faults.clear();
    }

    /// How many faults took effect so far. A fault of the body counts when its byte is reached.
    pub fn injected(&self) -> u64 {
        self.shared.injected.load(Ordering::SeqCst)
    }

    /// How often this fault took effect so far.
    pub fn injected_by(&self, id: FaultId) -> u64 {
        let armed = self.armed();
        armed.counters.get(&id).map_or(0, |counter| counter.load(Ordering::SeqCst))
    }

    /// The fault that hits this request, if any. Every fault that applies counts the request.
    pub(crate) fn decide(&self, request: &Summary) -> Option<Hit> {
        let mut armed = self.armed();
        let Armed { faults, counters, .. } = &mut *armed;
        let mut chosen = None;
        for (id, entry) in faults.iter_mut() {
            if !entry.fault.applies_to(request) {
                continue;
            }
            entry.matched += 1;
            let triggers = match &mut entry.fault.trigger {
                Trigger::Every(n) => entry.matched % *n == 0,
                Trigger::Nth(n) => entry.matched == *n,
                Trigger::After(n) => entry.matched > *n,
                Trigger::Fraction { fraction, state } => next_fraction(state) < *fraction,
            };
            let within_limit = entry.fault.limit.is_none_or(|limit| entry.hit < limit);
            if triggers && within_limit && chosen.is_none() {
                entry.hit += 1;
                chosen = Some(Hit {
                    action: entry.fault.action.clone(),
                    shared: Arc::clone(&self.shared),
                    counter: counters.get(id).cloned().unwrap_or_default(),
                });
            }
        }
        chosen
    }

    fn armed(&self) -> MutexGuard<'_, Armed> {
        self.shared.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A fault that is to act on one request.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) action: Action,
    shared: Arc<Shared>,
    counter: Arc<AtomicU64>,
}

impl Hit {
    /// To be called when the fault takes effect.
    pub(crate) fn count(&self) {
        self.counter.fetch_add(1, Ordering::SeqCst);
        self.shared.injected.fetch_add(1, Ordering::SeqCst);
    }
}

/// SplitMix64, of which the upper 53 bits are taken as a number below 1.
fn next_fraction(state: &mut u64) -> f64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut value = *state;
    value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^= value >> 31;
    (value >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use http::Method;
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::every(Fault::reset(), &[1, 2, 3, 4, 5, 6])]
    #[case::every_third(Fault::reset().every(3), &[3, 6])]
    #[case::nth(Fault::reset().nth(2), &[2])]
    #[case::after(Fault::reset().after(4), &[5, 6])]
    #[case::limited(Fault::reset().times(2), &[1, 2])]
    #[case::limited_every(Fault::reset().every(2).times(1), &[2])]
    fn hits_the_requests_it_names(#[case] fault: Fault, #[case] expected: &[u64]) {
        let faults = Faults::default();
        faults.add(fault);
        let request = get("/bucket/key");
        let hit: Vec<u64> = (1..=6).filter(|_| faults.decide(&request).is_some()).collect();
        assert_eq!(hit, expected);
    }

    #[rstest]
    #[case(Fault::reset().operation("GetObject"), true)]
    #[case(Fault::reset().operation("PutObject"), false)]
    #[case(Fault::reset().method("GET"), true)]
    #[case(Fault::reset().method("PUT"), false)]
    #[case(Fault::reset().key_prefix("dir/"), true)]
    #[case(Fault::reset().key_prefix("key"), false)]
    #[case(Fault::reset().query("partNumber", "2"), true)]
    #[case(Fault::reset().query("partNumber", "1"), false)]
    #[case(Fault::reset().query_name("partNumber"), true)]
    #[case(Fault::reset().query_name("uploads"), false)]
    fn applies_by_every_criterion(#[case] fault: Fault, #[case] expected: bool) {
        let faults = Faults::default();
        faults.add(fault);
        assert_eq!(faults.decide(&get("/bucket/dir/key?partNumber=2")).is_some(), expected);
    }

    #[test]
    fn fraction_is_about_right_and_repeatable() {
        let run = |seed| {
            let faults = Faults::default();
            faults.add(Fault::reset().fraction(0.2, seed));
            let request = get("/bucket/key");
            (0..1000).filter(|_| faults.decide(&request).is_some()).collect::<Vec<_>>()
        };
        let hits = run(7);
        assert!((150..250).contains(&hits.len()), "{}", hits.len());
        assert_eq!(hits, run(7));
        assert_ne!(hits, run(8));
    }

    #[test]
    fn counts_what_took_effect_and_keeps_the_count() {
        let faults = Faults::default();
        let first = faults.add(Fault::reset().nth(1));
        let second = faults.add(Fault::slow_down());
        let request = get("/bucket/key");
        faults.decide(&request).unwrap().count();
        assert!(matches!(faults.decide(&request).unwrap().action, Action::Error { status: 503, .. }));
        faults.clear();
        assert!(faults.decide(&request).is_none());
        assert_eq!((faults.injected(), faults.injected_by(first), faults.injected_by(second)), (1, 1, 0));
    }

    fn get(uri: &str) -> Summary {
        Summary::new(&Method::GET, &uri.parse().unwrap(), &http::HeaderMap::new())
    }
}
