//! Plans on real Ceph, by the program in a process of its own; what needs more objects, or a gateway that is slower than
//! its writers, on the embedded endpoint.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code, reason = "the bucket's helpers serve the tests of other programs, too")]

mod above;
mod dates;
mod guards;
mod holds;
#[path = "../../../core/tests/support/in_flight.rs"]
mod in_flight;
mod jobs;
mod lake;
mod listings;
mod memory;
mod objects;
mod partitions;
mod past;
mod refusals;
mod settling;
