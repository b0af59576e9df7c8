//! The command line of `s3life`.

mod explain;
mod native;
mod output;
mod validate;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

/// Datasets tier and expire where they lie.
#[derive(Debug, Parser)]
#[command(name = "s3life", version, propagate_version = true)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(Debug, Args)]
struct Common {
    /// Text for people, or JSON for programs.
    #[arg(long, global = true, value_enum, default_value_t = Form::Text)]
    output: Form,
    /// Address of the gateway. Without it and for keys: core-site.xml, spark-defaults.conf, environment, AWS profile.
    #[arg(long, global = true, value_name = "URL")]
    endpoint: Option<String>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Text,
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Check a policy. Nothing is sent.
    Validate(validate::Validate),
    /// Say what becomes of an object or a directory, by which rule, and when. Nothing is changed.
    Explain(explain::Explain),
    /// Print the lifecycle rules of the policy's bucket: those of s3life and those of others. Nothing is changed.
    Native(native::Native),
    /// Print the JSON Schema of policies, for editors. Nothing is sent.
    Schema,
}

/// A policy's file.
#[derive(Debug, Args)]
struct PolicyFile {
    /// The policy, in YAML.
    #[arg(value_name = "POLICY")]
    path: PathBuf,
}

/// Wrong arguments, as clap has it.
const USAGE: u8 = 2;

/// Runs the program as these arguments say; returns its exit status: 0, 1 for a failure, 2 for wrong arguments.
pub fn run(arguments: Vec<OsString>) -> u8 {
    let Arguments { common, command } = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(failure) => {
            // Where nobody reads it any more, nobody misses it.
            let _ = failure.print();
            return if matches!(failure.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
                0
            } else {
                USAGE
            };
        }
    };
    let done = match &command {
        Command::Validate(command) => command.run(&common),
        Command::Explain(command) => command.run(&common),
        Command::Native(command) => command.run(&common),
        Command::Schema => output::line(&format!("{:#}", crate::policy::Policy::schema())),
    };
    match done {
        Ok(()) => 0,
        Err(failure) => failure.print(common.output),
    }
}
