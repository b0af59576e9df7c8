//! What is asked on the terminal before something is done.

use std::io::{self, BufRead, Write};

use super::output::Failure;

/// Asks whether a plan that was shown is to be carried out. `after` says whether something was changed before.
///
/// # Errors
/// `Usage` where the answer is not yes.
pub(super) fn confirm(after: After) -> Result<(), Failure> {
    ask("Carry it out? [y/N] ", after)
}

/// What this command has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    Nothing,
    /// It has gone on with a run, and said so.
    GoingOn,
}

impl After {
    fn refused(self) -> &'static str {
        match self {
            Self::Nothing => "nothing was changed",
            Self::GoingOn => "nothing more was changed",
        }
    }
}

/// Asks a question on the terminal.
///
/// # Errors
/// `Usage` where the answer is not yes.
pub(super) fn ask(question: &str, after: After) -> Result<(), Failure> {
    write!(io::stdout(), "{question}")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "yes") { Ok(()) } else { Err(Failure::Usage(after.refused().to_owned())) }
}
