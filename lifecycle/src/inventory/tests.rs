//! Units, jobs and tables out of listings.

use super::*;
use crate::policy::Policy;

fn policy(age: &str) -> Policy {
    let text = format!(
        "version: 1\ndatasets:\n  - name: events\n    location: s3a://lake/events/\n    {age}\n    \
         rules: [{{name: drop, when: {{older_than: 1d}}, then: expire}}]\n"
    );
    Policy::read(&text).unwrap_or_else(|findings| panic!("{findings}"))
}

const PARTITIONS: &str = "age: {from: partition, time: \"{day:%F}\"}";
const DIRECTORIES: &str = "age: {from: newest_object}";
const OBJECTS: &str = "age: {from: newest_object}\n    unit: object";
const NOW: &str = "2024-06-01T00:00:00Z";
const LONG_AGO: &str = "2024-01-01T00:00:00Z";

/// Every object has 10 bytes; `key@time` was written then, others long ago.
fn inventory(policy: &Policy, keys: &[&str], uploads: &[(&str, &str)]) -> Inventory {
    let mut builder = InventoryBuilder::new(&policy.datasets[0], &policy.zone);
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    for key in sorted {
        let (key, written) = key.split_once('@').unwrap_or((key, LONG_AGO));
        let written = written.parse().unwrap();
        builder.add(&Object { key, bytes: 10, written, class: "STANDARD", tags: None });
    }
    let uploads: Vec<_> = uploads.iter().map(|(key, begun)| upload(key, begun)).collect();
    builder.finish(&uploads, &NOW.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC))
}

fn upload(key: &str, begun: &str) -> Upload {
    let begun = begun.parse().unwrap();
    Upload { key: key.to_owned(), id: "2~x".to_owned(), begun, newest: begun }
}

fn units(inventory: &Inventory) -> Vec<(&str, u64)> {
    inventory.units.iter().map(|unit| (unit.prefix.as_str(), unit.objects)).collect()
}

#[test]
fn partitions_are_units_and_what_is_in_none_is_outside() {
    let keys = [
        "events/_SUCCESS",
        "events/country=de/day=2024-01-01/a",
        "events/country=de/day=2024-01-01/kind=x/b",
        "events/country=de/day=2024-01-02/a",
        "events/country=de/day=__HIVE_DEFAULT_PARTITION__/a",
        "events/country=fr/readme",
        "events2/day=2024-01-01/a",
    ];
    let found = inventory(&policy(PARTITIONS), &keys, &[]);
    assert_eq!(
        units(&found),
        [
            ("events/country=de/day=2024-01-01/", 2),
            ("events/country=de/day=2024-01-02/", 1),
            ("events/country=de/day=__HIVE_DEFAULT_PARTITION__/", 1),
        ]
    );
    assert_eq!(found.units.iter().filter(|unit| unit.interval.is_some()).count(), 2);
    assert_eq!((found.outside.objects, found.outside.bytes), (2, 20));
}

#[test]
fn directories_with_success_are_units_with_what_lies_below_them() {
    let keys = [
        "events/run-1/A",
        "events/run-1/_SUCCESS",
        "events/run-1/sub/b",
        "events/run-2/0/c",
        "events/run-2/_SUCCESS",
        "events/run-2/inner/_SUCCESS",
        "events/run-2/inner/d",
        "events/run-3/unfinished",
        "events/loose",
    ];
    let found = inventory(&policy(DIRECTORIES), &keys, &[]);
    assert_eq!(units(&found), [("events/run-1/", 3), ("events/run-2/", 2), ("events/run-2/inner/", 2)]);
    assert_eq!((found.outside.objects, found.outside.bytes), (2, 20));
}

#[test]
fn a_whole_dataset_may_be_one_directory() {
    let found = inventory(&policy(DIRECTORIES), &["events/_SUCCESS", "events/a/b", "events/c"], &[]);
    assert_eq!(units(&found), [("events/", 3)]);
}

#[test]
fn objects_are_units_where_the_policy_says_so() {
    let found = inventory(&policy(OBJECTS), &["events/a", "events/b/c"], &[]);
    assert_eq!(units(&found), [("events/a", 1), ("events/b/c", 1)]);
}

#[test]
fn jobs_concern_the_units_at_their_destination_while_they_are_young() {
    let keys = [
        "events/day=2024-01-01/a",
        "events/day=2024-01-01/_temporary/0/x@2024-05-30T00:00:00Z",
        "events/day=2024-01-02/a",
        "events/day=2024-01-03/a",
        "events/day=2024-01-03/_temporary/0/x@2024-05-20T00:00:00Z",
    ];
    let found = inventory(&policy(PARTITIONS), &keys, &[("events/day=2024-01-02/b", "2024-05-31T00:00:00Z")]);
    let running: Vec<_> = found.units.iter().map(|unit| unit.running.as_deref()).collect();
    assert_eq!(running, [Some("events/day=2024-01-01/_temporary/"), Some("events/day=2024-01-02/b"), None]);
    assert_eq!(units(&found).iter().map(|(_, objects)| objects).sum::<u64>(), 3, "state of jobs is no data");
    assert_eq!(found.jobs.len(), 3);
}

