//! `s3life serve POLICY`: rounds of what `apply` does, as far as rules were approved and announced.

mod background;
mod round;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use jiff::{SignedDuration, Timestamp};
use tracing::{Level, error, info};

use super::output::Failure;
use super::work::WorkOptions;
use super::{Common, Form, PolicyFile};
use crate::act;
use crate::listing::Pace;
use crate::metrics::{Metrics, RoundResult};
use crate::run::lease::LeaseError;

use background::Background;
use round::Memory;

#[derive(Debug, Args)]
pub(super) struct Serve {
    #[command(flatten)]
    policy: PolicyFile,
    /// Time between the beginnings of two rounds: 90s, 10m, 1h, 1d.
    #[arg(long, value_name = "TIME", default_value = "1h", value_parser = interval)]
    every: SignedDuration,
    /// Serve /metrics and /health there, as in 0.0.0.0:9464. Without it they are not served.
    #[arg(long, value_name = "ADDRESS:PORT")]
    metrics: Option<SocketAddr>,
    /// End after so many rounds; with 1 where the last one has failed. Without it: when it is told to.
    #[arg(long, value_name = "NUMBER")]
    rounds: Option<u64>,
    /// Let rules of this dataset delete without trash.
    #[arg(long, value_name = "DATASET")]
    confirm_delete: Vec<String>,
    #[command(flatten)]
    pace: Pace,
    #[command(flatten)]
    work: WorkOptions,
}

fn interval(text: &str) -> Result<SignedDuration, String> {
    let interval = text.parse::<SignedDuration>().ok().filter(|interval| *interval >= SignedDuration::from_secs(1));
    interval.ok_or_else(|| "write a second or more, as in 90s, 10m, 1h or 1d".to_owned())
}

impl Serve {
    /// Ends when the process is asked to, or after the last round; returns the exit status.
    pub(super) fn run(&self, common: &Common) -> Result<u8, Failure> {
        log_to_output(common.output);
        let metrics = Arc::new(Metrics::new(self.every, Timestamp::now()));
        let stopping = &self.work.stopping;
        let background = Background::start(stopping, self.metrics, &metrics)?;
        info!(policy = %self.policy.path.display(), every = %format!("{:#}", self.every), "serving");
        let mut memory = Memory::default();
        let mut rounds = 0;
        let mut has_failed;
        loop {
            let started = Instant::now();
            has_failed = self.round(common, &metrics, &mut memory) == RoundResult::Failed;
            rounds += 1;
            if stopping.is_asked() || self.rounds.is_some_and(|most| rounds >= most) {
                break;
            }
            background.sleep(self.every.unsigned_abs().saturating_sub(started.elapsed()), stopping);
            if stopping.is_asked() {
                break;
            }
        }
        info!(rounds, "ended");
        Ok(u8::from(has_failed && !stopping.is_asked()))
    }

    /// A round. What fails in it is logged and counted, and the next one begins anew.
    fn round(&self, common: &Common, metrics: &Metrics, memory: &mut Memory) -> RoundResult {
        // Prometheus compares it with its own clock.
        metrics.began(Timestamp::now());
        let result = match self.try_round(common, metrics, memory) {
            Ok(()) => RoundResult::Done,
            Err((_, Failure::Lease(LeaseError::Held { by, purpose, until }))) => {
                info!(%by, %purpose, %until, "another process is at work on the bucket");
                RoundResult::Busy
            }
            Err((_, Failure::Run(act::Failure::Stopped))) => {
                info!("stopped between two units");
                RoundResult::Done
            }
            Err((kind, failure)) => {
                error!(kind, "{}", failure.to_string().trim_start_matches("error: "));
                metrics.failed(kind);
                RoundResult::Failed
            }
        };
        metrics.ended(result, Timestamp::now());
        result
    }
}

/// Lets what is logged be printed, for people or for programs.
fn log_to_output(form: Form) {
    let lines = tracing_subscriber::fmt().with_max_level(Level::INFO).with_target(false).with_writer(std::io::stdout);
    // A second one in a process has nothing to say.
    let _ = match form {
        Form::Text => lines.with_ansi(false).try_init(),
        Form::Json => lines.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init(),
    };
}
