//! One bucket with one configuration: objects by key.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use s3core::commit::purge_before_first_write;
use s3core::config::{Options, ReadPolicy};
use s3core::fs::{CreateOptions, Existing, FileSystem, OpenOptions};
use s3core::gateway::Gateway;
use s3core::http::Payload;
use s3core::ops::{
    ByteRange, CreateBucket, DeleteObject, GetObject, HeadObject, ListObjectsV2, ListedObject, ObjectAttributes,
    ObjectHead, PutObject,
};

use s3core::{Error, ErrorKind};

use crate::configuration::{ExplainedRow, Pair, explained, resolve};
use crate::errors::{Failure, exception};
use crate::new_bytes::NewBytes;
use crate::process::Process;
use crate::wait::wait;
use crate::writer::Writer;

/// The first request of a read asks for this much; what is larger is read in parallel from there on.
const FIRST_READ: u64 = 8 << 20;

/// Key, length, ETag, seconds since 1970, storage class, content type.
type Meta = (String, u64, Option<String>, Option<f64>, Option<String>, Option<String>);

/// One bucket.
#[pyclass(frozen, module = "s3core._s3core")]
pub(crate) struct Store {
    options: Options,
    opened: Mutex<Option<(&'static Process, FileSystem)>>,
}

#[pymethods]
impl Store {
    /// `options`: keywords of Python; `hadoop`: keys of Hadoop's configuration. Nothing is sent.
    #[new]
    #[pyo3(signature = (bucket, options, hadoop=Vec::new()))]
    fn new(py: Python<'_>, bucket: &str, options: Vec<Pair>, hadoop: Vec<Pair>) -> PyResult<Self> {
        let options = resolve(bucket, options, hadoop).map_err(|error| exception(py, &error))?;
        let store = Self { options, opened: Mutex::new(None) };
        store.open(py)?;
        Ok(store)
    }

    /// `length` bytes from `start` on, fewer where the object ends before, all where it is `None`.
    #[pyo3(signature = (key, start=0, length=None))]
    fn get<'py>(&self, py: Python<'py>, key: &str, start: u64, length: Option<u64>) -> PyResult<Bound<'py, PyBytes>> {
        let (process, files) = self.open(py)?;
        let (head, frames) = match wait(py, process, first_read(&files, key, start, length)) {
            // No range fits into an empty object.
            Err(Failure::Core(error)) if error.kind() == ErrorKind::OutOfRange && start == 0 => {
                wait(py, process, files.gateway().run(HeadObject::new(files.bucket(), key)))?;
                return Ok(PyBytes::new(py, &[]));
            }
            first => first?,
        };
        let end = length.map_or(head.length, |length| start.saturating_add(length).min(head.length));
        let mut target = NewBytes::new(py, end - start)?;
        for frame in &frames {
            target.append(frame).map_err(Failure::Core)?;
        }
        let position = head.range.end;
        if position < end {
            wait(py, process, read_rest(&files, key, &head, position..end, &mut target))?;
        }
        Ok(target.finish(py).map_err(Failure::Core)?)
    }

    /// Writes an object in one request.
    fn put(&self, py: Python<'_>, key: &str, data: PyBackedBytes, content_type: Option<String>) -> PyResult<()> {
        let (process, files) = self.open(py)?;
        let mut put = PutObject::new(files.bucket(), key, Payload::from(Bytes::from_owner(data)));
        put.attributes.content_type = content_type;
        put.attributes.storage_class.clone_from(&self.options.transfer.storage_class);
        let written = async {
            purge_before_first_write(&files).await;
            files.gateway().run(put).await
        };
        wait(py, process, written)?;
        Ok(())
    }

    /// Begins an object that is written bit by bit.
    fn writer(&self, py: Python<'_>, key: &str, content_type: Option<String>) -> PyResult<Writer> {
        let (process, files) = self.open(py)?;
        let attributes = ObjectAttributes { content_type, ..ObjectAttributes::default() };
        let options = CreateOptions { existing: Existing::IsReplaced, attributes, ..CreateOptions::default() };
        let created = async {
            purge_before_first_write(&files).await;
            files.create_file(key, options).await
        };
        Ok(Writer::new(process, wait(py, process, created)?))
    }

    /// Properties of an object.
    fn head(&self, py: Python<'_>, key: &str) -> PyResult<Meta> {
        let (process, files) = self.open(py)?;
        let head = wait(py, process, files.gateway().run(HeadObject::new(files.bucket(), key)))?;
        Ok((key.to_owned(), head.length, head.etag, seconds(head.modified), head.storage_class, head.content_type))
    }

    /// The objects whose keys begin with `prefix`.
    fn list(&self, py: Python<'_>, prefix: String) -> PyResult<Listing> {
        let (_, files) = self.open(py)?;
        Ok(Listing {
            bucket: files.bucket().to_owned(),
            gateway: files.gateway().clone(),
            process: Process::current(py)?,
            prefix,
            page_size: self.options.paging_maximum,
            position: Position::Begin,
        })
    }

    /// Removes an object; that there is none is fine.
    fn delete(&self, py: Python<'_>, key: &str) -> PyResult<()> {
        let (process, files) = self.open(py)?;
        wait(py, process, files.gateway().run(DeleteObject::new(files.bucket(), key)))?;
        Ok(())
    }

    /// Makes the bucket.
    fn create_bucket(&self, py: Python<'_>) -> PyResult<()> {
        let (process, files) = self.open(py)?;
        let create = CreateBucket::new(files.bucket(), files.gateway().settings());
        Ok(wait(py, process, files.gateway().run(create))?)
    }

    /// Every option with its value and where that came from.
    fn explain(&self) -> Vec<ExplainedRow> {
        explained(&self.options)
    }

    /// By S3 operation: requests, retries, failures, bytes sent, bytes received.
    fn statistics(&self, py: Python<'_>) -> PyResult<Vec<(&'static str, [u64; 5])>> {
        let (_, files) = self.open(py)?;
        let counts = files.gateway().statistics().snapshot();
        Ok(counts
            .into_iter()
            .map(|(name, one)| (name, [one.requests, one.retries, one.failures, one.bytes_sent, one.bytes_received]))
            .collect())
    }

    /// The endpoint, for the repr.
    #[getter]
    fn endpoint(&self) -> String {
        self.options.gateway.endpoint.to_string()
    }
}

