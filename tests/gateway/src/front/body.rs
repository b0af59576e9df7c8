//! Bodies on their way in and out, where bytes are counted, held back, changed and cut off.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use s3s::{Body, StdError};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use crate::faults::{Action, Hit};
use crate::pace::{Direction, Pace};
use crate::requests::Entry;

/// The largest piece sent at once when the bandwidth is limited, so that the rate is even.
const PACED_PIECE: usize = 64 * 1024;

/// The body of an answer.
pub(crate) struct ResponseBody {
    inner: Body,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
    fault: Option<Hit>,
    /// Read from `inner` and not sent yet.
    pending: Bytes,
    /// The next piece of `pending` may go when this has passed.
    wait: Option<Pin<Box<Sleep>>>,
    /// The bandwidth is granted for this many bytes of `pending`.
    granted: usize,
    sent: u64,
    /// Lets the head go out on its own before the first piece.
    split: bool,
    cut: Option<Hit>,
}

impl ResponseBody {
    pub(crate) fn new(inner: Body, entry: Arc<Entry>, pace: Arc<Pace>, fault: Option<Hit>, split: bool) -> Self {
        Self { inner, entry, pace, fault, pending: Bytes::new(), wait: None, granted: 0, sent: 0, split, cut: None }
    }

    /// How many bytes may go before the fault acts; none when there is no fault to come.
    fn distance_to_fault(&self) -> Option<usize> {
        let at = match self.fault.as_ref()?.action {
            Action::CutBody { after } | Action::StallBody { after, .. } => after,
            Action::CorruptBody { at } => at,
            _ => return None,
        };
        at.checked_sub(self.sent).and_then(|distance| usize::try_from(distance).ok())
    }

    /// Acts on the byte that is next in `pending`.
    fn act(&mut self) {
        let Some(hit) = self.fault.take() else { return };
        self.entry.set_fault(hit.action.name());
        match hit.action {
            Action::CutBody { .. } => {
                // Time for what was handed over so far to reach the client.
                self.wait = Some(Box::pin(tokio::time::sleep(Duration::from_millis(20))));
                self.cut = Some(hit);
                return;
            }
            Action::StallBody { duration, .. } => {
                self.wait = Some(Box::pin(tokio::time::sleep(duration)));
            }
            Action::CorruptBody { .. } => {
                let mut changed = BytesMut::from(&*self.pending);
                if let Some(byte) = changed.first_mut() {
                    *byte = !*byte;
                }
                self.pending = changed.freeze();
            }
            _ => {}
        }
        hit.count();
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = StdError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        if std::mem::take(&mut this.split) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        loop {
            if let Some(wait) = &mut this.wait {
                ready!(wait.as_mut().poll(context));
                this.wait = None;
            }
            if let Some(hit) = this.cut.take() {
                hit.count();
                return Poll::Ready(Some(Err(io::Error::other("the body is cut on purpose").into())));
            }
            if this.granted > 0 {
                let piece = this.pending.split_to(this.granted);
                this.granted = 0;
                this.sent += piece.len() as u64;
                this.entry.add_sent(piece.len());
                return Poll::Ready(Some(Ok(Frame::data(piece))));
            }
            if this.pending.is_empty() {
                let frame = match ready!(Pin::new(&mut this.inner).poll_frame(context)) {
                    None => return Poll::Ready(None),
                    Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                    Some(Ok(frame)) => frame,
                };
                match frame.into_data() {
                    Ok(data) => this.pending = data,
                    Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
                }
                continue;
            }
            if this.distance_to_fault() == Some(0) {
                this.act();
                continue;
            }
            let mut length = this.pending.len();
            if let Some(distance) = this.distance_to_fault() {
                length = length.min(distance);
            }
            if this.pace.is_limited() {
                length = length.min(PACED_PIECE);
                this.wait = this.pace.grant(Direction::Out, length).map(sleep_until);
            }
            this.granted = length;
        }
    }

