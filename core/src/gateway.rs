//! Sends operations to a gateway: signs each attempt, decides about the next one, counts.
//!
//! An operation is an [`Exchange`]: it makes a request and reads the answer. [`Gateway::run`] owns the only loop over
//! attempts in this crate; what it decides comes from [`retry`], a state machine without I/O.

pub mod audit;
pub mod capabilities;
mod cure;
pub mod encrypting;
mod exchange;
mod request_settings;
pub mod retry;
mod settings;
pub mod statistics;
mod watcher;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::header::REFERER;

use crate::credentials::CredentialCache;
use crate::environment::{Clock, CorrectedClock, Environment};
use crate::http::Limits;
use crate::sign::Signer;
use crate::{Error, Result};

use audit::{Auditor, Span};
use capabilities::Capabilities;
use cure::{Attempt, Cure};
use encrypting::Encrypting;
use request_settings::RequestHeaders;
use retry::{FirstContact, RetryState, Verdict};
use statistics::Statistics;
use watcher::Change;

pub use exchange::{Exchange, OperationRequest};
pub use request_settings::{Concern, CustomerKey, Encryption, RequestSettings};
pub use settings::GatewaySettings;
pub use watcher::Watcher;

/// Header with the name that a gateway gives to a request: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html>.
pub const REQUEST_ID: &str = "x-amz-request-id";

/// A connection to one S3 service. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Gateway {
    shared: Arc<Shared>,
    statistics: Statistics,
    /// When the operation began that this one is a part of: settling shares the time of what is settled.
    began: Option<Instant>,
    /// The call that its requests are sent for.
    span: Option<Arc<Span>>,
}

struct Shared {
    settings: GatewaySettings,
    environment: Environment,
    /// The clock of the environment.
    clock: Arc<CorrectedClock>,
    credentials: CredentialCache,
    signer: Signer,
    auditor: Option<Arc<Auditor>>,
    /// Or why the settings cannot be headers.
    request_headers: Result<RequestHeaders>,
    capabilities: Capabilities,
    encrypting: Encrypting,
    has_answered: AtomicBool,
    first_contact: Mutex<FirstContact>,
    watcher: Option<Arc<dyn Watcher>>,
}

impl Gateway {
    /// A gateway that is reached as `settings` say. Nothing is sent.
    pub fn new(settings: GatewaySettings, environment: Environment) -> Self {
        Self::watched(settings, environment, None)
    }

    /// A gateway that tells `watcher` which objects it changes; it is used for one bucket.
    pub fn watched(settings: GatewaySettings, environment: Environment, watcher: Option<Arc<dyn Watcher>>) -> Self {
        let signer = Signer::new(&settings);
        let request_headers = RequestHeaders::new(&settings.requests);
        let audit = settings.requests.audit.clone();
        let auditor = audit.map(|audit| Arc::new(Auditor::new(audit, environment.random.bits())));
        let clock = Arc::new(CorrectedClock::new(Arc::clone(&environment.clock)));
        let environment = Environment { clock: Arc::clone(&clock) as _, ..environment };
        let GatewaySettings { credentials, endpoint, limits, .. } = &settings;
        let credentials = CredentialCache::new(credentials, &environment, endpoint, &clock, *limits);
        let capabilities = Capabilities::new(Arc::clone(&environment.clock));
        let encrypting = Encrypting::new(&settings.requests.encryption, Arc::clone(&environment.clock));
        Self {
            shared: Arc::new(Shared {
                settings,
                environment,
                clock,
                credentials,
                signer,
                auditor,
                request_headers,
                capabilities,
                encrypting,
                has_answered: AtomicBool::new(false),
                first_contact: Mutex::default(),
                watcher,
            }),
            statistics: Statistics::default(),
            began: None,
            span: None,
        }
    }

    /// The same gateway, with counts of its own: they begin at zero, and everything is counted in those of `self`, too.
    pub(crate) fn counted_apart(&self) -> Self {
        Self { statistics: self.statistics.part(), ..self.clone() }
    }

    /// The same gateway for one call of the host language's on these paths (`s3a://bucket/key`), which its requests name
    /// in their Referer header. `operation` is S3A's name for the call, `op_rename`.
    #[must_use]
    pub fn for_call(&self, operation: &'static str, paths: &[&str]) -> Self {
        let span = |auditor: &Arc<Auditor>| Arc::new(auditor.span(operation, paths, self.shared.clock.wall()));
        Self { span: self.shared.auditor.as_ref().map(span), ..self.clone() }
    }

    /// Whether calls are told to the gateway's log.
    pub fn is_audited(&self) -> bool {
        self.shared.auditor.is_some()
    }

    /// Runs `exchange` until it succeeds or the retry policy gives up.
    ///
    /// # Errors
    /// The last attempt's, with operation, bucket and key named.
    pub async fn run<E: Exchange>(&self, mut exchange: E) -> Result<E::Output> {
        let now = self.shared.environment.clock.monotonic();
        let started = self.began.unwrap_or_else(|| self.approach(now));
        let mut state = RetryState::new(&self.shared.settings.retry, started);
        let within = Self { began: Some(started), ..self.clone() };
        exchange.prepare(&within).await?;
        let mut progress = 0;
        let mut cured = Vec::new();
        loop {
            let (failure, cure) = match self.attempt(&mut exchange).await {
                Ok(output) => return Ok(output),
                Err((failure, cure)) => (self.shared.settings.doubt_endpoint(failure), cure),
            };
            if let Some(cure) = cure.filter(|cure| !cured.contains(cure)) {
                tracing::debug!(%failure, ?cure, "trying again");
                self.statistics.retried(exchange.operation());
                cured.push(cure);
                if cure == Cure::Keys {
                    self.shared.credentials.renewed().await;
                }
                continue;
            }
            state.progressed(exchange.progress().saturating_sub(progress), self.shared.environment.clock.monotonic());
            progress = exchange.progress();
            let failure = self.pause(&mut state, &exchange, failure).await?;
            // Nothing is sent again before it is known what became of it.
            loop {
                match exchange.settle(&within, &failure).await {
                    Ok(Some(output)) => return Ok(output),
                    Ok(None) => break,
                    Err(unsettled) => self.pause(&mut state, &exchange, unsettled).await?,
                };
            }
        }
    }

