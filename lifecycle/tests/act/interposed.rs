//! A transport that lets a test act before each request, and ends the process, as it were, at one of them.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::{BoxFuture, FutureExt};
use http::Method;
use s3core::http::{Endpoint, Limits, Request, Response, Transport};
use s3core::{Error, ErrorKind, Result};

use crate::support::environment;

/// What becomes of a request.
pub(crate) enum Fate {
    /// It is sent.
    Sent,
    /// The process ends before it is sent.
    DiesBefore,
    /// The process ends when it was carried out.
    DiesAfter,
    /// It is carried out, and the answer is lost on its way.
    AnswerLost,
}

type Hook = dyn Fn(usize, &Request) -> BoxFuture<'static, Fate> + Send + Sync;

/// Asks a hook before each request, which it numbers from zero.
#[derive(Clone)]
pub(crate) struct Interposed {
    inner: Arc<dyn Transport>,
    hook: Arc<Hook>,
    seen: Arc<AtomicUsize>,
    is_dead: Arc<AtomicBool>,
}

impl Interposed {
    pub(crate) fn new<F>(inner: Arc<dyn Transport>, hook: F) -> Self
    where
        F: Fn(usize, &Request) -> BoxFuture<'static, Fate> + Send + Sync + 'static,
    {
        Self { inner, hook: Arc::new(hook), seen: Arc::default(), is_dead: Arc::default() }
    }

    /// A process to which something happens right before its first DELETE.
    pub(crate) fn at_first_deletion(happens: impl Future<Output = ()> + Send + 'static) -> Self {
        let happens = Mutex::new(Some(happens.boxed()));
        Self::new(environment().transport, move |_, request| {
            let is_deletion = request.method == Method::DELETE;
            let happens = is_deletion.then(|| happens.lock().unwrap().take()).flatten();
            async move {
                if let Some(happens) = happens {
                    happens.await;
                }
                Fate::Sent
            }
            .boxed()
        })
    }

    /// A process whose requests are counted.
    pub(crate) fn counted() -> Self {
        Self::new(environment().transport, |_, _| async { Fate::Sent }.boxed())
    }

    /// How many requests have come so far.
    pub(crate) fn requests(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }

    /// Whether the process has ended at one of the requests.
    pub(crate) fn is_dead(&self) -> bool {
        self.is_dead.load(Ordering::SeqCst)
    }
}

impl Transport for Interposed {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        let (this, endpoint) = (self.clone(), endpoint.clone());
        async move {
            let end = || Error::new(ErrorKind::Interrupted, "the process has ended");
            if this.is_dead() {
                return Err(end());
            }
            match (this.hook)(this.seen.fetch_add(1, Ordering::SeqCst), &request).await {
                Fate::Sent => this.inner.send(&endpoint, request, limits).await,
                Fate::DiesBefore => {
                    this.is_dead.store(true, Ordering::SeqCst);
                    Err(end())
                }
                Fate::AnswerLost => {
                    drop(this.inner.send(&endpoint, request, limits).await);
                    Err(Error::new(ErrorKind::Disconnected, "the answer is lost"))
                }
                Fate::DiesAfter => {
                    let answer = this.inner.send(&endpoint, request, limits).await;
                    this.is_dead.store(true, Ordering::SeqCst);
                    drop(answer);
                    Err(end())
                }
            }
        }
        .boxed()
    }
}
