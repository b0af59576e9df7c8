//! What a run does to the tables that know its units.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use s3core::{Error, ErrorKind};
use tokio::task::spawn_blocking;

use crate::act::Failure;
use crate::act::objects::Permit;
use crate::plan::line::{End, PlannedAction, Shape};
use crate::policy;
use crate::run::Bucket;
use crate::run::journal::{BatchId, IntendedUnit};
use crate::run::left::Skipped;

use super::dropped::{Document, Dropped, Written};
use super::partition::values_of;
use super::{Catalog, CatalogError, Metastore, Partition};

/// A table that knows the units of a dataset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    catalog: policy::Catalog,
    columns: Vec<String>,
}

/// The tables that know a run's units, and what the run has dropped of them.
pub struct Catalogs<'a> {
    bucket: &'a Bucket,
    run: &'a str,
    /// By dataset.
    tables: BTreeMap<String, Table>,
    written: Mutex<Vec<Written>>,
}

impl Table {
    /// The tables of a plan's datasets of which something goes, by dataset.
    ///
    /// # Errors
    /// Why partitions of one cannot be dropped: nothing was touched.
    pub async fn of_plan(end: &End) -> Result<BTreeMap<String, Self>, Failure> {
        let mut tables = BTreeMap::new();
        for dataset in &end.datasets {
            if let Some(catalog) = &dataset.catalog {
                let mut session = Session::open(catalog).await?;
                let columns = session.call(|catalog| catalog.columns()).await?;
                tables.insert(dataset.name.clone(), Self { catalog: catalog.clone(), columns });
            }
        }
        Ok(tables)
    }
}

impl<'a> Catalogs<'a> {
    /// Those of a run, with what it has dropped so far. Without tables nothing more is dropped.
    ///
    /// # Errors
    /// `Malformed`, and the gateway's.
    pub async fn of_run(bucket: &'a Bucket, run: &'a str, tables: BTreeMap<String, Table>) -> Result<Self, Failure> {
        let written = Mutex::new(Written::of_run(bucket, run).await?);
        Ok(Self { bucket, run, tables, written })
    }

    /// Drops the partitions that these units are, before their bytes go: all of them are in the bucket before the first is
    /// dropped. Returns what stays although it has the values of a unit, since its data lies elsewhere.
    ///
    /// # Errors
    /// The permit's, the catalog's and the gateway's: it can be called again under another batch.
    pub async fn drop(
        &self,
        permit: &dyn Permit,
        batch: BatchId,
        units: &[&IntendedUnit],
    ) -> Result<Vec<Skipped>, Failure> {
        let (mut going, mut staying) = (Vec::new(), Vec::new());
        let mut sessions = Sessions::default();
        for (dataset, table) in &self.tables {
            for unit in units.iter().filter(|unit| unit.dataset == *dataset && is_partition(unit)) {
                let Some(values) = values_of(&unit.prefix, &table.columns) else { continue };
                let session = sessions.of(&table.catalog).await?;
                let (as_numbers, bucket, prefix) = (without_zeros(&values), self.bucket.name(), unit.prefix.clone());
                let mut found = session.call(move |catalog| catalog.partitions(&values)).await?;
                if let (true, Some(values)) = (found.is_empty(), as_numbers) {
                    // A column of numbers has no zeros in front, whatever the directory is called.
                    found = session.call(move |catalog| catalog.partitions(&values)).await?;
                    found.retain(|partition| partition.lies_in(bucket, &prefix));
                }
                for partition in found {
                    if partition.lies_in(self.bucket.name(), &unit.prefix) {
                        let (unit, catalog) = (unit.prefix.clone(), table.catalog.clone());
                        going.push(Dropped { unit, catalog, partition });
                    } else {
                        staying.push(stays(unit, &table.catalog, &partition));
                    }
                }
            }
        }
        if going.is_empty() {
            return Ok(staying);
        }
        permit.check()?;
        let document = Document { partitions: going };
        let written = document.write(self.bucket, self.run, batch).await?;
        self.written.lock().unwrap_or_else(PoisonError::into_inner).push(written);
        for Dropped { catalog, partition, .. } in document.partitions {
            let session = sessions.of(&catalog).await?;
            // The metastore knows no condition: whoever lost the lease before this line drops nothing.
            permit.check()?;
            session.call(move |catalog| catalog.drop(&partition)).await?;
        }
        Ok(staying)
    }

