//! Files below work paths, as a file system shows them.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::ops::WriteCondition;
use crate::transfer::pending::PendingSink;
use crate::transfer::writer::{Form, ObjectWriter, Target};
use crate::{Error, ErrorKind, Result};

use super::work::{CommitSettings, FileSink, Marker, WorkPath, pending_cannot_move};
use super::{CreateOptions, Existing, FileStatus, FileSystem, keys};

/// How often jobs of one process look for what others have left at a destination: a streaming query commits one a second.
const BETWEEN_CLEANINGS: Duration = Duration::from_secs(3600);

impl FileSystem {
    /// Makes `path` a work path: files that are created below it lie in `destination` once they are committed.
    pub(crate) fn register_work_path(&self, path: &str, destination: &str, marker: Marker) {
        let shared = &self.shared;
        let largest_kept = shared.commit.largest_kept;
        shared.work.register(WorkPath::new(&shared.place, self.bucket(), path, destination, marker, largest_kept));
    }

    /// The attempt whose work path is `path`, where this process has registered it.
    pub(crate) fn work_path(&self, path: &str) -> Option<Arc<WorkPath>> {
        self.shared.work.above(&self.shared.place, path).filter(|work| work.path() == path)
    }

    /// The attempts whose work paths lie in the directory `path`, where this process has registered them.
    pub(crate) fn work_paths_below(&self, path: &str) -> Vec<Arc<WorkPath>> {
        self.shared.work.below(&self.shared.place, path)
    }

    /// How the output of jobs is committed.
    pub(crate) fn commit_settings(&self) -> &CommitSettings {
        &self.shared.commit
    }

    /// How old uploads are that are to be removed from the bucket: once, and where the options ask for it.
    pub(crate) fn age_to_purge_once(&self) -> Option<Duration> {
        let age = self.shared.commit.purge_older_than?;
        (!self.shared.has_purged.swap(true, Ordering::Relaxed)).then_some(age)
    }

    /// Keeps the end of an attempt in mind, for writers that outlive it.
    pub(crate) fn remember_end(&self, work: &Arc<WorkPath>) {
        self.shared.work.ended(work);
    }

    /// Notes that the job in this directory may have completed these uploads, and that its commit has failed.
    pub(crate) fn note_asked(&self, job_directory: &str, uploads: HashSet<String>) {
        self.shared.work.note_asked(&self.shared.place, job_directory, uploads);
    }

    /// The uploads that a commit which failed in this process may have completed; `None` where there was none.
    pub(crate) fn asked(&self, job_directory: &str) -> Option<HashSet<String>> {
        self.shared.work.asked(&self.shared.place, job_directory)
    }

    /// The job in this directory is done with.
    pub(crate) fn forget_asked(&self, job_directory: &str) {
        self.shared.work.forget_asked(&self.shared.place, job_directory);
    }

    /// Whether it is time to look at a destination for what killed jobs have left there; counted as done.
    pub(crate) fn is_to_clean(&self, destination: &str) -> bool {
        let now = self.gateway().environment().clock.monotonic();
        self.shared.work.is_to_clean(&self.shared.place, destination, now, BETWEEN_CLEANINGS)
    }

