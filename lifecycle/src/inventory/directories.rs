//! Directories that hold `_SUCCESS`: each is a unit, with what lies below it and in no unit of its own.
//!
//! Whether a directory is one is known when its last key was listed, since other names come before `_SUCCESS`. So the
//! directories above the last key are open; one that closes without `_SUCCESS` hands what it has to the one above.

use super::Object;
use crate::policy::Met;
use crate::unit::UnitSummary;

/// The object that says that a directory is complete (Hadoop's `FileOutputCommitter`).
pub(crate) const SUCCESS: &str = "_SUCCESS";

/// Whether a key is that of a `_SUCCESS`.
pub(crate) fn is_success(key: &str) -> bool {
    key.rsplit('/').next() == Some(SUCCESS)
}

/// The directories above the last key, from the outermost.
#[derive(Default)]
pub(super) struct Directories {
    open: Vec<Directory>,
}

/// A directory and what of it belongs to no inner unit.
pub(super) struct Directory {
    pub(super) own: UnitSummary,
    pub(super) is_unit: bool,
}

impl Directories {
    /// Adds the next object; returns the directories that it closes and that belong to none above.
    pub(super) fn add(&mut self, object: &Object<'_>, met: Met) -> Vec<Directory> {
        let closed = self.close_until(object.key);
        let mut from = self.open.last().map_or(0, |directory| directory.own.prefix.len());
        while let Some(length) = object.key.get(from..).and_then(|rest| rest.find('/')) {
            from += length + 1;
            let prefix = object.key.get(..from).unwrap_or_default();
            self.open.push(Directory { own: UnitSummary::new(prefix, None), is_unit: false });
        }
        if self.open.is_empty() {
            self.open.push(Directory { own: UnitSummary::new("", None), is_unit: false });
        }
        if let Some(directory) = self.open.last_mut() {
            directory.own.add(object, met);
            directory.is_unit |= object.key.get(from..) == Some(SUCCESS);
        }
        closed
    }

    pub(super) fn finish(&mut self) -> Vec<Directory> {
        let mut closed = Vec::new();
        while let Some(directory) = self.open.pop() {
            closed.extend(self.close(directory));
        }
        closed
    }

    fn close_until(&mut self, key: &str) -> Vec<Directory> {
        let mut closed = Vec::new();
        while let Some(directory) = self.open.pop_if(|directory| !key.starts_with(&directory.own.prefix)) {
            closed.extend(self.close(directory));
        }
        closed
    }

    /// A directory that is no unit adds what it has to the one above.
    fn close(&mut self, directory: Directory) -> Option<Directory> {
        match self.open.last_mut() {
            Some(above) if !directory.is_unit => {
                above.own.merge(directory.own);
                None
            }
            _ => Some(directory),
        }
    }
}
