//! A rate of requests puts nothing between a look and what is done because of it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use http::{HeaderMap, Method};
use jiff::Timestamp;
use s3core::http::{Endpoint, Limits, Payload, Request, Response, Transport};
use s3core::ops::{
    CreateMultipartUpload, DeleteObject, GetObjectAcl, LifecycleConfiguration, LifecycleRule,
    PutBucketLifecycleConfiguration, PutObject, UploadPart,
};
use s3core_gateway::Quirks;
use s3life::act::objects::Permit;
use s3life::act::uploads::{Aborted, abort};
use s3life::pace::Turns;
use s3life::plan::line::PlannedUpload;
use s3life::run::journal::{IntendedUnit, Outcome};
use s3life::run::lease::{Holder, Lease};
use s3life::tier::Rules;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use crate::interposed::{Fate, Interposed};
use crate::support::Service;
use crate::unit::{Held, PREFIX, Scene, undisturbed};

const PACIFIC: Service = Service::Embedded(Quirks::Pacific);

/// What others ask for, and how many of them wait: so many seconds are taken for none.
const OTHERS: &str = "/others";
const WAITING: usize = 10;

/// Requests in the order in which they left, one a second.
#[derive(Clone, Default)]
struct Log {
    left: Arc<Mutex<Vec<String>>>,
    others: Arc<Mutex<Option<AbortHandle>>>,
}

impl Log {
    /// Others wait for their turns whenever something with one of these names is about to ask for its own, until it has left.
    fn paced(&self, names: &'static [&'static str]) -> Arc<dyn Transport> {
        let is_watched = move |request: &str| names.iter().any(|name| request.contains(name));
        let log = self.clone();
        let noted = Interposed::new(undisturbed(), move |_, request| {
            let request = named(request);
            if is_watched(&request) {
                log.others.lock().unwrap().take().unwrap().abort();
            }
            log.left.lock().unwrap().push(request);
            async { Fate::Sent }.boxed()
        });
        let paced = Turns::new(1).through(Arc::new(noted));
        let (log, turns) = (self.clone(), Arc::clone(&paced));
        let asks = Interposed::new(paced, move |_, request| {
            let is_watched = is_watched(&named(request));
            let (log, turns) = (log.clone(), Arc::clone(&turns));
            async move {
                if is_watched {
                    log.let_others_wait(&turns).await;
                }
                Fate::Sent
            }
            .boxed()
        });
        Arc::new(asks)
    }

    async fn let_others_wait(&self, turns: &Arc<dyn Transport>) {
        let turns = Arc::clone(turns);
        let (they_wait, do_they) = oneshot::channel();
        // A task of its own: not what is sent here goes first.
        let others = tokio::spawn(async move {
            let mut others: Vec<_> = (0..WAITING).map(|_| other(&turns)).collect();
            for other in &mut others {
                let _ = futures::poll!(other);
            }
            they_wait.send(()).unwrap();
            join_all(others).await;
        });
        do_they.await.unwrap();
        *self.others.lock().unwrap() = Some(others.abort_handle());
    }

    /// Asserts that the last request with `name` in it waited for no turn: all others who were there before did not leave
    /// before it.
    fn at_once(&self, name: &str) {
        let log = self.left.lock().unwrap();
        let at = log.iter().rposition(|request| request.contains(name)).unwrap();
        let others = log[..at].iter().rev().take_while(|request| request.ends_with(OTHERS)).count();
        assert!(others < WAITING, "{} in {log:?}", log[at]);
    }
}

fn named(request: &Request) -> String {
    format!("{} {}", request.method, request.path_and_query)
}

/// Somebody else's request, which leaves in its turn and comes to nothing.
fn other(turns: &Arc<dyn Transport>) -> BoxFuture<'static, s3core::Result<Response>> {
    let nowhere = Endpoint { tls: false, host: "127.0.0.1".to_owned(), port: 1 };
    let (headers, payload) = (HeaderMap::new(), Payload::empty());
    let request = Request { method: Method::HEAD, path_and_query: OTHERS.to_owned(), headers, payload };
    let second = Duration::from_secs(1);
    turns.send(&nowhere, request, Limits { connect: second, answer: second, idle: second })
}

