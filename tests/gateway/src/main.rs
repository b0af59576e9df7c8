//! The gateway as a program of its own; `s3core gateway` runs the same.

use std::process::ExitCode;

fn main() -> ExitCode {
    let status = s3core_gateway::run(std::env::args().skip(1).collect());
    u8::try_from(status).map_or(ExitCode::FAILURE, ExitCode::from)
}
