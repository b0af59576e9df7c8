//! Bodies in both directions: what is left to send, and bytes as they arrive.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures::stream::Stream;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use super::failure;
use super::http1::Connection;
use super::pool::Lease;
use crate::Result;
use crate::http::payload::PayloadBody;
use crate::http::{Endpoint, Payload};

/// How much of a request's body the connection has yet to take, and when it last took some.
pub(super) struct Progress {
    remaining: AtomicU64,
    start: Instant,
    /// Nanoseconds after `start`.
    last: AtomicU64,
}

impl Progress {
    pub(super) fn new(length: u64) -> Arc<Self> {
        Arc::new(Self { remaining: AtomicU64::new(length), start: Instant::now(), last: AtomicU64::new(0) })
    }

    pub(super) fn is_sent(&self) -> bool {
        self.remaining.load(Ordering::Acquire) == 0
    }

    pub(super) fn last(&self) -> Instant {
        self.start + Duration::from_nanos(self.last.load(Ordering::Acquire))
    }

    /// The limits begin now: the time until here went into getting a connection.
    pub(super) fn restart(&self) {
        let now = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.last.store(now, Ordering::Release);
    }

    fn took(&self, bytes: usize) {
        self.restart();
        self.remaining.fetch_sub(bytes as u64, Ordering::AcqRel);
    }
}

/// A payload on its way out, without a copy.
pub(super) struct RequestBody {
    payload: PayloadBody,
    progress: Arc<Progress>,
}

impl RequestBody {
    pub(super) fn new(payload: &Payload, progress: Arc<Progress>) -> Self {
        Self { payload: PayloadBody::new(payload), progress }
    }
}

impl Body for RequestBody {
    type Data = Piece;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Piece>>>> {
        let this = &mut *self;
        let frame = ready!(Pin::new(&mut this.payload).poll_frame(context));
        let progress = &this.progress;
        Poll::Ready(
            frame.map(|frame| {
                frame.map(|frame| frame.map_data(|bytes| Piece { bytes, progress: Arc::clone(progress) }))
            }),
        )
    }

    fn is_end_stream(&self) -> bool {
        self.payload.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.payload.size_hint()
    }
}

/// Bytes that tell how much of them has been taken.
pub(super) struct Piece {
    bytes: Bytes,
    progress: Arc<Progress>,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn chunks_vectored<'a>(&'a self, slices: &mut [IoSlice<'a>]) -> usize {
        self.bytes.chunks_vectored(slices)
    }

    fn advance(&mut self, count: usize) {
        self.bytes.advance(count);
        self.progress.took(count);
    }
}

/// The body of an answer. Holds the connection until the body has been read to its end.
pub(super) struct AnswerBody {
    incoming: Incoming,
    /// Gone once the body has ended.
    held: Option<(Lease, Connection)>,
    progress: Arc<Progress>,
    endpoint: Endpoint,
    received: u64,
    /// Set where only the end of the connection ends the body, so that a cut cannot be told from the end.
    is_length_unknown: bool,
    idle_limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl AnswerBody {
    pub(super) fn new(
        incoming: Incoming,
        held: (Lease, Connection),
        progress: Arc<Progress>,
        endpoint: Endpoint,
        is_length_unknown: bool,
        idle_limit: Duration,
    ) -> Self {
        let mut body = Self {
            incoming,
            held: Some(held),
            progress,
            endpoint,
            received: 0,
            is_length_unknown,
            idle_limit,
            timer: None,
        };
        body.end_if_complete();
        body
    }

    /// Gives the connection back once the last byte is here, even when nobody asks for what follows it.
    fn end_if_complete(&mut self) {
        if self.incoming.is_end_stream() {
            self.end();
        }
    }

    fn end(&mut self) {
        if let Some((lease, connection)) = self.held.take() {
            // An answer that came before the request was out leaves the rest of it on the connection.
            if self.progress.is_sent() {
                lease.give_back(connection);
            }
        }
    }

    fn broken(&mut self, error: crate::Error) -> Poll<Option<Result<Bytes>>> {
        self.held = None;
        Poll::Ready(Some(Err(error)))
    }
}

impl Stream for AnswerBody {
    type Item = Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        loop {
            let Some((_, connection)) = &mut this.held else {
                return Poll::Ready(None);
            };
            match connection.poll_frame(&mut this.incoming, context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.timer = None;
                    let Ok(bytes) = frame.into_data() else {
                        continue;
                    };
                    this.received += bytes.len() as u64;
                    this.end_if_complete();
                    return Poll::Ready(Some(Ok(bytes)));
                }
                Poll::Ready(Some(Err(cause))) => {
                    let error = failure::body_cut(&this.endpoint, this.received, cause);
                    return this.broken(error);
                }
                Poll::Ready(None) if this.is_length_unknown => {
                    let error = failure::length_unknown(&this.endpoint);
                    return this.broken(error);
                }
                Poll::Ready(None) => {
                    this.end();
                    return Poll::Ready(None);
                }
                Poll::Pending => {
                    let limit = this.idle_limit;
                    let timer = this.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
                    if timer.as_mut().poll(context).is_pending() {
                        return Poll::Pending;
                    }
                    let error = failure::body_stalled(&this.endpoint, this.received, limit);
                    return this.broken(error);
                }
            }
        }
    }
}
