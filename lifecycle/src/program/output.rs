//! What the program prints: results on standard output, failures on standard error.

use std::io::{self, Write};
use std::path::Path;

use serde::Serialize;
use serde_json::{Value, json};

use super::{Form, help};
use crate::catalog::sql::SqlError;
use crate::plan::document::PlanError;
use crate::plan::line::PolicySource;
use crate::plan::make::{MakeError, Past};
use crate::policy::{Finding, Findings, Policy};
use crate::run::StateError;
use crate::run::holds::HeldBack;
use crate::run::lease::LeaseError;
use crate::run::left::{Refused, Skipped};
use crate::serve::ServeError;
use crate::words::counted;

/// Why a command has not done what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The policy is wrong.
    #[error("{0}")]
    Policy(#[from] PolicyFailure),
    /// The gateway or the configuration has failed.
    #[error("error: {0}")]
    Gateway(#[from] s3core::Error),
    /// The state in the bucket could not be read or written.
    #[error("error: {0}")]
    State(#[from] StateError),
    /// The lease of the bucket could not be taken.
    #[error("error: {0}")]
    Lease(#[from] LeaseError),
    /// A run has not come to its end.
    #[error("error: {0}")]
    Run(#[from] crate::act::Failure),
    /// No plan could be made.
    #[error("error: {0}")]
    Make(MakeError),
    /// A plan could not be written, or is refused.
    #[error("error: {0}")]
    Plan(#[from] PlanError),
    /// The inventory could not be written.
    #[error("error: {0}")]
    Export(#[from] crate::export::ExportError),
    /// The SQL beside a plan could not be written.
    #[error("error: {0}")]
    Sql(#[from] SqlError),
    /// Guards stop the plan.
    #[error("error: {0}")]
    Stopped(String),
    /// What was asked makes no sense.
    #[error("error: {0}")]
    Usage(String),
    /// Not all that was to be done was done, and somebody has to see to the rest.
    #[error("error: {0}")]
    Left(String),
    /// A rule could not be approved.
    #[error("error: {0}")]
    Serve(#[from] ServeError),
    /// The result could not be printed.
    #[error("error: the result cannot be written: {0}")]
    Output(#[from] io::Error),
}

impl From<MakeError> for Failure {
    fn from(failure: MakeError) -> Self {
        match failure {
            MakeError::Gateway(failure) => Self::Gateway(failure),
            MakeError::Plan(failure) => Self::Plan(failure),
            MakeError::State(failure) => Self::State(failure),
            failure => Self::Make(failure),
        }
    }
}

/// A policy that is wrong, with the file that it is in.
#[derive(Debug, thiserror::Error)]
#[error("{}", self.lines())]
pub struct PolicyFailure {
    file: String,
    findings: Findings,
}

/// Exit status of a failure.
pub(super) const FAILED: u8 = 1;

impl PolicyFailure {
    /// For programs.
    pub(super) fn json(&self) -> Value {
        let Self { file, findings } = self;
        let findings = findings.0.iter().map(
            |finding| json!({"file": file, "line": finding.line, "column": finding.column, "message": finding.message}),
        );
        json!({"findings": findings.collect::<Vec<_>>()})
    }

    fn lines(&self) -> String {
        let line =
            |finding: &Finding| format!("{}:{}:{}: {}", self.file, finding.line, finding.column, finding.message);
        let lines = self.findings.0.iter().map(line);
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Failure {
    /// Prints it; returns the exit status.
    pub(super) fn print(&self, form: Form) -> u8 {
        let told = format!("{self}{}", help::help(self));
        let text = match (form, self) {
            (Form::Text, _) => told,
            (Form::Json, Self::Policy(wrong)) => wrong.json().to_string(),
            (Form::Json, _) => json!({"error": told.trim_start_matches("error: ")}).to_string(),
        };
        let _ = writeln!(io::stderr(), "{text}");
        FAILED
    }
}

/// Prints a line of a result.
pub(super) fn line(text: &str) -> Result<(), Failure> {
    listened(writeln!(io::stdout(), "{text}"))
}

/// Where nobody reads any more, as behind `| head`, nobody misses the rest.
pub(super) fn listened(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(failure) if failure.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Prints a result for programs, in one line.
pub(super) fn json(result: &impl Serialize) -> Result<(), Failure> {
    line(&serde_json::to_string(result).map_err(io::Error::from)?)
}

/// Units that were left as they are are named up to here.
const MOST_NAMED: usize = 20;

/// Prints what a run did not do.
pub(super) fn skipped(all: &[Skipped], count: u64) -> Result<(), Failure> {
    for Skipped { unit, key, reason } in all.iter().take(MOST_NAMED) {
        match key {
            Some(key) if key != unit => line(&format!("  left: {unit}: {key}: {reason}"))?,
            _ => line(&format!("  left: {unit}: {reason}"))?,
        }
    }
    let named = all.len().min(MOST_NAMED) as u64;
    if count > named { line(&format!("  and {} more", count - named)) } else { Ok(()) }
}

/// Prints what holds keep of trash that may be emptied.
pub(super) fn held_back(past: &Past) -> Result<(), Failure> {
    let held: Vec<_> = past.held_back.values().flat_map(HeldBack::told).collect();
    skipped(&held, held.len() as u64)
}

/// Fails where somebody has to see to what was left of so many units.
pub(super) fn see_to(refused: &Refused, units: u64, remedy: &str) -> Result<(), Failure> {
    let Refused { units: left, reason } = refused;
    match left {
        0 => Ok(()),
        _ => {
            let were = if *left == 1 { "was" } else { "were" };
            Err(Failure::Left(format!("{left} of {} {were} left: {reason}; {remedy}", counted(units, "unit"))))
        }
    }
}

/// Prints a result of several lines.
pub(super) fn text(text: &str) -> Result<(), Failure> {
    listened(io::stdout().write_all(text.as_bytes()))
}

/// A policy, and where it was read.
pub(super) struct ReadPolicy {
    pub(super) policy: Policy,
    pub(super) source: PolicySource,
}

/// Reads the policy in a file.
pub(super) fn policy(path: &Path) -> Result<Policy, Failure> {
    read_policy(path).map(|read| read.policy)
}

/// Reads the policy in a file, and says which it is.
pub(super) fn read_policy(path: &Path) -> Result<ReadPolicy, Failure> {
    let file = path.display().to_string();
    let unreadable = |failure| Failure::Usage(format!("the policy {file} cannot be read: {failure}"));
    let text = std::fs::read_to_string(path).map_err(unreadable)?;
    let absolute = std::path::absolute(path).map_err(unreadable)?.display().to_string();
    let source = PolicySource::of(absolute, &text);
    let policy = Policy::read(&text).map_err(|findings| PolicyFailure { file, findings })?;
    Ok(ReadPolicy { policy, source })
}
