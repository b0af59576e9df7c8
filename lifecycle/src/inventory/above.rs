//! What lies in the directories around a dataset.

use super::tables;

/// What lies around a dataset: logs of tables whose files it may hold, and jobs that may write to it.
#[derive(Default)]
pub struct Above {
    pub(super) tables: tables::Finder,
    pub(super) jobs: Vec<String>,
}

impl Above {
    /// Adds a key, or the name of a directory, that may tell of a table.
    pub(crate) fn look_at(&mut self, key: &str) {
        self.tables.look_at(key);
    }

    /// Adds the tree of a job that is at work, up to its slash.
    pub(crate) fn add_job(&mut self, tree: String) {
        self.jobs.push(tree);
    }
}
