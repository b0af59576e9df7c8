//! One request on one connection, and the head of its answer.

use std::sync::Arc;

use http::header::{CONTENT_LENGTH, HOST, PROXY_AUTHORIZATION, TRANSFER_ENCODING};
use http::{HeaderValue, Method, StatusCode};
use hyper::body::{Body, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::body::{AnswerBody, Progress, RequestBody};
use super::dial::Dialer;
use super::failure;
use super::http1::{Connection, Message};
use super::pool::Pool;
use super::proxy::ProxySettings;
use crate::http::{Endpoint, Limits, Request, Response, ResponseBody};
use crate::{Error, ErrorKind, Result};

/// Sends `request` on a free connection or a new one.
pub(super) async fn exchange(
    pool: Arc<Pool>,
    dialer: Arc<Dialer>,
    request: Request,
    limits: Limits,
) -> Result<Response> {
    let endpoint = &pool.endpoint;
    let progress = Progress::new(request.payload.len());
    let reader = pool.proxy.as_ref().filter(|proxy| proxy.reads_requests_to(endpoint));
    let mut message = message(endpoint, reader, &request, &progress)?;
    let lease = pool.lease(limits.answer).await?;
    let (connection, answer) = loop {
        let (mut connection, is_new) = match lease.reuse() {
            Some(connection) => (connection, false),
            None => (dialer.dial(endpoint, pool.proxy.as_ref(), limits.connect).await?, true),
        };
        // A connection that the gateway closed while nobody used it.
        if !is_new && !matches!(timeout(limits.connect, connection.ready()).await, Ok(Ok(()))) {
            continue;
        }
        match attempt(endpoint, &mut connection, message, &progress, limits).await {
            Ok(answer) => break (connection, answer),
            Err(Failure::Unsent { message: unsent, .. }) if !is_new => message = *unsent,
            Err(Failure::Unsent { cause, .. } | Failure::Unanswered(cause)) if !pool.has_answered() => {
                let is_tls_port = !endpoint.tls && pool.proxy.is_none() && Dialer::is_tls_port(endpoint).await;
                return Err(failure::never_answered(endpoint, is_tls_port, cause));
            }
            Err(Failure::Unsent { cause, .. } | Failure::Unanswered(cause)) => {
                return Err(failure::unanswered(endpoint, cause));
            }
            Err(Failure::Limit(error)) => return Err(error),
        }
    };
    if let Some(proxy) = reader
        && answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
    {
        return Err(proxy.refusal(endpoint, answer.status().as_u16()));
    }
    pool.answered();
    let (head, incoming) = answer.into_parts();
    let is_length_unknown = head.status.is_success()
        && request.method != Method::HEAD
        && incoming.size_hint().exact().is_none()
        && !head.headers.contains_key(TRANSFER_ENCODING);
    let endpoint = endpoint.clone();
    let held = (lease, connection);
    let body = AnswerBody::new(incoming, held, progress, endpoint, is_length_unknown, limits.idle);
    Ok(Response { status: head.status, headers: head.headers, body: ResponseBody::new(body) })
}

/// `reader`: the proxy that reads the request before the endpoint does.
fn message(
    endpoint: &Endpoint,
    reader: Option<&ProxySettings>,
    request: &Request,
    progress: &Arc<Progress>,
) -> Result<Message> {
    let defect = |part: &str, cause: http::Error| {
        Error::new(ErrorKind::Internal, format!("{part} is not valid in HTTP: {cause}"))
    };
    let target = match reader {
        None => request.path_and_query.clone(),
        Some(_) => format!("{endpoint}{}", request.path_and_query),
    };
    let mut message = hyper::Request::builder()
        .method(&request.method)
        .uri(target)
        .body(RequestBody::new(&request.payload, Arc::clone(progress)))
        .map_err(|cause| defect(&request.path_and_query, cause))?;
    let authority = endpoint.authority();
    let host = HeaderValue::from_str(&authority).map_err(|cause| defect(&authority, cause.into()))?;
    *message.headers_mut() = request.headers.clone();
    message.headers_mut().insert(HOST, host);
    if let Some(authorization) = reader.and_then(ProxySettings::authorization) {
        message.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    if !request.payload.is_empty() || matches!(request.method, Method::PUT | Method::POST) {
        message.headers_mut().insert(CONTENT_LENGTH, request.payload.len().into());
    }
    Ok(message)
}

enum Failure {
    /// Nothing of the request has left.
    Unsent { message: Box<Message>, cause: hyper::Error },
    /// Some of it may have arrived.
    Unanswered(hyper::Error),
    /// A limit has passed.
    Limit(Error),
}

async fn attempt(
    endpoint: &Endpoint,
    connection: &mut Connection,
    message: Message,
    progress: &Progress,
    limits: Limits,
) -> Result<hyper::Response<Incoming>, Failure> {
    progress.restart();
    let mut answer = std::pin::pin!(connection.send(message));
    let deadline = || progress.last() + if progress.is_sent() { limits.answer } else { limits.idle };
    // Which of the two limits counts changes while this waits, so it looks again after the shorter one.
    let shorter = limits.answer.min(limits.idle);
    loop {
        match timeout_at(deadline().min(Instant::now() + shorter), &mut answer).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(mut failed)) => {
                let message = failed.take_message();
                let cause = failed.into_error();
                return Err(match message {
                    Some(message) => Failure::Unsent { message: Box::new(message), cause },
                    None => Failure::Unanswered(cause),
                });
            }
            Err(_) if deadline() > Instant::now() => {}
            Err(_) if progress.is_sent() => {
                return Err(Failure::Limit(failure::answer_timed_out(endpoint, limits.answer)));
            }
            Err(_) => return Err(Failure::Limit(failure::request_stalled(endpoint, limits.idle))),
        }
    }
}
