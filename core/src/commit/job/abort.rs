//! Aborting a job: nothing of it stays visible, and its state goes.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use futures::stream::StreamExt;

use crate::fs::FileSystem;
use crate::{Error, ErrorKind, Result};

use super::super::pending_set::PendingSet;
use super::super::uploads;
use super::{Directory, Job, unless_gone};

/// How long a completion may go on at the gateway after its client died: Radosgw locks the upload for ten minutes
/// (`rgw_mp_lock_max_time`).
const COMPLETION_MAY_GO_ON: Duration = Duration::from_secs(660);

impl Job {
    /// Aborts the job: nothing of it becomes visible, what a commit that failed has made visible goes where its name has
    /// the job's UUID, and its state goes.
    ///
    /// # Errors
    /// `PreconditionFailed` where another process has begun to commit the job minutes ago. Otherwise the gateway's; what
    /// stays behind is invisible.
    pub async fn abort(&self, files: &FileSystem) -> Result<()> {
        let asked = files.asked(&self.directory());
        self.end_attempts(files, &asked.clone().unwrap_or_default()).await;
        let directory = Directory::list(files, self).await?;
        let uuids_of_attempts: HashSet<String> = directory.uuids_of_marked_attempts(files).await?;
        let sets = self.readable_sets(files, &directory).await;
        let spared = if directory.is_set_up {
            if let Some(begun) = directory.commit_begun {
                // A commit that failed here has ended.
                if asked.is_none() {
                    self.check_that_nobody_commits(files, begun)?;
                }
                let paths = sets.iter().flat_map(|set| &set.files).map(|file| file.path.as_str());
                self.remove_visible(files, paths).await?;
            }
            asked.unwrap_or_default()
        } else {
            // The job has ended: what its sets name was completed, or aborted.
            uploads::ids_of(sets.iter())
        };
        let named = sets.iter().flat_map(|set| uploads::of_set(set, self));
        uploads::abort(files, named.filter(|upload| !spared.contains(&upload.id)).collect::<Vec<_>>()).await;
        let mut uuids = uploads::uuids_of(sets.iter());
        uuids.extend(uuids_of_attempts);
        if !uuids.is_empty() {
            let pending = uploads::all_below(files, &self.destination_prefix()).await?;
            uploads::abort_left_behind(files, pending, &uuids, &spared).await;
        }
        directory.remove(files).await?;
        files.forget_asked(&self.directory());
        Ok(())
    }

    /// The pending sets of a directory, those left out that cannot be read: their uploads stay pending.
    async fn readable_sets(&self, files: &FileSystem, directory: &Directory) -> Vec<PendingSet> {
        let readable = directory.load_sets(files).filter_map(|loaded| async move {
            match unless_gone(loaded)? {
                Ok(loaded) => Some(loaded.set),
                Err(failure) => {
                    tracing::warn!(%failure, "the uploads of a pending set stay pending, invisible");
                    None
                }
            }
        });
        readable.collect().await
    }

    fn check_that_nobody_commits(&self, files: &FileSystem, begun: SystemTime) -> Result<()> {
        let now = files.gateway().environment().clock.wall();
        let age = now.duration_since(begun).unwrap_or_default();
        if age > COMPLETION_MAY_GO_ON {
            return Ok(());
        }
        let message = format!(
            "a process has begun to commit the job {} {} s ago, and the gateway may still be at it: abort it in {} s",
            self.id,
            age.as_secs(),
            (COMPLETION_MAY_GO_ON - age).as_secs() + 1
        );
        Err(Error::new(ErrorKind::PreconditionFailed, message).at(files.bucket(), &self.directory()))
    }
}
