//! What an option is: its names in every source, how its values are spelled, its default and its limits.

use std::time::Duration;

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Own name: the Hadoop key without `fs.s3core.`, and with underscores the keyword of Python.
    pub name: &'static str,
    /// What S3A calls it, without `fs.s3a.`; the first that is given counts.
    pub hadoop: &'static [&'static str],
    /// Values that Hadoop's own `core-default.xml` gives the plain `fs.s3a.` key on some Hadoop line and that would
    /// be wrong here. They say nothing about what the user wants, and count as not given.
    pub shipped: &'static [&'static str],
    /// Environment variables; the first that is set counts.
    pub environment: &'static [&'static str],
    /// Key in a section of the AWS profile files.
    pub profile: Option<&'static str>,
    /// How values are spelled.
    pub kind: Kind,
    /// What holds when no source has it.
    pub default: Option<&'static str>,
    /// Smallest and largest value of a number, a size (bytes) or a time (milliseconds).
    pub range: (u64, u64),
    /// One line for the documentation.
    pub meaning: &'static str,
}

/// How the values of an option are spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// As it stands.
    Text,
    /// As it stands, over several lines too.
    Document,
    /// As it stands; never shown.
    Secret,
    /// `true` or `false`.
    Boolean,
    /// Bytes, or a number with K, M, G, T, P.
    Size,
    /// A number with ms, s, m, h or d; without a unit it counts in the one named here.
    Time(Unit),
    /// A whole number.
    Count,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Words between commas.
    List,
}

/// Unit of a time that is written without one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 1/1000 s, as most times of S3A.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// One of it.
    pub fn duration(self) -> Duration {
        match self {
            Self::Milliseconds => Duration::from_millis(1),
            Self::Seconds => Duration::from_secs(1),
        }
    }
}

impl Row {
    pub(super) const fn new(name: &'static str, kind: Kind, meaning: &'static str) -> Self {
        Self {
            name,
            hadoop: &[],
            shipped: &[],
            environment: &[],
            profile: None,
            kind,
            default: None,
            range: (0, u64::MAX),
            meaning,
        }
    }

    pub(super) const fn hadoop(mut self, names: &'static [&'static str]) -> Self {
        self.hadoop = names;
        self
    }

    pub(super) const fn shipped(mut self, values: &'static [&'static str]) -> Self {
        self.shipped = values;
        self
    }

    pub(super) const fn environment(mut self, names: &'static [&'static str]) -> Self {
        self.environment = names;
        self
    }

    pub(super) const fn profile(mut self, key: &'static str) -> Self {
        self.profile = Some(key);
        self
    }

    pub(super) const fn default(mut self, value: &'static str) -> Self {
        self.default = Some(value);
        self
    }

    pub(super) const fn range(mut self, least: u64, most: u64) -> Self {
        self.range = (least, most);
        self
    }

    /// The full own key, `fs.s3core.` and the name.
    pub fn key(&self) -> String {
        format!("fs.s3core.{}", self.name)
    }

    /// The keyword of Python and of programs.
    pub fn keyword(&self) -> String {
        self.name.replace('.', "_")
    }
}
