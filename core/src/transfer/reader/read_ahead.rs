//! Which bytes a reader wants next: a run of consecutive range requests that follows the caller through the object.
//!
//! A miss asks for what the caller wants and no more than a small window beyond. Each time the caller reads on where
//! the run ends, the window doubles, and from the second time on the next request goes out before it is needed. So a
//! Parquet reader that seeks pays for one request per column chunk, and a reader of text is soon ahead by megabytes.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use super::inbox::{Inbox, RangeRequest};
use super::{LARGEST_REQUEST, Source};
use crate::config::ReadPolicy;
use crate::transfer::budget::Reservation;

/// First window of a reader that nothing is known of.
const FIRST_WINDOW: u64 = 128 << 10;
/// First window of a reader that said it reads everything.
const FIRST_SEQUENTIAL_WINDOW: u64 = 1 << 20;
/// Bytes to skip inside a run rather than to ask anew.
const SKIPPED: u64 = 512 << 10;

pub(super) struct ReadAhead {
    policy: ReadPolicy,
    length: u64,
    limit: u64,
    /// Window of a reader that said it reads here and there.
    random_window: u64,
    requests: VecDeque<RangeRequest>,
    /// How much the next request asks for at least.
    window: u64,
    /// How often the caller has read on where a request ended.
    continued: u32,
    /// Where the run ends: the next sequential request begins here.
    end: u64,
    /// Where a caller's pending read ends.
    demanded: u64,
    /// Callers that are inside a read now.
    pub(super) busy: usize,
}

pub(super) enum Next {
    /// Here they are.
    Ready(Bytes),
    /// Their request is under way.
    Arriving(Arc<Inbox>),
    /// They must be asked for: this range, or its beginning.
    Missing { start: u64, end: u64 },
}

impl ReadAhead {
    pub(super) fn new(policy: ReadPolicy, length: u64, limit: u64, random_window: u64) -> Self {
        let mut new = Self {
            policy,
            length,
            limit: limit.max(LARGEST_REQUEST),
            random_window,
            requests: VecDeque::new(),
            window: 0,
            continued: 0,
            end: 0,
            demanded: 0,
            busy: 0,
        };
        new.window = new.first_window();
        if policy == ReadPolicy::Sequential {
            new.continued = 1;
        }
        new
    }

    pub(super) fn set_random_window(&mut self, bytes: u64) {
        self.random_window = bytes;
        if self.policy == ReadPolicy::Random {
            self.window = bytes;
        }
    }

    fn first_window(&self) -> u64 {
        match self.policy {
            ReadPolicy::Adaptive => FIRST_WINDOW,
            ReadPolicy::Sequential => FIRST_SEQUENTIAL_WINDOW,
            ReadPolicy::Random => self.random_window,
        }
    }

    /// What is in memory at `position`, without changing the course of the run.
    pub(super) fn ready(&mut self, position: u64, at_most: usize) -> Option<Bytes> {
        let first = self.requests.front().filter(|first| first.position() <= position && position < first.end)?;
        let bytes = first.take(position, at_most)?;
        self.drop_finished(position + bytes.len() as u64);
        Some(bytes)
    }

    /// How to get at most `at_most` bytes at `position`, which lies before the end of the object.
    pub(super) fn next(&mut self, position: u64, at_most: usize) -> Next {
        self.demanded = self.length.min(position.saturating_add(at_most as u64));
        self.drop_finished(position);
        let near = self.requests.front().is_some_and(|first| first.position() <= position);
        if near && position < self.end && !self.skips_far(position) {
            if let Some(bytes) = self.ready(position, at_most) {
                return Next::Ready(bytes);
            }
            if let Some(first) = self.requests.front() {
                return Next::Arriving(first.inbox());
            }
        }
        if position == self.end && self.end > 0 {
            self.continued = self.continued.saturating_add(1);
            self.grow();
        } else {
            self.seek();
        }
        let (start, end) = self.request_from(position);
        Next::Missing { start, end }
    }

    /// Whether reaching `position` inside the run means waiting for many bytes that nobody wants.
    fn skips_far(&self, position: u64) -> bool {
        self.requests.front().is_some_and(|first| position.saturating_sub(first.position()) > SKIPPED)
    }

    fn grow(&mut self) {
        if self.policy != ReadPolicy::Random {
            self.window = (self.window * 2).min(LARGEST_REQUEST);
        }
    }

    fn seek(&mut self) {
        self.requests.clear();
        self.window = self.first_window();
        self.continued = u32::from(self.policy == ReadPolicy::Sequential);
    }

    /// The next request from `start` on: what is demanded or the window, whichever is more, in one request.
    fn request_from(&self, start: u64) -> (u64, u64) {
        let wanted = self.window.max(self.demanded.saturating_sub(start)).min(LARGEST_REQUEST);
        (start, self.length.min(start + wanted))
    }

    /// The request that should go out although nobody waits for it yet.
    pub(super) fn wanted(&mut self) -> Option<(u64, u64)> {
        if self.end >= self.length || self.requests.is_empty() {
            return None;
        }
        let position = self.requests.front().map_or(self.end, RangeRequest::position);
        let ahead = self.end.saturating_sub(position);
        if self.end < self.demanded {
            if ahead >= self.limit {
                return None;
            }
            // A caller with a large buffer reads on behind the run's end before it has come there.
            self.continued = self.continued.saturating_add(1);
            let next = self.request_from(self.end);
            self.grow();
            return Some(next);
        }
        if self.continued < 2 || self.policy == ReadPolicy::Random || ahead >= (2 * self.window).min(self.limit) {
            return None;
        }
        let next = self.request_from(self.end);
        self.grow();
        Some(next)
    }

    /// Sends a request that continues the run, or begins a new one.
    pub(super) fn begin(&mut self, source: &Arc<Source>, start: u64, end: u64, reservation: Reservation) {
        if start != self.end {
            self.requests.clear();
        }
        self.requests.push_back(Inbox::receive(source, start, end, reservation));
        self.end = end;
    }

    fn drop_finished(&mut self, position: u64) {
        while self.requests.front().is_some_and(|first| first.end <= position) {
            self.requests.pop_front();
        }
    }

    /// Forgets what was read ahead.
    pub(super) fn clear(&mut self) {
        self.requests.clear();
        self.window = self.first_window();
    }

    /// Bytes that nobody waits for, with `others` beside the requests'.
    pub(super) fn idle_bytes(&self, others: u64) -> u64 {
        if self.busy > 0 { 0 } else { self.requests.iter().map(RangeRequest::reserved).sum::<u64>() + others }
    }
}
