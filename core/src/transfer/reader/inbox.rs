//! One ranged GetObject under way, and the bytes of it that have arrived and were not read yet.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use crate::ops::{ByteRange, GetObject, ObjectHead, Sink};
use crate::transfer::budget::Reservation;
use crate::{Error, ErrorKind, Result};

use super::Source;
use super::counts::add;

/// A request for the bytes `start..end`. Dropping it gives the request up, unless so little is left of it that
/// reading on is cheaper than a new connection.
pub(super) struct RangeRequest {
    pub(super) end: u64,
    inbox: Arc<Inbox>,
    task: AbortHandle,
}

/// A connection whose answer is dropped half-way is lost; reading this much more takes no longer than a new one.
const CHEAPER_TO_FINISH: u64 = 512 * 1024;

/// Frames of requests up to this size are copied: a frame is a piece of the connection's read buffer, which would stay
/// as long as it does and is up to some 400 KiB, more than the request has reserved.
const COPIED: u64 = 256 << 10;

/// Where the bytes of a request arrive.
pub(super) struct Inbox {
    source: Arc<Source>,
    state: Mutex<State>,
    arrived: Notify,
}

struct State {
    frames: VecDeque<Bytes>,
    /// Where the first of `frames` lies in the object.
    position: u64,
    /// Where the next frame will lie.
    received: u64,
    ended: Option<Result<()>>,
    /// Memory of what is in `frames` or still to come.
    reservation: Reservation,
    abandoned: bool,
}

