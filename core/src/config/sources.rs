//! Looks an option up in each source, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::credentials::profile::{Profile, ProfileFiles};
use crate::{Error, ErrorKind, Result};

use super::Sources;
use super::nearest::nearest;
use super::others::{Foreign, OTHERS, Other};
use super::row::{Kind, Row, Unit};
use super::table::{self, TABLE};
use super::values::{self, Value};

/// Origin of what no source has.
pub(crate) const DEFAULT: &str = "default";

const OWN: &str = "fs.s3core.";
const S3A: &str = "fs.s3a.";
const BUCKET: &str = "bucket.";

/// A kind of source, from the strongest to the weakest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Arguments and flags.
    Explicit,
    /// Hadoop's keys for this bucket.
    Bucket,
    /// Hadoop's keys for every bucket.
    Plain,
    /// Environment variables.
    Environment,
    /// The AWS profile files.
    Profile,
}

/// A value as it was written.
#[derive(Clone)]
pub(crate) struct Given {
    /// The value.
    pub(crate) text: String,
    /// Who says so.
    pub(crate) origin: String,
    level: Option<Level>,
}

impl Given {
    /// What holds when no source has the option.
    pub(super) fn default_of(row: &Row) -> Option<Self> {
        Some(Self { text: row.default?.to_owned(), origin: DEFAULT.to_owned(), level: None })
    }

    /// The value, or `***`.
    pub(super) fn shown(&self, row: &Row) -> String {
        if row.kind == Kind::Secret { "***".to_owned() } else { self.text.clone() }
    }

    /// The value in the form that the rest of the crate uses.
    pub(super) fn read(&self, row: &Row) -> Result<Value> {
        // A Python caller thinks in seconds where S3A counts in milliseconds.
        if self.level == Some(Level::Explicit)
            && row.kind == Kind::Time(Unit::Milliseconds)
            && !values::has_unit(&self.text)
        {
            return Err(self.invalid(row, &format!("write the unit too: {0}s or {0}ms", self.text.trim())));
        }
        values::parse(row, &self.text).map_err(|complaint| self.invalid(row, &complaint))
    }

    /// The value as one line of text.
    pub(crate) fn one_line(&self, row: &Row) -> Result<String> {
        match self.read(row)? {
            Value::Text(text) => Ok(text),
            _ => Err(Error::new(ErrorKind::Internal, format!("option {} is no text", row.key()))),
        }
    }

    /// An error that names option, origin, value and remedy.
    pub(crate) fn invalid(&self, row: &Row, complaint: &str) -> Error {
        // Whoever writes a key into an endpoint should not find it in a log.
        let hidden = row.kind == Kind::Secret || self.text.contains('@');
        let value = if hidden { "***" } else { self.text.trim() };
        Error::new(
            ErrorKind::InvalidOption,
            format!("option {}: \"{value}\" (from {}) is not valid: {complaint}", row.key(), self.origin),
        )
    }
}

/// All sources, opened.
pub(crate) struct Resolver<'a> {
    bucket: &'a str,
    explicit: BTreeMap<&'static str, (&'a str, &'a str)>,
    hadoop: BTreeMap<&'a str, &'a str>,
    environment: &'a dyn Fn(&str) -> Option<String>,
    files: ProfileFiles<'a>,
    profile: Profile,
    profile_first: bool,
}

impl<'a> Resolver<'a> {
    /// Opens the sources.
    ///
    /// # Errors
    /// `InvalidOption` for an own option that does not exist, or a profile that does not.
    pub(super) fn new(bucket: &'a str, sources: &'a Sources<'_>) -> Result<Self> {
        let mut resolver = Self {
            bucket,
            explicit: explicit(&sources.explicit)?,
            hadoop: sources.hadoop.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect(),
            environment: sources.environment,
            files: ProfileFiles::new(sources.environment, sources.home.as_deref()),
            profile: Profile::default(),
            profile_first: false,
        };
        for key in resolver.hadoop.keys() {
            check_own_key(key, bucket)?;
        }
        let named = resolver.find(&table::PROFILE);
        resolver.profile_first = named.as_ref().is_some_and(|named| named.level != Some(Level::Environment));
        if let Some(file) = resolver.find(&table::PROFILE_FILE) {
            resolver.files.credentials_are_in(file.text.trim());
        }
        resolver.profile = match named {
            Some(named) => resolver.files.named(named.text.trim(), &named.origin)?,
            None => resolver.files.optional(table::PROFILE.default.unwrap_or_default()),
        };
        Ok(resolver)
    }

    /// The value of the strongest source that has one.
    pub(crate) fn find(&self, row: &Row) -> Option<Given> {
        let [next, last] = if self.profile_first {
            [Level::Profile, Level::Environment]
        } else {
            [Level::Environment, Level::Profile]
        };
        [Level::Explicit, Level::Bucket, Level::Plain, next, last].into_iter().find_map(|level| self.at(row, level))
    }