    fn is_end_stream(&self) -> bool {
        self.pending.is_empty() && self.cut.is_none() && !self.split && self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let inner = HttpBody::size_hint(&self.inner);
        let pending = self.pending.len() as u64;
        let mut hint = SizeHint::new();
        hint.set_lower(inner.lower() + pending);
        if let Some(upper) = inner.upper() {
            hint.set_upper(upper + pending);
        }
        hint
    }
}

/// The body of a request. What the service leaves unread comes back through `give_back`.
pub(crate) struct RequestBody {
    inner: Option<Incoming>,
    entry: Arc<Entry>,
    pace: Arc<Pace>,
    fault: Option<Hit>,
    arrived: u64,
    /// A piece that the bandwidth does not allow yet.
    held: Option<(Pin<Box<Sleep>>, Bytes)>,
    give_back: Option<oneshot::Sender<Self>>,
}

impl RequestBody {
    pub(crate) fn new(
        inner: Incoming,
        entry: Arc<Entry>,
        pace: Arc<Pace>,
        fault: Option<Hit>,
        give_back: oneshot::Sender<Self>,
    ) -> Self {
        Self { inner: Some(inner), entry, pace, fault, arrived: 0, held: None, give_back: Some(give_back) }
    }

    fn corrupt(&mut self, data: Bytes) -> Bytes {
        let start = self.arrived - data.len() as u64;
        let index = self.fault.as_ref().and_then(|hit| match hit.action {
            Action::CorruptUpload { at } => usize::try_from(at.checked_sub(start)?).ok(),
            _ => None,
        });
        let mut changed = BytesMut::from(data);
        if let Some(byte) = index.and_then(|index| changed.get_mut(index)) {
            *byte = !*byte;
            if let Some(hit) = self.fault.take() {
                self.entry.set_fault(hit.action.name());
                hit.count();
            }
        }
        changed.freeze()
    }
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let this = self.get_mut();
        loop {
            if let Some((wait, data)) = &mut this.held {
                ready!(wait.as_mut().poll(context));
                let data = std::mem::take(data);
                this.held = None;
                return Poll::Ready(Some(Ok(Frame::data(data))));
            }
            let Some(inner) = &mut this.inner else {
                return Poll::Ready(None);
            };
            let frame = match ready!(Pin::new(inner).poll_frame(context)) {
                Some(Ok(frame)) => frame,
                other => return Poll::Ready(other),
            };
            let mut data = match frame.into_data() {
                Ok(data) => data,
                Err(trailers) => return Poll::Ready(Some(Ok(trailers))),
            };
            this.entry.add_received(data.len());
            this.arrived += data.len() as u64;
            if this.fault.is_some() {
                data = this.corrupt(data);
            }
            let until = if this.pace.is_limited() { this.pace.grant(Direction::In, data.len()) } else { None };
            match until {
                Some(until) => this.held = Some((sleep_until(until), data)),
                None => return Poll::Ready(Some(Ok(Frame::data(data)))),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.held.is_none() && self.inner.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let held = self.held.as_ref().map_or(0, |(_, data)| data.len() as u64);
        match self.inner.as_ref().map(HttpBody::size_hint) {
            Some(hint) if held == 0 => hint,
            hint => hint
                .and_then(|hint| hint.exact())
                .map_or_else(SizeHint::default, |exact| SizeHint::with_exact(exact + held)),
        }
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let unread = self.inner.take().filter(|inner| !inner.is_end_stream());
        if let (Some(inner), Some(give_back)) = (unread, self.give_back.take()) {
            let rest = Self {
                inner: Some(inner),
                entry: Arc::clone(&self.entry),
                pace: Arc::clone(&self.pace),
                fault: None,
                arrived: self.arrived,
                held: None,
                give_back: None,
            };
            // Nobody waits for it when the connection is gone.
            let _ = give_back.send(rest);
        }
    }
}

fn sleep_until(time: Instant) -> Pin<Box<Sleep>> {
    Box::pin(tokio::time::sleep_until(time))
}