impl Inbox {
    /// Asks for `start..end`, whose memory is `reservation`.
    pub(super) fn receive(source: &Arc<Source>, start: u64, end: u64, reservation: Reservation) -> RangeRequest {
        let state = State {
            frames: VecDeque::new(),
            position: start,
            received: start,
            ended: None,
            reservation,
            abandoned: false,
        };
        let inbox = Arc::new(Self { source: Arc::clone(source), state: Mutex::new(state), arrived: Notify::new() });
        let sink = InboxSink { inbox: Arc::clone(&inbox), wanted: start..end };
        let mut get = GetObject::new(&source.bucket, &source.key, sink);
        get.range = Some(ByteRange::At { start, length: end - start });
        get.if_match = source.etag.get().cloned();
        add(&source.counts.requests, 1);
        let gateway = source.gateway.clone();
        let ending = Arc::clone(&inbox);
        let task = tokio::spawn(async move {
            let ended = gateway.run(get).await.map(|_| ()).map_err(replaced);
            let counts = &ending.source.counts;
            add(&counts.ended, 1);
            add(&counts.replaced, u64::from(ended.as_ref().is_err_and(|failure| failure.kind() == ErrorKind::Changed)));
            ending.lock().ended = Some(ended);
            ending.arrived.notify_waiters();
        });
        RangeRequest { end, inbox, task: task.abort_handle() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until something has arrived that was not there at the time of the call, or the request has ended.
    ///
    /// # Errors
    /// The request's, once everything that arrived before it failed has been read.
    pub(super) async fn wait(&self) -> Result<()> {
        let arrived = self.arrived.notified();
        tokio::pin!(arrived);
        arrived.as_mut().enable();
        {
            let state = self.lock();
            if !state.frames.is_empty() {
                return Ok(());
            }
            if let Some(ended) = &state.ended {
                return ended.clone();
            }
        }
        arrived.await;
        Ok(())
    }
}

impl RangeRequest {
    /// The inbox, to wait for.
    pub(super) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// At most `at_most` bytes at `position`, where they have arrived. What lies before `position` is dropped.
    pub(super) fn take(&self, position: u64, at_most: usize) -> Option<Bytes> {
        let mut state = self.inbox.lock();
        while state.position < position {
            let unwanted = usize::try_from(position - state.position).unwrap_or(usize::MAX);
            let first = state.frames.front_mut()?;
            let skip = unwanted.min(first.len());
            let _ = first.split_to(skip);
            let emptied = first.is_empty();
            state.consumed(skip);
            add(&self.inbox.source.counts.skipped, skip as u64);
            if emptied {
                state.frames.pop_front();
            }
        }
        if state.position > position {
            return None;
        }
        let first = state.frames.front_mut()?;
        let taken = first.split_to(at_most.min(first.len()));
        if first.is_empty() {
            state.frames.pop_front();
        }
        state.consumed(taken.len());
        Some(taken)
    }

    /// Bytes that it holds or will hold.
    pub(super) fn reserved(&self) -> u64 {
        self.inbox.lock().reservation.bytes()
    }

    /// Where the bytes begin that were not read yet.
    pub(super) fn position(&self) -> u64 {
        self.inbox.lock().position
    }

    /// Every byte of the request, with the memory that they are in.
    pub(super) async fn all(&self) -> Result<(Vec<Bytes>, Reservation)> {
        loop {
            let arrived = self.inbox.arrived.notified();
            tokio::pin!(arrived);
            arrived.as_mut().enable();
            {
                let mut state = self.inbox.lock();
                if let Some(ended) = state.ended.clone() {
                    ended?;
                    return Ok((std::mem::take(&mut state.frames).into(), state.reservation.take()));
                }
            }
            arrived.await;
        }
    }
}

impl Drop for RangeRequest {
    fn drop(&mut self) {
        let mut state = self.inbox.lock();
        state.abandoned = true;
        let counts = &self.inbox.source.counts;
        add(&counts.discarded, state.frames.drain(..).map(|frame| frame.len() as u64).sum());
        let missing = self.end.saturating_sub(state.received);
        if missing > CHEAPER_TO_FINISH {
            self.task.abort();
            if state.ended.is_none() {
                add(&counts.given_up, 1);
                add(&counts.bytes_given_up, missing);
            }
        }
        let held = state.reservation.bytes();
        state.reservation.release(held);
        // Who waits for these bytes is to look again.
        state.ended.get_or_insert(Ok(()));
        drop(state);
        self.inbox.arrived.notify_waiters();
    }
}

impl State {
    fn consumed(&mut self, bytes: usize) {
        self.position += bytes as u64;
        self.reservation.release(bytes as u64);
    }
}

/// The condition was the reader's, not the caller's.
fn replaced(failure: Error) -> Error {
    if failure.kind() == ErrorKind::PreconditionFailed {
        failure.restated(ErrorKind::Changed, "the object was replaced after it was opened: open it again")
    } else {
        failure
    }
}

struct InboxSink {
    inbox: Arc<Inbox>,
    wanted: Range<u64>,
}

impl Sink for InboxSink {
    /// What was known of the object when it was opened may be wrong, and without an ETag nothing but this tells.
    fn head(&mut self, head: &ObjectHead) -> Result<(), Error> {
        let source = &self.inbox.source;
        let is_known = head.etag.as_ref().is_none_or(|etag| source.etag.get_or_init(|| etag.clone()) == etag);
        if is_known && head.length == source.length && head.range == self.wanted {
            return Ok(());
        }
        let message = format!(
            "the object is another one than was opened: {} bytes then, {} now; open it again",
            source.length, head.length
        );
        Err(Error::new(ErrorKind::Changed, message))
    }

    fn frame(&mut self, frame: Bytes) -> Result<(), Error> {
        let counts = &self.inbox.source.counts;
        add(&counts.received, frame.len() as u64);
        let mut state = self.inbox.lock();
        state.received += frame.len() as u64;
        if state.abandoned {
            add(&counts.discarded, frame.len() as u64);
        } else {
            state.frames.push_back(if self.wanted.end - self.wanted.start <= COPIED {
                Bytes::copy_from_slice(&frame)
            } else {
                frame
            });
            drop(state);
            self.inbox.arrived.notify_waiters();
        }
        Ok(())
    }
}
