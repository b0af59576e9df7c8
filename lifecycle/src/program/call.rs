//! The same commands for callers in the same process: what they find comes back as a value, and nothing is printed.

use std::ffi::OsString;
use std::fmt;

use clap::Parser;
use s3core::{Error, ErrorKind};
use serde_json::Value;

use super::history::Run;
use super::output::Failure;
use super::{Arguments, Command, applied};
use crate::connection::Interrupt;
use crate::plan::document::PlanError;
use crate::plan::make::MakeError;
use crate::run::StateError;
use crate::run::lease::LeaseError;

/// Who calls: nobody where it is the program.
#[derive(Default)]
pub(super) struct Caller {
    /// Options before those that are found.
    pub(super) options: Vec<(String, String)>,
    pub(super) interrupt: Option<Interrupt>,
}

impl fmt::Debug for Caller {
    // Among the options are keys.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Caller")
    }
}

/// Runs a command of the program as these arguments say, with these options of s3core's before those that are found. Returns what
/// `--output json` prints: of a plan without its units. `interrupt` is asked every now and then, on this thread.
///
/// # Errors
/// [`Failure`]. A command that only prints is one of wrong arguments here.
pub fn call(arguments: Vec<OsString>, options: Vec<(String, String)>, interrupt: Interrupt) -> Result<Value, Failure> {
    let Arguments { mut common, command } =
        Arguments::try_parse_from(arguments).map_err(|failure| Failure::Usage(failure.to_string()))?;
    common.caller = Caller { options, interrupt: Some(interrupt) };
    match &command {
        Command::Plan(command) => command.planned(&common).map(|(_, planned)| planned.summary()),
        Command::Apply(command) => command.done(&common).map(|ended| applied::json(&ended.done)),
        Command::Undo(command) => command.undone(&common).map(|undone| command.json(&undone)),
        Command::Explain(command) => Ok(command.told(&common)?.into_iter().map(|told| told.json).collect()),
        Command::History(command) => value(&command.records(&common)?.iter().map(Run::of).collect::<Vec<_>>()),
        Command::Status(command) => value(&command.found(&common)?.report()),
        Command::Verify(command) => command.proof(&common).map(|proof| command.json(&proof)),
        _ => Err(Failure::Usage("this command has no answer: run the program s3life".to_owned())),
    }
}

fn value(answer: &impl serde::Serialize) -> Result<Value, Failure> {
    Ok(serde_json::to_value(answer).map_err(std::io::Error::from)?)
}

impl From<Failure> for Error {
    /// The error of s3core that says the same, by its kind.
    fn from(failure: Failure) -> Self {
        let text = failure.to_string().trim_start_matches("error: ").to_owned();
        let kind = match failure {
            Failure::Gateway(failure) => return failure,
            Failure::State(failure) => return of_state(failure, text),
            Failure::Lease(LeaseError::State(failure)) => return of_state(failure, text),
            Failure::Run(crate::act::Failure::Gateway(failure)) => return failure,
            Failure::Run(crate::act::Failure::State(failure)) => return of_state(failure, text),
            Failure::Export(crate::export::ExportError::Gateway(failure)) => return failure,
            Failure::Make(MakeError::Gateway(failure)) => return failure,
            Failure::Lease(LeaseError::Held { .. }) => ErrorKind::Unavailable,
            Failure::Run(crate::act::Failure::Stopped) => ErrorKind::Interrupted,
            Failure::Run(crate::act::Failure::Catalog(_)) => ErrorKind::Unavailable,
            Failure::Lease(LeaseError::Unsupported { .. }) => ErrorKind::Unsupported,
            Failure::Make(MakeError::NoConditionalDelete | MakeError::Suspended { .. }) => ErrorKind::Unsupported,
            Failure::Plan(failure)
            | Failure::Run(crate::act::Failure::Plan(failure))
            | Failure::Make(MakeError::Plan(failure)) => of_plan(&failure),
            Failure::Stopped(_) | Failure::Left(_) => ErrorKind::PreconditionFailed,
            Failure::Output(_) | Failure::Export(_) | Failure::Sql(_) => ErrorKind::LocalDisk,
            Failure::Policy(_) | Failure::Make(_) | Failure::Usage(_) | Failure::Serve(_) => ErrorKind::InvalidOption,
        };
        Self::new(kind, text)
    }
}

fn of_state(failure: StateError, text: String) -> Error {
    let kind = match failure {
        StateError::Gateway(failure) => return failure,
        StateError::NoSuchRun { .. } => ErrorKind::NotFound,
        StateError::Refused { .. } => ErrorKind::PreconditionFailed,
        StateError::LocalFile { .. } => ErrorKind::LocalDisk,
        StateError::Malformed { .. } => ErrorKind::Corrupted,
        StateError::NoTime { .. } | StateError::Suspended { .. } => ErrorKind::Unsupported,
        _ => ErrorKind::Changed,
    };
    Error::new(kind, text)
}

fn of_plan(failure: &PlanError) -> ErrorKind {
    match failure {
        PlanError::Read { .. } | PlanError::Write { .. } | PlanError::Save { .. } => ErrorKind::LocalDisk,
        PlanError::Cut { .. } | PlanError::Line { .. } | PlanError::Digest { .. } => ErrorKind::Corrupted,
        _ => ErrorKind::InvalidOption,
    }
}