    /// The value at one level. An empty value is none: `core-default.xml` is full of them.
    pub(crate) fn at(&self, row: &Row, level: Level) -> Option<Given> {
        let given = |text: &str, origin: String| {
            (!text.trim().is_empty()).then(|| Given { text: text.to_owned(), origin, level: Some(level) })
        };
        match level {
            Level::Explicit => {
                let (name, text) = self.explicit.get(row.name)?;
                given(text, format!("argument {name}"))
            }
            Level::Bucket | Level::Plain => self.hadoop_keys(row, level).into_iter().find_map(|key| {
                let text = *self.hadoop.get(key.as_str())?;
                if level == Level::Plain && key.starts_with(S3A) && is_shipped(row, text) {
                    return None;
                }
                given(text, key)
            }),
            Level::Environment => {
                row.environment.iter().find_map(|name| given(&(self.environment)(name)?, (*name).to_owned()))
            }
            Level::Profile => {
                let found = self.profile.get(row.profile?)?;
                given(&found.text, self.profile.origin(&found.file))
            }
        }
    }

    /// What `row` is called at `level`, for error messages.
    pub(crate) fn name_at(&self, row: &Row, level: Level) -> String {
        match level {
            Level::Explicit => format!("argument {}", row.keyword()),
            Level::Bucket | Level::Plain => self.hadoop_keys(row, level).pop().unwrap_or_default(),
            Level::Environment => row.environment.first().copied().unwrap_or_default().to_owned(),
            Level::Profile => format!("{} in {}", row.profile.unwrap_or_default(), self.profile),
        }
    }

    /// Whether the profile was asked for by an argument or by Hadoop's configuration, and goes before the environment.
    pub(crate) fn profile_first(&self) -> bool {
        self.profile_first
    }

    /// The bucket.
    pub(crate) fn bucket(&self) -> &str {
        self.bucket
    }

