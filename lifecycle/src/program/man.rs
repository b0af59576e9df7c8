//! `s3life completion SHELL` and `s3life man --out DIR`

use std::io;
use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::{Shell, generate};

use super::output::{self, Failure};
use super::{Arguments, Common, Form};

#[derive(Debug, Args)]
pub(super) struct Completion {
    /// The shell.
    #[arg(value_enum)]
    shell: Shell,
}

impl Completion {
    pub(super) fn run(&self) -> Result<(), Failure> {
        let mut script = Vec::new();
        generate(self.shell, &mut Arguments::command(), "s3life", &mut script);
        output::text(&String::from_utf8_lossy(&script))
    }
}

#[derive(Debug, Args)]
pub(super) struct Man {
    /// Directory for the pages, s3life.1 and one for each command.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
}

impl Man {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let directory = self.out.display();
        let failed = |failure: io::Error| {
            Failure::Usage(format!("the manual pages cannot be written to {directory}: {failure}"))
        };
        std::fs::create_dir_all(&self.out).map_err(failed)?;
        clap_mangen::generate_to(Arguments::command(), &self.out).map_err(failed)?;
        match common.output {
            Form::Json => output::json(&serde_json::json!({"directory": directory.to_string()})),
            Form::Text => output::line(&format!("{directory}: read them with man -l {directory}/s3life.1")),
        }
    }
}
