//! The state in the bucket, on real Ceph and on the embedded endpoint.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

#[allow(dead_code, reason = "the tests of units need more of it")]
#[path = "../act/interposed.rs"]
mod interposed;
mod journals;
mod leases;
mod pace;
mod programs;
mod stores;
mod support;
mod suspended;
mod versions;
