//! What lies in a policy's datasets, as a table in a file: Apache Parquet, for Spark, pyarrow and the like.
//!
//! Rows are written as they come, some at a time, so that memory does not grow with their number.

use std::collections::BTreeMap;
use std::fs::{File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use jiff::Timestamp;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use crate::census::{Row, census};
use crate::listing::Lister;
use crate::plan::line::{Amount, PolicySource};
use crate::policy::Policy;

/// Rows that are encoded at a time.
const BATCH: usize = 8 << 10;

/// Rows of a row group. One is in memory, encoded, until it is whole: some megabytes.
const ROW_GROUP: usize = 64 << 10;

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The gateway has failed.
    #[error(transparent)]
    Gateway(#[from] s3core::Error),
    /// The file cannot be written.
    #[error("the inventory cannot be written to {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// A table that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// Objects and bytes of each dataset, with the units.
    pub datasets: BTreeMap<String, Amount>,
}

/// Writes every object of the policy's datasets to a file, with what becomes of it at `now`. The file appears when it is
/// whole.
///
/// # Errors
/// [`ExportError`].
pub async fn export(
    lister: &Lister,
    policy: &Policy,
    source: &PolicySource,
    now: Timestamp,
    path: &Path,
) -> Result<Exported, ExportError> {
    let mut table = Table::create(path, policy, source, now)?;
    let zoned = now.to_zoned_datetime(policy.zone.clone());
    let mut datasets = BTreeMap::new();
    for dataset in &policy.datasets {
        let mut amount = Amount::default();
        let inventory = census(lister, policy, dataset, &zoned, |row| {
            amount.objects += 1;
            amount.bytes += row.object.bytes;
            table.add(row)
        })
        .await?;
        amount.units = inventory.total.units;
        datasets.insert(dataset.name.clone(), amount);
    }
    table.finish()?;
    Ok(Exported { datasets })
}

/// A table that is being written.
struct Table {
    path: PathBuf,
    file: NamedTempFile,
    writer: ArrowWriter<File>,
    schema: SchemaRef,
    columns: Columns,
}

impl Table {
    fn create(path: &Path, policy: &Policy, source: &PolicySource, now: Timestamp) -> Result<Self, ExportError> {
        let failed = |source| ExportError::Write { path: path.to_owned(), source };
        let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let mut new = tempfile::Builder::new();
        // As any other new file, rather than for its owner only.
        new.prefix(".s3life-").permissions(Permissions::from_mode(0o666));
        let file = new.tempfile_in(directory.unwrap_or_else(|| Path::new("."))).map_err(failed)?;
        let note = |name: &str, value: &str| KeyValue::new(format!("s3life.{name}"), value.to_owned());
        let notes = vec![
            note("bucket", &policy.bucket),
            note("policy", &source.path),
            note("policy_sha256", &source.sha256),
            note("zone", &policy.zone_name),
            note("now", &now.to_string()),
        ];
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_created_by(format!("s3life {}", env!("CARGO_PKG_VERSION")))
            .set_max_row_group_row_count(Some(ROW_GROUP))
            .set_key_value_metadata(Some(notes))
            .build();
        let schema = schema();
        let to = file.as_file().try_clone().map_err(failed)?;
        let writer = ArrowWriter::try_new(to, Arc::clone(&schema), Some(properties));
        let writer = writer.map_err(|failure| failed(io::Error::other(failure)))?;
        Ok(Self { path: path.to_owned(), file, writer, schema, columns: Columns::default() })
    }

    fn add(&mut self, row: &Row<'_>) -> Result<(), ExportError> {
        self.columns.add(row);
        if self.columns.rows < BATCH { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<(), ExportError> {
        let arrays = self.columns.take();
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), arrays);
        let written = batch.map_err(ParquetError::from).and_then(|batch| self.writer.write(&batch));
        written.map_err(|failure| self.failed(io::Error::other(failure)))
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.flush()?;
        let path = self.path;
        let failed = |source| ExportError::Write { path: path.clone(), source };
        self.writer.close().map_err(|failure| failed(io::Error::other(failure)))?;
        self.file.persist(&path).map(|_| ()).map_err(|failure| failed(failure.error))
    }

    fn failed(&self, source: io::Error) -> ExportError {
        ExportError::Write { path: self.path.clone(), source }
    }
}

/// The columns of the table.
fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let time = |name: &str, nullable| {
        Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), nullable)
    };
    Arc::new(Schema::new(vec![
        text("dataset", false),
        text("unit", true),
        text("key", false),
        Field::new("bytes", DataType::Int64, false),
        text("etag", true),
        time("written", true),
        text("storage_class", false),
        text("verdict", false),
        text("rule", true),
        time("due", true),
    ]))
}

/// Rows that wait to be encoded.
#[derive(Default)]
struct Columns {
    rows: usize,
    dataset: StringBuilder,
    unit: StringBuilder,
    key: StringBuilder,
    bytes: Int64Builder,
    etag: StringBuilder,
    written: TimestampMicrosecondBuilder,
    class: StringBuilder,
    verdict: StringBuilder,
    rule: StringBuilder,
    due: TimestampMicrosecondBuilder,
}

impl Columns {
    fn add(&mut self, row: &Row<'_>) {
        self.rows += 1;
        self.dataset.append_value(row.dataset);
        self.unit.append_option(row.unit);
        self.key.append_value(row.object.key);
        self.bytes.append_value(i64::try_from(row.object.bytes).unwrap_or(i64::MAX));
        self.etag.append_option(row.etag);
        // What has no time in the listing counts as written just now.
        let written = Some(row.object.written).filter(|written| *written != Timestamp::MAX);
        self.written.append_option(written.map(Timestamp::as_microsecond));
        self.class.append_value(row.object.class);
        self.verdict.append_value(row.verdict);
        self.rule.append_option(row.rule);
        self.due.append_option(row.due.map(Timestamp::as_microsecond));
    }

    /// The rows so far, in the order of the schema.
    fn take(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        vec![
            Arc::new(self.dataset.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(self.key.finish()),
            Arc::new(self.bytes.finish()),
            Arc::new(self.etag.finish()),
            Arc::new(self.written.finish().with_timezone("UTC")),
            Arc::new(self.class.finish()),
            Arc::new(self.verdict.finish()),
            Arc::new(self.rule.finish()),
            Arc::new(self.due.finish().with_timezone("UTC")),
        ]
    }
}
