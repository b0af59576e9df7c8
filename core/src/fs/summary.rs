//! How much lies in a directory.

use crate::Result;

use super::{FileSystem, keys};

/// Files, directories and bytes of a tree.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Files at any depth.
    pub files: u64,
    /// Directories at any depth, with and without a marker, the tree's own included.
    pub directories: u64,
    /// Bytes of all files.
    pub bytes: u64,
}

impl FileSystem {
    /// Counts what lies at `path`, a file or a directory, in one flat listing.
    ///
    /// # Errors
    /// `NotFound` where nothing does.
    pub async fn summary(&self, path: &str) -> Result<Summary> {
        let mut counting = Counting { prefix: keys::directory(path), ..Counting::default() };
        let mut pages = self.keys_below(path);
        while let Some(page) = pages.next_page().await? {
            page.iter().for_each(|object| counting.count(&object.key, object.length));
        }
        for pending in self.pending_entries(path, true) {
            counting.summary.files += 1;
            counting.summary.bytes += pending.length;
        }
        if counting.summary == Summary::default() && !counting.has_keys && !keys::is_root(path) {
            let file = self.file_status(path).await?.ok_or_else(|| self.not_found(path))?;
            return Ok(Summary { files: 1, directories: 0, bytes: file.length });
        }
        counting.summary.directories += 1;
        Ok(counting.summary)
    }
}

/// Keys come in their order, so that those of one directory follow each other.
#[derive(Default)]
struct Counting {
    prefix: String,
    /// Directory of the last key, relative to the tree, with a slash behind each name.
    last: String,
    summary: Summary,
    /// The tree's own marker is one.
    has_keys: bool,
}

impl Counting {
    fn count(&mut self, key: &str, length: u64) {
        self.has_keys = true;
        let relative = key.strip_prefix(&self.prefix).unwrap_or(key);
        let (directory, name) = relative.split_at(relative.rfind('/').map_or(0, |slash| slash + 1));
        let common: usize = directory
            .split_inclusive('/')
            .zip(self.last.split_inclusive('/'))
            .take_while(|(one, other)| one == other)
            .map(|(name, _)| name.len())
            .sum();
        let (_, new) = directory.split_at(common);
        self.summary.directories += new.split_inclusive('/').count() as u64;
        directory.clone_into(&mut self.last);
        if !name.is_empty() {
            self.summary.files += 1;
            self.summary.bytes += length;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_counted_once_with_and_without_markers() {
        let mut counting = Counting { prefix: "t/".to_owned(), ..Counting::default() };
        for key in ["t/", "t/a/", "t/a/b/file", "t/a/b/other", "t/a-1/x/y/z", "t/ab", "t/b/", "t/b/c/"] {
            counting.count(key, 10);
        }
        // a, a/b, a-1, a-1/x, a-1/x/y, b, b/c
        assert_eq!(counting.summary, Summary { files: 4, directories: 7, bytes: 40 });
    }
}
