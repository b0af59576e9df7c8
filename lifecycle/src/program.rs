//! The command line of `s3life`.

mod applied;
mod apply;
mod approve;
mod call;
mod carry_out;
mod explain;
mod help;
mod history;
mod inventory;
mod kept;
mod man;
mod native;
mod output;
mod plan;
mod progress;
mod question;
mod report;
mod restore;
mod serve;
mod served;
mod status;
mod stopping;
mod traces;
mod undo;
mod undone;
mod validate;
mod verify;
mod work;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::connection::Connection;
use crate::policy::{Place, Policy};

use call::Caller;
pub use call::call;
pub use output::{Failure, PolicyFailure};

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
    /// Requests in a second at most, whatever they are for; the renewal of the bucket's lease waits for none. Without it: as
    /// many as the gateway answers.
    #[arg(long, global = true, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    requests_per_second: Option<u32>,
    #[arg(skip)]
    caller: Caller,
}

impl Common {
    /// Reaches a bucket.
    fn connect(&self, bucket: &str) -> Result<Connection, Failure> {
        let endpoint = self.endpoint.iter().map(|endpoint| ("endpoint".to_owned(), endpoint.clone()));
        let explicit = endpoint.chain(self.caller.options.iter().cloned()).collect();
        Ok(Connection::open(bucket, explicit, self.caller.interrupt.clone(), self.requests_per_second)?)
    }
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
    /// Say what a policy would change now, and save it as a plan. Nothing is changed.
    Plan(plan::Plan),
    /// Carry out a plan: show it, ask, and do what it says. Goes on with a run that was killed.
    Apply(apply::Apply),
    /// Plan and apply a policy again and again, as far as its rules were approved and announced.
    Serve(serve::Serve),
    /// Approve a rule that `serve` has announced.
    Approve(approve::Approve),
    /// List the runs of a bucket, the newest first.
    History(history::History),
    /// Say who is at work in a bucket, what its trash holds, and what was skipped.
    Status(status::Status),
    /// Prove that a run did what its plan says and nothing else, and tell what others have changed since. Nothing is changed.
    Verify(verify::Verify),
    /// Bring back what a run has removed.
    Undo(undo::Undo),
    /// Move partitions out of their storage class, because somebody needs them now.
    Restore(restore::Restore),
    /// Empty the trash of a run now: nothing of it can be brought back afterwards.
    Purge(undo::Purge),
    /// Let what a run has brought back be planned again.
    Release(undo::Release),
    /// Print the lifecycle rules of the policy's bucket: those of s3life and those of others. Nothing is changed.
    Native(native::Native),
    /// Write every object of the policy's datasets into a table, with what becomes of it. Nothing is changed.
    Inventory(inventory::Inventory),
    /// Show what lies in the policy's datasets, what is due, guards, trash and runs on a page. Nothing is changed.
    Report(report::Report),
    /// Print a script by which a shell completes the commands of s3life. Nothing is sent.
    Completion(man::Completion),
    /// Write the manual pages of s3life and its commands. Nothing is sent.
    Man(man::Man),
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

/// A bucket, or a policy for it.
#[derive(Debug, Args)]
struct BucketOrPolicy {
    /// A policy, or s3a://BUCKET.
    #[arg(value_name = "POLICY|s3a://BUCKET")]
    place: String,
}

impl BucketOrPolicy {
    /// Reaches the bucket.
    fn connect(&self, common: &Common) -> Result<Connection, Failure> {
        common.connect(&self.name()?)
    }

    /// The policy, where one is given.
    fn policy(&self) -> Result<Option<Policy>, Failure> {
        if self.place.contains("://") { Ok(None) } else { output::policy(Path::new(&self.place)).map(Some) }
    }

    /// Name of the bucket.
    fn name(&self) -> Result<String, Failure> {
        if self.place.contains("://") {
            return Ok(self.place.parse::<Place>().map_err(Failure::Usage)?.bucket);
        }
        let path = Path::new(&self.place);
        if !path.exists() && !self.place.contains(['/', '.']) {
            return Err(Failure::Usage(format!(
                "there is no policy {0} here: write s3a://{0} where that is the bucket, or the path of a policy's file",
                self.place
            )));
        }
        Ok(output::policy(path)?.bucket)
    }
}

/// Wrong arguments, as clap has it.
const USAGE: u8 = 2;

/// Runs the program as these arguments say; returns its exit status: 0, 1 for a failure, 2 for wrong arguments,
/// 3 for pending changes where that was asked for.
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
        Command::Explain(command) => command.run(&common).map(|()| 0),
        Command::Plan(command) => command.run(&common),
        Command::Apply(command) => command.run(&common).map(|()| 0),
        Command::Serve(command) => command.run(&common),
        Command::Approve(command) => command.run(&common).map(|()| 0),
        Command::History(command) => command.run(&common).map(|()| 0),
        Command::Status(command) => command.run(&common).map(|()| 0),
        Command::Verify(command) => command.run(&common),
        Command::Undo(command) => command.run(&common).map(|()| 0),
        Command::Restore(command) => command.run(&common).map(|()| 0),
        Command::Purge(command) => command.run(&common).map(|()| 0),
        Command::Release(command) => command.run(&common).map(|()| 0),
        Command::Inventory(command) => command.run(&common).map(|()| 0),
        Command::Report(command) => command.run(&common).map(|()| 0),
        Command::Completion(command) => command.run().map(|()| 0),
        Command::Man(command) => command.run(&common).map(|()| 0),
        Command::Schema => output::line(&format!("{:#}", Policy::schema())).map(|()| 0),
        Command::Native(command) => command.run(&common).map(|()| 0),
    };
    match done {
        Ok(status) => status,
        Err(failure) => failure.print(common.output),
    }
}
