//! The program `s3life`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let status = s3life::program::run(std::env::args_os().collect());
    ExitCode::from(status)
}
