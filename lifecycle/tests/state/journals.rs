//! What was announced is known, whatever happens next.

use jiff::Timestamp;
use rstest::rstest;
use s3core::ops::{DeleteObject, GetObject};
use s3core_gateway::Quirks;
use s3life::plan::line::{PlannedAction, PlannedObject, Shape};
use s3life::run::journal::{
    BatchId, Entry, IntendedObject, IntendedUnit, Journal, JournaledUnit, Marker, Means, Outcome, UnitOutcome,
};
use s3life::run::{Bucket, StateError, keys};

use crate::support::{Lake, Service};

const RUN: &str = "20261125T214500Z-a1b2c3";

fn unit(prefix: &str, objects: usize) -> IntendedUnit {
    let object = |number| IntendedObject {
        planned: PlannedObject {
            key: format!("{prefix}part-{number:05}"),
            bytes: number as u64,
            etag: format!("{number:032x}"),
            written: Timestamp::UNIX_EPOCH,
            class: "STANDARD".to_owned(),
        },
        trash: Some(keys::trashed(RUN, 7, &format!("{prefix}part-{number:05}"))),
        former: Vec::new(),
        version: None,
        acl: (number % 2 == 0).then(|| "<AccessControlPolicy/>".to_owned()),
    };
    IntendedUnit {
        dataset: "events".to_owned(),
        prefix: prefix.to_owned(),
        shape: Shape::Prefix,
        action: PlannedAction::Expire,
        means: Means::default(),
        objects: (0..objects).map(object).collect(),
    }
}

fn outcome(prefix: &str, outcome: Outcome) -> UnitOutcome {
    UnitOutcome { prefix: prefix.to_owned(), outcome, at: Timestamp::UNIX_EPOCH, markers: Vec::new() }
}

async fn entries(bucket: &Bucket) -> Result<Vec<Entry>, StateError> {
    let (mut entries, mut all) = (Journal::entries(bucket, RUN), Vec::new());
    while let Some(entry) = entries.next().await? {
        all.push(entry);
    }
    Ok(all)
}

