//! The command line: `s3core gateway --dir DIRECTORY --port PORT`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};

use crate::gateway::{Gateway, GatewayBuilder};
use crate::quirks::Quirks;

/// Usage errors, as `sysexits.h` and clap have them.
const USAGE: i32 = 2;
const FAILURE: i32 = 1;

/// An S3 endpoint on this machine, for trying things out and for tests.
#[derive(Debug, Parser)]
#[command(name = "s3core gateway", version)]
struct Arguments {
    /// Keep objects in this directory; they survive a restart.
    #[arg(long, value_name = "DIRECTORY", conflicts_with = "memory")]
    dir: Option<PathBuf>,
    /// Keep objects in memory (the default).
    #[arg(long)]
    memory: bool,
    /// Port on 127.0.0.1; 0 takes a free one.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Access key to accept; random when not given.
    #[arg(long, value_name = "KEY", requires = "secret_key")]
    access_key: Option<String>,
    /// Secret key that belongs to it.
    #[arg(long, value_name = "KEY", requires = "access_key")]
    secret_key: Option<String>,
    /// Bucket to make at the start; may be given several times.
    #[arg(long, value_name = "NAME")]
    bucket: Vec<String>,
    /// Behave like this server: aws, pacific, reef or tentacle.
    #[arg(long, default_value_t = Quirks::Aws)]
    quirks: Quirks,
    /// Wait this many milliseconds before each request.
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 0)]
    delay_ms: u64,
    /// Limit bodies to this many bytes per second in each direction.
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    bandwidth: Option<u64>,
    /// Send small answers as a Radosgw with default options does, without TCP_NODELAY.
    #[arg(long)]
    nagle: bool,
}

impl Arguments {
    fn builder(&self) -> GatewayBuilder {
        let mut builder = Gateway::builder()
            .port(self.port)
            .quirks(self.quirks)
            .delay(Duration::from_millis(self.delay_ms))
            .nagle(self.nagle)
            // Nobody reads a program's log.
            .request_log(0);
        if let Some(directory) = &self.dir {
            builder = builder.directory(directory);
        }
        if let (Some(access_key), Some(secret_key)) = (&self.access_key, &self.secret_key) {
            builder = builder.keys(access_key, secret_key);
        }
        if let Some(bandwidth) = self.bandwidth {
            builder = builder.bandwidth(bandwidth);
        }
        self.bucket.iter().fold(builder, |builder, bucket| builder.bucket(bucket))
    }
}

/// Runs a gateway until SIGINT or SIGTERM, as these arguments (without a program name) say, and
/// returns the exit status: 0 after a signal, 2 for wrong arguments, 1 when it cannot start.
pub fn run(arguments: Vec<String>) -> i32 {
    let name = std::iter::once("s3core gateway".to_owned());
    let arguments = match Arguments::try_parse_from(name.chain(arguments)) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are errors to clap, with a status of 0.
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { 0 };
        }
    };
    match serve(&arguments) {
        Ok(()) => 0,
        Err(message) => {
            let _ = writeln!(std::io::stderr(), "s3core gateway: {message}");
            FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        // Before the start, so that no signal is lost.
        let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| error.to_string())?;
        let mut terminate = signal(SignalKind::terminate()).map_err(|error| error.to_string())?;
        let gateway = arguments.builder().start().map_err(|error| error.to_string())?;
        // A closed pipe is no reason to stop serving.
        let _ = announce(&gateway, arguments);
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        gateway.stop();
        Ok(())
    })
}

fn announce(gateway: &Gateway, arguments: &Arguments) -> std::io::Result<()> {
    let (endpoint, access_key, secret_key) = (gateway.endpoint(), gateway.access_key(), gateway.secret_key());
    let place = match &arguments.dir {
        None => "in memory".to_owned(),
        Some(directory) => format!("in {}", directory.display()),
    };
    let mut out = std::io::stdout().lock();
    writeln!(out, "s3core gateway ready: endpoint={endpoint} access_key={access_key} secret_key={secret_key}")?;
    writeln!(out, "Objects are kept {place}; behaviour: {}. Stop with Ctrl-C.", arguments.quirks)?;
    writeln!(
        out,
        "Try: AWS_ACCESS_KEY_ID={access_key} AWS_SECRET_ACCESS_KEY={secret_key} aws --endpoint-url {endpoint} s3 ls"
    )?;
    out.flush()
}
