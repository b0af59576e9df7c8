//! Jobs that have not ended: the trees in which they keep their state, and pending uploads.

use std::collections::{BTreeMap, HashMap};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::{Object, Upload};
use crate::calendar::Period;
use crate::places::{Places, directories_above};

/// What a job has in a dataset as long as it has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobTree {
    /// First letters of the keys of its state, up to a slash; or the key of a pending upload.
    pub key: String,
    /// When it last wrote something there.
    pub newest: Timestamp,
    /// Objects of its state.
    pub objects: u64,
    /// Their bytes.
    pub bytes: u64,
    /// The upload; None where it is a tree.
    pub upload: Option<Upload>,
    /// Whether it was killed: neither it nor another that writes to the same place wrote anything for long.
    pub is_abandoned: bool,
}

/// First letters of the names of directories in which jobs keep their state: those of Hadoop's FileOutputCommitter, Spark's
/// dynamic partition overwrite, S3A's committers, s3core's, Hive's.
pub(crate) const JOBS: [&str; 5] = [TEMPORARY, ".spark-staging", "__magic", "_s3core_job-", ".hive-staging"];

/// This one is the whole name.
const TEMPORARY: &str = "_temporary/";

/// The part of `path` that is the tree of a job, up to its slash.
pub(crate) fn tree_of(path: &str) -> Option<&str> {
    let mut end = 0;
    for part in path.split_inclusive('/') {
        end += part.len();
        if part.ends_with('/') && JOBS.iter().any(|job| part.starts_with(job)) {
            return path.get(..end);
        }
    }
    None
}

/// Whether `path` lies in the tree of a job, or is one.
pub(crate) fn is_state_of_job(path: &str) -> bool {
    tree_of(path).is_some()
}

impl JobTree {
    fn tree(key: String) -> Self {
        Self { key, newest: Timestamp::MIN, objects: 0, bytes: 0, upload: None, is_abandoned: false }
    }

    fn upload(upload: &Upload) -> Self {
        let (key, newest) = (upload.key.clone(), upload.newest);
        Self { key, newest, objects: 0, bytes: 0, upload: Some(upload.clone()), is_abandoned: false }
    }

    fn id(&self) -> Option<&str> {
        self.upload.as_ref().map(|upload| upload.id.as_str())
    }

    /// Where it writes to: up to a slash, or the key of the upload.
    fn destination(&self) -> &str {
        match self.upload {
            Some(_) => &self.key,
            None => destination(&self.key),
        }
    }
}

/// Whether a job that last wrote something at that time still counts as being at work.
pub(crate) fn is_alive(newest: Timestamp, abandoned_after: Period, zone: &TimeZone, now: &ZonedDateTime) -> bool {
    let newest = newest.to_zoned_datetime(zone.clone());
    abandoned_after.after(&newest).is_none_or(|until| until > *now)
}

/// Where the job of a tree writes to; the directory of an upload.
fn destination(key: &str) -> &str {
    directories_above(key).next().unwrap_or_default()
}

/// The trees that were listed so far, by their paths in the dataset.
#[derive(Default)]
pub(super) struct Trees(BTreeMap<String, JobTree>);

impl Trees {
    /// Adds an object in the tree `path` of a dataset.
    pub(super) fn add(&mut self, dataset: &str, path: &str, object: &Object<'_>) {
        if !self.0.contains_key(path) {
            self.0.insert(path.to_owned(), JobTree::tree(format!("{dataset}{path}")));
        }
        if let Some(tree) = self.0.get_mut(path) {
            tree.objects += 1;
            tree.bytes += object.bytes;
            tree.newest = tree.newest.max(object.written);
        }
    }

    /// Adds those of another part of the dataset.
    pub(super) fn merge(&mut self, other: Self) {
        for (path, tree) in other.0 {
            match self.0.get_mut(&path) {
                Some(own) => {
                    own.objects += tree.objects;
                    own.bytes += tree.bytes;
                    own.newest = own.newest.max(tree.newest);
                }
                None => {
                    self.0.insert(path, tree);
                }
            }
        }
    }

    /// All jobs, by their keys, and the places that the living ones write to, with the key that shows it. A job is alive
    /// until it wrote nothing for `abandoned_after`, and as long as another at its destination is: its uploads and its
    /// trees are not told apart. So are uploads in one directory, where the living one was begun within `abandoned_after` of the
    /// other's end. `above` are trees of living ones around the dataset.
    pub(super) fn finish(
        self,
        uploads: &[Upload],
        above: &[String],
        abandoned_after: Period,
        zone: &TimeZone,
        now: &ZonedDateTime,
    ) -> (Vec<JobTree>, Places<String>) {
        let mut jobs: Vec<_> = self.0.into_values().chain(uploads.iter().map(JobTree::upload)).collect();
        jobs.sort_by(|one, other| (&one.key, one.id()).cmp(&(&other.key, other.id())));
        let mut living = Places::default();
        for tree in above {
            living.add(destination(tree).to_owned(), tree.clone());
        }
        // When the first of the living uploads of each directory was begun.
        let mut uploading: HashMap<String, Timestamp> = HashMap::new();
        for job in &jobs {
            if is_alive(job.newest, abandoned_after, zone, now) {
                living.add(job.destination().to_owned(), job.key.clone());
                if let Some(upload) = &job.upload {
                    let begun = uploading.entry(destination(&job.key).to_owned()).or_insert(upload.begun);
                    *begun = upload.begun.min(*begun);
                }
            }
        }
        for job in &mut jobs {
            // They may be of one job if it was never silent for that long.
            let may_be_of =
                |begun: &Timestamp| is_alive(job.newest, abandoned_after, zone, &begun.to_zoned_datetime(zone.clone()));
            let living_beside = job.upload.as_ref().and_then(|_| uploading.get(destination(&job.key)));
            job.is_abandoned = !living_beside.is_some_and(may_be_of) && living.meeting(job.destination()).is_none();
        }
        (jobs, living)
    }
}
