//! The HTTP layer around the `s3s` service: counting, faults, slowness, and the quirks of which
//! the typed layer knows nothing.

pub(crate) mod body;
pub(crate) mod rewrite;
pub(crate) mod summary;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use s3s::Body;
use s3s::service::S3Service;
use tokio::sync::oneshot;

use crate::faults::{Action, Faults, Hit};
use crate::front::body::{RequestBody, ResponseBody};
use crate::front::rewrite::rewrite;
use crate::front::summary::Summary;
use crate::lifecycle::Lifecycles;
use crate::pace::Pace;
use crate::quirks::Quirks;
use crate::requests::{Entry, Requests};
use crate::server::connection::Control;

/// Everything between a connection and the `s3s` service.
pub(crate) struct Front {
    pub(crate) service: S3Service,
    pub(crate) quirks: Quirks,
    pub(crate) faults: Faults,
    pub(crate) requests: Arc<Requests>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) lifecycles: Arc<Lifecycles>,
    pub(crate) next_request_id: AtomicU64,
}

/// Ends the connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is closed on purpose")]
pub(crate) struct ConnectionClosed;

impl Front {
    pub(crate) async fn handle(
        &self,
        control: &Arc<Control>,
        request: Request<Incoming>,
    ) -> Result<Response<ResponseBody>, ConnectionClosed> {
        let summary = Summary::new(request.method(), request.uri(), request.headers());
        let operation = summary.operation;
        self.lifecycles.run_if_due(&summary.bucket);
        let hit = self.faults.decide(&summary);
        let entry = self.requests.begin(summary);
        self.pace.delay().await;

        let hit = match hit {
            Some(hit) if hit.before_the_request() => {
                hit.count();
                entry.set_fault(hit.action.name());
                match &hit.action {
                    Action::Stall { duration } => tokio::time::sleep(*duration).await,
                    Action::Reset => {
                        control.reset();
                        return Err(ConnectionClosed);
                    }
                    Action::Error { status, code, retry_after } => {
                        let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                        let mut answer = error_answer(status, code);
                        if let Some(seconds) = retry_after {
                            answer.headers_mut().insert(header::RETRY_AFTER, (*seconds).into());
                        }
                        return Ok(self.refuse(request, answer, entry, control).await);
                    }
                    Action::ErrorInBody { code } => {
                        let answer = error_answer(StatusCode::OK, code);
                        return Ok(self.refuse(request, answer, entry, control).await);
                    }
                    _ => {}
                }
                None
            }
            other => other,
        };

        let expects_continue = request.headers().contains_key(header::EXPECT);
        let (give_back, unread) = oneshot::channel();
        let (upload_fault, hit) = match hit {
            Some(hit) if matches!(hit.action, Action::CorruptUpload { .. }) => (Some(hit), None),
            other => (None, other),
        };
        let request = request.map(|body| {
            let body = RequestBody::new(body, Arc::clone(&entry), Arc::clone(&self.pace), upload_fault, give_back);
            Body::http_body_unsync(body)
        });
        let answer = self.service.call(request).await.map_err(|_| ConnectionClosed)?;
        entry.carried_out(&answer);
        let answer = rewrite(answer, operation, self.quirks).await;
        // A client in the midst of sending would not see the answer if the connection were closed.
        if !expects_continue {
            drain(unread).await;
        }

        match hit {
            Some(hit) if hit.action == Action::LoseReply => {
                hit.count();
                entry.set_fault(hit.action.name());
                Err(ConnectionClosed)
            }
            hit => Ok(self.finish(answer, entry, hit, control)),
        }
    }

    /// Reads the request to its end, so that the client is sure to see the answer.
    async fn refuse(
        &self,
        request: Request<Incoming>,
        answer: Response<Body>,
        entry: Arc<Entry>,
        control: &Arc<Control>,
    ) -> Response<ResponseBody> {
        if !request.headers().contains_key(header::EXPECT) {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = body.frame().await {
                entry.add_received(frame.data_ref().map_or(0, Bytes::len));
            }
        }
        self.finish(answer, entry, None, control)
    }

    fn finish(
        &self,
        mut answer: Response<Body>,
        entry: Arc<Entry>,
        hit: Option<Hit>,
        control: &Arc<Control>,
    ) -> Response<ResponseBody> {
        entry.set_status(answer.status().as_u16());
        self.identify(answer.headers_mut());
        let pace = Arc::clone(&self.pace);
        let split = control.splits_answers();
        answer.map(|body| ResponseBody::new(body, entry, pace, hit, split))
    }

    fn identify(&self, headers: &mut HeaderMap) {
        let number = self.next_request_id.fetch_add(1, Ordering::Relaxed);
        let id = match self.quirks {
            Quirks::Aws => format!("{number:016X}"),
            _ => format!("tx{number:021x}-default"),
        };
        if let Ok(value) = HeaderValue::from_str(&id) {
            headers.insert("x-amz-request-id", value);
        }
    }
}

impl Hit {
    fn before_the_request(&self) -> bool {
        matches!(self.action, Action::Error { .. } | Action::ErrorInBody { .. } | Action::Reset | Action::Stall { .. })
    }
}

fn error_answer(status: StatusCode, code: &str) -> Response<Body> {
    let xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>injected fault</Message></Error>"
    );
    let mut answer = Response::new(Body::from(xml));
    *answer.status_mut() = status;
    let content_type = HeaderValue::from_static("application/xml");
    answer.headers_mut().insert(header::CONTENT_TYPE, content_type);
    answer
}

async fn drain(mut unread: oneshot::Receiver<RequestBody>) {
    if let Ok(mut body) = unread.try_recv() {
        while let Some(Ok(_)) = body.frame().await {}
    }
}
