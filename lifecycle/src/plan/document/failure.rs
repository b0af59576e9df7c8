//! Why a plan cannot be written, or is refused.

use std::io;
use std::path::PathBuf;

use crate::plan::line::FORMAT;

/// Why a plan cannot be written, or is refused.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// There is no room for it, say.
    #[error("the plan cannot be written to {}: {source}; TMPDIR names the directory for it", place.display())]
    Write {
        /// File or directory.
        place: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Where it is to be saved nothing can be written.
    #[error("the plan cannot be saved to {}: {source}; give `--out` a file in a directory that is there and may be written", path.display())]
    Save {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is missing, say.
    #[error("the plan {} cannot be read: {source}", path.display())]
    Read {
        /// Its file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It has no last line.
    #[error(
        "the plan {} ends in line {line} and is not whole: copy it again, or make a new one with `s3life plan`",
        path.display()
    )]
    Cut {
        /// Its file.
        path: PathBuf,
        /// Number of the last line that is there, from 1.
        line: u64,
    },
    /// It is of a later version.
    #[error(
        "the plan {} is of format {format}, made by s3life {s3life}, and this s3life reads format {FORMAT}: use that \
         version, or make a new plan",
        path.display()
    )]
    Format {
        /// Its file.
        path: PathBuf,
        /// Its format.
        format: u32,
        /// Version of the s3life that made it.
        s3life: String,
    },
    /// A line is not what stands there in a plan.
    #[error("line {line} of the plan {} is wrong: {reason}; make a new plan with `s3life plan`", path.display())]
    Line {
        /// Its file.
        path: PathBuf,
        /// Number of the line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// It is not as it was made.
    #[error(
        "the plan {} was changed after it was made: its digest is {found}, and {written} stands in it; make a new one \
         with `s3life plan`",
        path.display()
    )]
    Digest {
        /// Its file.
        path: PathBuf,
        /// As it is.
        found: String,
        /// As its last line says.
        written: String,
    },
    /// It is not what this policy means.
    #[error("the plan {} does not fit the policy: {reason}; make a new plan of it with `s3life plan`", path.display())]
    Policy {
        /// Its file.
        path: PathBuf,
        /// What differs.
        reason: String,
    },
    /// The file changed after it was verified.
    #[error("the plan {} is being changed by somebody: nothing may write to it while it is read", path.display())]
    Moving {
        /// Its file.
        path: PathBuf,
    },
}
