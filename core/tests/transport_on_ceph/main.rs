//! Signing and connections against a real gateway. Run through `tests/ceph/with-ceph.sh --tls`, which says where it is.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod client;
mod early_answers;
mod keys;
#[path = "../support/mod.rs"]
mod support;
mod trust;
