//! A unit goes and comes back, and nobody can tell.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use rstest::rstest;
use s3core_gateway::Quirks;
use s3life::run::journal::Outcome;
use s3life::run::keys;

use crate::interposed::{Fate, Interposed};
use crate::support::Service;
use crate::unit::{PREFIX, Scene, undisturbed};

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::pacific(Service::Embedded(Quirks::Pacific))]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[tokio::test]
async fn a_unit_goes_to_the_trash_and_comes_back_as_it_was(#[case] service: Service) {
    let scene = Scene::in_two_parts(service).await;
    let before = scene.read(PREFIX).await;
    let unit = scene.intent(1);
    assert_eq!(scene.remove_by(undisturbed(), &unit, 1).await.unwrap(), Outcome::Done);
    assert_eq!(scene.list(PREFIX).await, []);
    assert_eq!(scene.read(&keys::trashed("run", 1, PREFIX)).await, before);
    assert_eq!(scene.put_back_by(undisturbed(), &unit, 1).await.unwrap(), Outcome::Restored);
    assert_eq!(scene.read(PREFIX).await, before);
    assert_eq!(scene.list(&keys::trash("run")).await, []);
}

pub(crate) fn dying(at: usize, after: bool) -> Arc<Interposed> {
    Arc::new(Interposed::new(undisturbed(), move |number, _| {
        async move {
            match (number == at, after) {
                (false, _) => Fate::Sent,
                (true, false) => Fate::DiesBefore,
                (true, true) => Fate::DiesAfter,
            }
        }
        .boxed()
    }))
}

#[rstest]
#[case::pacific(Quirks::Pacific)]
#[case::tentacle(Quirks::Tentacle)]
#[tokio::test(flavor = "multi_thread")]
async fn a_removal_that_died_anywhere_is_ended_by_the_next_holder(#[case] quirks: Quirks) {
    let scene = Scene::new(Service::Embedded(quirks)).await;
    let process = Interposed::counted();
    scene.remove_by(Arc::new(process.clone()), &scene.intent(1), 1).await.unwrap();
    let requests = process.requests();
    assert!(requests > 2 * scene.planned.len(), "{requests}");
    let crashes = (0..requests).flat_map(|at| [(at, false), (at, true)]);
    join_all(crashes.map(async |(at, after)| {
        let scene = Scene::new(Service::Embedded(quirks)).await;
        let before = scene.read(PREFIX).await;
        let process = dying(at, after);
        scene.remove_by(process.clone(), &scene.intent(1), 1).await.unwrap_err();
        assert!(process.is_dead(), "at {at}");
        let second = scene.intent(2);
        assert_eq!(scene.remove_by(undisturbed(), &second, 2).await.unwrap(), Outcome::Done, "at {at}");
        assert_eq!(scene.list(PREFIX).await, [], "at {at}");
        assert_eq!(scene.put_back_by(undisturbed(), &second, 2).await.unwrap(), Outcome::Restored, "at {at}");
        assert_eq!(scene.read(PREFIX).await, before, "at {at}");
    }))
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_died_anywhere_is_ended_by_the_next_holder() {
    let service = Service::Embedded(Quirks::Pacific);
    let scene = Scene::new(service).await;
    let unit = scene.intent(1);
    scene.remove_by(undisturbed(), &unit, 1).await.unwrap();
    let process = Interposed::counted();
    scene.put_back_by(Arc::new(process.clone()), &unit, 2).await.unwrap();
    let crashes = (0..process.requests()).flat_map(|at| [(at, false), (at, true)]);
    join_all(crashes.map(async |(at, after)| {
        let scene = Scene::new(service).await;
        let before = scene.read(PREFIX).await;
        let unit = scene.intent(1);
        scene.remove_by(undisturbed(), &unit, 1).await.unwrap();
        scene.put_back_by(dying(at, after), &unit, 2).await.unwrap_err();
        assert_eq!(scene.put_back_by(undisturbed(), &unit, 3).await.unwrap(), Outcome::Restored, "at {at}");
        assert_eq!(scene.read(PREFIX).await, before, "at {at}");
    }))
    .await;
}

#[tokio::test]
async fn nothing_is_removed_before_all_of_it_is_copied() {
    let scene = Scene::new(Service::Embedded(Quirks::Pacific)).await;
    scene.remove_by(undisturbed(), &scene.intent(1), 1).await.unwrap();
    let embedded = scene.place.running.embedded.as_ref().unwrap();
    let log = embedded.requests();
    let is_of_unit = |key: &str| scene.planned.iter().any(|planned| planned.key == key);
    let deletions: Vec<_> =
        log.iter().filter(|record| record.operation == "DeleteObject" && is_of_unit(&record.key)).collect();
    assert_eq!(deletions.len(), scene.planned.len());
    assert_eq!(deletions[0].key, format!("{PREFIX}_SUCCESS"));
    for record in &deletions {
        let copy = keys::trashed("run", 1, &record.key);
        let copied = log.iter().find(|earlier| earlier.operation == "CopyObject" && earlier.key == copy).unwrap();
        assert!(copied.sequence < deletions[0].sequence && copied.status == 200, "{record:?}");
    }
    assert!(log.iter().all(|record| record.operation != "DeleteObjects"));
}
