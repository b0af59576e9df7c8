//! What a plan means for the tables that no `catalog` of the policy names, as SQL for Spark and Hive.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::partition::columns;
use crate::plan::document::{PlanError, PlanReader};
use crate::plan::line::{PlannedAction, PlannedObject, PlannedUnit};
use crate::policy::{Action, Dataset, Policy, Unit};

/// Why no SQL was written.
#[derive(Debug, thiserror::Error)]
pub enum SqlError {
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A file cannot be written.
    #[error("{} cannot be written: {failure}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        failure: io::Error,
    },
}

/// Writes the SQL that drops what a plan removes, and the SQL that adds what `s3life undo` brings back, beside the plan:
/// `plan.sql` and `plan.undo.sql`. Nothing is written where the policy names the table of each dataset that loses
/// partitions, or none does.
///
/// # Errors
/// [`SqlError`].
pub fn write_beside(plan: &Path, policy: &Policy) -> Result<(), SqlError> {
    if !policy.datasets.iter().any(is_concerned) {
        return Ok(());
    }
    let mut drop = Script::create(plan, "sql", "run this before `s3life apply --plan`")?;
    let mut add = Script::create(plan, "undo.sql", "run this after `s3life undo`")?;
    let mut reader = PlanReader::open(plan)?;
    while let Some((unit, objects)) = reader.next_unit()? {
        let dataset = policy.datasets.iter().find(|dataset| dataset.name == unit.dataset);
        let Some(dataset) = dataset.filter(|dataset| is_concerned(dataset) && is_partition(&unit)) else { continue };
        let table = quoted(&dataset.name);
        for (directory, specification) in partitions(&dataset.prefix, &objects) {
            drop.line(&format!("ALTER TABLE {table} DROP IF EXISTS PARTITION ({specification});"))?;
            if unit.action == PlannedAction::Expire {
                let location = literal(&format!("s3a://{}/{directory}", policy.bucket));
                let clause = format!("PARTITION ({specification}) LOCATION {location}");
                add.line(&format!("ALTER TABLE {table} ADD IF NOT EXISTS {clause};"))?;
            }
        }
    }
    drop.end()?;
    add.end()
}

/// Whether partitions of a dataset may go, and the policy names no table.
fn is_concerned(dataset: &Dataset) -> bool {
    let removes = dataset.rules.iter().any(|rule| rule.action.as_ref().is_some_and(Action::removes));
    dataset.unit == Unit::Partition && dataset.catalog.is_none() && removes
}

fn is_partition(unit: &PlannedUnit) -> bool {
    matches!(unit.action, PlannedAction::Expire | PlannedAction::Delete)
}

/// The innermost directories of partition columns that objects lie in, without their last slash, with the columns as SQL names
/// them.
fn partitions(dataset: &str, objects: &[PlannedObject]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for object in objects {
        let path = object.key.get(dataset.len()..).unwrap_or_default();
        let (mut specification, mut end) = (String::new(), 0);
        for (name, value, behind) in columns(path) {
            let separator = if specification.is_empty() { "" } else { ", " };
            // Writing to a string cannot fail.
            let _ = write!(specification, "{separator}{}={}", quoted(&name), literal(&value));
            end = behind;
        }
        if let Some(directory) = object.key.get(..(dataset.len() + end).saturating_sub(1)).filter(|_| end > 0) {
            found.entry(directory.to_owned()).or_insert(specification);
        }
    }
    found
}

/// A name.
fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A string, whose escapes Spark and Hive share.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

struct Script {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Script {
    fn create(plan: &Path, extension: &str, when: &str) -> Result<Self, SqlError> {
        let mut path = plan.with_extension(extension);
        if path == plan {
            path = plan.with_extension(format!("plan.{extension}"));
        }
        let file = File::create(&path).map_err(|failure| SqlError::File { path: path.clone(), failure })?;
        let mut script = Self { path, file: BufWriter::new(file) };
        let plan = plan.file_name().unwrap_or_default().to_string_lossy().replace(['\n', '\r'], " ");
        script.line(&format!("-- The partitions of {plan}: {when}."))?;
        script.line("-- Each table is taken to be named after its dataset: put in the name that it has.")?;
        Ok(script)
    }

    fn line(&mut self, text: &str) -> Result<(), SqlError> {
        let written = writeln!(self.file, "{text}");
        written.map_err(|failure| SqlError::File { path: self.path.clone(), failure })
    }

    fn end(mut self) -> Result<(), SqlError> {
        self.file.flush().map_err(|failure| SqlError::File { path: self.path.clone(), failure })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn each_innermost_directory_of_columns_is_a_partition() {
        let object = |key: &str| PlannedObject {
            key: key.to_owned(),
            bytes: 1,
            etag: "e".to_owned(),
            written: Timestamp::UNIX_EPOCH,
            class: "STANDARD".to_owned(),
        };
        let keys = [
            "lake/day=2024-01-01/hour=1/a",
            "lake/day=2024-01-01/hour=1/b",
            "lake/day=2024-01-01/hour=2/plain/a",
            "lake/day=2024-01-01/who=O'Neil%5C/a",
            "lake/_SUCCESS",
        ];
        let found = partitions("lake/", &keys.map(object));
        let expected = [
            ("lake/day=2024-01-01/hour=1", "`day`='2024-01-01', `hour`='1'"),
            ("lake/day=2024-01-01/hour=2", "`day`='2024-01-01', `hour`='2'"),
            ("lake/day=2024-01-01/who=O'Neil%5C", r"`day`='2024-01-01', `who`='O\'Neil\\'"),
        ];
        assert_eq!(found, expected.map(|(directory, sql)| (directory.to_owned(), sql.to_owned())).into());
    }

    #[test]
    fn names_and_values_cannot_leave_their_quotes() {
        assert_eq!((quoted("a`b").as_str(), literal(r"\'").as_str()), ("`a``b`", r"'\\\''"));
    }
}
