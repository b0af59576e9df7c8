//! Reads one object: sequentially with read-ahead, by position, or many ranges at once.

mod inbox;
mod read_ahead;

use std::sync::{Arc, Mutex, PoisonError, Weak};

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, StreamExt, TryStreamExt};

use crate::config::ReadPolicy;
use crate::gateway::Gateway;
use crate::{Error, ErrorKind, Result};

use super::budget::{Holder, MemoryBudget, SMALLEST};
use inbox::Inbox;
use read_ahead::{Next, ReadAhead};

/// One range request asks for at most this much: two of Radosgw's 4 MiB RADOS reads side by side in each request, and
/// several requests at a time.
const LARGEST_REQUEST: u64 = 8 << 20;
/// Range requests of one call that are under way at the same time.
const REQUESTS_AT_ONCE: usize = 4;
/// Ranges closer than this become one request: at 1 GB/s a request's 0.1 to 1 ms is worth about this many bytes.
const MERGED_GAP: u64 = 128 << 10;

/// An open object. All methods take `&self`: bindings share it between the thread that reads and the one that closes.
pub struct ObjectReader {
    shared: Arc<Shared>,
}

struct Shared {
    source: Source,
    budget: MemoryBudget,
    tail: Option<Tail>,
    read_ahead: Mutex<ReadAhead>,
}

/// Which object is read, and which version of it.
#[derive(Clone)]
pub(crate) struct Source {
    pub(crate) gateway: Gateway,
    pub(crate) bucket: String,
    pub(crate) key: String,
    pub(crate) length: u64,
    pub(crate) etag: Option<String>,
}

/// The end of the object, where opening it brought that along: the footer of a Parquet or ORC file.
pub(crate) struct Tail {
    pub(crate) start: u64,
    pub(crate) bytes: Bytes,
}

impl ObjectReader {
    pub(crate) fn new(
        source: Source,
        tail: Option<Tail>,
        policy: ReadPolicy,
        read_ahead_limit: u64,
        budget: MemoryBudget,
    ) -> Self {
        let read_ahead = Mutex::new(ReadAhead::new(policy, source.length, read_ahead_limit));
        let shared = Arc::new(Shared { source, budget, tail, read_ahead });
        let holder: Weak<Shared> = Arc::downgrade(&shared);
        shared.budget.register(holder);
        Self { shared }
    }

    /// Length of the object in bytes.
    pub fn length(&self) -> u64 {
        self.shared.source.length
    }

    /// The version that is read; every request names it, so that no read mixes two.
    pub fn etag(&self) -> Option<&str> {
        self.shared.source.etag.as_deref()
    }

    /// Bytes at `position` that are in memory already, at most `at_most`; `None` where there are none.
    pub fn try_read(&self, position: u64, at_most: usize) -> Option<Bytes> {
        if let Some(bytes) = self.shared.of_tail(position, at_most) {
            return Some(bytes);
        }
        self.shared.lock().ready(position, at_most)
    }

