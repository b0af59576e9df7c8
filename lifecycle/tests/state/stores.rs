//! Runs are kept, changed and found again.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use futures::future::join_all;
use rstest::rstest;
use s3core::environment::Environment;
use s3core::ops::DeleteObject;
use s3core_gateway::{Fault, Quirks};
use s3life::run::record::{RunRecord, RunState};
use s3life::run::store::Store;
use s3life::run::{StateError, keys};
use tempfile::NamedTempFile;
use tokio::sync::Notify;

use crate::support::{Lake, MINUTE, MortalTransport, Service, environment, holder, record, take};

fn plan_of(length: usize) -> (NamedTempFile, Vec<u8>) {
    let text: Vec<u8> = (0..length).map(|index| (index / 251 + index) as u8).collect();
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(&text).unwrap();
    (file, text)
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::versions(Service::Versions)]
#[case::pacific(Service::Embedded(Quirks::Pacific))]
#[case::aws(Service::Embedded(Quirks::Aws))]
#[tokio::test(flavor = "multi_thread")]
async fn runs_are_found_again_the_newest_first(#[case] service: Service) {
    let lake = Lake::at(service).await;
    let store = Store::new(lake.bucket.clone());
    assert_eq!(store.records().await.unwrap(), []);
    let lease = take(&lake.bucket, 1, MINUTE).await.unwrap();
    let mut names = Vec::new();
    for (index, length) in [0, 1000, 20 << 20].into_iter().enumerate() {
        let name = format!("202611{:02}T214500Z-a1b2c3", 9 + index);
        let (file, text) = plan_of(length);
        let begun = store.begin(&lease, &record(&name), file.path()).await.unwrap();
        assert_eq!((begun.lease, begun.holder), (1, holder(1).to_string()));
        let found = store.plan(&name).await.unwrap();
        assert!(std::fs::read(found.path()).unwrap() == text, "the plan of {length} bytes is another one");
        names.insert(0, name);
    }
    let found: Vec<_> = store.records().await.unwrap().into_iter().map(|record| record.run).collect();
    assert_eq!(found, names);
    let again = store.begin(&lease, &record(&names[0]), Path::new("/dev/null")).await.unwrap_err();
    assert!(matches!(again, StateError::AlreadyExists { .. }), "{again:?}");
    assert_eq!(std::fs::metadata(store.plan(&names[0]).await.unwrap().path()).unwrap().len(), 20 << 20);
    lease.release().await.unwrap();
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::versions(Service::Versions)]
#[case::embedded(Service::Embedded(Quirks::Pacific))]
#[tokio::test(flavor = "multi_thread")]
async fn one_plan_may_begin_several_times_in_a_second(#[case] service: Service) {
    let lake = Lake::at(service).await;
    let store = Store::new(lake.bucket.clone());
    let lease = take(&lake.bucket, 1, MINUTE).await.unwrap();
    let record = RunRecord { digest: "0a1b2c3d4e5f6a7b8c".to_owned(), ..record("") };
    let mut begun = Vec::new();
    for length in [1, 2, 3] {
        let (file, text) = plan_of(length);
        let run = store.begin_new(&lease, record.clone(), file.path()).await.unwrap().run;
        assert!(std::fs::read(store.plan(&run).await.unwrap().path()).unwrap() == text);
        begun.push(run);
    }
    assert_eq!(begun, ["0a1b2c", "3d4e5f", "6a7b8c"].map(|digits| format!("19700101T000000Z-{digits}")));
    lease.release().await.unwrap();
}

/// Each on a connection of its own, without a lease.
#[rstest]
#[case::ceph(Service::Ceph)]
#[case::versions(Service::Versions)]
#[case::pacific(Service::Embedded(Quirks::Pacific))]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[tokio::test(flavor = "multi_thread")]
async fn of_eight_that_replace_a_document_each_is_heard(#[case] service: Service) {
    const KEY: &str = ".s3core/life/count.json";
    let lake = Lake::at(service).await;
    lake.bucket.create_json(KEY, &0_u32).await.unwrap();
    let writers = lake.clients(8).into_iter().map(|bucket| {
        tokio::spawn(async move {
            let (mut done, mut refused) = (0, 0);
            while done < 10 {
                let (count, etag) = bucket.get_json::<u32>(KEY).await.unwrap().unwrap();
                match bucket.replace_json(KEY, &(count + 1), &etag).await {
                    Ok(_) => done += 1,
                    Err(StateError::Replaced { .. }) => refused += 1,
                    Err(other) => panic!("{other:?}"),
                }
            }
            refused
        })
    });
    let refused: u32 = join_all(writers).await.into_iter().map(Result::unwrap).sum();
    assert!(refused > 0, "they never met");
    assert_eq!(lake.bucket.get_json::<u32>(KEY).await.unwrap().unwrap().0, 80);
}

