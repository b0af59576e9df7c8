//! When a partition's data is from, read out of its path: `day=2024-03-01/` by the template `{day:%Y-%m-%d}`.
//!
//! A template names partition columns (`column=value/` in the path, as Hive and Spark write them) with the format of each
//! value, in the conversions of strftime. Columns named `year`, `month`, `day`, `hour` and `minute` need no format where
//! they come together. The smallest field decides how long the partition's interval is; its age counts from the
//! interval's end.

mod directive;
mod template;
mod value;

pub use template::{Interval, Template};
pub use value::{NULL_VALUE, columns};
