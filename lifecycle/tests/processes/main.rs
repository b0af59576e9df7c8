//! Processes of `s3life` that are killed, or stopped: at random moments on real Ceph, and at their requests on the embedded
//! endpoint.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod crashed;
mod killed;
mod lake;
mod lists;
mod stopped;
#[path = "../../../core/tests/support/mod.rs"]
mod support;
mod written;