    /// Waits before the next attempt; gives the failure back, with operation and place, or as the error that it is
    /// where there is no further attempt.
    async fn pause<E: Exchange>(&self, state: &mut RetryState, exchange: &E, failure: Error) -> Result<Error> {
        let Self { statistics, .. } = self;
        let environment = self.environment();
        state.wait_as_long_as(exchange.patience(self.shared.settings.retry.patience));
        let verdict =
            state.after(&failure, self.has_answered(), environment.clock.monotonic(), environment.random.unit());
        let (bucket, key) = exchange.place();
        let failure = failure.during(exchange.operation()).at(bucket, key);
        let Verdict::Again { after } = verdict else {
            statistics.failed(exchange.operation());
            return Err(failure);
        };
        tracing::debug!(%failure, pause = ?after, "trying again");
        statistics.retried(exchange.operation());
        environment.clock.sleep(after).await;
        Ok(failure)
    }

    /// One attempt. A failure comes with what was changed since, where that makes the next one promising.
    async fn attempt<E: Exchange>(&self, exchange: &mut E) -> Result<E::Output, (Error, Option<Cure>)> {
        let shared = &*self.shared;
        let fail = |error| (error, None);
        let mut request = exchange.request().map_err(fail)?;
        shared
            .request_headers
            .as_ref()
            .map_err(|error| fail(error.clone()))?
            .add_to(&mut request.headers, request.concern);
        let keys = shared.credentials.current().await.map_err(fail)?;
        let _change = Change::of(self, &request);
        let concern = request.concern;
        let referrer = self.span.as_ref().and_then(|span| span.referrer(&request));
        let sent = request.payload.len();
        let limits = self.limits(shared.clock.monotonic());
        let endpoint = shared.signer.endpoint(&request.bucket);
        let mut signed = shared.signer.sign(request, keys.identity(), shared.clock.wall()).map_err(fail)?;
        if let Some(referrer) = referrer {
            // Not signed: proxies may shorten it.
            signed.headers.insert(REFERER, referrer);
        }
        self.statistics.sending(exchange.operation(), sent);
        let response = shared.environment.transport.send(&endpoint, signed, limits).await.map_err(fail)?;
        // The page of a proxy that finds no gateway is no answer: it has neither a request id nor a code of S3.
        if response.headers.contains_key(REQUEST_ID) {
            shared.has_answered.store(true, Ordering::Relaxed);
        }
        let checked = shared.settings.requests.check(&response, concern);
        let attempt = Attempt::new(keys, &response, &shared.clock);
        let outcome = exchange.read(self.statistics.counting(exchange.operation(), response)).await;
        if outcome.as_ref().map_or_else(|failure| failure.service_code().is_some(), |_| true) {
            shared.has_answered.store(true, Ordering::Relaxed);
        }
        match (outcome, checked) {
            (Ok(output), Ok(())) => Ok(output),
            (Ok(output), Err(failure)) => {
                exchange.undo(self, output).await;
                Err(fail(failure))
            }
            (Err(failure), _) => {
                let cure = attempt.cure(&failure, &shared.clock, &shared.credentials);
                let explained = shared.settings.requests.explain(failure, concern, endpoint.tls);
                Err((attempt.keys.blame(explained), cure))
            }
        }
    }

    /// When the time of an operation that begins `now` began.
    fn approach(&self, now: Instant) -> Instant {
        if self.has_answered() {
            return now;
        }
        self.shared.first_contact.lock().unwrap_or_else(PoisonError::into_inner).approach(now)
    }

    /// Deadlines of an attempt at `now`: shorter ones until the endpoint has answered once, since a wrong address is a
    /// mistake that its user waits for.
    fn limits(&self, now: Instant) -> Limits {
        let usual = self.shared.settings.limits;
        if self.has_answered() {
            return usual;
        }
        self.approach(now);
        let contact = self.shared.first_contact.lock().unwrap_or_else(PoisonError::into_inner);
        let at_most = contact.longest_attempt(&self.shared.settings.retry, now);
        Limits { connect: usual.connect.min(at_most), answer: usual.answer.min(at_most), idle: usual.idle.min(at_most) }
    }

    /// Whether the endpoint has answered any request of this process yet: patience begins with its first answer.
    pub fn has_answered(&self) -> bool {
        self.shared.has_answered.load(Ordering::Relaxed)
    }

    /// Counts of requests, retries and bytes so far.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// What this gateway has been seen to honour.
    pub fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    /// Whether it is to encrypt, and has been seen to.
    pub fn encrypting(&self) -> &Encrypting {
        &self.shared.encrypting
    }

    /// How it is reached.
    pub fn settings(&self) -> &GatewaySettings {
        &self.shared.settings
    }

    /// Clock, randomness and transport.
    pub fn environment(&self) -> &Environment {
        &self.shared.environment
    }
}
