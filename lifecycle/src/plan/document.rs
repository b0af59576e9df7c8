//! A plan as a file. It is written and read line by line, so that memory does not grow with the number of objects, and it
//! is believed only as a whole: before a reader gives out the first unit it has seen all lines, their digest, and that
//! each of them stays inside its dataset.

mod failure;
mod lines;
mod reader;
mod rules;
mod tally;
#[cfg(test)]
mod tests;
mod writer;

pub use failure::PlanError;
pub(crate) use lines::hexadecimal;
pub use reader::PlanReader;
pub use tally::{RuleTally, Tally};
pub use writer::{PlanWriter, WrittenPlan};
