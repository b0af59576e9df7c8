//! Tables that keep a log of their files. Whoever removes a file that the log names breaks them: only their own
//! procedures may.

use std::collections::BTreeMap;

/// A table, or a directory like one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// First letters of its keys: empty, or up to a slash.
    pub prefix: String,
    /// What it is.
    pub format: TableFormat,
}

/// What keeps a log of its files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TableFormat {
    /// Delta Lake.
    Delta,
    /// Apache Hudi.
    Hudi,
    /// Apache Iceberg.
    Iceberg,
    /// Output of a streaming query.
    StreamingSink,
    /// Checkpoint of a streaming query.
    StreamingCheckpoint,
}

impl TableFormat {
    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Delta => "a Delta table",
            Self::Hudi => "a Hudi table",
            Self::Iceberg => "an Iceberg table",
            Self::StreamingSink => "the output of a streaming query",
            Self::StreamingCheckpoint => "the checkpoint of a streaming query",
        }
    }

    /// What removes old data of it.
    pub fn procedure(self) -> &'static str {
        match self {
            Self::Delta => "DELETE FROM … WHERE …, then VACUUM",
            Self::Hudi => "its cleaner (hoodie.clean.*), or delete_partition",
            Self::Iceberg => "DELETE FROM … WHERE …, then CALL system.expire_snapshots and system.remove_orphan_files",
            Self::StreamingSink => "the query's own retention (fileSink options), or a new output directory",
            Self::StreamingCheckpoint => "stopping the query for good, then removing the directory by hand",
        }
    }
}

impl Table {
    /// Whether a unit is, or holds, a part of the log: it may not even move to another storage class.
    pub fn has_log_in(&self, unit: &str) -> bool {
        let logs: &[&str] = match self.format {
            TableFormat::Delta => &["_delta_log/"],
            TableFormat::Hudi => &[".hoodie/"],
            TableFormat::Iceberg => &["metadata/"],
            TableFormat::StreamingSink => &["_spark_metadata/"],
            TableFormat::StreamingCheckpoint => &[""],
        };
        let is_met = |log: &&str| {
            let log = format!("{}{log}", self.prefix);
            unit.starts_with(&log) || log.starts_with(unit) && (unit.is_empty() || unit.ends_with('/'))
        };
        logs.iter().any(is_met)
    }
}

/// Finds tables by what lies in them.
#[derive(Default)]
pub(super) struct Finder {
    found: BTreeMap<String, TableFormat>,
    /// Directories that hold some of what checkpoints hold.
    checkpoints: BTreeMap<String, u8>,
}

/// Names, of directories with their slash, that tell of tables and checkpoints.
pub(crate) const LOGS: [&str; 7] =
    ["_delta_log/", ".hoodie/", "metadata/", "_spark_metadata/", "metadata", "offsets/", "commits/"];

/// Which metadata counts, in tables of Iceberg that no catalog knows.
pub(crate) const VERSION_HINT: &str = "version-hint.text";

/// What every checkpoint of Structured Streaming holds.
const CHECKPOINT: [&str; 3] = ["metadata", "offsets/", "commits/"];

/// One bit for each.
const WHOLE_CHECKPOINT: u8 = (1 << CHECKPOINT.len()) - 1;

impl Finder {
    pub(super) fn look_at(&mut self, path: &str) {
        let mut end = 0;
        for part in path.split_inclusive('/') {
            let above = path.get(..end).unwrap_or_default();
            end += part.len();
            let format = match part {
                "_delta_log/" => TableFormat::Delta,
                ".hoodie/" => TableFormat::Hudi,
                "_spark_metadata/" => TableFormat::StreamingSink,
                "metadata/" if is_iceberg(path.get(end..).unwrap_or_default()) => TableFormat::Iceberg,
                // In directories of a checkpoint's names there may be a table all the same.
                other => {
                    self.note_checkpoint(above, other);
                    continue;
                }
            };
            self.found.insert(above.to_owned(), format);
            return;
        }
    }

    /// Notes a part of a checkpoint, if it is one.
    fn note_checkpoint(&mut self, directory: &str, name: &str) {
        if let Some(part) = CHECKPOINT.iter().position(|part| *part == name) {
            self.add_checkpoint(directory, 1 << part);
        }
    }

    fn add_checkpoint(&mut self, directory: &str, parts: u8) {
        *self.checkpoints.entry(directory.to_owned()).or_default() |= parts;
    }

    /// Adds what was found in another part of the dataset.
    pub(super) fn merge(&mut self, other: Self) {
        self.found.extend(other.found);
        for (directory, held) in other.checkpoints {
            self.add_checkpoint(&directory, held);
        }
    }

    pub(super) fn finish(mut self, dataset: &str) -> Vec<Table> {
        let whole = self.checkpoints.into_iter().filter(|(_, held)| *held == WHOLE_CHECKPOINT);
        self.found.extend(whole.map(|(directory, _)| (directory, TableFormat::StreamingCheckpoint)));
        self.found.into_iter().map(|(path, format)| Table { prefix: format!("{dataset}{path}"), format }).collect()
    }
}

/// Whether a name in `metadata/` shows a table of Iceberg.
pub(crate) fn is_iceberg(name: &str) -> bool {
    name == VERSION_HINT || name.ends_with(".metadata.json")
}