#[test]
fn a_job_at_the_dataset_concerns_all_of_it() {
    for tree in
        ["_temporary/0/x", ".spark-staging-7c1d/day=2024-01-01/x", "_s3core_job-7c1d/_s3core_job", "__magic/j/x"]
    {
        let young = format!("events/{tree}@2024-05-30T00:00:00Z");
        let found =
            inventory(&policy(PARTITIONS), &["events/day=2024-01-01/a", "events/day=2024-01-02/a", &young], &[]);
        assert!(found.units.iter().all(|unit| unit.running.is_some()), "{tree}");
    }
    let found = inventory(&policy(PARTITIONS), &["events/day=2024-01-01/_temporary-notes/a@2024-05-30T00:00:00Z"], &[]);
    assert_eq!(found.units[0].running, None, "a name of one's own");
}

/// Nobody can tell the uploads of a job that takes longer than `abandoned_after` from those of others in the same directory, unless
/// these had been silent for so long when the living ones were begun.
#[test]
fn uploads_beside_a_young_one_are_not_abandoned() {
    let uploads = [
        ("events/day=2024-01-02/a", "2024-05-24T12:00:00Z"),
        ("events/day=2024-01-02/b", "2024-05-31T00:00:00Z"),
        ("events/day=2024-01-02/c", LONG_AGO),
        ("events/day=2024-01-02/d/e", "2024-05-24T12:00:00Z"),
        ("events/day=2024-01-03/a", LONG_AGO),
    ];
    let keys = ["events/day=2024-01-01/a", "events/day=2024-01-02/a", "events/day=2024-01-03/a"];
    for kind in [PARTITIONS, OBJECTS] {
        let found = inventory(&policy(kind), &keys, &uploads);
        let abandoned: Vec<_> = found.jobs.iter().map(|job| job.is_abandoned).collect();
        assert_eq!(abandoned, [false, false, true, true, true], "{kind}");
        // A unit waits for what is uploaded to it.
        let running: Vec<_> = found.units.iter().map(|unit| unit.running.is_some()).collect();
        assert_eq!(running, [false, kind == PARTITIONS, false], "{kind}");
    }
}

#[test]
fn tables_are_told_by_their_logs() {
    let keys = [
        "events/delta/_delta_log/00000.json",
        "events/hudi/.hoodie/hoodie.properties",
        "events/ice/metadata/v1.metadata.json",
        "events/sink/_spark_metadata/0",
        "events/query/metadata",
        "events/query/offsets/0",
        "events/query/commits/0",
        "events/other/metadata/notes.txt",
        "events/half/offsets/0",
        "events/half/commits/inner/_delta_log/00000.json",
    ];
    let found = inventory(&policy(OBJECTS), &keys, &[]);
    let tables: Vec<_> = found.tables.iter().map(|table| (table.prefix.as_str(), table.format)).collect();
    assert_eq!(
        tables,
        [
            ("events/delta/", TableFormat::Delta),
            ("events/half/commits/inner/", TableFormat::Delta),
            ("events/hudi/", TableFormat::Hudi),
            ("events/ice/", TableFormat::Iceberg),
            ("events/query/", TableFormat::StreamingCheckpoint),
            ("events/sink/", TableFormat::StreamingSink),
        ]
    );
}

/// The same objects listed in parts: what lies right in a directory, and what its directories hold.
fn in_parts(policy: &Policy, keys: &[&str], expanded: &[&str]) -> Inventory {
    let dataset = &policy.datasets[0];
    let mut parts: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for key in keys {
        let innermost =
            expanded.iter().filter(|place| key.starts_with(**place)).max_by_key(|place| place.len()).unwrap();
        let place = match key[innermost.len()..].find('/') {
            Some(slash) => &key[..=innermost.len() + slash],
            None => innermost,
        };
        parts.entry(place.to_owned()).or_default().push(key);
    }
    // Answers come in any order.
    let mut whole = InventoryPart::default();
    for (place, mut keys) in parts.into_iter().rev() {
        keys.sort_unstable();
        let mut builder = InventoryBuilder::of(dataset, &policy.zone, &place);
        for key in keys {
            let written = LONG_AGO.parse().unwrap();
            builder.add(&Object { key, bytes: 10, written, class: "STANDARD", tags: None });
        }
        whole.merge(builder.part());
    }
    whole.finish(dataset, &policy.zone, &[], &NOW.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC))
}

