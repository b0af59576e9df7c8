//! A plan: everything that a run would change, named beforehand. It can be read, kept, approved, and applied as it stands.
//!
//! A plan is a text of JSON lines: [`line::Line::Plan`] first, then each unit with its objects behind it, then
//! [`line::Line::End`] with the sums and the digest of all that stands before it.

pub mod document;
pub mod headroom;
pub mod holds;
pub mod line;
pub mod make;
pub mod report;
pub mod table;
