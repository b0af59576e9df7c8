//! Keys of a platform that is scripted, under a clock that the tests move.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use super::*;
use crate::credentials::provider::{Container, Provider};
use crate::environment::SystemRandom;
use crate::http::{Endpoint, Request, Response, ResponseBody, Transport};

/// Answers with a new access key each time, or as `trouble` says: 0 is a panic.
#[derive(Default)]
struct Platform {
    asked: AtomicUsize,
    trouble: Mutex<Option<u16>>,
}

impl Transport for Platform {
    fn send(&self, _: &Endpoint, _: Request, _: Limits) -> BoxFuture<'static, Result<Response>> {
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        let trouble = *self.trouble.lock().unwrap();
        Box::pin(async move {
            tokio::task::yield_now().await;
            let document = format!(
                "{{\"AccessKeyId\":\"key{number}\",\"SecretAccessKey\":\"s\",\"Expiration\":\"2001-09-09T02:{:02}:40Z\"}}",
                46 + number.min(10)
            );
            let status = StatusCode::from_u16(trouble.unwrap_or(200)).unwrap();
            let body = ResponseBody::new(futures::stream::iter([Ok(Bytes::from(document))]));
            Ok(Response { status, headers: HeaderMap::new(), body })
        })
    }
}

/// 2001-09-09T01:46:40Z, and what the tests add.
#[derive(Default)]
struct Moved(Mutex<Duration>);

impl Clock for Moved {
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000) + *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Instant {
        Instant::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}

struct Scene {
    platform: Arc<Platform>,
    clock: Arc<Moved>,
    cache: CredentialCache,
}

impl Scene {
    fn new() -> Self {
        let (platform, clock) = (Arc::new(Platform::default()), Arc::new(Moved::default()));
        let environment = Environment {
            clock: Arc::clone(&clock) as _,
            random: Arc::new(SystemRandom),
            transport: Arc::clone(&platform) as _,
        };
        let endpoint = Endpoint { tls: false, host: "localhost".into(), port: 80 };
        let path_and_query = "/keys".to_owned();
        let container = Container { endpoint, path_and_query, token: None, token_file: None };
        let chain = ProviderChain { providers: vec![Provider::Container(container)] };
        let limit = Duration::from_secs(1);
        let limits = Limits { connect: limit, answer: limit, idle: limit };
        let corrected = Arc::new(CorrectedClock::new(Arc::clone(&clock) as _));
        let gateway = Endpoint { tls: false, host: "gateway".into(), port: 80 };
        Self { cache: CredentialCache::new(&chain, &environment, &gateway, &corrected, limits), platform, clock }
    }

    fn pass(&self, minutes: u64) {
        *self.clock.0.lock().unwrap() += Duration::from_secs(60 * minutes);
    }

    fn trouble(&self, status: Option<u16>) {
        *self.platform.trouble.lock().unwrap() = status;
    }

    fn asked(&self) -> usize {
        self.platform.asked.load(Ordering::SeqCst)
    }

    /// Number of the keys that are used now.
    async fn current(&self) -> Result<String> {
        let keys = self.cache.current().await?;
        let shown = format!("{:?}", keys.identity());
        let at = shown.find("\"key").unwrap() + 1;
        Ok(shown[at..].chars().take_while(char::is_ascii_alphanumeric).collect())
    }

