//! An S3 client for Spark and Python, made for Ceph Radosgw first.
//!
//! Rooms, from the outside in: [`commit`] (output that becomes visible when its job is committed), [`fs`] (paths and
//! directories on keys), [`transfer`] (large objects inside one
//! memory budget), [`probe`] (what a gateway honours), [`ops`] (one file per S3 operation, the only place with XML), [`gateway`] (endpoint,
//! retries, capabilities), [`sign`] (SigV4) and [`http`] (connections). [`config`], [`credentials`] and
//! [`error`] serve all of them. Clock, randomness and transport are parameters: see [`environment`].

pub mod commit;
mod concurrent;
pub mod config;
pub mod credentials;
pub mod environment;
pub mod error;
pub mod fs;
pub mod gateway;
pub mod http;
pub mod ops;
pub mod probe;
pub mod sign;
pub mod transfer;

pub use concurrent::{Operations, Stop, run_all};
pub use error::{Error, ErrorKind, Result};

/// Version of the whole product: crate, jar and wheel carry the same one.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
