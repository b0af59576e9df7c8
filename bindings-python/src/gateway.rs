//! The embedded endpoint, for `s3core.testing`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::{PyOSError, PyValueError};
use pyo3::prelude::*;
use s3core_gateway::Fault;

/// Operation, method, bucket, key, status, bytes received, bytes sent.
type Record = (&'static str, String, String, String, u16, u64, u64);

/// A running endpoint on 127.0.0.1.
#[pyclass(frozen, module = "s3core._s3core")]
pub(crate) struct Gateway {
    process: u32,
    /// Emptied where it must not be dropped: in a forked child, which has none of the threads that a stop waits for.
    running: std::sync::Mutex<Option<s3core_gateway::Gateway>>,
    #[pyo3(get)]
    endpoint: String,
    #[pyo3(get)]
    access_key: String,
    #[pyo3(get)]
    secret_key: String,
}

#[pymethods]
impl Gateway {
    #[new]
    #[pyo3(signature = (*, directory, port, keys, buckets, quirks, delay, bandwidth, nagle))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one constructor")]
    fn new(
        py: Python<'_>,
        directory: Option<PathBuf>,
        port: u16,
        keys: Option<(String, String)>,
        buckets: Vec<String>,
        quirks: &str,
        delay: Duration,
        bandwidth: Option<u64>,
        nagle: bool,
    ) -> PyResult<Self> {
        let quirks = quirks.parse().map_err(|error| PyValueError::new_err(format!("{error}")))?;
        let mut builder = s3core_gateway::Gateway::builder().port(port).quirks(quirks).delay(delay).nagle(nagle);
        if let Some(directory) = directory {
            builder = builder.directory(directory);
        }
        if let Some((access_key, secret_key)) = keys {
            builder = builder.keys(&access_key, &secret_key);
        }
        if let Some(bandwidth) = bandwidth {
            builder = builder.bandwidth(bandwidth);
        }
        let builder = buckets.iter().fold(builder, |builder, bucket| builder.bucket(bucket));
        let gateway = py.detach(|| builder.start()).map_err(|error| PyOSError::new_err(error.to_string()))?;
        Ok(Self {
            process: std::process::id(),
            endpoint: gateway.endpoint().to_owned(),
            access_key: gateway.access_key().to_owned(),
            secret_key: gateway.secret_key().to_owned(),
            running: Some(gateway).into(),
        })
    }

    /// Closes all connections and frees the port.
    fn stop(&self, py: Python<'_>) {
        if let Some(gateway) = self.take() {
            py.detach(|| gateway.stop());
        }
    }

    /// The log, in the order of arrival.
    fn requests(&self) -> PyResult<Vec<Record>> {
        self.with(|gateway| {
            let log = gateway.requests().into_iter();
            log.map(|one| (one.operation, one.method, one.bucket, one.key, one.status, one.received, one.sent))
                .collect()
        })
    }

    /// How often each S3 operation was asked for.
    fn request_counts(&self) -> PyResult<BTreeMap<String, u64>> {
        self.with(s3core_gateway::Gateway::request_counts)
    }

    /// Empties the log and sets all counts to zero.
    fn reset_requests(&self) -> PyResult<()> {
        self.with(s3core_gateway::Gateway::reset_requests)
    }

    /// Arms a fault.
    #[pyo3(signature = (kind, *, operation, key_prefix, at, delay, nth, times))]
    #[expect(clippy::too_many_arguments, reason = "keywords of one method")]
    fn inject(
        &self,
        kind: &str,
        operation: Option<&str>,
        key_prefix: Option<&str>,
        at: u64,
        delay: Duration,
        nth: Option<u64>,
        times: Option<u64>,
    ) -> PyResult<()> {
        let mut fault = match kind {
            "slow_down" => Fault::slow_down(),
            "internal_error" => Fault::error(500, "InternalError"),
            "reset" => Fault::reset(),
            "lose_reply" => Fault::lose_reply(),
            "stall" => Fault::stall(delay),
            "cut_body" => Fault::cut_body(at),
            "corrupt_body" => Fault::corrupt_body(at),
            _ => return Err(PyValueError::new_err(format!("there is no fault {kind:?}"))),
        };
        if let Some(operation) = operation {
            fault = fault.operation(operation);
        }
        if let Some(prefix) = key_prefix {
            fault = fault.key_prefix(prefix);
        }
        if let Some(nth) = nth {
            fault = fault.nth(nth);
        }
        if let Some(times) = times {
            fault = fault.times(times);
        }
        self.with(|gateway| gateway.faults().add(fault))?;
        Ok(())
    }

    /// Disarms all faults.
    fn clear_faults(&self) -> PyResult<()> {
        self.with(|gateway| gateway.faults().clear())
    }
}

impl Gateway {
    fn with<T>(&self, ask: impl FnOnce(&s3core_gateway::Gateway) -> T) -> PyResult<T> {
        let running = self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let gateway = running.as_ref().filter(|_| self.process == std::process::id());
        gateway
            .map(ask)
            .ok_or_else(|| PyValueError::new_err("the gateway was stopped, or belongs to the parent process"))
    }

    fn take(&self) -> Option<s3core_gateway::Gateway> {
        let gateway = self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take()?;
        if self.process == std::process::id() {
            return Some(gateway);
        }
        std::mem::forget(gateway);
        None
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.take());
    }
}