impl Store {
    /// The file system in this process, opened again after a fork.
    pub(crate) fn open(&self, py: Python<'_>) -> PyResult<(&'static Process, FileSystem)> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((process, files)) = opened.as_ref().filter(|(process, _)| process.is_current()) {
            return Ok((process, files.clone()));
        }
        let process = Process::current(py)?;
        let files = process.file_system(&self.options)?;
        if let Some(inherited) = opened.replace((process, files.clone())) {
            // The parent's threads are not here to clean up after it.
            std::mem::forget(inherited);
        }
        Ok((process, files))
    }
}

async fn first_read(
    files: &FileSystem,
    key: &str,
    start: u64,
    length: Option<u64>,
) -> Result<(ObjectHead, Vec<Bytes>), Error> {
    let mut frames = Vec::new();
    let mut get = GetObject::new(files.bucket(), key, &mut frames);
    get.range = Some(ByteRange::At { start, length: length.unwrap_or(u64::MAX).min(FIRST_READ) });
    let head = files.gateway().run(get).await?;
    Ok((head, frames))
}

async fn read_rest(
    files: &FileSystem,
    key: &str,
    head: &ObjectHead,
    range: std::ops::Range<u64>,
    target: &mut NewBytes,
) -> Result<(), Error> {
    let known = OpenOptions {
        length: Some(head.length),
        etag: head.etag.clone(),
        policy: ReadPolicy::Random,
        ..OpenOptions::default()
    };
    let reader = files.open_file(key, known).await?;
    let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut ranges = reader.ranges(&[(range.start, length)])?;
    while let Some(fetched) = ranges.next().await? {
        for (_, piece) in fetched.within(range.start, length) {
            target.append(&piece)?;
        }
    }
    Ok(())
}

/// The pages of a listing.
#[pyclass(module = "s3core._s3core")]
pub(crate) struct Listing {
    bucket: String,
    gateway: Gateway,
    process: &'static Process,
    prefix: String,
    page_size: u32,
    position: Position,
}

enum Position {
    Begin,
    After(String),
    End,
}

#[pymethods]
impl Listing {
    /// The next page; `None` after the last one.
    fn next_page(&mut self, py: Python<'_>) -> PyResult<Option<Vec<Meta>>> {
        let mut list = ListObjectsV2::new(&self.bucket, &self.prefix);
        list.max_keys = Some(self.page_size);
        match &self.position {
            Position::Begin => {}
            Position::After(token) => list.continuation_token = Some(token.clone()),
            Position::End => return Ok(None),
        }
        if !self.process.is_current() {
            let message = "a listing cannot go on after a fork: list again in the child";
            return Err(exception(py, &Error::new(ErrorKind::Closed, message)));
        }
        let page = wait(py, self.process, self.gateway.run(list))?;
        self.position = page.next.map_or(Position::End, Position::After);
        Ok(Some(page.objects.into_iter().map(listed).collect()))
    }
}

fn listed(object: ListedObject) -> Meta {
    (object.key, object.length, object.etag, seconds(object.modified), object.storage_class, None)
}

pub(crate) fn seconds(time: Option<SystemTime>) -> Option<f64> {
    Some(time?.duration_since(UNIX_EPOCH).ok()?.as_secs_f64())
}
