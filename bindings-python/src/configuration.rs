//! Options: the resolver of the core, fed from Python's arguments and this process's environment.

use pyo3::prelude::*;
use s3core::config::others::{Does, Foreign};
use s3core::config::table::TABLE;
use s3core::config::{Options, Sources};
use s3core::{Error, ErrorKind};

use crate::errors::exception;

/// Name and value, as Python gives them.
pub(crate) type Pair = (String, String);

/// Option, value, origin.
pub(crate) type ExplainedRow = (String, String, String);

/// The settings for `bucket`: arguments, then Hadoop's keys, then environment, then profile, then default.
pub(crate) fn resolve(bucket: &str, explicit: Vec<Pair>, hadoop: Vec<Pair>) -> Result<Options, Error> {
    let environment = |name: &str| std::env::var(name).ok();
    let sources = Sources { explicit, hadoop, environment: &environment, home: std::env::home_dir() };
    Options::resolve(bucket, &sources)
}

/// The Hadoop keys that say the same as these keywords of Python. Where keys are missing nothing is wrong: each JVM
/// looks for its own.
#[pyfunction]
pub(crate) fn hadoop_settings(py: Python<'_>, options: Vec<Pair>) -> PyResult<Vec<Pair>> {
    match resolve("bucket", options.clone(), Vec::new()) {
        Err(error) if error.kind() != ErrorKind::NoCredentials => {
            return Err(exception(py, &error));
        }
        _ => {}
    }
    Ok(options.into_iter().map(|(name, value)| (hadoop_key(name), value)).collect())
}

/// A key that no option reads; `jar`, `nothing` or `unknown`; a remark.
pub(crate) type ForeignRow = (String, &'static str, String);

/// Every option with its value and where that came from, the `fs.s3a.` keys that none reads, and what is wrong with the
/// credentials, where something is.
#[pyfunction]
pub(crate) fn explain(
    py: Python<'_>,
    bucket: &str,
    options: Vec<Pair>,
    hadoop: Vec<Pair>,
) -> PyResult<(Vec<ExplainedRow>, Vec<ForeignRow>, Option<String>)> {
    let (settings, complaint) = match resolve(bucket, options.clone(), hadoop.clone()) {
        Err(error) if error.kind() == ErrorKind::NoCredentials => {
            (resolve(bucket, with_anonymous(options), hadoop), Some(error.to_string()))
        }
        settings => (settings, None),
    };
    let settings = settings.map_err(|error| exception(py, &error))?;
    Ok((explained(&settings), settings.foreign().iter().map(foreign).collect(), complaint))
}

fn foreign(one: &Foreign) -> ForeignRow {
    let what = match one.other.map(|other| other.does) {
        Some(Does::ReadByTheJar) => "jar",
        Some(Does::Nothing | Does::Refused { .. }) => "nothing",
        None => "unknown",
    };
    (one.key.clone(), what, one.remark.clone())
}

/// The rows of `explain()` under the names that Python's keywords have.
pub(crate) fn explained(options: &Options) -> Vec<ExplainedRow> {
    let keyword = |option: &str| option.strip_prefix("fs.s3core.").unwrap_or(option).replace('.', "_");
    options.explain().into_iter().map(|one| (keyword(&one.option), one.value, one.origin)).collect()
}

/// The same options for requests that need no keys.
pub(crate) fn with_anonymous(mut options: Vec<Pair>) -> Vec<Pair> {
    options.retain(|(name, _)| !matches!(name.as_str(), "access_key" | "secret_key" | "session_token"));
    options.push(("anonymous".to_owned(), "true".to_owned()));
    options
}

/// S3A's own key, which other tools know as well, unless Hadoop ships a value for it that would hide this one.
fn hadoop_key(name: String) -> String {
    match TABLE.iter().find(|row| row.keyword() == name) {
        Some(row) => match row.hadoop.first() {
            Some(key) if row.shipped.is_empty() => format!("fs.s3a.{key}"),
            _ => row.key(),
        },
        None => name,
    }
}
