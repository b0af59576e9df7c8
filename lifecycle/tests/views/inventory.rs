//! `s3life inventory`: every object with its verdict, read back as Parquet.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use bytes::Bytes;
use jiff::Timestamp;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row};
use s3core::ops::PutObject;

use super::lake::Lake;

const POLICY: &str = "\
version: 1
zone: Europe/Berlin
hold:
  - {path: \"s3a://BUCKET/events/day=2020-01-02/\", reason: audit}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    settle: 0h
    rules:
      - {name: cool, when: {older_than: 1y, larger_than: 5B}, then: {tier: COLD}}
      - {name: newest, keep: {newest: 1, of: partition}}
  - name: jobs
    location: s3a://BUCKET/jobs/
    age: {from: newest_object}
    rules: [{name: drop, when: {older_than: 2d}, then: expire}]
  - name: scratch
    location: s3a://BUCKET/tmp/
    age: {from: newest_object}
    unit: object
    settle: 0h
    rules: [{name: sweep, when: {older_than: 3d, name: '*.tmp'}, then: expire}]
";

/// Key, verdict and what else is to be found.
const EXPECTED: [(&str, &str, &str, Option<&str>); 12] = [
    ("events/_SUCCESS", "outside", "", None),
    ("events/day=2020-01-01/a", "due", "events/day=2020-01-01/", Some("cool")),
    ("events/day=2020-01-01/small", "untouched", "events/day=2020-01-01/", None),
    ("events/day=2020-01-02/a", "held", "events/day=2020-01-02/", None),
    ("events/day=2020-01-03/a", "kept", "events/day=2020-01-03/", Some("newest")),
    ("events/day=x/a", "undated", "events/day=x/", None),
    ("events/day=x/_temporary/0/a", "abandoned", "events/day=x/_temporary/", None),
    ("jobs/one/_SUCCESS", "due", "jobs/one/", Some("drop")),
    ("jobs/one/deep/a", "due", "jobs/one/", Some("drop")),
    ("jobs/two/a", "outside", "", None),
    ("tmp/a", "untouched", "tmp/a", None),
    ("tmp/a.tmp", "due", "tmp/a.tmp", Some("sweep")),
];

/// Later than anything that is written by the test settles.
const NOW: &str = "2036-01-01T00:00:00Z";

#[tokio::test(flavor = "multi_thread")]
async fn every_object_is_there_with_what_becomes_of_it() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let keys = EXPECTED.iter().map(|(key, ..)| *key).filter(|key| !key.ends_with("small"));
    lake.put_all(keys.chain(["elsewhere/a", ".s3core/life/x"])).await;
    let small = PutObject::new(&lake.bucket, "events/day=2020-01-01/small", Bytes::from_static(b"four"));
    lake.gateway.run(small).await.unwrap();
    let said = lake.run(&["inventory", "policy.yaml", "--out", "lake.parquet", "--now", NOW]);
    assert!(said.status == 0 && said.error.is_empty(), "{said:?}");
    assert!(said.out.starts_with("lake.parquet: 12 objects of 3 datasets, 114 B"), "{said:?}");

    let rows = rows(&lake.path("lake.parquet"));
    let found: BTreeMap<_, _> = rows.iter().map(|row| (text(row, "key").unwrap(), row)).collect();
    assert_eq!((rows.len(), found.len()), (EXPECTED.len(), EXPECTED.len()));
    for (key, verdict, unit, rule) in EXPECTED {
        let row = found[key];
        let told = [text(row, "verdict").unwrap(), text(row, "unit").unwrap_or_default()];
        assert_eq!((told, text(row, "rule").as_deref()), ([verdict.to_owned(), unit.to_owned()], rule), "{key}");
        let listed = &lake.listed(key).await[0];
        assert_eq!(text(row, "etag"), listed.etag, "{key}");
        assert_eq!(value(row, "bytes"), Field::Long(listed.length as i64), "{key}");
        let written = Timestamp::try_from(listed.modified.unwrap()).unwrap();
        assert_eq!(value(row, "written"), Field::TimestampMicros(written.as_microsecond()), "{key}");
        assert_eq!(text(row, "storage_class").as_deref(), Some("STANDARD"), "{key}");
    }
    // A year after the end of the day in Berlin.
    let due: Timestamp = "2021-01-01T23:00:00Z".parse().unwrap();
    assert_eq!(value(found["events/day=2020-01-01/a"], "due"), Field::TimestampMicros(due.as_microsecond()));
    assert_eq!(value(found["events/day=2020-01-02/a"], "due"), Field::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_stays_until_the_table_is_whole() {
    let lake = Lake::new().await;
    lake.policy(POLICY);
    let said = lake.run(&["inventory", "policy.yaml", "--out", "none/lake.parquet"]);
    assert!(said.status == 1 && said.error.contains("cannot be written to none/lake.parquet"), "{said:?}");
    lake.policy(&POLICY.replace("BUCKET", &format!("{}-none", lake.bucket)));
    std::fs::write(lake.path("lake.parquet"), "before").unwrap();
    let said = lake.run(&["inventory", "policy.yaml", "--out", "lake.parquet", "--now", NOW]);
    assert!(said.status == 1 && said.error.contains("does not exist"), "{said:?}");
    assert_eq!(std::fs::read_to_string(lake.path("lake.parquet")).unwrap(), "before");
    assert_eq!(std::fs::read_dir(lake.path("")).unwrap().count(), 2);
}

fn rows(path: &Path) -> Vec<Row> {
    let reader = SerializedFileReader::new(File::open(path).unwrap()).unwrap();
    let notes = reader.metadata().file_metadata().key_value_metadata().unwrap();
    let note = |name: &str| notes.iter().find(|note| note.key == name).and_then(|note| note.value.clone());
    assert_eq!((note("s3life.zone").as_deref(), note("s3life.now").as_deref()), (Some("Europe/Berlin"), Some(NOW)));
    reader.get_row_iter(None).unwrap().map(Result::unwrap).collect()
}

fn value(row: &Row, column: &str) -> Field {
    row.get_column_iter().find(|(name, _)| *name == column).unwrap().1.clone()
}

fn text(row: &Row, column: &str) -> Option<String> {
    match value(row, column) {
        Field::Str(text) => Some(text),
        _ => None,
    }
}