    /// Lets a renewal that nobody waits for go on to its end.
    async fn settle(&self) {
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test]
async fn many_that_wait_share_one_renewal() {
    let scene = Scene::new();
    let all = futures::future::join_all((0..100).map(|_| scene.current())).await;
    assert!(all.iter().all(|key| key.as_ref().unwrap() == "key1"));
    assert_eq!(scene.asked(), 1);
}

#[tokio::test]
async fn keys_are_renewed_in_advance_and_nobody_waits() {
    let scene = Scene::new();
    scene.current().await.unwrap();
    scene.pass(54);
    assert_eq!(scene.current().await.unwrap(), "key1");
    scene.settle().await;
    assert_eq!(scene.asked(), 1, "they last an hour");
    scene.pass(2);
    assert_eq!(scene.current().await.unwrap(), "key1", "the old ones are good while new ones are asked for");
    scene.settle().await;
    assert_eq!(scene.current().await.unwrap(), "key2");
    assert_eq!(scene.asked(), 2);
}

#[tokio::test]
async fn old_keys_do_while_new_ones_cannot_be_had_and_not_longer() {
    let scene = Scene::new();
    scene.current().await.unwrap();
    scene.trouble(Some(500));
    scene.pass(57);
    for _ in 0..5 {
        assert_eq!(scene.current().await.unwrap(), "key1");
        scene.settle().await;
    }
    assert_eq!(scene.asked(), 2, "after a failure there is a pause");
    scene.pass(10);
    assert_eq!(scene.current().await.unwrap_err().kind(), ErrorKind::Unavailable);
    scene.trouble(None);
    assert_eq!(scene.current().await.unwrap(), "key4");
}

#[tokio::test]
async fn refused_keys_are_replaced_once() {
    let scene = Scene::new();
    let old = scene.cache.current().await.unwrap();
    assert!(!scene.cache.refuse(&old, false), "they are new, and nobody said that it was them");
    assert!(scene.cache.refuse(&old, true));
    assert!(scene.cache.refuse(&old, true), "another attempt with the same keys");
    assert_eq!(scene.current().await.unwrap(), "key2");
    assert!(scene.cache.refuse(&old, true), "newer ones are there already");
    assert_eq!(scene.current().await.unwrap(), "key2");
    scene.pass(6);
    let new = scene.cache.current().await.unwrap();
    assert!(scene.cache.refuse(&new, false), "they have been in use for a while");
    scene.cache.renewed().await;
    assert_eq!((scene.current().await.unwrap().as_str(), scene.asked()), ("key3", 3));
}

#[tokio::test]
async fn keys_that_nobody_complained_of_stay_in_use_where_there_are_no_others() {
    let scene = Scene::new();
    let keys = scene.cache.current().await.unwrap();
    scene.pass(6);
    scene.trouble(Some(500));
    assert!(scene.cache.refuse(&keys, false));
    scene.cache.renewed().await;
    assert_eq!(scene.asked(), 2);
    assert_eq!(scene.current().await.unwrap(), "key1");
    assert!(!scene.cache.refuse(&keys, false), "none could be had just now");
    scene.settle().await;
    assert_eq!(scene.asked(), 2);
    scene.trouble(None);
    scene.pass(1);
    assert_eq!(scene.current().await.unwrap(), "key1");
    scene.settle().await;
    assert_eq!(scene.current().await.unwrap(), "key3");
}

#[tokio::test]
async fn after_a_panic_keys_are_asked_for_again() {
    let scene = Scene::new();
    scene.trouble(Some(0));
    for _ in 0..2 {
        assert_eq!(scene.current().await.unwrap_err().kind(), ErrorKind::Internal);
    }
    scene.trouble(None);
    assert_eq!(scene.current().await.unwrap(), "key3");
}

#[tokio::test]
async fn a_platform_that_should_have_keys_is_asked_again() {
    let scene = Scene::new();
    scene.trouble(Some(404));
    for _ in 0..3 {
        let error = scene.current().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoCredentials, "{error:?}");
    }
    assert_eq!(scene.asked(), 3);
}

#[tokio::test]
async fn lasting_keys_are_never_renewed() {
    let scene = Scene::new();
    let credentials =
        super::super::Credentials { access_key: "key0".into(), secret_key: "s".into(), session_token: None };
    let Kind::Changing(changing) = &scene.cache.kind else { panic!("the scene has changing keys") };
    let world = &changing.world;
    let cache = |chain| CredentialCache::new(&chain, &world.environment, &world.gateway, &world.clock, world.limits);
    let lasting = cache(credentials.into());
    let keys = lasting.current().await.unwrap();
    assert!(keys.identity().is_some() && !lasting.refuse(&keys, true));
    let none = cache(ProviderChain::anonymous());
    assert!(none.current().await.unwrap().identity().is_none());
    assert_eq!(scene.asked(), 0);
}
