//! Units are removed and put back: on real Ceph, and on the embedded endpoint with something happening before or after
//! each single request.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod interposed;
mod meddling;
mod overlapping;
mod paced;
mod round_trip;
#[path = "../../../core/tests/support/mod.rs"]
mod support;
mod switched;
mod undone;
mod unit;
mod versions;
