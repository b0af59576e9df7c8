//! Tiering that keeps modification time and ETag: the gateway moves the objects, by transition rules on the prefixes of
//! units.
//!
//! The rules are in the bucket's lifecycle configuration while their units move, a few at a time, and are gone when a listing
//! shows all objects of a unit in its class. Nothing else is kept of it: who takes a run over finds out by the same listings.
//! Rules of others stay what they are, byte for byte.
//!
//! A configuration has no condition on writes: whoever changes it holds the lease of the bucket, and other tools must leave it
//! alone for the moments between reading and writing it.

mod rules;
mod tiering;

pub use rules::{Conflict, Rules, TAG, tag_value};
pub use tiering::{AT_ONCE, TierUnit, Tiering};
