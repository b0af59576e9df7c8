//! Somebody switches versioning on, or suspends it, while a unit is being removed: on real Ceph.

use std::sync::Arc;

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::PutBucketVersioning;
use s3life::run::journal::Outcome;

use crate::interposed::Interposed;
use crate::support::Service;
use crate::unit::{PREFIX, Scene, undisturbed};

/// A process that finds versioning switched right before its first DELETE.
fn switching(scene: &Scene, is_enabled: bool) -> Arc<Interposed> {
    let (gateway, bucket) = (scene.place.gateway.clone(), scene.place.bucket.clone());
    Arc::new(Interposed::at_first_deletion(async move {
        gateway.run(PutBucketVersioning::new(&bucket, is_enabled)).await.unwrap();
    }))
}

/// Where versions are kept a DELETE hides whatever is there: nothing may stay hidden.
#[tokio::test(flavor = "multi_thread")]
async fn where_versions_are_kept_by_now_nothing_is_hidden() {
    let scene = Scene::new(Service::Ceph).await;
    let failure = scene.remove_by(switching(&scene, true), &scene.intent(1), 1).await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::Changed);
    assert!(failure.to_string().contains("keeps versions by now"), "{failure}");
    assert_eq!(scene.list(PREFIX).await, scene.planned);
    assert!(scene.versions().await.iter().all(|version| !version.is_delete_marker));
}

#[rstest]
#[case::before_it(false)]
#[case::during_it(true)]
#[tokio::test(flavor = "multi_thread")]
async fn where_versioning_is_suspended_a_removal_ends_at_once(#[case] during: bool) {
    let scene = Scene::with_versions().await;
    let versions = scene.versions().await;
    let process = switching(&scene, false);
    if !during {
        scene.place.gateway.run(PutBucketVersioning::new(&scene.place.bucket, false)).await.unwrap();
    }
    let failure = scene.remove_by(process, &scene.intent(1), 1).await.unwrap_err();
    assert!(failure.to_string().contains("versioning was suspended while the run was at work"), "{failure}");
    assert_eq!(scene.list(PREFIX).await.len(), scene.planned.len() - usize::from(during));

    scene.place.gateway.run(PutBucketVersioning::new(&scene.place.bucket, true)).await.unwrap();
    let second = scene.intent(2);
    assert_eq!(scene.remove_by(undisturbed(), &second, 2).await.unwrap(), Outcome::Done);
    assert_eq!(scene.put_back_by(undisturbed(), &second, 2).await.unwrap(), Outcome::Restored);
    assert_eq!((scene.list(PREFIX).await, scene.versions().await), (scene.planned.clone(), versions));
}
