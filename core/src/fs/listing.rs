//! The entries of a directory, or all files below it, page by page.

use crate::Result;
use crate::ops::ListObjectsV2;

use super::status::FileStatus;
use super::{FileSystem, keys};

/// A listing under way.
pub struct Listing {
    file_system: FileSystem,
    path: String,
    recursive: bool,
    state: State,
}

enum State {
    /// Nothing was asked for yet.
    Begin,
    /// There are more pages, the next at this token.
    Continue(String),
    /// All pages were given out.
    End,
}

impl FileSystem {
    /// The entries of the directory `path`, in the order of their keys; with `recursive` the files at any depth below
    /// it, without directories, in one flat listing. A file lists itself. Nothing is sent yet.
    pub fn list(&self, path: &str, recursive: bool) -> Listing {
        Listing { file_system: self.clone(), path: path.to_owned(), recursive, state: State::Begin }
    }
}

impl Listing {
    /// The next entries (a page may be empty); `None` at the end.
    ///
    /// # Errors
    /// `NotFound` on the first page where there is nothing at the path.
    pub async fn next_page(&mut self) -> Result<Option<Vec<FileStatus>>> {
        let token = match std::mem::replace(&mut self.state, State::End) {
            State::Begin => None,
            State::Continue(token) => Some(token),
            State::End => return Ok(None),
        };
        let first = token.is_none();
        if let Some(file) = self.file_system.pending_status(&self.path).filter(|status| first && !status.is_directory) {
            return Ok(Some(vec![file]));
        }
        let mut list = ListObjectsV2::new(self.file_system.bucket(), &keys::directory(&self.path));
        list.delimiter = (!self.recursive).then(|| "/".to_owned());
        list.max_keys = Some(self.file_system.shared.page_size);
        list.continuation_token = token;
        let page = self.file_system.gateway().run(list).await?;
        let pending = if first { self.file_system.pending_entries(&self.path, self.recursive) } else { Vec::new() };
        let is_empty = page.objects.is_empty() && page.common_prefixes.is_empty() && pending.is_empty();
        if first && is_empty && !keys::is_root(&self.path) {
            let file = self.file_system.file_status(&self.path).await?;
            return file.map_or_else(|| Err(self.file_system.not_found(&self.path)), |file| Ok(Some(vec![file])));
        }
        if let Some(token) = page.next {
            self.state = State::Continue(token);
        }
        let directories = page.common_prefixes.iter().filter_map(|prefix| {
            let path = prefix.strip_suffix('/')?;
            // A key with an empty name ("a//b") has no path of its own.
            (!path.ends_with('/') && !path.is_empty()).then(|| FileStatus::directory(path))
        });
        let files = page.objects.into_iter().filter(|object| !object.key.ends_with('/')).map(FileStatus::of);
        let mut entries: Vec<FileStatus> = directories.chain(files).chain(pending).collect();
        entries.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        entries.dedup_by(|one, other| one.path == other.path);
        Ok(Some(entries))
    }
}