    /// At least one byte at `position`, at most `at_most`; empty at and beyond the end. What follows is read ahead
    /// when reads turn out to be sequential.
    ///
    /// # Errors
    /// `Changed` where the object was replaced meanwhile, `NotFound` where it was deleted, and the gateway's.
    pub async fn read(&self, position: u64, at_most: usize) -> Result<Bytes> {
        let shared = &self.shared;
        if at_most == 0 || position >= self.length() {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = shared.of_tail(position, at_most) {
            return Ok(bytes);
        }
        let _busy = Busy::new(shared);
        loop {
            let next = shared.lock().next(position, at_most);
            match next {
                Next::Ready(bytes) => {
                    shared.read_further_ahead();
                    return Ok(bytes);
                }
                Next::Arriving(inbox) => {
                    // A failed request is asked for anew by the next read, not remembered.
                    inbox.wait().await.inspect_err(|_| shared.lock().clear())?;
                }
                Next::Missing { start, end } => shared.fetch(start, end).await?,
            }
        }
    }

    /// Exactly `length` bytes at `position`, in pieces; what [`ObjectReader::read`] has read ahead stays as it is.
    ///
    /// # Errors
    /// `OutOfRange` beyond the end, besides those of `read`.
    pub async fn read_range(&self, position: u64, length: usize) -> Result<Vec<Bytes>> {
        let end = position.checked_add(length as u64).filter(|end| *end <= self.length());
        let end = end.ok_or_else(|| self.out_of_range(position, length))?;
        if length == 0 {
            return Ok(Vec::new());
        }
        if let Some(bytes) = self.shared.of_tail(position, length).filter(|bytes| bytes.len() == length) {
            return Ok(vec![bytes]);
        }
        let requests = split(position, end).map(|(start, end)| self.shared.get(start, end));
        let pieces: Vec<Vec<Bytes>> = stream::iter(requests).buffered(REQUESTS_AT_ONCE).try_collect().await?;
        Ok(pieces.into_iter().flatten().collect())
    }

    /// Each of `ranges` (position and length) in full, in the order given. Near ones share a request, and requests
    /// run side by side.
    ///
    /// # Errors
    /// As [`ObjectReader::read_range`].
    pub async fn read_ranges(&self, ranges: &[(u64, usize)]) -> Result<Vec<Vec<Bytes>>> {
        for &(position, length) in ranges {
            if position.checked_add(length as u64).is_none_or(|end| end > self.length()) {
                return Err(self.out_of_range(position, length));
            }
        }
        let requests = merge(ranges).into_iter().map(|(start, end)| async move {
            let length = usize::try_from(end - start).map_err(|_| self.out_of_range(start, usize::MAX))?;
            Ok::<_, Error>((start, self.read_range(start, length).await?))
        });
        let fetched: Vec<(u64, Vec<Bytes>)> =
            stream::iter(requests).buffer_unordered(REQUESTS_AT_ONCE).try_collect().await?;
        ranges.iter().map(|&(position, length)| cut(&fetched, position, length)).collect()
    }

    /// Gives back what was read ahead and the connections that read it; later reads go on as before.
    pub fn unbuffer(&self) {
        self.shared.lock().clear();
    }

    fn out_of_range(&self, position: u64, length: usize) -> Error {
        Error::new(
            ErrorKind::OutOfRange,
            format!("{length} bytes at {position} reach beyond the object's {} bytes", self.length()),
        )
        .at(&self.shared.source.bucket, &self.shared.source.key)
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, ReadAhead> {
        self.read_ahead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of_tail(&self, position: u64, at_most: usize) -> Option<Bytes> {
        let tail = self.tail.as_ref()?;
        let skip = usize::try_from(position.checked_sub(tail.start)?).ok()?;
        let rest = tail.bytes.len().checked_sub(skip).filter(|rest| *rest > 0)?;
        Some(tail.bytes.slice(skip..skip + rest.min(at_most)))
    }

    /// Requests what a caller waits for, in as much memory as there is.
    async fn fetch(&self, start: u64, end: u64) -> Result<()> {
        let reservation = match self.budget.try_reserve(end - start) {
            Some(reservation) => reservation,
            None => self.budget.reserve((end - start).min(SMALLEST)).await?,
        };
        let end = end.min(start + reservation.bytes());
        self.lock().begin(&self.source, start, end, reservation);
        Ok(())
    }

    /// Requests what a sequential reader will want next, where there is memory to spare.
    fn read_further_ahead(&self) {
        let mut read_ahead = self.lock();
        while let Some((start, end)) = read_ahead.wanted() {
            let Some(reservation) = self.budget.try_reserve(end - start) else {
                return;
            };
            read_ahead.begin(&self.source, start, end, reservation);
        }
    }

    async fn get(&self, start: u64, end: u64) -> Result<Vec<Bytes>> {
        let reservation = self.budget.reserve(end - start).await?.now_in_flight();
        let request = Inbox::receive(&self.source, start, end, reservation);
        request.all().await
    }
}

/// Marks the reader as busy, so that nobody takes the memory that it waits for.
struct Busy<'a>(&'a Shared);

impl<'a> Busy<'a> {
    fn new(shared: &'a Shared) -> Self {
        shared.lock().busy += 1;
        Self(shared)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.lock().busy -= 1;
    }
}

impl Holder for Shared {
    fn holds(&self) -> u64 {
        self.read_ahead.try_lock().map_or(0, |read_ahead| read_ahead.idle_bytes())
    }

    fn is_cheap(&self) -> bool {
        true
    }

    fn give_back(self: Arc<Self>) -> BoxFuture<'static, Result<bool>> {
        let mut read_ahead = self.lock();
        let gave = read_ahead.idle_bytes() > 0;
        if gave {
            read_ahead.clear();
        }
        drop(read_ahead);
        Box::pin(async move { Ok(gave) })
    }
}

/// Requests of at most [`LARGEST_REQUEST`] that cover `start..end`.
fn split(start: u64, end: u64) -> impl Iterator<Item = (u64, u64)> {
    std::iter::successors(Some((start, end.min(start + LARGEST_REQUEST))), move |&(_, previous)| {
        (previous < end).then(|| (previous, end.min(previous + LARGEST_REQUEST)))
    })
}

/// Ranges as `start..end`, near ones merged, up to [`LARGEST_REQUEST`] each unless a single range is longer.
fn merge(ranges: &[(u64, usize)]) -> Vec<(u64, u64)> {
    let mut sorted: Vec<(u64, u64)> = ranges
        .iter()
        .filter(|(_, length)| *length > 0)
        .map(|&(position, length)| (position, position + length as u64))
        .collect();
    sorted.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::with_capacity(sorted.len());
    for (start, end) in sorted {
        match merged.last_mut() {
            Some(last) if start <= last.1 || (start - last.1 <= MERGED_GAP && end - last.0 <= LARGEST_REQUEST) => {
                last.1 = last.1.max(end);
            }
            _ => merged.push((start, end)),
        }
    }
    merged
}

/// The bytes of one range out of the requests that cover it.
fn cut(fetched: &[(u64, Vec<Bytes>)], position: u64, length: usize) -> Result<Vec<Bytes>> {
    let mut wanted = Vec::new();
    let mut missing = length;
    let covering = fetched.iter().filter(|(start, _)| *start <= position).max_by_key(|(start, _)| *start);
    if let Some((start, pieces)) = covering {
        let mut skip = usize::try_from(position - start).unwrap_or(usize::MAX);
        for piece in pieces {
            let from = skip.min(piece.len());
            let to = piece.len().min(from.saturating_add(missing));
            skip -= from;
            if from < to {
                wanted.push(piece.slice(from..to));
                missing -= to - from;
            }
        }
    }
    if missing > 0 {
        return Err(Error::new(ErrorKind::Internal, format!("a merged request lacks {missing} bytes of a range")));
    }
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ranges_are_split_into_requests() {
        let all: Vec<_> = split(3, 3 + 2 * LARGEST_REQUEST + 1).collect();
        assert_eq!(all.len(), 3);
        assert_eq!((all[0].0, all[2].1), (3, 3 + 2 * LARGEST_REQUEST + 1));
        assert!(all.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn near_ranges_share_a_request_and_far_ones_do_not() {
        assert_eq!(merge(&[(1000, 10), (0, 100)]), [(0, 1010)]);
        assert_eq!(merge(&[(0, 100), (101 + MERGED_GAP, 1)]), [(0, 100), (101 + MERGED_GAP, 102 + MERGED_GAP)]);
        assert_eq!(merge(&[(0, 0)]), []);
        let long = LARGEST_REQUEST as usize;
        assert_eq!(merge(&[(0, long), (LARGEST_REQUEST + 5, 10)]).len(), 2);
    }

    #[test]
    fn ranges_are_cut_out_of_the_request_that_covers_them() {
        let fetched = vec![
            (100, vec![Bytes::from_static(b"abc"), Bytes::from_static(b"defg")]),
            (0, vec![Bytes::from_static(b"zzz")]),
        ];
        assert_eq!(cut(&fetched, 102, 3).unwrap().concat(), b"cde");
        assert_eq!(cut(&fetched, 1, 2).unwrap().concat(), b"zz");
        assert_eq!(cut(&fetched, 106, 2).unwrap_err().kind(), ErrorKind::Internal);
    }
}