async fn units(bucket: &Bucket) -> Result<Vec<JournaledUnit>, StateError> {
    let (mut units, mut all) = (Journal::units(bucket, RUN), Vec::new());
    while let Some(unit) = units.next().await? {
        all.push(unit);
    }
    Ok(all)
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::versions(Service::Versions)]
#[case::pacific(Service::Embedded(Quirks::Pacific))]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_announced_is_read_in_order_with_what_came_of_it(#[case] service: Service) {
    let lake = Lake::at(service).await;
    let bucket = &lake.bucket;
    assert_eq!((entries(bucket).await.unwrap(), units(bucket).await.unwrap()), (vec![], vec![]));
    let small = [unit("events/1/", 3), unit("events/2/", 2)];
    let large = [unit("events/3/", 1), unit("events/4/", 2500), unit("events/5/", 1)];

    let journal = Journal::open(bucket, RUN, 7).await.unwrap();
    let first = journal.intend(&small).await.unwrap();
    let second = journal.intend(&large).await.unwrap();
    assert_eq!((first, second), (BatchId { lease: 7, sequence: 1 }, BatchId { lease: 7, sequence: 2 }));
    let done: Vec<_> = large.iter().map(|unit| outcome(&unit.prefix, Outcome::Done)).collect();
    journal.conclude(second, &done).await.unwrap();
    // Killed here: nothing was concluded of the first group, and the next holder goes on.
    let journal = Journal::open(bucket, RUN, 10).await.unwrap();
    let again = journal.intend(&small).await.unwrap();
    let changed = Outcome::Changed { key: "events/2/x".to_owned(), reason: "new".to_owned() };
    journal
        .conclude(again, &[outcome("events/1/", Outcome::Done), outcome("events/2/", changed.clone())])
        .await
        .unwrap();
    let journal = Journal::open(bucket, RUN, 10).await.unwrap();
    let undo = journal.intend(&small[..1]).await.unwrap();
    assert_eq!(undo, BatchId { lease: 10, sequence: 2 });
    journal.conclude(undo, &[outcome("events/1/", Outcome::Restored)]).await.unwrap();

    let read = entries(bucket).await.unwrap();
    let places: Vec<_> = read.iter().map(|entry| (entry.lease, entry.sequence, entry.batch.sequence)).collect();
    assert_eq!(places, [(7, 1, 1), (7, 2, 2), (7, 3, 2), (7, 4, 2), (10, 1, 1), (10, 2, 2)]);
    let sizes: Vec<usize> = read.iter().map(|entry| entry.units.iter().map(|unit| unit.objects.len()).sum()).collect();
    assert_eq!(sizes, [5, 1000, 1000, 502, 5, 3]);
    assert_eq!(read.iter().map(|entry| entry.is_last).collect::<Vec<_>>(), [true, false, false, true, true, true]);
    let concluded: Vec<_> = read.iter().map(|entry| entry.outcomes.as_ref().map(|all| all.len())).collect();
    assert_eq!(concluded, [None, Some(3), Some(3), Some(3), Some(2), Some(1)]);

    let read = units(bucket).await.unwrap();
    let whole: Vec<_> = read.iter().map(|unit| unit.unit.clone()).collect();
    assert_eq!(whole, [&small[..], &large[..], &small[..], &small[..1]].concat());
    assert!(read.iter().all(|unit| unit.is_announced));
    let outcomes: Vec<_> = read.iter().map(|unit| unit.outcome.as_ref().map(|outcome| &outcome.outcome)).collect();
    let done = Some(&Outcome::Done);
    assert_eq!(outcomes, [None, None, done, done, done, done, Some(&changed), Some(&Outcome::Restored)]);

    let summary = Journal::summary(bucket, RUN).await.unwrap();
    let last: Vec<_> = summary.iter().map(|(prefix, outcome)| (prefix.as_str(), &outcome.outcome)).collect();
    assert_eq!(
        last,
        [
            ("events/1/", &Outcome::Restored),
            ("events/2/", &changed),
            ("events/3/", &Outcome::Done),
            ("events/4/", &Outcome::Done),
            ("events/5/", &Outcome::Done),
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_was_not_announced_to_its_end_is_known() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let bucket = &lake.bucket;
    let journal = Journal::open(bucket, RUN, 7).await.unwrap();
    journal.intend(&[unit("events/1/", 1500)]).await.unwrap();
    let end = format!("{}00000007-00000002-intent.jsonl", keys::journal(RUN));
    bucket.gateway().run(DeleteObject::new(&lake.name, &end)).await.unwrap();
    Journal::open(bucket, RUN, 8).await.unwrap().intend(&[unit("events/2/", 1)]).await.unwrap();
    let found: Vec<_> =
        units(bucket).await.unwrap().into_iter().map(|unit| (unit.unit.prefix, unit.is_announced)).collect();
    assert_eq!(found, [("events/1/".to_owned(), false), ("events/2/".to_owned(), true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_outcome_counts_from_its_last_part() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let bucket = &lake.bucket;
    let journal = Journal::open(bucket, RUN, 7).await.unwrap();
    let batch = journal.intend(&[unit("events/1/", 1500)]).await.unwrap();
    let marker = |number: usize| Marker { key: format!("events/1/{number}"), version: "v".to_owned() };
    let markers: Vec<_> = (0..12_000).map(marker).collect();
    let long = UnitOutcome { markers, ..outcome("events/1/", Outcome::Done) };
    journal.conclude(batch, std::slice::from_ref(&long)).await.unwrap();
    let names = ["1-intent", "1-outcome", "1-rest-2", "1-rest-3", "2-intent"];
    let key = |name: &str| format!("{}00000007-0000000{name}.jsonl", keys::journal(RUN));
    assert_eq!(bucket.keys(&keys::journal(RUN)).await.unwrap(), names.map(key));
    let concluded = || async { Ok::<_, StateError>(units(bucket).await?.remove(0).outcome) };
    assert_eq!(concluded().await.unwrap().as_ref(), Some(&long));
    assert_eq!(Journal::summary(bucket, RUN).await.unwrap()["events/1/"], long);

    bucket.gateway().run(DeleteObject::new(&lake.name, &key("1-rest-2"))).await.unwrap();
    let failure = concluded().await.unwrap_err().to_string();
    assert!(failure.contains("1-rest-2.jsonl"), "{failure}");
    // As if the writer had been killed before the last part.
    bucket.gateway().run(DeleteObject::new(&lake.name, &key("1-outcome"))).await.unwrap();
    assert_eq!(concluded().await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_nobody_could_read_is_not_written() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let failure = lake.bucket.create_json("long", &"x".repeat(64 << 20)).await.unwrap_err().to_string();
    assert!(failure.contains("it would have 67108866 bytes"), "{failure}");
    assert_eq!(lake.bucket.keys("long").await.unwrap(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_do_not_write_under_one_lease() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let one = Journal::open(&lake.bucket, RUN, 7).await.unwrap();
    let other = Journal::open(&lake.client(), RUN, 7).await.unwrap();
    let batch = one.intend(&[unit("events/1/", 1)]).await.unwrap();
    assert!(matches!(other.intend(&[unit("events/2/", 1)]).await, Err(StateError::AlreadyExists { .. })));
    let concluded = [outcome("events/1/", Outcome::Done)];
    one.conclude(batch, &concluded).await.unwrap();
    assert!(matches!(one.conclude(batch, &concluded).await, Err(StateError::AlreadyExists { .. })));
}

#[rstest]
#[case::intent_cut("00000007-00000001-intent.jsonl", Some(0.5))]
#[case::intent_of_no_bytes("00000007-00000001-intent.jsonl", Some(0.0))]
#[case::outcome_cut("00000007-00000001-outcome.jsonl", Some(0.9))]
#[case::foreign_name("00000007-00000001-notes.txt", None)]
#[case::foreign_text("00000007-00000009-intent.jsonl", None)]
#[case::outcome_of_nothing("00000006-00000001-outcome.jsonl", None)]
#[case::outcome_in_a_group("00000007-00000003-outcome.jsonl", None)]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_cut_or_foreign_is_named(#[case] name: &str, #[case] kept: Option<f64>) {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let bucket = &lake.bucket;
    let journal = Journal::open(bucket, RUN, 7).await.unwrap();
    for units in [unit("events/1/", 2), unit("events/2/", 1500)] {
        let batch = journal.intend(std::slice::from_ref(&units)).await.unwrap();
        journal.conclude(batch, &[outcome(&units.prefix, Outcome::Done)]).await.unwrap();
    }
    assert_eq!(entries(bucket).await.unwrap().len(), 3);
    let key = format!("{}{name}", keys::journal(RUN));
    let text = match kept {
        None => b"{}\n".to_vec(),
        Some(share) => {
            let mut text: Vec<bytes::Bytes> = Vec::new();
            bucket.gateway().run(GetObject::new(&lake.name, &key, &mut text)).await.unwrap();
            let text = text.concat();
            text[..(text.len() as f64 * share) as usize].to_vec()
        }
    };
    lake.put(&key, text).await;
    let failure = entries(bucket).await.unwrap_err();
    assert!(matches!(failure, StateError::Malformed { .. }), "{failure:?}");
    assert!(failure.to_string().contains(&key), "{failure}");
    if name.contains("outcome") || name.contains("notes") {
        let failure = Journal::summary(bucket, RUN).await.unwrap_err();
        assert!(failure.to_string().contains(&key), "{failure}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_is_missing_in_the_middle_is_noticed() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let journal = Journal::open(&lake.bucket, RUN, 7).await.unwrap();
    journal.intend(&[unit("events/1/", 2500)]).await.unwrap();
    let middle = format!("{}00000007-00000002-intent.jsonl", keys::journal(RUN));
    lake.bucket.gateway().run(DeleteObject::new(&lake.name, &middle)).await.unwrap();
    let failure = entries(&lake.bucket).await.unwrap_err().to_string();
    assert!(failure.contains("00000003-intent.jsonl") && failure.contains("before it is missing"), "{failure}");
}
