//! The Hive metastore that knows a dataset's partitions. They are dropped there before their bytes go, and added as they
//! were when the bytes are back, so that a query meets no partition whose files are missing.
//!
//! Nothing but entries of the metastore is ever dropped: the table must be external, and each call says that data stays.

mod dropped;
mod failure;
mod metastore;
mod partition;
pub mod sql;
mod tables;
mod thrift;

pub use failure::CatalogError;
pub use metastore::{Metastore, addresses};
pub use partition::Partition;
pub use tables::{Catalogs, Table};

/// What a run asks of a catalog. Calls wait for the answer.
pub trait Catalog: Send {
    /// The columns that partition a table, in their order.
    ///
    /// # Errors
    /// `Managed` for a table whose data goes with its partitions, `NoPartitions`, `NoTable`, `Unreachable`, `Refused`.
    fn columns(&mut self) -> Result<Vec<String>, CatalogError>;

    /// The partitions that have these values, column by column; any where one is `None`.
    ///
    /// # Errors
    /// `Unreachable`, `Refused`.
    fn partitions(&mut self, values: &[Option<String>]) -> Result<Vec<Partition>, CatalogError>;

    /// Takes a partition out of the catalog; its data stays. It may be gone.
    ///
    /// # Errors
    /// `Unreachable`, `Refused`.
    fn drop(&mut self, partition: &Partition) -> Result<(), CatalogError>;

    /// Brings a partition back as it was. One of these values that is there stays as it is.
    ///
    /// # Errors
    /// `Unreachable`, `Refused`.
    fn add(&mut self, partition: &Partition) -> Result<(), CatalogError>;
}
