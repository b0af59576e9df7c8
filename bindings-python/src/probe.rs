//! What doctor measures: whether the endpoint answers, what its clock says, and how much memory buffers may take.

use std::time::{Duration, Instant};

use http::{HeaderMap, Method};
use pyo3::prelude::*;
use s3core::ErrorKind;
use s3core::environment::container_memory_limit;
use s3core::http::{Limits, Payload, Request};
use s3core::ops::ListObjectsV2;
use s3core::transfer::budget::MemoryBudget;

use crate::configuration::{Pair, resolve, with_anonymous};
use crate::errors::exception;
use crate::process::Process;
use crate::wait::wait;

/// Somebody waits for the answer; a gateway that is slower than this is not usable.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends one unsigned request. Answers the endpoint, the seconds to the head of the second answer (the first one pays
/// for the connection), the HTTP status and the `Date` header.
#[pyfunction]
pub(crate) fn probe(
    py: Python<'_>,
    bucket: &str,
    options: Vec<Pair>,
    hadoop: Vec<Pair>,
) -> PyResult<(String, f64, u16, Option<String>)> {
    let options = match resolve(bucket, options.clone(), hadoop.clone()) {
        Err(error) if error.kind() == ErrorKind::NoCredentials => resolve(bucket, with_anonymous(options), hadoop),
        settings => settings,
    };
    let options = options.map_err(|error| exception(py, &error))?;
    let process = Process::current(py)?;
    let environment = process.environment(&options)?;
    let endpoint = options.gateway.endpoint;
    let limits = Limits { connect: PATIENCE, answer: PATIENCE, idle: PATIENCE };
    let ask = || {
        let request = Request {
            method: Method::GET,
            path_and_query: "/".to_owned(),
            headers: HeaderMap::new(),
            payload: Payload::empty(),
        };
        environment.transport.send(&endpoint, request, limits)
    };
    let (seconds, status, date) = wait(py, process, async {
        // The whole answer is read, so that the connection serves the second request.
        ask().await?.body.collect(1 << 20).await?;
        let begin = Instant::now();
        let response = ask().await?;
        Ok((begin.elapsed().as_secs_f64(), response.status.as_u16(), response.header("date").map(str::to_owned)))
    })?;
    Ok((endpoint.to_string(), seconds, status, date))
}

/// Lists one key of `bucket` with the keys that are found; answers the seconds that took.
#[pyfunction]
pub(crate) fn probe_bucket(py: Python<'_>, bucket: &str, options: Vec<Pair>, hadoop: Vec<Pair>) -> PyResult<f64> {
    let options = resolve(bucket, options, hadoop).map_err(|error| exception(py, &error))?;
    let process = Process::current(py)?;
    let files = process.file_system(&options)?;
    let begin = Instant::now();
    let mut list = ListObjectsV2::new(bucket, "");
    list.max_keys = Some(1);
    wait(py, process, files.gateway().run(list))?;
    Ok(begin.elapsed().as_secs_f64())
}

/// The default memory budget of a JVM with `heap` bytes of heap in this container, and the reason for that size.
#[pyfunction]
pub(crate) fn memory_budget(heap: u64) -> (u64, String) {
    let container = container_memory_limit(heap);
    let size = MemoryBudget::suitable(container, heap);
    let reason = match container {
        None => "no container limit".to_owned(),
        Some(limit) => format!(
            "a third of what the container's {} MiB leave beside {} MiB of heap, at least 64 and at most 256 MiB",
            limit >> 20,
            heap >> 20
        ),
    };
    (size, reason)
}
