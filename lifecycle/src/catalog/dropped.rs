//! Partitions that a run drops from a catalog, written down in the bucket before that.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::policy;
use crate::run::journal::BatchId;
use crate::run::{Bucket, StateError, keys};

use super::Partition;

/// What was dropped for a batch of units: an object below the run's journal.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Document {
    pub(super) partitions: Vec<Dropped>,
}

/// A partition that is about to be dropped, or was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Dropped {
    /// Prefix of the unit that it is.
    pub(super) unit: String,
    /// Where it was.
    pub(super) catalog: policy::Catalog,
    /// As it was.
    pub(super) partition: Partition,
}

/// A document, and the units that it is about.
#[derive(Debug, Clone)]
pub(super) struct Written {
    key: String,
    units: BTreeSet<String>,
}

impl Document {
    /// Keeps it. Nothing in it may be dropped before this has returned.
    pub(super) async fn write(&self, bucket: &Bucket, run: &str, batch: BatchId) -> Result<Written, StateError> {
        let key = keys::dropped(run, batch.lease, batch.sequence);
        bucket.create_json(&key, self).await?;
        Ok(self.written(key))
    }

    fn written(&self, key: String) -> Written {
        Written { key, units: self.partitions.iter().map(|dropped| dropped.unit.clone()).collect() }
    }

    async fn read(bucket: &Bucket, key: &str) -> Result<Self, StateError> {
        let found = bucket.get_json(key).await?;
        found.map(|(document, _)| document).ok_or_else(|| bucket.malformed(key, "it was removed meanwhile"))
    }
}

impl Written {
    /// All documents of a run, the oldest first. Their units are in memory, their partitions are not.
    pub(super) async fn of_run(bucket: &Bucket, run: &str) -> Result<Vec<Self>, StateError> {
        let mut all = Vec::new();
        for key in bucket.keys(&keys::all_dropped(run)).await? {
            all.push(Document::read(bucket, &key).await?.written(key));
        }
        Ok(all)
    }

    /// What it says of these units.
    pub(super) async fn about(&self, bucket: &Bucket, units: &BTreeSet<&str>) -> Result<Vec<Dropped>, StateError> {
        if self.units.iter().all(|unit| !units.contains(unit.as_str())) {
            return Ok(Vec::new());
        }
        let mut partitions = Document::read(bucket, &self.key).await?.partitions;
        partitions.retain(|dropped| units.contains(dropped.unit.as_str()));
        Ok(partitions)
    }
}
