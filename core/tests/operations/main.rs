//! Every S3 operation against real endpoints: the Ceph of the environment and the embedded endpoint.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where its preparations fail")]

#[path = "../support/mod.rs"]
mod support;

mod acls;
mod buckets;
mod copies;
mod deletions;
mod failures;
mod lifecycles;
mod listings;
mod reads;
mod tags;
mod uploads;
mod versions;
mod writes;
