//! How s3life reaches a bucket.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemClock, SystemRandom};
use s3core::fs::{FileSystem, WorkPaths};
use s3core::gateway::Gateway;
use s3core::http::Transport;
use s3core::http::connection::HttpTransport;
use s3core::transfer::budget::MemoryBudget;
use s3core::{Error, ErrorKind, Result};
use tokio::runtime::{Builder, Runtime};

use crate::hadoop_keys;
use crate::listing::{Lister, Pace};
use crate::pace::Turns;
use crate::run::Bucket;
use crate::tier::Rules;

/// Memory for the buffers of plans on their way, in bytes.
const MEMORY: u64 = 64 << 20;

/// Between two looks whether the caller wants to go on waiting.
const LOOKS: Duration = Duration::from_millis(100);

/// Asked every now and then by the thread that waits: an error ends the wait.
pub type Interrupt = Arc<dyn Fn() -> Result<()> + Send + Sync>;

/// A bucket, with the threads that requests run on.
pub struct Connection {
    gateway: Gateway,
    files: FileSystem,
    bucket: String,
    turns: Option<Turns>,
    runtime: Runtime,
    interrupt: Option<Interrupt>,
}

impl Connection {
    /// Of a bucket, by the options that s3core reads everywhere: these, Hadoop's files, the environment, the AWS profile. For a
    /// caller that may be interrupted, and with so many requests in a second at most. Nothing is sent.
    ///
    /// # Errors
    /// `InvalidOption` and the like, as s3core's.
    pub fn open(
        bucket: &str,
        explicit: Vec<(String, String)>,
        interrupt: Option<Interrupt>,
        requests_per_second: Option<u32>,
    ) -> Result<Self> {
        let environment = |name: &str| std::env::var(name).ok();
        let hadoop = hadoop_keys::of_this_machine(&environment)?;
        let sources = Sources { explicit, hadoop, environment: &environment, home: std::env::home_dir() };
        let options = Options::resolve(bucket, &sources)?;
        let runtime = Builder::new_multi_thread().worker_threads(2).thread_name("s3life").enable_all().build();
        let runtime = runtime.map_err(|failure| {
            Error::new(ErrorKind::Internal, "the process may not start threads").caused_by(failure)
        })?;
        let turns = requests_per_second.map(Turns::new);
        let files = {
            let _context = runtime.enter();
            let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new(options.transport.clone())?);
            let transport = match &turns {
                Some(turns) => turns.through(transport),
                None => transport,
            };
            let environment = Environment { clock: Arc::new(SystemClock), random: Arc::new(SystemRandom), transport };
            let memory = MemoryBudget::new(options.transfer.memory_limit.unwrap_or(MEMORY));
            FileSystem::new(&options, environment, memory, WorkPaths::new())
        };
        let (gateway, bucket) = (files.gateway().clone(), bucket.to_owned());
        Ok(Self { gateway, files, bucket, turns, runtime, interrupt })
    }

    /// The bucket as the keeper of state.
    pub fn bucket(&self) -> Bucket {
        Bucket::new(self.files.clone())
    }

    /// Waits for what runs on the connection's threads.
    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// The same, for a caller that may be interrupted: what is under way is dropped then, as if the process had been killed.
    ///
    /// # Errors
    /// Those of `future`, and of the interrupt.
    pub fn wait<T, E: From<Error>>(
        &self,
        future: impl Future<Output = std::result::Result<T, E>>,
    ) -> std::result::Result<T, E> {
        let Some(interrupt) = &self.interrupt else { return self.runtime.block_on(future) };
        self.runtime.block_on(async {
            let mut future = pin!(future);
            loop {
                tokio::select! {
                    biased;
                    output = &mut future => return output,
                    () = tokio::time::sleep(LOOKS) => interrupt()?,
                }
            }
        })
    }

    /// Its turns, where not so many requests are sent as the gateway answers.
    pub(crate) fn turns(&self) -> Option<&Turns> {
        self.turns.as_ref()
    }

    /// Whether it serves a caller in the same process, rather than somebody before a terminal.
    pub fn is_called(&self) -> bool {
        self.interrupt.is_some()
    }

    /// Lists the bucket at this pace.
    pub fn lister(&self, pace: Pace) -> Lister {
        Lister::new(self.gateway.clone(), &self.bucket, pace)
    }

    /// The gateway.
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Reads the bucket's lifecycle rules.
    ///
    /// # Errors
    /// The gateway's.
    pub fn rules(&self) -> Result<Rules> {
        self.runtime.block_on(Rules::read(&self.gateway, &self.bucket))
    }
}
