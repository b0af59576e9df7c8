//! What people and programs see of a bucket and of a policy, on real Ceph, by the program in a process of its own.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]
#![allow(dead_code, reason = "the bucket's helpers serve the tests of plans, too")]

mod inventory;
#[path = "../plans/lake.rs"]
mod lake;
mod pipes;
mod program;
mod quotas;
mod report;
mod shells;
