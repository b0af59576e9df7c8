//! Counts of requests, retries and bytes, by S3 operation.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use futures::stream;

use crate::http::{Response, ResponseBody};

/// Counts since the gateway was made. Cheap to clone; clones share the counts.
#[derive(Debug, Clone, Default)]
pub struct Statistics {
    counts: Arc<Mutex<BTreeMap<&'static str, OperationCounts>>>,
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

    fn change(&self, operation: &'static str, change: impl FnOnce(&mut OperationCounts)) {
        change(self.counts.lock().unwrap_or_else(PoisonError::into_inner).entry(operation).or_default());
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
