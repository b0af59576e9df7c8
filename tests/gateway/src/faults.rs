//! Scripted faults: which requests they hit, what they do, and how often they really did it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::front::summary::Summary;

/// A fault: an action, the requests it applies to, and which of them it hits.
///
/// A new fault hits every request. Each method narrows that.
///
/// ```
/// use s3core_gateway::Fault;
///
/// let fault = Fault::slow_down().operation("UploadPart").key_prefix("table/").nth(3);
/// ```
#[derive(Clone, Debug)]
pub struct Fault {
    action: Action,
    operation: Option<String>,
    method: Option<String>,
    key_prefix: Option<String>,
    query: Vec<(String, Option<String>)>,
    trigger: Trigger,
    limit: Option<u64>,
}

/// What a fault does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Error { status: u16, code: String, retry_after: Option<u64> },
    ErrorInBody { code: String },
    Reset,
    LoseReply,
    Stall { duration: Duration },
    CutBody { after: u64 },
    CorruptBody { at: u64 },
    StallBody { after: u64, duration: Duration },
    CorruptUpload { at: u64 },
}

impl Action {
    /// The name in the request log.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Error { .. } => "error",
            Self::ErrorInBody { .. } => "error in body",
            Self::Reset => "reset",
            Self::LoseReply => "lost reply",
            Self::Stall { .. } => "stall",
            Self::CutBody { .. } => "cut body",
            Self::CorruptBody { .. } => "corrupt body",
            Self::StallBody { .. } => "stalled body",
            Self::CorruptUpload { .. } => "corrupt upload",
        }
    }
}

/// Which of the requests a fault applies to it hits.
#[derive(Clone, Debug)]
enum Trigger {
    Every(u64),
    Nth(u64),
    Fraction { fraction: f64, state: u64 },
}

impl Fault {
    /// Answers 503 SlowDown. The request is not carried out.
    pub fn slow_down() -> Self {
        Self::error(503, "SlowDown")
    }

    /// Answers with an error of this status and code. The request is not carried out.
    pub fn error(status: u16, code: &str) -> Self {
        Self::new(Action::Error { status, code: code.to_owned(), retry_after: None })
    }

    /// Answers 200 with an `<Error>` of this code as the body, as CopyObject, DeleteObjects and
    /// CompleteMultipartUpload may. The request is not carried out.
    pub fn error_in_body(code: &str) -> Self {
        Self::new(Action::ErrorInBody { code: code.to_owned() })
    }

    /// Resets the connection (RST). The request is not carried out.
    pub fn reset() -> Self {
        Self::new(Action::Reset)
    }

    /// Carries the request out and closes the connection without a reply.
    pub fn lose_reply() -> Self {
        Self::new(Action::LoseReply)
    }

    /// Does nothing for `duration`, then goes on as if nothing had happened.
    pub fn stall(duration: Duration) -> Self {
        Self::new(Action::Stall { duration })
    }

    /// Closes the connection after this many bytes of the answer's body. A shorter body is not hit.
    pub fn cut_body(after: u64) -> Self {
        Self::new(Action::CutBody { after })
    }

    /// Inverts the byte at this offset of the answer's body. A shorter body is not hit.
    pub fn corrupt_body(at: u64) -> Self {
        Self::new(Action::CorruptBody { at })
    }

    /// Sends this many bytes of the answer's body, then nothing for `duration`, then the rest.
    /// A shorter body is not hit.
    pub fn stall_body(after: u64, duration: Duration) -> Self {
        Self::new(Action::StallBody { after, duration })
    }

    /// Inverts the byte at this offset of the request's body before anything looks at it.
    /// A shorter body is not hit.
    pub fn corrupt_upload(at: u64) -> Self {
        Self::new(Action::CorruptUpload { at })
    }

    fn new(action: Action) -> Self {
        Self {
            action,
            operation: None,
            method: None,
            key_prefix: None,
            query: Vec::new(),
            trigger: Trigger::Every(1),
            limit: None,
        }
    }

    /// Only this S3 operation, `UploadPart` for instance.
    #[must_use]
    pub fn operation(mut self, name: &str) -> Self {
        self.operation = Some(name.to_owned());
        self
    }

    /// Only this HTTP method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.method = Some(method.to_owned());
        self
    }

    /// Only keys (for lists: prefixes) that start so.
    #[must_use]
    pub fn key_prefix(mut self, prefix: &str) -> Self {
        self.key_prefix = Some(prefix.to_owned());
        self
    }

    /// Only requests whose query has this name with this value.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), Some(value.to_owned())));
        self
    }

    /// Only requests whose query has this name.
    #[must_use]
    pub fn query_name(mut self, name: &str) -> Self {
        self.query.push((name.to_owned(), None));
        self
    }

    /// Of the requests it applies to, only the `n`-th; the first has number 1.
    #[must_use]
    pub fn nth(mut self, n: u64) -> Self {
        self.trigger = Trigger::Nth(n);
        self
    }

    /// Of the requests it applies to, every `n`-th: with 3 the third, the sixth and so on.
    #[must_use]
    pub fn every(mut self, n: u64) -> Self {
        self.trigger = Trigger::Every(n.max(1));
        self
    }

    /// Of the requests it applies to, this fraction (0.0 to 1.0), chosen by a generator that starts
    /// with `seed`: the same seed hits the same requests.
    #[must_use]
    pub fn fraction(mut self, fraction: f64, seed: u64) -> Self {
        self.trigger = Trigger::Fraction { fraction, state: seed };
        self
    }

    /// At most this many times.
    #[must_use]
    pub fn times(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Adds a `Retry-After` of this many seconds to an error answer.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        if let Action::Error { retry_after, .. } = &mut self.action {
            *retry_after = Some(seconds);
        }
        self
    }

    fn applies_to(&self, request: &Summary) -> bool {
        let is = |wanted: &Option<String>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted == value);
        is(&self.operation, request.operation)
            && is(&self.method, request.method.as_str())
            && self.key_prefix.as_ref().is_none_or(|prefix| request.key_or_prefix().starts_with(prefix.as_str()))
            && self.query.iter().all(|(name, wanted)| match request.query_value(name) {
                None => false,
                Some(value) => wanted.as_ref().is_none_or(|wanted| *wanted == value),
            })
    }
}

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
