//! Where keys come from, and how they are renewed: against services that issue keys, the embedded endpoint, and the STS of
//! a real Ceph.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where its preparations fail")]

#[path = "../support/mod.rs"]
mod support;

mod expiry;
mod issuer;
mod platforms;
mod refused;
mod roles;
mod skew;
mod web_identity;
