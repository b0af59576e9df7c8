//! Waiting for the core while other Python threads run and Ctrl-C works.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use pyo3::prelude::*;
use s3core::Error;

use crate::errors::Failure;
use crate::process::Process;

/// How often Python's signal handlers get their turn.
const SIGNALS: Duration = Duration::from_millis(100);

/// Runs `future` to its end without the interpreter lock. A signal handler that raises ends the wait with its
/// exception, and the future is dropped.
pub(crate) fn wait<T: Send>(
    py: Python<'_>,
    process: &'static Process,
    future: impl Future<Output = Result<T, Error>> + Send,
) -> Result<T, Failure> {
    py.detach(|| {
        process.runtime.block_on(async {
            let mut future = pin!(future);
            loop {
                tokio::select! {
                    biased;
                    output = &mut future => return output.map_err(Failure::Core),
                    () = tokio::time::sleep(SIGNALS) => Python::attach(|py| py.check_signals())?,
                }
            }
        })
    })
}
