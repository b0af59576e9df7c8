//! Jobs that have not ended: the trees in which they keep their state, and pending uploads.

use jiff::Timestamp;

/// What a job has in a dataset as long as it has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTree {
    /// First letters of the keys of its state, up to a slash; or the key of a pending upload.
    pub key: String,
    /// When it last wrote something there.
    pub newest: Timestamp,
    /// Where it writes to: up to a slash, or the key of the upload.
    destination: String,
}

/// First letters of the names of directories in which jobs keep their state: Spark's dynamic partition overwrite, S3A's
/// committers, s3core's, Hive's.
const STATE: [&str; 4] = [".spark-staging", "__magic", "_s3core_job-", ".hive-staging"];

/// The directory of Hadoop's FileOutputCommitter.
const TEMPORARY: &str = "_temporary";

/// The part of `path` that is the tree of a job, up to its slash.
pub(super) fn tree_of(path: &str) -> Option<&str> {
    let mut end = 0;
    for part in path.split_inclusive('/') {
        end += part.len();
        let name = part.strip_suffix('/')?;
        if name == TEMPORARY || STATE.iter().any(|state| name.starts_with(state)) {
            return path.get(..end);
        }
    }
    None
}

impl JobTree {
    pub(super) fn new(key: String, newest: Timestamp) -> Self {
        let parent = key.trim_end_matches('/').rfind('/').map_or(0, |slash| slash + 1);
        let destination = key.get(..parent).unwrap_or_default().to_owned();
        Self { key, newest, destination }
    }

    pub(super) fn upload(key: String, begun: Timestamp) -> Self {
        Self { destination: key.clone(), key, newest: begun }
    }

    /// Whether the job may write to the unit with this prefix.
    pub(super) fn concerns(&self, unit: &str) -> bool {
        unit.starts_with(&self.destination) || self.destination.starts_with(unit)
    }
}