    /// Drops the partitions of these units once more, where somebody has added them again since the run dropped them.
    ///
    /// # Errors
    /// As [`Catalogs::drop`].
    pub async fn drop_again<'u>(
        &self,
        permit: &dyn Permit,
        units: impl IntoIterator<Item = &'u str>,
    ) -> Result<(), Failure> {
        let units: BTreeSet<&str> = units.into_iter().collect();
        let documents = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut sessions = Sessions::default();
        for document in &documents {
            for Dropped { unit, catalog, partition } in document.about(self.bucket, &units).await? {
                let session = sessions.of(&catalog).await?;
                let values = partition.values().into_iter().map(|value| Some(value.to_owned())).collect::<Vec<_>>();
                for found in session.call(move |catalog| catalog.partitions(&values)).await? {
                    if found.lies_in(self.bucket.name(), &unit) {
                        permit.check()?;
                        session.call(move |catalog| catalog.drop(&found)).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Brings back the partitions that the run has dropped for these units, whose bytes are there. Returns what the catalog
    /// refuses.
    ///
    /// # Errors
    /// The permit's, the catalog's where it cannot be reached, and the gateway's: it can be called again.
    pub async fn add<'u>(
        &self,
        permit: &dyn Permit,
        units: impl IntoIterator<Item = &'u str>,
    ) -> Result<Vec<Skipped>, Failure> {
        let units: BTreeSet<&str> = units.into_iter().collect();
        let documents = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if units.is_empty() || documents.is_empty() {
            return Ok(Vec::new());
        }
        let mut refused = Vec::new();
        let (mut sessions, mut added) = (Sessions::default(), BTreeSet::new());
        // Whoever went on with the run has seen a partition last.
        for document in documents.iter().rev() {
            for Dropped { unit, catalog, partition } in document.about(self.bucket, &units).await? {
                let values: Vec<String> = partition.values().into_iter().map(str::to_owned).collect();
                if !added.insert((catalog.clone(), values)) {
                    continue;
                }
                let session = sessions.of(&catalog).await?;
                permit.check()?;
                match session.call(move |catalog| catalog.add(&partition)).await {
                    Err(Failure::Catalog(failure @ CatalogError::Refused { .. })) => {
                        let reason = format!("its files are there, but {failure}; add the partition there");
                        refused.push(Skipped { unit, key: None, reason });
                    }
                    outcome => outcome?,
                }
            }
        }
        Ok(refused)
    }
}

/// The same values without zeros in front of numbers; `None` where there are none.
fn without_zeros(values: &[Option<String>]) -> Option<Vec<Option<String>>> {
    let plain = |value: &Option<String>| {
        let number = value.as_ref().and_then(|text| text.parse::<u64>().ok()).map(|number| number.to_string());
        number.or_else(|| value.clone())
    };
    let plain: Vec<_> = values.iter().map(plain).collect();
    (plain != values).then_some(plain)
}

/// Whether a unit is a partition, or several, that goes. What jobs have left is none.
fn is_partition(unit: &IntendedUnit) -> bool {
    unit.shape == Shape::Prefix && matches!(unit.action, PlannedAction::Expire | PlannedAction::Delete)
}

fn stays(unit: &IntendedUnit, catalog: &policy::Catalog, partition: &Partition) -> Skipped {
    let reason = format!(
        "the partition ({}) of {} lies at {} and stays in the metastore",
        partition.values().join(", "),
        catalog.name(),
        partition.location()
    );
    Skipped { unit: unit.prefix.clone(), key: None, reason }
}

/// Catalogs that are open.
#[derive(Default)]
struct Sessions(BTreeMap<policy::Catalog, Session>);

impl Sessions {
    async fn of(&mut self, catalog: &policy::Catalog) -> Result<&mut Session, Failure> {
        Ok(match self.0.entry(catalog.clone()) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(vacant) => vacant.insert(Session::open(catalog).await?),
        })
    }
}

/// A catalog whose calls wait where they hold up nothing else.
struct Session(Option<Box<dyn Catalog>>);

impl Session {
    async fn open(catalog: &policy::Catalog) -> Result<Self, Failure> {
        let catalog = catalog.clone();
        let opened =
            spawn_blocking(move || Metastore::open(&catalog)).await.map_err(|failure| stopped().caused_by(failure))?;
        Ok(Self(Some(Box::new(opened?))))
    }

    async fn call<T: Send + 'static>(
        &mut self,
        ask: impl FnOnce(&mut dyn Catalog) -> Result<T, CatalogError> + Send + 'static,
    ) -> Result<T, Failure> {
        let mut catalog = self.0.take().ok_or_else(stopped)?;
        let work = spawn_blocking(move || {
            let answer = ask(catalog.as_mut());
            (catalog, answer)
        });
        let (catalog, answer) = work.await.map_err(|failure| stopped().caused_by(failure))?;
        self.0 = Some(catalog);
        Ok(answer?)
    }
}

fn stopped() -> Error {
    Error::new(ErrorKind::Closed, "stopped with the process")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_without_the_zeros_of_their_directories() {
        let values = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
        assert_eq!(without_zeros(&values(&["2024", "01"])), Some(values(&["2024", "1"])));
        assert_eq!(without_zeros(&values(&["2024-01-01", "x"])), None);
        assert_eq!(without_zeros(&[None, Some("007".to_owned())]), Some(vec![None, Some("7".to_owned())]));
    }
}
