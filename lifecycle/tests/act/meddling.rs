//! Others write while a unit is being removed: at whichever moment, nothing of theirs is lost, and the unit is either
//! gone as a whole or there as a whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::FutureExt;
use futures::future::join_all;
use http::Method;
use jiff::Timestamp;
use rstest::rstest;
use s3core::ops::{CreateMultipartUpload, DeleteObject, PutObject};
use s3core_gateway::Quirks;
use s3life::plan::line::PlannedAction;
use s3life::run::journal::{IntendedObject, IntendedUnit, Means, Outcome};
use s3life::run::keys;

use crate::interposed::{Fate, Interposed};
use crate::support::Service;
use crate::unit::{PREFIX, Scene, undisturbed};

const PACIFIC: Service = Service::Embedded(Quirks::Pacific);

async fn requests_of_a_removal(service: Service) -> usize {
    let scene = Scene::new(service).await;
    let process = Interposed::counted();
    scene.remove_by(Arc::new(process.clone()), &scene.intent(1), 1).await.unwrap();
    process.requests()
}

/// A process during whose request with number `at` somebody puts `body` at `key`.
pub(crate) fn while_somebody_puts(scene: &Scene, at: usize, key: &str, body: &'static [u8]) -> Arc<Interposed> {
    let put = PutObject::new(&scene.place.bucket, key, Bytes::from_static(body));
    let gateway = scene.place.gateway.clone();
    Arc::new(Interposed::new(undisturbed(), move |number, _| {
        let (gateway, put) = (gateway.clone(), put.clone());
        async move {
            if number == at {
                gateway.run(put).await.unwrap();
            }
            Fate::Sent
        }
        .boxed()
    }))
}

/// A process during whose request with number `at` somebody begins an upload at `key`.
fn while_somebody_begins(scene: &Scene, at: usize, key: &str) -> Arc<Interposed> {
    let upload = CreateMultipartUpload::new(&scene.place.bucket, key);
    let gateway = scene.place.gateway.clone();
    Arc::new(Interposed::new(undisturbed(), move |number, _| {
        let (gateway, upload) = (gateway.clone(), upload.clone());
        async move {
            if number == at {
                gateway.run(upload).await.unwrap();
            }
            Fate::Sent
        }
        .boxed()
    }))
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::pacific(PACIFIC)]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_puts_in_place_of_an_object_stays(#[case] service: Service) {
    let requests = requests_of_a_removal(service).await;
    join_all((0..requests).flat_map(|at| (0..5).map(move |which| (at, which))).map(async |(at, which)| {
        let scene = Scene::new(service).await;
        let before = scene.read(PREFIX).await;
        let key = scene.planned[which].key.clone();
        let process = while_somebody_puts(&scene, at, &key, b"written meanwhile");
        let outcome = scene.remove_by(process, &scene.intent(1), 1).await.unwrap();
        assert_eq!(scene.place.get(&key).await, b"written meanwhile", "{key} at {at}");
        let mut after = scene.read(PREFIX).await;
        after.remove(&key[PREFIX.len()..]);
        match outcome {
            Outcome::Done => assert!(after.is_empty(), "{key} at {at}: {after:?}"),
            Outcome::Changed { key: told, .. } => {
                assert_eq!(told, key);
                let mut rest = before;
                rest.remove(&key[PREFIX.len()..]);
                assert_eq!(after, rest, "{key} at {at}");
            }
            other => panic!("{other:?}"),
        }
    }))
    .await;
}

