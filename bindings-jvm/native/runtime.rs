//! What the process has one of, per copy of this library: threads, memory budget and, per configuration, connections.
//!
//! Nothing here is ever torn down: Spark executors end by `System.exit`, and a runtime that is dropped then waits for
//! its threads. They are plain daemon-like threads that the JVM does not know and does not wait for.

use std::num::NonZero;
use std::sync::{Arc, LazyLock, OnceLock};
use std::thread::available_parallelism;

use s3core::config::Options;
use s3core::environment::{Environment, SystemClock, SystemRandom, container_memory_limit};
use s3core::fs::WorkPaths;
use s3core::http::connection::SharedTransports;
use s3core::transfer::budget::MemoryBudget;
use s3core::{Error, ErrorKind};
use tokio::runtime::{Builder, EnterGuard, Runtime};

use crate::errors::Failure;

/// A second copy of the library (another class loader) gets by with this much memory.
const BUDGET_OF_FURTHER_COPIES: u64 = 64 << 20;

#[derive(Clone, Copy)]
struct Process {
    heap: u64,
    first: bool,
}

static PROCESS: OnceLock<Process> = OnceLock::new();
static RUNTIME: OnceLock<Result<Runtime, Error>> = OnceLock::new();
static BUDGET: OnceLock<MemoryBudget> = OnceLock::new();
static WORK_PATHS: LazyLock<WorkPaths> = LazyLock::new(WorkPaths::new);
static TRANSPORTS: SharedTransports = SharedTransports::new();

/// Keeps what Java knows about the process: its largest heap in bytes, and whether this copy of the library is the
/// first one in it.
pub(crate) fn describe_process(heap: u64, first: bool) {
    PROCESS.get_or_init(|| Process { heap, first });
}

/// The runtime, started by the first call.
pub(crate) fn runtime() -> Result<&'static Runtime, Failure> {
    match RUNTIME.get_or_init(start) {
        Ok(runtime) => Ok(runtime),
        Err(error) => Err(error.clone().into()),
    }
}

/// Makes the runtime that of the calling thread for a while, where a store has been opened already.
pub(crate) fn enter_if_started() -> Option<EnterGuard<'static>> {
    RUNTIME.get()?.as_ref().ok().map(Runtime::enter)
}

fn start() -> Result<Runtime, Error> {
    let workers = available_parallelism().map_or(2, NonZero::get).clamp(2, 4);
    Builder::new_multi_thread().worker_threads(workers).thread_name("s3core").enable_all().build().map_err(|error| {
        Error::new(ErrorKind::Internal, "the process may not start threads: raise its limit (ulimit -u, pids.max)")
            .caused_by(error)
    })
}

/// The budget of all buffers; the first store that is opened decides its size.
pub(crate) fn budget(options: &Options) -> MemoryBudget {
    let process = PROCESS.get().copied().unwrap_or(Process { heap: 0, first: false });
    let budget = BUDGET.get_or_init(|| {
        MemoryBudget::new(match (options.transfer.memory_limit, process.first) {
            (Some(limit), _) => limit,
            (None, true) => MemoryBudget::suitable(container_memory_limit(process.heap), process.heap),
            (None, false) => BUDGET_OF_FURTHER_COPIES,
        })
    });
    budget.clone()
}

/// The budget, where a store has been opened already.
pub(crate) fn current_budget() -> Option<&'static MemoryBudget> {
    BUDGET.get()
}

/// The work paths of every task attempt in the process, whichever store it writes to.
pub(crate) fn work_paths() -> WorkPaths {
    WORK_PATHS.clone()
}

/// Clock, randomness and the connections of this configuration.
pub(crate) fn environment(options: &Options) -> Result<Environment, Failure> {
    let transport = TRANSPORTS.get(options.transport.clone())?;
    Ok(Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport })
}
