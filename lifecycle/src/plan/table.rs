//! The objects of a plan as a table: a stream of Apache Arrow's, for Python.

use std::sync::Arc;

use arrow_array::builder::{Int64Builder, StringBuilder, TimestampMicrosecondBuilder};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef, TimeUnit};

use super::document::{PlanError, PlanReader};
use super::line::{PlannedObject, PlannedUnit};

/// Rows of a record batch.
const BATCH: usize = 64 << 10;

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// It cannot be held in a table.
    #[error("the plan makes no table: {0}")]
    Table(#[from] ArrowError),
}

/// The objects of a plan, one a row, in Arrow's stream format. All of it is in memory.
///
/// # Errors
/// [`TableError`].
pub fn table(plan: &mut PlanReader) -> Result<Vec<u8>, TableError> {
    let schema = schema();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    let mut columns = Columns::default();
    plan.rewind();
    while let Some((unit, objects)) = plan.next_unit()? {
        for object in &objects {
            columns.add(&unit, object);
            if columns.rows == BATCH {
                writer.write(&columns.take(&schema)?)?;
            }
        }
    }
    writer.write(&columns.take(&schema)?)?;
    Ok(writer.into_inner()?)
}

fn schema() -> SchemaRef {
    let text = |name: &str, nullable| Field::new(name, DataType::Utf8, nullable);
    let time = |name: &str| Field::new(name, DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false);
    Arc::new(Schema::new(vec![
        text("dataset", false),
        text("rule", false),
        text("action", false),
        text("to_class", true),
        text("unit", false),
        text("key", false),
        Field::new("bytes", DataType::Int64, false),
        text("etag", false),
        time("written"),
        text("storage_class", false),
        time("since"),
        text("reason", false),
    ]))
}

#[derive(Default)]
struct Columns {
    rows: usize,
    dataset: StringBuilder,
    rule: StringBuilder,
    action: StringBuilder,
    to_class: StringBuilder,
    unit: StringBuilder,
    key: StringBuilder,
    bytes: Int64Builder,
    etag: StringBuilder,
    written: TimestampMicrosecondBuilder,
    class: StringBuilder,
    since: TimestampMicrosecondBuilder,
    reason: StringBuilder,
}

impl Columns {
    fn add(&mut self, unit: &PlannedUnit, object: &PlannedObject) {
        self.rows += 1;
        self.dataset.append_value(&unit.dataset);
        self.rule.append_value(&unit.rule);
        self.action.append_value(unit.action.name());
        self.to_class.append_option(unit.action.class());
        self.unit.append_value(&unit.prefix);
        self.key.append_value(&object.key);
        self.bytes.append_value(i64::try_from(object.bytes).unwrap_or(i64::MAX));
        self.etag.append_value(&object.etag);
        self.written.append_value(object.written.as_microsecond());
        self.class.append_value(&object.class);
        self.since.append_value(unit.since.as_microsecond());
        self.reason.append_value(&unit.reason);
    }

    /// The rows so far, in the order of the schema.
    fn take(&mut self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        self.rows = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.dataset.finish()),
            Arc::new(self.rule.finish()),
            Arc::new(self.action.finish()),
            Arc::new(self.to_class.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(self.key.finish()),
            Arc::new(self.bytes.finish()),
            Arc::new(self.etag.finish()),
            Arc::new(self.written.finish().with_timezone("UTC")),
            Arc::new(self.class.finish()),
            Arc::new(self.since.finish().with_timezone("UTC")),
            Arc::new(self.reason.finish()),
        ];
        RecordBatch::try_new(Arc::clone(schema), columns)
    }
}
