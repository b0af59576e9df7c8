//! Counts of requests, retries and bytes, by S3 operation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream;

use crate::http::{Response, ResponseBody};

/// Counts since the gateway was made, or since a part of what it does was counted apart. Cheap to clone; clones share
/// the counts.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    counts: Arc<Mutex<BTreeMap<&'static str, OperationCounts>>>,
    /// What this is a part of, and counts everything too.
    whole: Option<Arc<Self>>,
}

/// What one S3 operation has cost so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OperationCounts {
    /// Requests sent, repeated ones included.
    pub requests: u64,
    /// Requests that were repeated ones.
    pub retries: u64,
    /// Operations that failed in the end.
    pub failures: u64,
    /// Body bytes sent.
    pub bytes_sent: u64,
    /// Body bytes received.
    pub bytes_received: u64,
}

/// All counts at one moment, by S3 name of the operation.
pub type StatisticsSnapshot = BTreeMap<&'static str, OperationCounts>;

impl Statistics {
    /// The counts now.
    pub fn snapshot(&self) -> StatisticsSnapshot {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts that begin at zero and of which everything is counted here, too.
    pub(super) fn part(&self) -> Self {
        Self { counts: Arc::default(), whole: Some(Arc::new(self.clone())) }
    }

    pub(super) fn sending(&self, operation: &'static str, bytes: u64) {
        self.change(operation, |counts| {
            counts.requests += 1;
            counts.bytes_sent += bytes;
        });
    }

    pub(super) fn retried(&self, operation: &'static str) {
        self.change(operation, |counts| counts.retries += 1);
    }

    pub(super) fn failed(&self, operation: &'static str) {
        self.change(operation, |counts| counts.failures += 1);
    }

    /// The same response, whose body counts itself as it is read.
    pub(super) fn counting(&self, operation: &'static str, response: Response) -> Response {
        let counter = BodyCounter { statistics: self.clone(), operation, bytes: 0 };
        let body = stream::unfold((response.body, counter), |(mut body, mut counter)| async move {
            let frame = body.next().await?;
            if let Ok(bytes) = &frame {
                counter.bytes += bytes.len() as u64;
            }
            Some((frame, (body, counter)))
        });
        Response { body: ResponseBody::new(body), ..response }
    }

    fn change(&self, operation: &'static str, change: impl Fn(&mut OperationCounts)) {
        let mut next = Some(self);
        while let Some(statistics) = next {
            change(statistics.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default());
            next = statistics.whole.as_deref();
        }
    }
}

/// Adds a body's bytes to the counts once, when the body is done with or dropped: a lock per frame would be felt.
struct BodyCounter {
    statistics: Statistics,
    operation: &'static str,
    bytes: u64,
}

impl Drop for BodyCounter {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.statistics.change(self.operation, |counts| counts.bytes_received += self.bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_part_is_counted_in_the_whole() {
        let whole = Statistics::default();
        let (one, other) = (whole.part(), whole.part());
        one.sending("PutObject", 5);
        one.retried("PutObject");
        other.sending("PutObject", 7);
        let of = |statistics: &Statistics| statistics.snapshot()["PutObject"];
        assert_eq!((of(&one).requests, of(&one).bytes_sent, of(&one).retries), (1, 5, 1));
        assert_eq!((of(&other).requests, of(&other).bytes_sent, of(&other).retries), (1, 7, 0));
        assert_eq!((of(&whole).requests, of(&whole).bytes_sent, of(&whole).retries), (2, 12, 1));
    }

    #[tokio::test]
    async fn a_body_counts_what_was_read_of_it() {
        let statistics = Statistics::default();
        let frames = stream::iter([Ok(Bytes::from_static(b"abc")), Ok(Bytes::from_static(b"de"))]);
        let response =
            Response { status: http::StatusCode::OK, headers: http::HeaderMap::new(), body: ResponseBody::new(frames) };
        let mut response = statistics.counting("GetObject", response);
        response.body.next().await.unwrap().unwrap();
        drop(response);
        assert_eq!(statistics.snapshot()["GetObject"].bytes_received, 3);
    }
}
