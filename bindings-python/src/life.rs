//! What `s3life` does, as values.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use s3core::{Error, ErrorKind};
use s3life::plan::document::PlanReader;
use s3life::plan::table::table;
use s3life::program::{Failure, call};

use crate::configuration::Pair;
use crate::errors::exception;

/// Runs a command with these arguments (without the program's name), and returns its answer as JSON. Other threads run
/// meanwhile, and Ctrl-C ends it.
#[pyfunction]
pub(crate) fn life_call(py: Python<'_>, arguments: Vec<OsString>, options: Vec<Pair>) -> PyResult<String> {
    let raised = Arc::new(Mutex::new(None));
    let keeper = Arc::clone(&raised);
    let interrupt = Arc::new(move || {
        Python::attach(|py| py.check_signals()).map_err(|exception| {
            *keeper.lock().unwrap_or_else(PoisonError::into_inner) = Some(exception);
            Error::new(ErrorKind::Interrupted, "a signal came")
        })
    });
    let all = std::iter::once(OsString::from("s3life")).chain(arguments).collect();
    let answer = py.detach(|| call(all, options, interrupt));
    if let Some(exception) = raised.lock().unwrap_or_else(PoisonError::into_inner).take() {
        return Err(exception);
    }
    answer.map(|answer| answer.to_string()).map_err(|failure| exception(py, &failure.into()))
}

/// The objects of the plan in a file, in the stream format of Apache Arrow.
#[pyfunction]
pub(crate) fn life_table(py: Python<'_>, plan: PathBuf) -> PyResult<Bound<'_, PyBytes>> {
    let made = py.detach(|| {
        let mut reader = PlanReader::open(&plan).map_err(Failure::from)?;
        table(&mut reader).map_err(|failure| Error::new(ErrorKind::Internal, failure.to_string()))
    });
    made.map(|bytes| PyBytes::new(py, &bytes)).map_err(|failure| exception(py, &failure))
}
