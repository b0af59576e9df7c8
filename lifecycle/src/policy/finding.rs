//! What is wrong with a policy, and where.

use std::fmt;

use serde_saphyr::Location;

/// One thing that is wrong, with its remedy in the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Line of the file, from 1; 0 where it is about the whole.
    pub line: u64,
    /// Column, from 1; 0 where it is about the whole.
    pub column: u64,
    /// What is wrong and what helps.
    pub message: String,
}

impl Finding {
    pub(super) fn at(location: Location, message: impl Into<String>) -> Self {
        Self { line: location.line(), column: location.column(), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (0, _) => formatter.write_str(&self.message),
            (line, column) => write!(formatter, "line {line}, column {column}: {}", self.message),
        }
    }
}

/// Everything that is wrong with a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings(pub Vec<Finding>);

impl fmt::Display for Findings {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, finding) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{finding}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Findings {}
