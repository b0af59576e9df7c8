//! S3A's `fs.s3a.multipart.purge`: the first write to a bucket removes what earlier processes have left pending in it.

use crate::fs::FileSystem;

use super::Scope;
use super::survey::purge_older_than;

/// Aborts uploads of the whole bucket that are as old as the options say, before a file system writes for the first time,
/// where the options ask for it. Uploads of committed tasks stay. What the gateway refuses is told in the log: it keeps
/// nobody from writing.
pub async fn purge_before_first_write(files: &FileSystem) {
    let Some(age) = files.age_to_purge_once() else {
        return;
    };
    match purge_older_than(files, "", Scope::Uploads, age).await {
        Ok(purged) if purged.uploads + purged.jobs == 0 => {}
        Ok(purged) => tracing::info!(
            uploads = purged.uploads,
            jobs = purged.jobs,
            "fs.s3a.multipart.purge has removed old uploads of s3a://{}",
            files.bucket()
        ),
        Err(failure) => tracing::warn!(%failure, "fs.s3a.multipart.purge could not remove old uploads"),
    }
}