#[test]
fn a_dataset_that_is_listed_in_parts_is_the_same() {
    let keys = [
        "events/A",
        "events/country=de/_SUCCESS",
        "events/country=de/day=2024-01-01/a",
        "events/country=de/day=2024-01-01/inner/_SUCCESS",
        "events/country=de/day=2024-01-01/inner/b",
        "events/country=de/day=2024-01-02/_temporary/0/x",
        "events/country=de/loose",
        "events/country=fr/_delta_log/0.json",
        "events/country=fr/day=2024-01-01/a",
        "events/day=2024-01-01/a",
        "events/metadata",
        "events/offsets/0",
        "events/commits/0",
        "events/run/0/1/2/a",
    ];
    for success in ["events/_SUCCESS", "events/country=fr/_SUCCESS"] {
        let keys: Vec<_> = keys.iter().copied().chain([success]).collect();
        for policy in [PARTITIONS, DIRECTORIES, OBJECTS].map(policy) {
            let whole = inventory(&policy, &keys, &[]);
            for expanded in [&["events/"] as &[&str], &["events/", "events/country=de/", "events/country=fr/"]] {
                assert_eq!(in_parts(&policy, &keys, expanded), whole, "{expanded:?}");
            }
        }
    }
    let whole = inventory(&policy(DIRECTORIES), &["events/a/x", "events/a/_SUCCESS", "events/_SUCCESS"], &[]);
    assert_eq!(whole.total, Amount { units: 2, objects: 3, bytes: 30 });
}

#[test]
fn a_partition_may_be_listed_in_parts_too() {
    let keys = ["events/day=2024-01-01/kind=a/1", "events/day=2024-01-01/kind=b/2", "events/day=2024-01-01/3"];
    let policy = policy(PARTITIONS);
    let found = in_parts(&policy, &keys, &["events/", "events/day=2024-01-01/"]);
    assert_eq!(units(&found), [("events/day=2024-01-01/", 3)]);
    assert_eq!(found.total, Amount { units: 1, objects: 3, bytes: 30 });
}

#[test]
fn the_state_of_s3life_is_in_no_dataset() {
    let text = "version: 1\ndatasets:\n  - name: all\n    location: s3a://lake/\n    unit: object\n    \
                age: {from: newest_object}\n    rules: [{name: drop, when: {older_than: 1d}, then: expire}]\n";
    let policy = Policy::read(text).unwrap();
    let upload = upload(".s3core/probe/x", LONG_AGO);
    let mut builder = InventoryBuilder::new(&policy.datasets[0], &policy.zone);
    for key in [".s3core/life/leases/00000001", ".s3core/trash/r/1/events/a", "a"] {
        builder.add(&Object { key, bytes: 10, written: LONG_AGO.parse().unwrap(), class: "STANDARD", tags: None });
    }
    let found = builder.finish(&[upload], &NOW.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC));
    assert_eq!((units(&found), found.jobs.len()), (vec![("a", 1)], 0));
}

#[test]
fn objects_that_are_only_counted_are_not_kept() {
    let policy = policy(OBJECTS);
    let mut builder = InventoryBuilder::new(&policy.datasets[0], &policy.zone).keeping(None);
    for key in ["events/a", "events/b/", "events/b/c", "events/b/_temporary/x"] {
        builder.add(&Object { key, bytes: 10, written: LONG_AGO.parse().unwrap(), class: "STANDARD", tags: None });
    }
    let found = builder.finish(&[], &NOW.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC));
    assert_eq!(
        (found.units.len(), found.total, found.outside.objects),
        (0, Amount { units: 2, objects: 2, bytes: 20 }, 1)
    );
}

#[test]
fn a_job_is_abandoned_when_nothing_of_it_is_young() {
    let keys = [
        "events/day=2024-01-01/_temporary/0/x@2024-05-01T00:00:00Z",
        "events/day=2024-01-02/_temporary/0/x@2024-05-01T00:00:00Z",
        "events/day=2024-01-02/_temporary/0/y@2024-05-30T00:00:00Z",
        "events/day=2024-01-03/_s3core_job-1/x@2024-05-01T00:00:00Z",
    ];
    let uploads = [
        ("events/day=2024-01-01/part", "2024-05-02T00:00:00Z"),
        ("events/day=2024-01-02/part", "2024-05-02T00:00:00Z"),
        ("events/day=2024-01-03/part", "2024-05-30T00:00:00Z"),
    ];
    let found = inventory(&policy(PARTITIONS), &keys, &uploads);
    let abandoned: Vec<_> = found.jobs.iter().map(|job| (job.key.as_str(), job.objects, job.is_abandoned)).collect();
    assert_eq!(
        abandoned,
        [
            ("events/day=2024-01-01/_temporary/", 1, true),
            ("events/day=2024-01-01/part", 0, true),
            ("events/day=2024-01-02/_temporary/", 2, false),
            ("events/day=2024-01-02/part", 0, false),
            ("events/day=2024-01-03/_s3core_job-1/", 1, false),
            ("events/day=2024-01-03/part", 0, false),
        ]
    );
}
