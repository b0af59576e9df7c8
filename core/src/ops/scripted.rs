//! A transport that answers from a script, for tests of what operations ask for and how they read the answers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};

use crate::credentials::ProviderChain;
use crate::environment::{Environment, Random, SystemClock};
use crate::gateway::retry::RetryPolicy;
use crate::gateway::{Exchange, Gateway, GatewaySettings, RequestSettings};
use crate::http::{Endpoint, Limits, Request, Response, ResponseBody, Transport};
use crate::{Error, ErrorKind, Result};

/// One answer, or a failure in its place.
pub(super) enum Answer {
    Head { status: u16, headers: Vec<(&'static str, String)>, frames: Vec<Result<Bytes>> },
    Failure(ErrorKind),
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<Bytes>) -> Self {
        Self::Head { status, headers: Vec::new(), frames: vec![Ok(body.into())] }
    }

    /// As Radosgw tells of a failure.
    pub(super) fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>"))
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Head { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    /// The connection breaks after the body so far.
    pub(super) fn broken(mut self) -> Self {
        if let Self::Head { frames, .. } = &mut self {
            frames.push(Err(Error::new(ErrorKind::Disconnected, "broken")));
        }
        self
    }

    fn into_response(self) -> Result<Response> {
        match self {
            Self::Failure(kind) => Err(Error::new(kind, "scripted")),
            Self::Head { status, headers, frames } => Ok(Response {
                status: StatusCode::from_u16(status).unwrap(),
                headers: headers
                    .into_iter()
                    .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap()))
                    .collect::<HeaderMap>(),
                body: ResponseBody::new(stream::iter(frames)),
            }),
        }
    }
}

/// What a script saw.
pub(super) struct Played<T> {
    pub(super) outcome: Result<T>,
    pub(super) requests: Vec<Request>,
}

impl<T> Played<T> {
    /// Methods and paths of the requests.
    pub(super) fn lines(&self) -> Vec<String> {
        self.requests.iter().map(|request| format!("{} {}", request.method, request.path_and_query)).collect()
    }

    pub(super) fn header(&self, request: usize, name: &str) -> Option<&str> {
        self.requests[request].headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(super) fn body(&self, request: usize) -> String {
        let pieces = self.requests[request].payload.pieces().iter().map(|piece| match piece {
            crate::http::Piece::Memory(bytes) => bytes.clone(),
            crate::http::Piece::File { .. } => panic!("a test has no spilled bytes"),
        });
        String::from_utf8(pieces.collect::<Vec<_>>().concat()).unwrap()
    }
}

/// Runs an operation against these answers; all of them have to be asked for. Needs paused time.
pub(super) async fn play<E: Exchange>(exchange: E, answers: impl IntoIterator<Item = Answer>) -> Played<E::Output> {
    let script = Arc::new(Script { answers: Mutex::new(answers.into_iter().collect()), seen: Mutex::default() });
    let environment =
        Environment { clock: Arc::new(SystemClock), random: Arc::new(Even), transport: Arc::clone(&script) as _ };
    let outcome = Gateway::new(settings(), environment).run(exchange).await;
    assert!(script.answers.lock().unwrap().is_empty(), "the script was not played to its end");
    let requests = std::mem::take(&mut *script.seen.lock().unwrap());
    Played { outcome, requests }
}

struct Script {
    answers: Mutex<VecDeque<Answer>>,
    seen: Mutex<Vec<Request>>,
}

impl Transport for Script {
    fn send(&self, _: &Endpoint, request: Request, _: Limits) -> BoxFuture<'static, Result<Response>> {
        self.seen.lock().unwrap().push(request);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { answer.expect("more requests than the script has answers").into_response() })
    }
}

struct Even;

impl Random for Even {
    fn unit(&self) -> f64 {
        0.5
    }

    fn bits(&self) -> u128 {
        0
    }
}

pub(super) fn settings() -> GatewaySettings {
    GatewaySettings {
        endpoint: Endpoint { tls: false, host: "gateway".into(), port: 80 },
        endpoint_is_assumed: false,
        path_style: true,
        region: "us-east-1".into(),
        credentials: ProviderChain::anonymous(),
        limits: Limits {
            connect: Duration::from_secs(1),
            answer: Duration::from_secs(1),
            idle: Duration::from_secs(1),
        },
        retry: RetryPolicy::default(),
        user_agent: String::new(),
        requests: RequestSettings::default(),
    }
}
