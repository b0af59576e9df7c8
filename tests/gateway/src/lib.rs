//! An S3 endpoint inside the process: it starts in milliseconds, keeps objects in memory or on a
//! directory, checks signatures, and on request behaves like Radosgw of a given release
//! ([`Quirks`]), slow ([`GatewayBuilder::delay`], [`GatewayBuilder::bandwidth`]) or broken
//! ([`Fault`]).
//!
//! The protocol (routing, XML, SigV4) is that of the `s3s` crate, so that this endpoint and the
//! client it tests do not share a misreading. It is for tests and demonstrations: it listens on
//! 127.0.0.1 only, and nothing is flushed to the disk.

mod cli;
mod faults;
mod front;
mod gateway;
mod lifecycle;
mod operations;
mod pace;
mod quirks;
mod requests;
mod seed;
mod server;
mod storage;

pub use cli::run;
pub use faults::{Fault, FaultId, Faults};
pub use gateway::{Gateway, GatewayBuilder, StartError};
pub use quirks::{Quirks, UnknownQuirks};
pub use requests::RequestRecord;
pub use storage::directory::DirectoryError;
