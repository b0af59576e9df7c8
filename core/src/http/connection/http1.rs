//! One HTTP/1.1 connection, driven by whoever waits for its answer.
//!
//! hyper leaves reading and writing to a future of its own. Polling it where the answer is awaited, instead of in a
//! task beside, spares two switches between threads per frame of a body, and the bytes are still in the cache of the
//! processor that copies them on.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::task::noop_waker_ref;
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http1};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::body::RequestBody;

/// A request as hyper takes it.
pub(super) type Message = hyper::Request<RequestBody>;

/// An open connection. Dropping it closes it, whatever is under way on it.
pub(super) struct Connection {
    sender: http1::SendRequest<RequestBody>,
    driver: Driver,
}

impl Connection {
    /// Speaks HTTP on `stream`.
    pub(super) async fn new<S>(stream: S) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        let (sender, driver) = http1::Builder::new().handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Driver { running: Some(Box::pin(driver)) } })
    }

    /// Whether a request can be sent, as far as one look at the socket tells. Ends what can be ended at once.
    pub(super) fn is_open(&mut self) -> bool {
        self.driver.poll(&mut Context::from_waker(noop_waker_ref()));
        self.driver.running.is_some()
    }

    /// Waits until a request can be sent.
    pub(super) async fn ready(&mut self) -> hyper::Result<()> {
        let Self { sender, driver } = self;
        std::future::poll_fn(|context| {
            driver.poll(context);
            sender.poll_ready(context)
        })
        .await
    }

    /// Sends `message` and waits for the head of the answer.
    pub(super) async fn send(&mut self, message: Message) -> Result<hyper::Response<Incoming>, TrySendError<Message>> {
        let Self { sender, driver } = self;
        let mut answer = std::pin::pin!(sender.try_send_request(message));
        std::future::poll_fn(|context| driver.poll_until(context, |context| answer.as_mut().poll(context))).await
    }

    /// The next frame of an answer's body.
    pub(super) fn poll_frame(
        &mut self,
        incoming: &mut Incoming,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<hyper::body::Frame<bytes::Bytes>>>> {
        self.driver.poll_until(context, |context| hyper::body::Body::poll_frame(Pin::new(incoming), context))
    }
}

/// Reads and writes the socket.
struct Driver {
    /// Gone once the connection has ended. What waits for it is told when it is dropped.
    running: Option<Pin<Box<dyn Future<Output = hyper::Result<()>> + Send>>>,
}

impl Driver {
    fn poll(&mut self, context: &mut Context<'_>) {
        if let Some(running) = &mut self.running
            && let Poll::Ready(outcome) = running.as_mut().poll(context)
        {
            self.running = None;
            if let Err(cause) = outcome {
                tracing::trace!(%cause, "a connection ended");
            }
        }
    }

    /// Looks for what is awaited, drives the connection where it is not there yet, and looks again.
    fn poll_until<T>(
        &mut self,
        context: &mut Context<'_>,
        mut awaited: impl FnMut(&mut Context<'_>) -> Poll<T>,
    ) -> Poll<T> {
        if let Poll::Ready(found) = awaited(context) {
            return Poll::Ready(found);
        }
        self.poll(context);
        awaited(context)
    }
}
