//! What is asked on the terminal before something is done.

use std::io::{self, BufRead, Write};

use super::output::{self, Failure};
use crate::plan::report::Report;

/// Shows a plan and asks whether it is to be carried out.
///
/// # Errors
/// `Usage` where the answer is not yes.
pub(super) fn confirm(report: &Report<'_>) -> Result<(), Failure> {
    output::text(&report.to_string())?;
    ask("Carry it out? [y/N] ")
}

/// Asks a question on the terminal.
///
/// # Errors
/// `Usage` where the answer is not yes.
pub(super) fn ask(question: &str) -> Result<(), Failure> {
    write!(io::stdout(), "{question}")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "yes") {
        Ok(())
    } else {
        Err(Failure::Usage("nothing more was changed".to_owned()))
    }
}
