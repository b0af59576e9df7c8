//! What rules may do while nobody watches: `serve` lets a rule act when somebody has approved it, and on what it has
//! announced long enough ago. Both are kept in the bucket.

mod digest;
mod document;
mod store;

pub use digest::rule_digest;
pub use document::{Announcement, Round, ServedPolicy, ServedRule};
pub use store::{Approval, ServeError, ServeStore};
