//! What was asked of the gateway: counts by operation, and a log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use http::{Response, header};

use crate::front::summary::Summary;

/// One request as the gateway saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RequestRecord {
    /// Position in the order of arrival, from 0.
    pub sequence: u64,
    /// The S3 operation, `GetObject` for instance; `Other` when the gateway has none of that kind.
    pub operation: &'static str,
    /// The HTTP method.
    pub method: String,
    /// Empty for ListBuckets.
    pub bucket: String,
    /// Decoded; empty for operations on a bucket.
    pub key: String,
    /// As sent, without the question mark.
    pub query: String,
    /// The `Range` header, when one was sent.
    pub range: Option<String>,
    /// The HTTP status of the answer; 0 when there was none (yet).
    pub status: u16,
    /// Bytes of the request's body that arrived.
    pub received: u64,
    /// Bytes of the answer's body that were handed to the connection.
    pub sent: u64,
    /// The fault that took effect on it, `lost reply` for instance.
    pub fault: Option<&'static str>,
    /// Without quotes, the ETag of the object or part that was read, written, copied or removed, also where the answer was
    /// lost. A DeleteObject that found nothing has none, and neither has a request that was refused.
    pub etag: Option<String>,
}

/// The ETag of an object that the head of the answer does not name: one that was copied or removed. In the answer's extensions.
#[derive(Clone, Debug)]
pub(crate) struct Touched(pub(crate) String);

/// Counts and log of one gateway.
#[derive(Debug)]
pub(crate) struct Requests {
    capacity: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    counts: BTreeMap<&'static str, u64>,
    log: VecDeque<Arc<Entry>>,
}

/// A request of the log, filled in while it is answered.
#[derive(Debug)]
pub(crate) struct Entry {
    sequence: u64,
    summary: Summary,
    status: AtomicU16,
    received: AtomicU64,
    sent: AtomicU64,
    fault: OnceLock<&'static str>,
    etag: OnceLock<String>,
}

impl Entry {
    pub(crate) fn set_status(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn add_received(&self, bytes: usize) {
        self.received.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    pub(crate) fn add_sent(&self, bytes: usize) {
        self.sent.fetch_add(bytes as u64, Ordering::SeqCst);
    }

    pub(crate) fn set_fault(&self, name: &'static str) {
        // One fault at most acts on a request.
        let _ = self.fault.set(name);
    }

    /// The request was carried out, and this is what is to be said of it.
    pub(crate) fn carried_out<T>(&self, answer: &Response<T>) {
        let named = || answer.headers().get(header::ETAG).and_then(|etag| etag.to_str().ok());
        let etag = match answer.extensions().get::<Touched>() {
            Some(Touched(etag)) => Some(etag.as_str()),
            None => named(),
        };
        if let Some(etag) = etag.filter(|_| answer.status().is_success()) {
            // A request is carried out once.
            let _ = self.etag.set(etag.trim_matches('"').to_owned());
        }
    }

    fn record(&self) -> RequestRecord {
        RequestRecord {
            sequence: self.sequence,
            operation: self.summary.operation,
            method: self.summary.method.as_str().to_owned(),
            bucket: self.summary.bucket.clone(),
            key: self.summary.key.clone(),
            query: self.summary.query.clone(),
            range: self.summary.range.clone(),
            status: self.status.load(Ordering::SeqCst),
            received: self.received.load(Ordering::SeqCst),
            sent: self.sent.load(Ordering::SeqCst),
            fault: self.fault.get().copied(),
            etag: self.etag.get().cloned(),
        }
    }
}

impl Requests {
    /// Keeps the last `capacity` requests; counts cover all.
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    /// Counts a request on arrival.
    pub(crate) fn begin(&self, summary: Summary) -> Arc<Entry> {
        let mut state = self.state();
        let entry = Arc::new(Entry {
            sequence: state.next,
            summary,
            status: AtomicU16::new(0),
            received: AtomicU64::new(0),
            sent: AtomicU64::new(0),
            fault: OnceLock::new(),
            etag: OnceLock::new(),
        });
        state.next += 1;
        *state.counts.entry(entry.summary.operation).or_default() += 1;
        if self.capacity > 0 {
            if state.log.len() == self.capacity {
                state.log.pop_front();
            }
            state.log.push_back(Arc::clone(&entry));
        }
        entry
    }

    pub(crate) fn records(&self) -> Vec<RequestRecord> {
        self.state().log.iter().map(|entry| entry.record()).collect()
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let state = self.state();
        state.counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
    }

    /// Forgets all, so that counts start at 0 again.
    pub(crate) fn reset(&self) {
        let mut state = self.state();
        state.counts.clear();
        state.log.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, Method};

    use super::*;

    #[test]
    fn keeps_the_last_and_counts_all() {
        let requests = Requests::new(2);
        for key in ["a", "b", "c"] {
            let uri = format!("/bucket/{key}").parse().unwrap();
            let entry = requests.begin(Summary::new(&Method::GET, &uri, &HeaderMap::new()));
            entry.set_status(200);
            entry.add_sent(5);
            entry.add_sent(6);
        }
        let records = requests.records();
        let keys: Vec<_> = records.iter().map(|record| (record.sequence, record.key.as_str())).collect();
        assert_eq!(keys, [(1, "b"), (2, "c")]);
        assert_eq!((records[0].status, records[0].sent), (200, 11));
        assert_eq!(requests.counts(), BTreeMap::from([("GetObject".to_owned(), 3)]));
        requests.reset();
        assert!(requests.records().is_empty() && requests.counts().is_empty());
    }
}
