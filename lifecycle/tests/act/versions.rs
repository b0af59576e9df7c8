//! Units that go under delete markers, with something happening before or after each single request: on real Ceph.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use jiff::Timestamp;
use rstest::rstest;
use s3core::ops::DeleteObject;
use s3core::{Error, ErrorKind, Result};
use s3life::act::objects::Permit;
use s3life::plan::line::PlannedAction;
use s3life::run::journal::{IntendedUnit, Outcome};

use crate::interposed::{Fate, Interposed};
use crate::meddling::while_somebody_puts;
use crate::round_trip::dying;
use crate::unit::{PREFIX, Scene, undisturbed};

async fn requests_of_a_removal() -> usize {
    let scene = Scene::with_versions().await;
    let process = Interposed::counted();
    scene.remove_by(Arc::new(process.clone()), &scene.intent(1), 1).await.unwrap();
    process.requests()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_died_anywhere_is_ended_by_the_next_holder() {
    let crashes = (0..requests_of_a_removal().await).flat_map(|at| [(at, false), (at, true)]);
    join_all(crashes.map(async |(at, after)| {
        let scene = Scene::with_versions().await;
        let (before, versions) = (scene.list(PREFIX).await, scene.versions().await);
        let process = dying(at, after);
        scene.remove_by(process.clone(), &scene.intent(1), 1).await.unwrap_err();
        assert!(process.is_dead(), "at {at}");
        let second = scene.intent(2);
        assert_eq!(scene.remove_by(undisturbed(), &second, 2).await.unwrap(), Outcome::Done, "at {at}");
        assert_eq!(scene.list(PREFIX).await, [], "at {at}");
        assert_eq!(scene.put_back_by(undisturbed(), &second, 2).await.unwrap(), Outcome::Restored, "at {at}");
        assert_eq!((scene.list(PREFIX).await, scene.versions().await), (before, versions), "at {at}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_for_good_goes_after_a_crash_anywhere() {
    let delete = |scene: &Scene, lease| IntendedUnit { action: PlannedAction::Delete, ..scene.intent(lease) };
    let scene = Scene::with_versions().await;
    let process = Interposed::counted();
    scene.remove_by(Arc::new(process.clone()), &delete(&scene, 1), 1).await.unwrap();
    join_all((0..process.requests()).map(async |at| {
        let scene = Scene::with_versions().await;
        scene.remove_by(dying(at, true), &delete(&scene, 1), 1).await.unwrap_err();
        assert_eq!(scene.remove_by(undisturbed(), &delete(&scene, 2), 2).await.unwrap(), Outcome::Done, "at {at}");
        assert!(scene.versions().await.iter().all(|version| version.is_delete_marker), "at {at}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_writer_puts_in_place_of_an_object_stays_visible() {
    let requests = requests_of_a_removal().await;
    join_all((0..requests).flat_map(|at| [(at, 0), (at, 2), (at, 4)]).map(async |(at, which)| {
        let scene = Scene::with_versions().await;
        let before = scene.list(PREFIX).await;
        let key = scene.planned[which].key.clone();
        let process = while_somebody_puts(&scene, at, &key, b"written meanwhile");
        let outcome = scene.remove_by(process, &scene.intent(1), 1).await.unwrap();
        assert_eq!(scene.place.get(&key).await, b"written meanwhile", "{key} at {at}");
        let others = |mut all: Vec<_>| {
            all.retain(|object: &s3life::plan::line::PlannedObject| object.key != key);
            all
        };
        let after = others(scene.list(PREFIX).await);
        match outcome {
            Outcome::Done => assert!(after.is_empty(), "{key} at {at}: {after:?}"),
            Outcome::Changed { key: told, .. } => {
                assert_eq!((told, after), (key.clone(), others(before)), "{key} at {at}");
            }
            other => panic!("{key} at {at}: {other:?}"),
        }
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_unit_with_a_new_object_stays_visible() {
    join_all((0..requests_of_a_removal().await).map(async |at| {
        let scene = Scene::with_versions().await;
        let before = scene.list(PREFIX).await;
        let key = format!("{PREFIX}part-9");
        let process = while_somebody_puts(&scene, at, &key, b"new");
        let outcome = scene.remove_by(process, &scene.intent(1), 1).await.unwrap();
        assert!(matches!(&outcome, Outcome::Changed { key: told, .. } if *told == key), "at {at}: {outcome:?}");
        let mut after = scene.list(PREFIX).await;
        after.retain(|object| object.key != key);
        assert_eq!(after, before, "at {at}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_lost_is_looked_for() {
    join_all((0..requests_of_a_removal().await).map(async |at| {
        let scene = Scene::with_versions().await;
        let (before, versions) = (scene.list(PREFIX).await, scene.versions().await);
        let loses = Interposed::new(undisturbed(), move |number, _| {
            async move { if number == at { Fate::AnswerLost } else { Fate::Sent } }.boxed()
        });
        let unit = scene.intent(1);
        assert_eq!(scene.remove_by(Arc::new(loses), &unit, 1).await.unwrap(), Outcome::Done, "at {at}");
        assert_eq!(scene.list(PREFIX).await, [], "at {at}");
        assert_eq!(scene.put_back_by(undisturbed(), &unit, 1).await.unwrap(), Outcome::Restored, "at {at}");
        assert_eq!((scene.list(PREFIX).await, scene.versions().await), (before, versions), "at {at}");
    }))
    .await;
}

/// A lease that is lost when it is said so.
struct Lost<'a>(&'a AtomicBool);

impl Permit for Lost<'_> {
    fn number(&self) -> u64 {
        1
    }

    fn check(&self) -> Result<()> {
        match self.0.load(Ordering::SeqCst) {
            false => Ok(()),
            true => Err(Error::new(ErrorKind::Closed, "the lease is lost")),
        }
    }
}

/// The holder of the lease is stopped before its first removal; its successor removes the unit and puts it back; then the
/// first goes on: its marker goes again.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_was_stopped_hides_nothing_of_its_successor() {
    let scene = Arc::new(Scene::with_versions().await);
    let before = (scene.list(PREFIX).await, scene.versions().await);
    let is_lost = Arc::new(AtomicBool::new(false));
    let (successor, loses) = (Arc::clone(&scene), Arc::clone(&is_lost));
    let process = Interposed::at_first_deletion(async move {
        let unit = successor.intent(2);
        assert_eq!(successor.remove_by(undisturbed(), &unit, 2).await.unwrap(), Outcome::Done);
        assert_eq!(successor.put_back_by(undisturbed(), &unit, 2).await.unwrap(), Outcome::Restored);
        loses.store(true, Ordering::SeqCst);
    });
    let gateway = scene.process(Arc::new(process));
    scene.remove_under(&gateway, &scene.intent(1), &Lost(&is_lost)).await.unwrap_err();
    assert_eq!((scene.list(PREFIX).await, scene.versions().await), before);
}

/// The second lease of a bucket, whose first one has ended then.
struct Second(Timestamp);

impl Permit for Second {
    fn number(&self) -> u64 {
        2
    }

    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn may_have_worked(&self, leases: &[u64], at: Timestamp) -> bool {
        leases == [1] && at <= self.0
    }
}

/// Somebody deletes an object when the lease of a holder that was killed has ended: that was not the run.
#[rstest]
#[case::ended(true)]
#[case::undone(false)]
#[tokio::test(flavor = "multi_thread")]
async fn what_others_delete_after_the_time_of_a_killed_holder_stays_deleted(#[case] goes_on: bool) {
    let scene = Scene::with_versions().await;
    let before = scene.list(PREFIX).await;
    let (marker, theirs) = (format!("{PREFIX}_SUCCESS"), scene.planned[3].key.clone());
    // As soon as `_SUCCESS` is gone: four others follow, of two requests each, and a look of two.
    let requests = requests_of_a_removal().await;
    scene.remove_by(dying(requests - 12, true), &scene.intent(1), 1).await.unwrap_err();
    assert_eq!(scene.list(PREFIX).await.len(), 4, "{marker} is not the only one that is hidden");
    tokio::time::sleep(Duration::from_millis(1100)).await;
    let second = Second(Timestamp::now());
    tokio::time::sleep(Duration::from_millis(1100)).await;
    scene.place.gateway.run(DeleteObject::new(&scene.place.bucket, &theirs)).await.unwrap();
    let (unit, gateway) = (scene.intent(2), scene.process(undisturbed()));
    let outcome = match goes_on {
        true => scene.remove_under(&gateway, &unit, &second).await.unwrap(),
        false => scene.put_back_under(&gateway, &unit, &second, false).await.unwrap(),
    };
    let key = match outcome {
        Outcome::Changed { key, .. } if goes_on => key,
        Outcome::NotRestored { key, .. } if !goes_on => key,
        other => panic!("{other:?}"),
    };
    assert_eq!(key, theirs);
    let left: Vec<_> = scene.list(PREFIX).await.into_iter().map(|object| object.key).collect();
    let all = before.into_iter().map(|object| object.key);
    // `_SUCCESS` comes back only beside all that it speaks of.
    assert_eq!(left, all.filter(|key| *key != theirs && (goes_on || *key != marker)).collect::<Vec<_>>());
}
