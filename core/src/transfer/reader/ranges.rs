//! Many ranges of an object at once, in as much memory as there is.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use crate::Result;
use crate::transfer::budget::{MemoryBudget, Reservation};

use super::counts::add;
use super::inbox::{Inbox, RangeRequest};
use super::{LARGEST_REQUEST, Source, Tail};

/// Range requests of one call that are under way at the same time.
const REQUESTS_AT_ONCE: usize = 4;
/// Ranges closer than this become one request: at 1 GB/s a request's 0.1 to 1 ms is worth about this many bytes.
const MERGED_GAP: u64 = 128 << 10;

/// Ranges that are being read, piece by piece and in the order of their positions.
pub struct Ranges {
    source: Arc<Source>,
    budget: MemoryBudget,
    ready: Option<Fetched>,
    requests: usize,
    unwanted: u64,
    ended: bool,
    /// Requests still to be sent.
    wanted: VecDeque<(u64, u64)>,
    under_way: VecDeque<(u64, RangeRequest)>,
}

/// Consecutive bytes of an object. Dropping it gives its memory back: a caller copies what it wants and drops it
/// before it asks for the next, or the next may have to wait for memory.
pub struct Fetched {
    position: u64,
    frames: Vec<Bytes>,
    _memory: Option<Reservation>,
}

impl Ranges {
    pub(super) fn new(source: Arc<Source>, budget: MemoryBudget, tail: Option<&Tail>, ranges: &[(u64, usize)]) -> Self {
        let merged = merge(ranges, MERGED_GAP);
        let ready = tail.filter(|tail| merged.iter().all(|(start, _)| *start >= tail.start)).map(|tail| Fetched {
            position: tail.start,
            frames: vec![tail.bytes.clone()],
            _memory: None,
        });
        let (wanted, unwanted) = match ready {
            Some(_) => (VecDeque::new(), 0),
            None => {
                let unwanted = total(&merged) - total(&merge(ranges, 0));
                (merged.into_iter().flat_map(split).collect(), unwanted)
            }
        };
        Self {
            source,
            budget,
            ready,
            requests: wanted.len(),
            unwanted,
            ended: false,
            wanted,
            under_way: VecDeque::new(),
        }
    }

    /// How many requests it takes; none where everything was in memory.
    pub fn requests(&self) -> usize {
        self.requests
    }

    /// Bytes between the ranges that come along because a request brings several of them.
    pub fn unwanted(&self) -> u64 {
        self.unwanted
    }

    /// The next piece; `None` after the last. Dropping the future loses nothing.
    ///
    /// # Errors
    /// `Changed` where the object was replaced meanwhile, `NotFound` where it was deleted, and the gateway's.
    pub async fn next(&mut self) -> Result<Option<Fetched>> {
        if let Some(ready) = self.ready.take() {
            return Ok(Some(ready));
        }
        while let Some(&(start, end)) = self.wanted.front()
            && self.under_way.len() < REQUESTS_AT_ONCE
        {
            // Only the first may wait for memory: the others are under way as far as there is some to spare.
            let reservation = match self.budget.try_reserve(end - start) {
                Some(reservation) => reservation,
                None if self.under_way.is_empty() => self.budget.reserve(end - start).await?,
                None => break,
            };
            let request = Inbox::receive(&self.source, start, end, reservation.now_in_flight());
            self.under_way.push_back((start, request));
            self.wanted.pop_front();
        }
        let Some((position, request)) = self.under_way.front() else {
            if !std::mem::replace(&mut self.ended, true) {
                add(&self.source.counts.discarded, self.unwanted);
            }
            return Ok(None);
        };
        let (frames, memory) = match request.all().await {
            Ok(all) => all,
            Err(failure) => return Err(self.source.explained(failure).await),
        };
        let position = *position;
        self.under_way.pop_front();
        Ok(Some(Fetched { position, frames, _memory: Some(memory) }))
    }
}

impl Fetched {
    /// What of it lies in the `length` bytes at `position`, each piece with its offset from `position`.
    pub fn within(&self, position: u64, length: usize) -> impl Iterator<Item = (usize, Bytes)> {
        let end = position + length as u64;
        self.frames
            .iter()
            .scan(self.position, |next, frame| {
                let start = *next;
                *next += frame.len() as u64;
                Some((start, frame))
            })
            .filter_map(move |(start, frame)| {
                let from = position.clamp(start, start + frame.len() as u64);
                let to = end.clamp(from, (start + frame.len() as u64).max(from));
                let slice = usize::try_from(from - start).ok()?..usize::try_from(to - start).ok()?;
                (from < to).then(|| ((from - position) as usize, frame.slice(slice)))
            })
    }
}

/// Requests of at most [`LARGEST_REQUEST`] that cover a range.
fn split((start, end): (u64, u64)) -> impl Iterator<Item = (u64, u64)> {
    std::iter::successors(Some((start, end.min(start + LARGEST_REQUEST))), move |&(_, previous)| {
        (previous < end).then(|| (previous, end.min(previous + LARGEST_REQUEST)))
    })
}

fn total(ranges: &[(u64, u64)]) -> u64 {
    ranges.iter().map(|(start, end)| end - start).sum()
}

/// Ranges as `start..end`, those merged that are no more than `gap` bytes apart, up to [`LARGEST_REQUEST`] each unless a
/// single range is longer. Overlapping ones are one in any case.
fn merge(ranges: &[(u64, usize)], gap: u64) -> Vec<(u64, u64)> {
    let mut sorted: Vec<(u64, u64)> = ranges
        .iter()
        .filter(|(_, length)| *length > 0)
        .map(|&(position, length)| (position, position + length as u64))
        .collect();
    sorted.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
    for (start, end) in sorted {
        match merged.last_mut() {
            Some(last) if start <= last.1 || (start - last.1 <= gap && end - last.0 <= LARGEST_REQUEST) => {
                last.1 = last.1.max(end);
            }
            _ => merged.push((start, end)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ranges_are_split_into_requests() {
        let all: Vec<_> = split((3, 3 + 2 * LARGEST_REQUEST + 1)).collect();
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].0, all[2].1), (3, 3 + 2 * LARGEST_REQUEST + 1));
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn near_ranges_share_a_request_and_far_ones_do_not() {
        assert_eq!(merge(&[(1000, 10), (0, 100)], MERGED_GAP), [(0, 1010)]);
        assert_eq!(merge(&[(50, 60), (1000, 10), (0, 100)], 0), [(0, 110), (1000, 1010)]);
        assert_eq!(
            merge(&[(0, 100), (101 + MERGED_GAP, 1)], MERGED_GAP),
            [(0, 100), (101 + MERGED_GAP, 102 + MERGED_GAP)]
        );
        assert_eq!(merge(&[(0, 0)], MERGED_GAP), []);
        let long = LARGEST_REQUEST as usize;
        assert_eq!(merge(&[(0, long), (LARGEST_REQUEST + 5, 10)], MERGED_GAP).len(), 2);
    }

    #[test]
    fn a_piece_gives_out_what_of_a_range_it_holds() {
        let frames = vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defg")];
        let fetched = Fetched { position: 100, frames, _memory: None };
        let within = |position, length| {
            let pieces = fetched.within(position, length);
            pieces.map(|(offset, bytes)| (offset, String::from_utf8(bytes.to_vec()).unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(within(102, 3), [(0, "c".to_owned()), (1, "de".to_owned())]);
        assert_eq!(within(95, 6), [(5, "a".to_owned())]);
        assert_eq!(within(106, 9), [(0, "g".to_owned())]);
        assert_eq!((within(107, 9).len(), within(90, 10).len()), (0, 0));
    }
}
