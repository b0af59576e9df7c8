//! A `bytes` object that is filled while no interpreter lock is held: a large object is in memory once, not twice.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use s3core::{Error, ErrorKind};

/// A `bytes` object that nobody else has seen yet.
pub(crate) struct NewBytes {
    object: Py<PyBytes>,
    start: *mut u8,
    length: usize,
    filled: usize,
}

// SAFETY: `start` points into `object`, which only this value refers to until `finish`, so that only the thread that
// has this value touches the memory.
#[expect(unsafe_code, reason = "the memory belongs to a Python object")]
unsafe impl Send for NewBytes {}

impl NewBytes {
    /// Room for `length` bytes.
    #[expect(unsafe_code, reason = "pyo3 has no way to make a bytes object without filling it at once")]
    pub(crate) fn new(py: Python<'_>, length: u64) -> PyResult<Self> {
        let length = isize::try_from(length).map_err(|_| pyo3::exceptions::PyMemoryError::new_err(()))?;
        // SAFETY: a null pointer asks for uninitialised memory of this length; the result is a new reference to a
        // bytes object, or null with an exception set.
        let object = unsafe {
            let object = pyo3::ffi::PyBytes_FromStringAndSize(std::ptr::null(), length);
            Bound::from_owned_ptr_or_err(py, object)?.cast_into_unchecked::<PyBytes>()
        };
        // SAFETY: it is a bytes object; writing into one is allowed while it is new and has one reference.
        let start = unsafe { pyo3::ffi::PyBytes_AsString(object.as_ptr()) }.cast::<u8>();
        Ok(Self { object: object.unbind(), start, length: length.unsigned_abs(), filled: 0 })
    }

    /// Adds `piece` behind what is there.
    #[expect(unsafe_code, reason = "the memory belongs to a Python object")]
    pub(crate) fn append(&mut self, piece: &[u8]) -> Result<(), Error> {
        if piece.len() > self.length - self.filled {
            return Err(Error::new(ErrorKind::Corrupted, "more bytes arrived than were asked for"));
        }
        // SAFETY: `filled + piece.len() <= length` bytes belong to the object, and `piece` cannot overlap them since
        // nobody else knows the object.
        unsafe { std::ptr::copy_nonoverlapping(piece.as_ptr(), self.start.add(self.filled), piece.len()) };
        self.filled += piece.len();
        Ok(())
    }

    /// The object.
    ///
    /// # Errors
    /// `Corrupted` where bytes are missing: uninitialised memory is never shown.
    pub(crate) fn finish(self, py: Python<'_>) -> Result<Bound<'_, PyBytes>, Error> {
        if self.filled < self.length {
            let message = format!("{} bytes are missing", self.length - self.filled);
            return Err(Error::new(ErrorKind::Corrupted, message));
        }
        Ok(self.object.into_bound(py))
    }
}