    /// The work path that `path` lies below, and its path from there.
    fn pending_place<'a>(&self, path: &'a str) -> Option<(Arc<WorkPath>, &'a str)> {
        let work = self.shared.work.above(&self.shared.place, path)?;
        let relative = work.relative(path);
        Some((work, relative))
    }

    /// Begins a file below a work path, or `None` where `path` is not below one.
    pub(super) fn create_pending(&self, path: &str, options: &CreateOptions) -> Result<Option<ObjectWriter>> {
        let Some((work, relative)) = self.pending_place(path).filter(|(_, relative)| !relative.is_empty()) else {
            return Ok(None);
        };
        work.check_open().map_err(|failure| failure.at(self.bucket(), path))?;
        if work.has_files_below(relative) {
            return Err(self.directory_stands_there(path));
        }
        match options.existing {
            // The commit takes the pending file, not an ordinary one of its name.
            Existing::IsReplaced => {}
            Existing::Stays if work.status(relative).is_none() => {}
            Existing::Stays => return Err(self.file_stands_there(path)),
            Existing::StaysForCertain | Existing::IsReplacedIf(_) => {
                let message = "a file that is committed with its job cannot be created under a condition \
                               (fs.option.create.conditional.overwrite): create it without one";
                return Err(Error::new(ErrorKind::Unsupported, message).at(self.bucket(), path));
            }
        }
        let attributes = self.attributes(options);
        let sink: Arc<dyn PendingSink> = Arc::new(FileSink {
            work: Arc::clone(&work),
            gateway: self.gateway().clone(),
            relative: relative.to_owned(),
            attributes: attributes.clone(),
        });
        let target = Target {
            gateway: self.gateway().counted_apart(),
            bucket: self.bucket().to_owned(),
            key: work.final_key(relative),
            condition: WriteCondition::Always,
            for_certain: false,
            attributes,
            form: Form::Object,
            pending: Some(sink),
        };
        Ok(Some(self.writer(target)))
    }

    /// What of a work path stands at `path`; `None` where the gateway is to be asked.
    pub(super) fn pending_status(&self, path: &str) -> Option<FileStatus> {
        let (work, relative) = self.pending_place(path)?;
        work.status(relative).or_else(|| work.has_files_below(relative).then(|| FileStatus::directory(path)))
    }

    /// The pending entries of the directory `path`: with `recursive` all files below it.
    pub(super) fn pending_entries(&self, path: &str, recursive: bool) -> Vec<FileStatus> {
        let Some((work, relative)) = self.pending_place(path) else {
            return Vec::new();
        };
        let prefix = keys::directory(path);
        let mut entries: Vec<FileStatus> = Vec::new();
        for file in work.files_below(relative) {
            let inner = file.path.strip_prefix(&prefix).and_then(|rest| rest.split_once('/'));
            match inner.filter(|_| !recursive) {
                None => entries.push(file),
                Some((name, _)) => {
                    let directory = FileStatus::directory(&keys::join(path, name));
                    if entries.last() != Some(&directory) {
                        entries.push(directory);
                    }
                }
            }
        }
        entries
    }

    /// Deletes what of a work path stands at `path`; whether anything did.
    pub(super) fn discard_pending(&self, path: &str, recursive: bool) -> Result<bool> {
        let Some((work, relative)) = self.pending_place(path) else {
            return Ok(false);
        };
        if !recursive && work.has_files_below(relative) {
            return Err(self.not_empty(path));
        }
        Ok(work.discard(relative, recursive))
    }

    /// Renames the pending file `from`, into `to` where that is a directory; `None` where there is none.
    pub(super) async fn rename_pending(&self, from: &str, to: &str) -> Result<Option<bool>> {
        let Some((work, relative)) = self.pending_place(from) else {
            return Ok(None);
        };
        if work.has_files_below(relative) {
            return Err(pending_cannot_move().at(self.bucket(), from));
        }
        if work.status(relative).is_none() {
            return Ok(None);
        }
        if from == to {
            return Ok(Some(true));
        }
        let is_within = |path: &str| self.pending_place(path).is_some_and(|(other, _)| Arc::ptr_eq(&other, &work));
        if !is_within(to) {
            return Err(pending_cannot_move().at(self.bucket(), from));
        }
        let mut target = to.to_owned();
        let is_directory = to == work.path() || self.standing_at(to).await?.is_some_and(|status| status.is_directory);
        if is_directory {
            target = keys::join(to, keys::name(from));
        }
        if target != from && self.standing_at(&target).await?.is_some() {
            let message = "the target of the rename exists";
            return Err(Error::new(ErrorKind::AlreadyExists, message).at(self.bucket(), &target));
        }
        work.rename(relative, work.relative(&target)).map_err(|failure| failure.at(self.bucket(), from))?;
        Ok(Some(true))
    }

    /// Fails where `path` is a pending file, which nobody can read.
    pub(super) fn check_readable(&self, path: &str) -> Result<()> {
        match self.pending_place(path).and_then(|(work, relative)| work.status(relative)) {
            None => Ok(()),
            Some(_) => {
                let message = "the file is pending: it can be read when its job was committed";
                Err(Error::new(ErrorKind::NotFound, message).at(self.bucket(), path))
            }
        }
    }
}
