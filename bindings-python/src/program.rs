//! The programs `s3core` and `s3life`.

use std::ffi::OsString;

use pyo3::prelude::*;

const USAGE: &str = "usage: s3core gateway [--dir DIRECTORY] [--port PORT] …   an S3 endpoint on this machine
       s3core gateway --help
       s3core uploads list|complete|abort|purge s3a://BUCKET/PATH …   what killed jobs have left behind
       s3core uploads --help
       s3core --version
For Spark: python -m s3core.spark --help";

/// Runs the program with these arguments (without its name) and returns its exit status.
#[pyfunction]
#[expect(clippy::print_stdout, clippy::print_stderr, reason = "it is a program")]
pub(crate) fn run_program(py: Python<'_>, arguments: Vec<String>) -> i32 {
    py.detach(|| match arguments.split_first() {
        Some((command, rest)) if command == "gateway" => s3core_gateway::run(rest.to_vec()),
        Some((command, _)) if command == "--version" || command == "-V" => {
            println!("s3core {}", s3core::VERSION);
            0
        }
        Some((command, _)) if command == "--help" || command == "-h" => {
            println!("{USAGE}");
            0
        }
        _ => {
            eprintln!("{USAGE}");
            2
        }
    })
}

/// Runs the program `s3life` with these arguments (without its name) and returns its exit status.
#[pyfunction]
pub(crate) fn run_life(py: Python<'_>, arguments: Vec<OsString>) -> u8 {
    let all = std::iter::once(OsString::from("s3life")).chain(arguments).collect();
    py.detach(|| s3life::program::run(all))
}