/// A new object at any request, also when the last of the unit is gone.
#[rstest]
#[case::put(false)]
#[case::being_uploaded(true)]
#[tokio::test(flavor = "multi_thread")]
async fn a_unit_with_a_new_object_stays(#[case] is_upload: bool) {
    // What begins after the last look at uploads comes after the unit is gone.
    let looks = requests_of_a_removal(PACIFIC).await - usize::from(is_upload);
    join_all((0..looks).map(async |at| {
        let scene = Scene::new(PACIFIC).await;
        let before = scene.read(PREFIX).await;
        let key = format!("{PREFIX}part-9");
        let process = match is_upload {
            true => while_somebody_begins(&scene, at, &key),
            false => while_somebody_puts(&scene, at, &key, b"new"),
        };
        let outcome = scene.remove_by(process, &scene.intent(1), 1).await.unwrap();
        assert!(matches!(&outcome, Outcome::Changed { key: told, .. } if *told == key), "at {at}: {outcome:?}");
        let mut after = scene.read(PREFIX).await;
        assert_eq!(after.remove("part-9").is_some(), !is_upload, "at {at}");
        assert_eq!(after, before, "at {at}");
        assert_eq!(scene.list(&keys::trash("run")).await, [], "at {at}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_without_copies_is_gone_beside_a_new_object() {
    let in_place = |scene: &Scene| IntendedUnit {
        action: PlannedAction::Delete,
        means: Means::InPlace,
        objects: scene.intent(1).objects.into_iter().map(|object| IntendedObject { trash: None, ..object }).collect(),
        ..scene.intent(1)
    };
    let scene = Scene::new(PACIFIC).await;
    let process = Interposed::counted();
    scene.remove_by(Arc::new(process.clone()), &in_place(&scene), 1).await.unwrap();
    let scene = Scene::new(PACIFIC).await;
    let key = format!("{PREFIX}part-9");
    let process = while_somebody_puts(&scene, process.requests() - 1, &key, b"new");
    assert_eq!(scene.remove_by(process, &in_place(&scene), 1).await.unwrap(), Outcome::Done);
    assert_eq!(scene.list(PREFIX).await.len(), 1);
}

#[tokio::test]
async fn what_a_user_deletes_meanwhile_is_not_brought_back() {
    let scene = Scene::new(PACIFIC).await;
    let key = scene.planned[4].key.clone();
    let delete = DeleteObject::new(&scene.place.bucket, &key);
    let gateway = scene.place.gateway.clone();
    let is_first = Arc::new(AtomicBool::new(true));
    let process = Interposed::new(undisturbed(), move |_, request| {
        let is_last_copy = request.method == Method::PUT && request.path_and_query.contains("part-2");
        let (gateway, delete) = (gateway.clone(), delete.clone());
        let acts = is_last_copy && is_first.swap(false, Ordering::SeqCst);
        async move {
            if acts {
                gateway.run(delete).await.unwrap();
            }
            Fate::Sent
        }
        .boxed()
    });
    let outcome = scene.remove_by(Arc::new(process), &scene.intent(1), 1).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed { key: told, .. } if told == key));
    assert_eq!(scene.list(PREFIX).await, scene.planned[..4]);
}

#[tokio::test]
async fn a_unit_that_is_being_uploaded_to_stays() {
    let scene = Scene::new(Service::Ceph).await;
    let upload = CreateMultipartUpload::new(&scene.place.bucket, &format!("{PREFIX}part-9"));
    scene.place.gateway.run(upload).await.unwrap();
    let outcome = scene.remove_by(undisturbed(), &scene.intent(1), 1).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed { reason, .. } if reason.contains("uploaded")));
    assert_eq!(scene.list(PREFIX).await, scene.planned);
}

/// The holder of the lease is stopped before its first removal; its successor removes the unit and puts it back; then the
/// first goes on.
#[rstest]
#[case::ceph(Service::Ceph)]
#[case::pacific(PACIFIC)]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[case::by_etag_alone(Service::Embedded(Quirks::Aws))]
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_stopped_takes_nothing_away_from_its_successor(#[case] service: Service) {
    let scene = Arc::new(Scene::new(service).await);
    let before = scene.read(PREFIX).await;
    let successor = Arc::clone(&scene);
    let process = Interposed::at_first_deletion(async move {
        let unit = successor.intent(2);
        assert_eq!(successor.remove_by(undisturbed(), &unit, 2).await.unwrap(), Outcome::Done);
        assert_eq!(successor.put_back_by(undisturbed(), &unit, 2).await.unwrap(), Outcome::Restored);
    });
    let outcome = scene.remove_by(Arc::new(process), &scene.intent(1), 1).await.unwrap();
    if scene.removes_by_time() {
        assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
        assert_eq!(scene.read(PREFIX).await, before);
    } else {
        // By its ETag alone an object cannot be told from one that was put back: all of it is still in the trash.
        assert_eq!(scene.read(&keys::trashed("run", 2, PREFIX)).await, before);
    }
}

#[tokio::test]
async fn what_a_killed_job_has_left_stays_and_keeps_nothing() {
    let mut scene = Scene::new(Service::Ceph).await;
    scene.put("_temporary/0/task/part", b"half").await;
    let outcome = scene.remove_by(undisturbed(), &scene.intent(1), 1).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed { key, .. } if key.ends_with("_temporary/0/task/part")));
    assert_eq!(scene.list(PREFIX).await.len(), 6);
    scene.created = Timestamp::MAX;
    assert_eq!(scene.remove_by(undisturbed(), &scene.intent(1), 1).await.unwrap(), Outcome::Done);
    assert_eq!(scene.list(PREFIX).await.len(), 1);
    assert_eq!(scene.put_back_by(undisturbed(), &scene.intent(1), 1).await.unwrap(), Outcome::Restored);
    assert_eq!(scene.list(PREFIX).await.len(), 6);
}

