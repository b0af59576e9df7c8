//! What a process has one of: threads, memory budget, connections and, per configuration, one file system.
//!
//! A forked child has none of its parent's threads, and locks and sockets that it shares with it: it gets everything
//! anew, and what it inherited is leaked untouched.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use pyo3::prelude::*;
use s3core::config::Options;
use s3core::credentials::ProviderChain;
use s3core::environment::{Environment, SystemClock, SystemRandom, container_memory_limit};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::http::connection::SharedTransports;
use s3core::transfer::budget::MemoryBudget;
use s3core::{Error, ErrorKind};
use tokio::runtime::{Builder, Runtime};

use crate::errors::{Failure, exception};

/// Threads that requests run on; hashing is done by the callers.
const WORKERS: usize = 2;

/// Everything that belongs to this process.
pub(crate) struct Process {
    pub(crate) runtime: Runtime,
    id: u32,
    budget: OnceLock<MemoryBudget>,
    transports: SharedTransports,
    file_systems: Mutex<Vec<(FileSystemKey, FileSystem)>>,
    work: WorkPaths,
}

/// What makes two stores share a file system: every option, the keys included.
#[derive(PartialEq)]
struct FileSystemKey {
    bucket: String,
    options: Vec<(String, String)>,
    credentials: ProviderChain,
}

impl Process {
    /// The one of this process, made by the first call in it.
    ///
    /// The locks here are taken by threads that hold the interpreter lock and do not give it up meanwhile. A fork
    /// happens under the interpreter lock too, so no child inherits one that is taken.
    pub(crate) fn current(py: Python<'_>) -> PyResult<&'static Self> {
        static CURRENT: Mutex<Option<&'static Process>> = Mutex::new(None);
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        let id = std::process::id();
        if let Some(process) = current.filter(|process| process.id == id) {
            return Ok(process);
        }
        let process: &'static Self = Box::leak(Box::new(Self::new(id).map_err(|error| exception(py, &error))?));
        *current = Some(process);
        Ok(process)
    }

    fn new(id: u32) -> Result<Self, Error> {
        let runtime = Builder::new_multi_thread().worker_threads(WORKERS).thread_name("s3core").enable_all().build();
        let runtime = runtime.map_err(|error| {
            let message = "the process may not start threads: raise its limit (ulimit -u, pids.max)";
            Error::new(ErrorKind::Internal, message).caused_by(error)
        })?;
        Ok(Self {
            runtime,
            id,
            budget: OnceLock::new(),
            transports: SharedTransports::new(),
            file_systems: Mutex::default(),
            work: WorkPaths::new(),
        })
    }

    /// Whether this is still the process that it was made in.
    pub(crate) fn is_current(&self) -> bool {
        self.id == std::process::id()
    }

    /// The file system of these options; two calls with equal ones share it.
    pub(crate) fn file_system(&self, options: &Options) -> Result<FileSystem, Failure> {
        let key = FileSystemKey::of(options);
        let mut known = self.file_systems.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, files)) = known.iter().find(|(other, _)| *other == key) {
            return Ok(files.clone());
        }
        let files = FileSystem::new(options, self.environment(options)?, self.budget(options), self.work.clone());
        known.push((key, files.clone()));
        Ok(files)
    }

    /// Clock, randomness and the connections of this configuration.
    pub(crate) fn environment(&self, options: &Options) -> Result<Environment, Failure> {
        let transport = self.transports.get(options.transport.clone())?;
        Ok(Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport })
    }

    /// The budget of all buffers; the first store of the process decides its size. Python has no heap to leave room
    /// for.
    fn budget(&self, options: &Options) -> MemoryBudget {
        let budget = self.budget.get_or_init(|| {
            let limit =
                options.transfer.memory_limit.unwrap_or_else(|| MemoryBudget::suitable(container_memory_limit(0), 0));
            MemoryBudget::new(limit)
        });
        budget.clone()
    }
}

impl FileSystemKey {
    fn of(options: &Options) -> Self {
        let explained = options.explain().into_iter().map(|one| (one.option, one.value)).collect();
        Self { bucket: options.bucket.clone(), options: explained, credentials: options.gateway.credentials.clone() }
    }
}