    /// The profile.
    pub(crate) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The files that profiles are in.
    pub(crate) fn profile_files(&self) -> &ProfileFiles<'a> {
        &self.files
    }

    /// An environment variable, where it has a value.
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        (self.environment)(name).filter(|value| !value.trim().is_empty())
    }

    /// The text of an option, or its default.
    ///
    /// # Errors
    /// `InvalidOption` for a value that cannot be read.
    pub(crate) fn text(&self, row: &Row) -> Result<Option<String>> {
        self.find_or_default(row).map(|given| given.one_line(row)).transpose()
    }

    /// The word that an option was given, in lower case, or its default.
    ///
    /// # Errors
    /// `InvalidOption` for a word that it does not take.
    pub(super) fn choice(&self, row: &Row) -> Result<Option<String>> {
        match self.find_or_default(row).map(|given| given.read(row)).transpose()? {
            Some(Value::Text(word)) => Ok(Some(word)),
            _ => Ok(None),
        }
    }

    /// The words of a list, or of its default.
    ///
    /// # Errors
    /// `InvalidOption` for a value that cannot be read.
    pub(crate) fn list(&self, row: &Row) -> Result<Vec<String>> {
        match self.find_or_default(row).map(|given| given.read(row)).transpose()? {
            Some(Value::List(words)) => Ok(words),
            _ => Ok(Vec::new()),
        }
    }

    /// Whether an option is true.
    ///
    /// # Errors
    /// `InvalidOption` for a value that cannot be read.
    pub(crate) fn flag(&self, row: &Row) -> Result<bool> {
        let value = self.find_or_default(row).map(|given| given.read(row)).transpose()?;
        Ok(value == Some(Value::Flag(true)))
    }

    /// A time.
    ///
    /// # Errors
    /// `InvalidOption` for a value that cannot be read.
    pub(crate) fn time(&self, row: &Row) -> Result<Option<Duration>> {
        match self.find_or_default(row).map(|given| given.read(row)).transpose()? {
            Some(Value::Time(time)) => Ok(Some(time)),
            _ => Ok(None),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// `InvalidOption` for a value that cannot be read.
    pub(super) fn count(&self, row: &Row) -> Result<Option<u64>> {
        match self.find_or_default(row).map(|given| given.read(row)).transpose()? {
            Some(Value::Number(number)) => Ok(Some(number)),
            _ => Ok(None),
        }
    }

    fn find_or_default(&self, row: &Row) -> Option<Given> {
        self.find(row).or_else(|| Given::default_of(row))
    }

    fn hadoop_keys(&self, row: &Row, level: Level) -> Vec<String> {
        let middle = if level == Level::Bucket { format!("{BUCKET}{}.", self.bucket) } else { String::new() };
        let own = format!("{OWN}{middle}{}", row.name);
        std::iter::once(own).chain(row.hadoop.iter().map(|name| format!("{S3A}{middle}{name}"))).collect()
    }

    /// Key and value of an option of S3A, whatever it may be to us; the one for the bucket counts.
    pub(super) fn of_s3a(&self, name: &str) -> Option<(String, &str)> {
        [format!("{S3A}{BUCKET}{}.{name}", self.bucket), format!("{S3A}{name}")]
            .into_iter()
            .find_map(|key| self.hadoop.get(key.as_str()).copied().map(|value| (key, value)))
    }

    /// Keys of `fs.s3a.` that no row reads, without those of other buckets and those that Hadoop itself reads.
    pub(super) fn foreign(&self) -> Vec<Foreign> {
        let known: BTreeSet<&str> = TABLE.iter().flat_map(|row| row.hadoop).copied().collect();
        let own_bucket = format!("{BUCKET}{}.", self.bucket);
        let names = self.hadoop.keys().filter_map(|key| {
            let rest = key.strip_prefix(S3A)?;
            let (prefix, name) = match rest.strip_prefix(own_bucket.as_str()) {
                Some(name) => (format!("{S3A}{own_bucket}"), name),
                None if rest.starts_with(BUCKET) || rest == "impl" || rest.starts_with("impl.") => return None,
                None => (S3A.to_owned(), rest),
            };
            (!known.contains(name)).then_some((*key, prefix, name))
        });
        names.map(|(key, prefix, name)| foreign(key, &prefix, name)).collect()
    }
}

fn foreign(key: &str, prefix: &str, name: &str) -> Foreign {
    let other = Other::of(name);
    let meant = if other.is_some() { None } else { meant_by(prefix, name) };
    let remark = match (other, &meant) {
        (Some(other), _) => other.remark.to_owned(),
        (None, Some(meant)) => format!("no option of S3A or s3core; did you mean {meant}?"),
        (None, None) => "no option of S3A or s3core; docs/options.md lists every option".to_owned(),
    };
    Foreign { key: key.to_owned(), other, remark, meant }
}

/// The key that somebody may have meant who has written `prefix` and `name`: one that is read here, or one of S3A's.
fn meant_by(prefix: &str, name: &str) -> Option<String> {
    let others = OTHERS.iter().map(|other| other.name).filter(|name| !name.ends_with('.'));
    let near = nearest(name, names_of_rows().chain(others))?;
    Some(match row_of(near) {
        Some(row) => row.hadoop.first().map_or_else(|| row.key(), |name| format!("{prefix}{name}")),
        None => format!("{prefix}{near}"),
    })
}

/// Whether `text` is what Hadoop's own `core-default.xml` says.
fn is_shipped(row: &Row, text: &str) -> bool {
    let words = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    row.shipped.iter().any(|shipped| words(shipped) == words(text))
}

fn explicit(arguments: &[(String, String)]) -> Result<BTreeMap<&'static str, (&str, &str)>> {
    let mut found = BTreeMap::new();
    for (argument, value) in arguments {
        let name = argument.strip_prefix(OWN).unwrap_or(argument).replace('_', ".");
        let Some(row) = TABLE.iter().find(|row| row.name == name) else {
            let near = near_row(name.strip_prefix(S3A).unwrap_or(&name)).map(|row| row.keyword());
            return Err(unknown(&format!("argument {argument}"), near));
        };
        found.insert(row.name, (argument.as_str(), value.as_str()));
    }
    Ok(found)
}

/// Refuses an own key that no row has. `fs.s3core.bucket.a.b.endpoint` may be for the bucket `a.b`: such keys pass
/// when they end with the name of an option.
fn check_own_key(key: &str, bucket: &str) -> Result<()> {
    let Some(rest) = key.strip_prefix(OWN) else {
        return Ok(());
    };
    let (prefix, name) = match rest.strip_prefix(BUCKET) {
        None => (OWN.to_owned(), rest),
        Some(rest) => match rest.strip_prefix(bucket).and_then(|rest| rest.strip_prefix('.')) {
            Some(name) => (format!("{OWN}{BUCKET}{bucket}."), name),
            None => return Ok(()),
        },
    };
    let known =
        TABLE.iter().any(|row| row.name == name || (prefix != OWN && name.ends_with(&format!(".{}", row.name))));
    if known { Ok(()) } else { Err(unknown(key, near_row(name).map(|row| format!("{prefix}{}", row.name)))) }
}

/// The row whose own name, or S3A's name for it, is nearest.
fn near_row(name: &str) -> Option<&'static Row> {
    row_of(nearest(name, names_of_rows())?)
}

/// Own names, and S3A's for them.
fn names_of_rows() -> impl Iterator<Item = &'static str> {
    TABLE.iter().flat_map(|row| std::iter::once(row.name).chain(row.hadoop.iter().copied()))
}

fn row_of(name: &str) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.name == name || row.hadoop.contains(&name))
}

fn unknown(name: &str, near: Option<String>) -> Error {
    let remedy =
        near.map_or_else(|| "docs/options.md lists every option".to_owned(), |near| format!("did you mean {near}?"));
    Error::new(ErrorKind::InvalidOption, format!("unknown option {name}: {remedy}"))
}
