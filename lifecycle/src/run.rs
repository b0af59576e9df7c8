//! A run: a plan that is being carried out, or was. All that is known of it lies in the bucket, so that any machine can
//! take it over, bring back what it removed, or empty its trash.

pub mod bucket;
pub mod error;
pub mod holds;
pub mod journal;
pub mod keys;
pub mod lease;
pub mod left;
pub mod record;
pub mod store;
pub mod tidy;
pub mod uploads;

pub use bucket::Bucket;
pub use error::StateError;
