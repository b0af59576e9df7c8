//! Serves `/metrics` and `/health`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use super::Metrics;

const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const TEXT: &str = "text/plain; charset=utf-8";

/// Whoever sends nothing for so long is forgotten.
const PATIENCE: Duration = Duration::from_secs(30);

/// Answers on `listener` for ever.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>) {
    loop {
        // What fails here is the peer's, or passes.
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let metrics = Arc::clone(&metrics);
        tokio::spawn(async move {
            let answer = service_fn(move |request| {
                let answer = answer(&request, &metrics);
                async { Ok::<_, Infallible>(answer) }
            });
            let mut connection = http1::Builder::new();
            connection.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
            let _ = connection.serve_connection(TokioIo::new(stream), answer).await;
        });
    }
}

fn answer(request: &Request<Incoming>, metrics: &Metrics) -> Response<Full<Bytes>> {
    let (status, form, text) = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, METRICS, metrics.text()),
        (&Method::GET | &Method::HEAD, "/health") => (StatusCode::OK, TEXT, "at work\n".to_owned()),
        _ => (StatusCode::NOT_FOUND, TEXT, "ask for /metrics or /health\n".to_owned()),
    };
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    if let Ok(form) = form.parse() {
        response.headers_mut().insert(CONTENT_TYPE, form);
    }
    response
}
