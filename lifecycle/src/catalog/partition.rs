//! A partition as the metastore knows it, and which partitions a unit is.

use serde::{Deserialize, Serialize};

use crate::partition::columns;
use crate::policy::Place;

use super::thrift::Value;

/// A partition of a table: `Partition` in Hive's `hive_metastore.thrift`, with all of its fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Partition(pub(super) Value);

/// `Partition.values`, `Partition.sd`, `StorageDescriptor.location`.
const VALUES: i16 = 1;
const STORAGE: i16 = 6;
const LOCATION: i16 = 2;

impl Partition {
    /// Its values, in the order of the table's columns.
    pub fn values(&self) -> Vec<&str> {
        let values = self.0.field(VALUES).and_then(Value::as_list).unwrap_or_default();
        values.iter().map(|value| value.as_text().unwrap_or_default()).collect()
    }

    /// Where its data lies.
    pub fn location(&self) -> &str {
        self.0.field(STORAGE).and_then(|storage| storage.field(LOCATION)).and_then(Value::as_text).unwrap_or_default()
    }

    /// Whether its data lies in a unit of a bucket.
    pub fn lies_in(&self, bucket: &str, unit: &str) -> bool {
        let place = self.location().parse::<Place>();
        place.is_ok_and(|place| place.bucket == bucket && place.prefix.starts_with(unit))
    }
}

/// The values of a table's columns that a unit's directories name; `None` for a column that they do not. Hive's names of
/// columns have no capital letters, those of Spark's directories may have. `None` where they name no column.
pub(super) fn values_of(unit: &str, table: &[String]) -> Option<Vec<Option<String>>> {
    let mut values = vec![None; table.len()];
    for (name, value, _) in columns(unit) {
        for (column, known) in table.iter().zip(&mut values) {
            if column.to_lowercase() == name.to_lowercase() {
                *known = Some(value.clone());
            }
        }
    }
    values.iter().any(Option::is_some).then_some(values)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("s3a://lake/events/day=1", true)]
    #[case("s3a://lake/events/day=1/", true)]
    #[case("s3://lake/events/day=1/hour=2", true)]
    #[case("s3a://lake/events/day=11", false)]
    #[case("s3a://other/events/day=1", false)]
    #[case("hdfs://lake/events/day=1", false)]
    #[case("", false)]
    fn partitions_lie_in_units(#[case] location: &str, #[case] lies: bool) {
        let storage = Value::Struct(vec![(LOCATION, Value::text(location))]);
        let partition = Partition(Value::Struct(vec![(VALUES, Value::texts(["1"])), (STORAGE, storage)]));
        assert_eq!(partition.lies_in("lake", "events/day=1/"), lies);
        assert_eq!((partition.values(), partition.location()), (vec!["1"], location));
    }

    #[rstest]
    #[case("events/day=2024-01-01/", Some(vec![None, Some("2024-01-01")]))]
    #[case("events/Country=de/Day=2024-01-01 12%3A00/", Some(vec![Some("de"), Some("2024-01-01 12:00")]))]
    #[case("env=prod/events/", None)]
    fn units_name_values(#[case] unit: &str, #[case] values: Option<Vec<Option<&str>>>) {
        let found = values_of(unit, &["country".to_owned(), "day".to_owned()]);
        let expected =
            values.map(|values| values.into_iter().map(|value| value.map(str::to_owned)).collect::<Vec<_>>());
        assert_eq!(found, expected);
    }
}
