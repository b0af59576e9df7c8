//! The undo of runs that were killed while something was to go for good.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::FutureExt;
use http::Method;
use rstest::rstest;
use s3core_gateway::Quirks;
use s3life::act::undo::{Undo, Undone};
use s3life::catalog::Catalogs;
use s3life::plan::line::PlannedAction;
use s3life::run::journal::{IntendedObject, IntendedUnit, Journal, Means};

use crate::interposed::{Fate, Interposed};
use crate::support::Service;
use crate::unit::{Held, PREFIX, Scene, once, undisturbed};

fn for_good(scene: &Scene, lease: u64) -> IntendedUnit {
    let unit = IntendedUnit { action: PlannedAction::Delete, ..scene.intent(lease) };
    if unit.means == Means::Markers {
        return unit;
    }
    let without_trash = |object| IntendedObject { trash: None, former: Vec::new(), ..object };
    let objects = unit.objects.into_iter().map(without_trash).collect();
    IntendedUnit { means: Means::InPlace, objects, ..unit }
}

/// A process that ends before it removes something for good for the `last` time.
fn killed_at(last: usize, keeps_versions: bool) -> Arc<Interposed> {
    let seen = AtomicUsize::new(0);
    Arc::new(Interposed::new(undisturbed(), move |_, request| {
        let is_final = !keeps_versions || request.path_and_query.contains("versionId=");
        let counts = request.method == Method::DELETE && is_final;
        let dies = counts && seen.fetch_add(1, Ordering::SeqCst) + 1 == last;
        async move { if dies { Fate::DiesBefore } else { Fate::Sent } }.boxed()
    }))
}

async fn undone(scene: &Scene) -> Undone {
    let (bucket, gateway, permit) = (scene.bucket(), scene.process(undisturbed()), Held(2));
    let once = once(&gateway);
    let undo = Undo {
        objects: scene.objects(&gateway, &once, &permit),
        bucket: &bucket,
        journal: &Journal::open(&bucket, "run", 2).await.unwrap(),
        run: "run",
        catalogs: &Catalogs::of_run(&bucket, "run", BTreeMap::new()).await.unwrap(),
        merge: false,
        units_at_once: 1,
    };
    undo.run(|_, _| {}).await.unwrap()
}

#[rstest]
#[case::in_place(false)]
#[case::versions(true)]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_to_go_for_good_and_is_there_is_back(#[case] keeps_versions: bool) {
    let scene = match keeps_versions {
        true => Scene::with_versions().await,
        false => Scene::new(Service::Embedded(Quirks::Pacific)).await,
    };
    let before = scene.list(PREFIX).await;
    let unit = for_good(&scene, 1);
    let journal = Journal::open(&scene.bucket(), "run", 1).await.unwrap();
    journal.intend(std::slice::from_ref(&unit)).await.unwrap();
    scene.remove_by(killed_at(1, keeps_versions), &unit, 1).await.unwrap_err();
    assert_eq!(scene.list(PREFIX).await.len(), if keeps_versions { 0 } else { 5 });
    let undone = undone(&scene).await;
    assert_eq!((undone.datasets["events"].units, undone.left.skipped.count), (1, 0), "{undone:?}");
    assert_eq!(scene.list(PREFIX).await, before);
}

#[rstest]
#[case::in_place(false, "it went for good, as the policy says")]
#[case::versions(true, "its version is gone")]
#[tokio::test(flavor = "multi_thread")]
async fn what_went_for_good_is_told(#[case] keeps_versions: bool, #[case] reason: &str) {
    let scene = match keeps_versions {
        true => Scene::with_versions().await,
        false => Scene::new(Service::Embedded(Quirks::Pacific)).await,
    };
    let unit = for_good(&scene, 1);
    let journal = Journal::open(&scene.bucket(), "run", 1).await.unwrap();
    journal.intend(std::slice::from_ref(&unit)).await.unwrap();
    scene.remove_by(killed_at(2, keeps_versions), &unit, 1).await.unwrap_err();
    for _ in 0..2 {
        let undone = undone(&scene).await;
        assert_eq!(undone.left.skipped.first[0].reason, reason, "{undone:?}");
        // Nobody can see to that.
        assert_eq!((undone.datasets.len(), undone.left.refused.units), (0, 0), "{undone:?}");
        assert!(scene.list(PREFIX).await.len() < 5);
    }
}