fn one_of(unit: IntendedUnit) -> IntendedUnit {
    let one = unit.objects.into_iter().filter(|object| object.planned.key.ends_with("/empty")).collect();
    IntendedUnit { objects: one, ..unit }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_follows_the_look_at_its_place() {
    let scene = Scene::new(PACIFIC).await;
    scene.remove_by(undisturbed(), &scene.intent(1), 1).await.unwrap();
    let log = Log::default();
    let mut unit = one_of(scene.intent(1));
    let list = GetObjectAcl::new(&scene.place.bucket, &keys_of(&unit)[0]);
    let back = scene.put_back_by(log.paced(&["PUT"]), &unit, 1).await.unwrap();
    assert_eq!(back, Outcome::Restored);
    log.at_once("PUT");
    // So does its access control list.
    let acl = scene.place.gateway.run(list).await.unwrap();
    unit.objects[0].acl = Some(acl.as_str().to_owned());
    let log = Log::default();
    scene.put_back_by(log.paced(&["PUT"]), &unit, 1).await.unwrap();
    log.at_once("PUT");
}

fn keys_of(unit: &IntendedUnit) -> Vec<String> {
    unit.objects.iter().map(|object| object.planned.key.clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_hidden_is_looked_at() {
    let scene = Scene::with_versions().await;
    let unit = one_of(scene.intent(1));
    let log = Log::default();
    let turns = log.paced(&["empty&versions", "versionId="]);
    let key = keys_of(&unit)[0].clone();
    let put = PutObject::new(&scene.place.bucket, &key, Bytes::from_static(b"written meanwhile"));
    let gateway = scene.place.gateway.clone();
    let is_first = Mutex::new(true);
    let process = Interposed::new(turns, move |_, request| {
        let acts = request.method == Method::DELETE && std::mem::take(&mut *is_first.lock().unwrap());
        let (gateway, put) = (gateway.clone(), put.clone());
        async move {
            if acts {
                gateway.run(put).await.unwrap();
            }
            Fate::Sent
        }
        .boxed()
    });
    for name in scene.planned.iter().map(|planned| &planned.key).filter(|planned| **planned != key) {
        scene.place.gateway.run(DeleteObject::new(&scene.place.bucket, name)).await.unwrap();
    }
    let outcome = scene.remove_by(Arc::new(process), &unit, 1).await.unwrap();
    assert!(matches!(outcome, Outcome::Changed { .. }), "{outcome:?}");
    assert_eq!(scene.place.get(&key).await, b"written meanwhile");
    log.at_once("empty&versions");
    log.at_once("versionId=");
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_are_written_as_they_were_read() {
    let scene = Scene::new(PACIFIC).await;
    let rule = |id: &str| LifecycleRule::transition(id, "events/", 9, "COLD").unwrap();
    let theirs = LifecycleConfiguration { rules: vec![rule("theirs")], minimum_size: None };
    let bucket = &scene.place.bucket;
    scene.place.gateway.run(PutBucketLifecycleConfiguration::new(bucket, theirs)).await.unwrap();
    let log = Log::default();
    let mut rules = Rules::read(&scene.process(log.paced(&["PUT"])), bucket).await.unwrap();
    rules.replace("run", vec![rule("s3core-run-0")], || Ok(())).await.unwrap();
    log.at_once("PUT");
    assert_eq!(rules.all().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_goes_as_it_was_looked_at() {
    let scene = Scene::new(PACIFIC).await;
    let (gateway, bucket) = (&scene.place.gateway, &scene.place.bucket);
    let key = format!("{PREFIX}part");
    let upload = gateway.run(CreateMultipartUpload::new(bucket, &key)).await.unwrap();
    gateway.run(UploadPart::new(bucket, &key, &upload, 1, Bytes::from_static(b"part"))).await.unwrap();
    let log = Log::default();
    let process = scene.process(log.paced(&["DELETE"]));
    let objects = scene.objects(&process, &process, &Held(1));
    let planned = PlannedUpload {
        dataset: "events".to_owned(),
        rule: "uploads".to_owned(),
        key,
        upload,
        begun: Timestamp::UNIX_EPOCH,
        reason: String::new(),
    };
    assert_eq!(abort(&objects, &planned, Timestamp::MAX).await.unwrap(), Aborted::Gone);
    log.at_once("DELETE");
}

/// The lease is lost while the DELETE of an object is on its way: the marker that it made goes, though nothing else does.
#[tokio::test(flavor = "multi_thread")]
async fn a_marker_of_a_lost_lease_is_taken_back() {
    let scene = Scene::with_versions().await;
    let before = (scene.list(PREFIX).await, scene.versions().await);
    let (bucket, holder) = (scene.bucket(), Holder::this_process());
    let lease = Lease::take_for(&bucket, &holder, &"apply".into(), Duration::from_secs(60)).await.unwrap();
    let turns = Turns::new(100);
    let _under = turns.work_under(lease.clone());
    let loses = lease.clone();
    let process = Interposed::at_first_deletion(async move { loses.release().await.unwrap() });
    let gateway = scene.process(turns.through(Arc::new(process)));
    scene.remove_under(&gateway, &scene.intent(1), &lease).await.unwrap_err();
    assert!(Permit::check(&lease).is_err());
    assert_eq!((scene.list(PREFIX).await, scene.versions().await), before);
}
