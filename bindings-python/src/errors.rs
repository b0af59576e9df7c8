//! Errors of the core as the exceptions of `s3core.exceptions`.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyType};
use s3core::{Error, ErrorKind};

/// The exception that says the same as `error`; its class is the one that the error table names.
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    build(py, error).unwrap_or_else(|failure| failure)
}

/// What a call in this crate fails with: an error of the core, or an exception of Python (Ctrl-C).
pub(crate) enum Failure {
    Core(Error),
    Python(PyErr),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl From<PyErr> for Failure {
    fn from(exception: PyErr) -> Self {
        Self::Python(exception)
    }
}

impl From<Failure> for PyErr {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Core(error) => Python::attach(|py| exception(py, &error)),
            Failure::Python(exception) => exception,
        }
    }
}

/// The error table: variant, number, class in `s3core.exceptions`, exit status of programs, meaning.
#[pyfunction]
pub(crate) fn error_table() -> Vec<(&'static str, u16, &'static str, u8, &'static str)> {
    ErrorKind::TABLE.iter().map(|row| (row.name, row.code, row.python, row.exit, row.meaning)).collect()
}

fn build(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    static EXCEPTIONS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();
    let module = EXCEPTIONS.get_or_try_init(py, || py.import("s3core.exceptions").map(Bound::unbind))?;
    let row = error.kind().row();
    let class = module.bind(py).getattr(row.python)?.cast_into::<PyType>()?;
    let attributes = PyDict::new(py);
    attributes.set_item("code", row.code)?;
    attributes.set_item("operation", error.operation())?;
    attributes.set_item("bucket", error.bucket())?;
    attributes.set_item("key", error.key())?;
    attributes.set_item("status", error.status())?;
    attributes.set_item("service_code", error.service_code())?;
    attributes.set_item("request_id", error.request_id())?;
    Ok(PyErr::from_value(class.call((error.to_string(),), Some(&attributes))?))
}