#[rstest]
#[case::ceph(Service::Ceph, 0.0)]
#[case::versions(Service::Versions, 0.0)]
#[case::lost_replies(Service::Embedded(Quirks::Pacific), 0.3)]
#[case::lost_replies_on_tentacle(Service::Embedded(Quirks::Tentacle), 0.3)]
#[tokio::test(flavor = "multi_thread")]
async fn what_eight_add_to_a_record_is_added_once(#[case] service: Service, #[case] lost: f64) {
    let lake = Lake::at(service).await;
    let lease = take(&lake.bucket, 1, MINUTE).await.unwrap();
    let store = Store::new(lake.bucket.clone());
    let name = "20261125T214500Z-a1b2c3";
    store.begin(&lease, &record(name), Path::new("/dev/null")).await.unwrap();
    if lost > 0.0 {
        let fault = Fault::lose_reply().method("PUT").key_prefix(&keys::record(name)).fraction(lost, 5);
        lake.embedded().faults().add(fault);
    }
    let writers = lake.clients(8).into_iter().map(|bucket| {
        let (store, lease) = (Store::new(bucket), lease.clone());
        tokio::spawn(async move {
            for _ in 0..10 {
                let add = |record: &mut RunRecord| {
                    record.skipped_count += 1;
                    Ok(())
                };
                store.update(&lease, name, add).await.unwrap();
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    assert_eq!(store.record(name).await.unwrap().skipped_count, 80);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_may_be_refused_and_changes_nothing() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let lease = take(&lake.bucket, 1, MINUTE).await.unwrap();
    let store = Store::new(lake.bucket.clone());
    store.begin(&lease, &record("r1"), Path::new("/dev/null")).await.unwrap();
    let refuse = |record: &mut RunRecord| {
        record.state = RunState::Undoing;
        Err(StateError::Refused { run: record.run.clone(), reason: "is being emptied".to_owned() })
    };
    let refused = store.update(&lease, "r1", refuse).await.unwrap_err();
    assert_eq!(refused.to_string(), "the run r1 is being emptied");
    assert_eq!(store.record("r1").await.unwrap().state, RunState::Running);
    for other in ["r2", "../r1", ""] {
        assert!(matches!(store.record(other).await, Err(StateError::NoSuchRun { .. })), "{other}");
    }
    lease.release().await.unwrap();
    let release = |record: &mut RunRecord| {
        record.released = true;
        Ok(())
    };
    assert!(matches!(store.update(&lease, "r1", release).await, Err(StateError::Lost(_))));
    assert!(matches!(store.begin(&lease, &record("r3"), Path::new("/dev/null")).await, Err(StateError::Lost(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_cannot_be_read_is_named() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let lease = take(&lake.bucket, 1, MINUTE).await.unwrap();
    let store = Store::new(lake.bucket.clone());
    store.begin(&lease, &record("r1"), Path::new("/dev/null")).await.unwrap();
    let whole = serde_json::to_vec(&store.record("r1").await.unwrap()).unwrap();
    for text in [&whole[..whole.len() / 2], b"", &whole] {
        lake.put(&keys::record("r2"), text).await;
        let failure = store.records().await.unwrap_err();
        assert!(matches!(failure, StateError::Malformed { .. }), "{failure:?}");
        assert!(failure.to_string().contains(&keys::record("r2")), "{failure}");
    }
    lake.bucket.gateway().run(DeleteObject::new(&lake.name, &keys::record("r2"))).await.unwrap();
    assert_eq!(store.records().await.unwrap().len(), 1);
}

/// The process dies before, or after, the gateway has done what each request of beginning a run asks for.
#[rstest]
#[case::small(1000)]
#[case::large(17 << 20)]
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_died_while_it_began_is_whole_or_none(
    #[case] length: usize,
    #[values(false, true)] last_is_sent: bool,
) {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let lease = take(&lake.bucket, 1, MINUTE).await.unwrap();
    let (file, text) = plan_of(length);
    let store = Store::new(lake.bucket.clone());
    let (mut deaths, mut whole) = (0, 0);
    loop {
        let name = format!("run-{deaths:04}");
        let world = environment();
        let (inner, left, death) = (world.transport.clone(), AtomicI64::new(deaths), Arc::new(Notify::new()));
        let transport = Arc::new(MortalTransport { inner, left, last_is_sent, death: Arc::clone(&death) });
        let mortal = Store::new(lake.client_in(Environment { transport, ..world }));
        let record = record(&name);
        let has_ended = tokio::select! {
            begun = mortal.begin(&lease, &record, file.path()) => begun.is_ok(),
            () = death.notified() => false,
        };
        let found: Vec<_> = store.records().await.unwrap().into_iter().filter(|record| record.run == name).collect();
        assert!(!has_ended || found.len() == 1, "it has begun and is not there");
        if found.len() == 1 {
            whole += 1;
            assert!(std::fs::read(store.plan(&name).await.unwrap().path()).unwrap() == text);
        }
        if has_ended {
            break;
        }
        deaths += 1;
    }
    assert!(deaths >= if length > 1000 { 6 } else { 2 }, "{deaths} deaths");
    // The last request is the record's: done without an answer, the run is there.
    assert_eq!(whole, if last_is_sent { 2 } else { 1 });
}