/// The holder of the lease is stopped before its first removal; its successor undoes the run, of which nothing was removed
/// yet; then the first goes on, and the condition of its removals holds.
#[rstest]
#[case::ceph(Service::Ceph)]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_never_removed_keeps_its_copies_when_it_is_undone(#[case] service: Service) {
    let scene = Arc::new(Scene::new(service).await);
    let before = scene.read(PREFIX).await;
    let successor = Arc::clone(&scene);
    let process = Interposed::at_first_deletion(async move {
        let undone = successor.put_back_by(undisturbed(), &successor.intent(1), 2).await.unwrap();
        assert_eq!(undone, Outcome::Restored);
    });
    assert_eq!(scene.remove_by(Arc::new(process), &scene.intent(1), 1).await.unwrap(), Outcome::Done);
    assert!(scene.list(PREFIX).await.is_empty());
    assert_eq!(scene.put_back_by(undisturbed(), &scene.intent(1), 3).await.unwrap(), Outcome::Restored);
    assert_eq!(scene.read(PREFIX).await, before);
}

/// Without copies nothing comes back: what would go after an object that somebody has replaced stays.
#[tokio::test(flavor = "multi_thread")]
async fn what_goes_without_copies_goes_no_further_than_to_what_was_replaced() {
    let scene = Scene::new(PACIFIC).await;
    let mut unit = scene.intent(1);
    unit.means = Means::InPlace;
    unit.objects.iter_mut().for_each(|object| object.trash = None);
    let replaced = scene.planned[2].key.clone();
    let put = PutObject::new(&scene.place.bucket, &replaced, Bytes::from_static(b"written meanwhile"));
    let gateway = scene.place.gateway.clone();
    let process = Interposed::at_first_deletion(async move {
        gateway.run(put).await.unwrap();
    });
    let outcome = scene.remove_by(Arc::new(process), &unit, 1).await.unwrap();
    assert!(matches!(&outcome, Outcome::NotRestored { .. }), "{outcome:?}");
    let left: Vec<_> = scene.list(PREFIX).await.into_iter().map(|object| object.key).collect();
    // `_SUCCESS` and the one before it have gone.
    assert_eq!(left, scene.planned[2..].iter().map(|planned| planned.key.clone()).collect::<Vec<_>>());
    assert_eq!(scene.place.get(&replaced).await, b"written meanwhile");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_put_back_is_told_and_comes_back_later() {
    let scene = Scene::new(PACIFIC).await;
    let key = scene.planned[4].key.clone();
    let full = s3core_gateway::Fault::error(403, "QuotaExceeded").operation("CopyObject").key_prefix(PREFIX);
    let fault = scene.place.faults().add(full);
    let put = PutObject::new(&scene.place.bucket, &key, Bytes::from_static(b"written meanwhile"));
    let gateway = scene.place.gateway.clone();
    let process = Interposed::at_first_deletion(async move {
        gateway.run(put).await.unwrap();
    });
    let outcome = scene.remove_by(Arc::new(process), &scene.intent(1), 1).await.unwrap();
    assert!(matches!(&outcome, Outcome::NotRestored { reason, .. } if reason.contains("quota")), "{outcome:?}");
    assert_eq!(scene.list(PREFIX).await.len(), 1);
    scene.place.faults().remove(fault);
    let outcome = scene.put_back_by(undisturbed(), &scene.intent(1), 1).await.unwrap();
    assert!(matches!(&outcome, Outcome::NotRestored { key: told, .. } if *told == key), "{outcome:?}");
    assert_eq!(scene.list(PREFIX).await.len(), 1);
    let outcome = scene.put_back_merging(undisturbed(), &scene.intent(1), 1, true).await.unwrap();
    // All but what somebody has replaced, and `_SUCCESS`: the unit is not what it was.
    assert!(matches!(&outcome, Outcome::NotRestored { key: told, .. } if *told == key), "{outcome:?}");
    assert_eq!(scene.list(PREFIX).await.len(), 4);
    assert_eq!(scene.place.get(&key).await, b"written meanwhile");
}
