//! An object that is written bit by bit.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use s3core::transfer::writer::ObjectWriter;

use crate::process::Process;
use crate::wait::wait;

/// Nothing is visible before `close`; dropped without it, nothing ever is.
#[pyclass(module = "s3core._s3core")]
pub(crate) struct Writer {
    process: &'static Process,
    writer: ObjectWriter,
}

impl Writer {
    pub(crate) fn new(process: &'static Process, writer: ObjectWriter) -> Self {
        Self { process, writer }
    }
}

#[pymethods]
impl Writer {
    /// Takes all of `data`.
    fn write(&mut self, py: Python<'_>, data: PyBackedBytes) -> PyResult<()> {
        Ok(wait(py, self.process, self.writer.write(&data))?)
    }

    /// Makes the object visible.
    fn close(&mut self, py: Python<'_>) -> PyResult<()> {
        wait(py, self.process, self.writer.close())?;
        Ok(())
    }

    /// Gives it up and removes what was uploaded.
    fn abort(&mut self, py: Python<'_>) -> PyResult<()> {
        Ok(wait(py, self.process, self.writer.abort())?)
    }
}
