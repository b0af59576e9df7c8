//! Encryption by the gateway, over TLS, with the keys of the gateway, of a key service, and of the customer.

use http::HeaderMap;
use rstest::rstest;
use s3core::commit::{CommitOptions, ConflictMode, Job, TaskAttempt};
use s3core::config::{Options, Sources};
use s3core::environment::{Environment, SystemRandom};
use s3core::gateway::Gateway;
use s3core::http::{Endpoint, Limits, Request, Response, Transport};
use s3core::ops::{HeadObject, ListMultipartUploads, ListObjectsV2};
use s3core::{ErrorKind, Result};

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;

use crate::support::{Place, Service, content, environment};
use crate::{files, read, write};

const CUSTOMER: &[(&str, &str)] = &[
    ("fs.s3a.encryption.algorithm", "SSE-C"),
    ("fs.s3a.encryption.key", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="),
];
const ANOTHER: &[(&str, &str)] = &[
    ("fs.s3a.encryption.algorithm", "SSE-C"),
    ("fs.s3a.encryption.key", "ZmVkY2JhOTg3NjU0MzIxMGZlZGNiYTk4NzY1NDMyMTA="),
];
const KEY_SERVICE: &[(&str, &str)] = &[
    ("fs.s3a.encryption.algorithm", "SSE-KMS"),
    ("fs.s3a.encryption.key", "testkey"),
    ("fs.s3a.encryption.context", "project=lake, team=a"),
];
/// The names of older lines of Hadoop.
const OLD_NAMES: &[(&str, &str)] =
    &[("fs.s3a.server-side-encryption-algorithm", "SSE-KMS"), ("fs.s3a.server-side-encryption.key", "testkey")];

/// Keeps the headers of the last answer.
#[derive(Clone)]
struct Listener {
    inner: Arc<dyn Transport>,
    heard: Arc<Mutex<HeaderMap>>,
}

impl Transport for Listener {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        let (sent, heard) = (self.inner.send(endpoint, request, limits), Arc::clone(&self.heard));
        Box::pin(async move {
            let response = sent.await?;
            *heard.lock().unwrap() = response.headers.clone();
            Ok(response)
        })
    }
}

/// What the gateway says about an object's encryption: the header `x-amz-server-side-encryption` with this ending.
async fn said(place: &Place, options: &[(&str, &str)], key: &str, ending: &str) -> Option<String> {
    let mut hadoop = options.to_vec();
    hadoop.extend([
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ("fs.s3a.endpoint", place.running.url.as_str()),
    ]);
    let sources = Sources {
        explicit: Vec::new(),
        hadoop: hadoop.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect(),
        environment: &|_| None,
        home: None,
    };
    let settings = Options::resolve(&place.bucket, &sources).unwrap().gateway;
    let environment = environment();
    let listener = Listener { inner: Arc::clone(&environment.transport), heard: Arc::default() };
    let environment =
        Environment { transport: Arc::new(listener.clone()), random: Arc::new(SystemRandom), ..environment };
    Gateway::new(settings, environment).run(HeadObject::new(&place.bucket, key)).await.unwrap();
    let heard = listener.heard.lock().unwrap();
    Some(heard.get(format!("x-amz-server-side-encryption{ending}"))?.to_str().unwrap().to_owned())
}

#[rstest]
#[case::customers_key(CUSTOMER, "-customer-algorithm", "AES256")]
#[case::key_service(KEY_SERVICE, "", "aws:kms")]
#[case::old_names(OLD_NAMES, "-aws-kms-key-id", "testkey")]
#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_encrypted_and_read_back(
    #[case] options: &[(&str, &str)],
    #[case] ending: &str,
    #[case] value: &str,
) {
    let place = Place::at(Service::Tls).await;
    let files = files(&place, options);
    for (name, length) in [("empty", 0), ("small", 1000), ("large", 20 << 20)] {
        let bytes = content(length, 5);
        write(&files, name, &bytes).await.unwrap();
        assert_eq!(files.status(name).await.unwrap().length, length as u64, "{name}");
        assert!(read(&files, name).await.unwrap() == bytes, "{name}");
        assert_eq!(said(&place, options, name, ending).await.as_deref(), Some(value), "{name}");
    }
    let reader = files.open_file("large", Default::default()).await.unwrap();
    assert!(reader.read_range(9 << 20, 100).await.unwrap() == content(20 << 20, 5)[9 << 20..(9 << 20) + 100]);
}

/// Radosgw before Quincy takes the wish and stores the bytes as they are; later ones need a key service for it.
#[rstest]
#[case::one_request(10)]
#[case::parts(9 << 20)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_for_encrypted_that_is_not(#[case] length: usize) {
    let place = Place::at(Service::Tls).await;
    let options = [("fs.s3a.encryption.algorithm", "AES256")];
    place.put("a", "before").await;
    match write(&files(&place, &options), "a", &content(length, 1)).await {
        Ok(()) => assert_eq!(said(&place, &options, "a", "").await.as_deref(), Some("AES256")),
        Err(error) if error.kind() == ErrorKind::Unsupported => {
            assert!(error.message().contains("AES256") && error.message().contains("SSE-KMS"), "{error}");
            assert_eq!(place.get("a").await, b"before", "nothing took its place");
        }
        Err(error) => assert!(error.status().is_some_and(|status| status >= 400), "{error:?}"),
    }
    let pending = place.gateway.run(ListMultipartUploads::new(&place.bucket, "")).await.unwrap();
    assert!(pending.uploads.is_empty(), "{pending:?}");
}

#[rstest]
#[case::key_service(KEY_SERVICE, "", "aws:kms")]
#[case::customers_key(CUSTOMER, "-customer-algorithm", "AES256")]
#[tokio::test(flavor = "multi_thread")]
async fn the_first_object_of_an_hour_asks_whether_it_is_encrypted(
    #[case] options: &[(&str, &str)],
    #[case] ending: &str,
    #[case] value: &str,
) {
    let place = Place::at(Service::Tls).await;
    let files = files(&place, options);
    for name in ["first", "second"] {
        write(&files, name, b"x").await.unwrap();
        assert_eq!(said(&place, options, name, ending).await.as_deref(), Some(value));
    }
    let counts = files.gateway().statistics().snapshot();
    assert_eq!((counts["CreateMultipartUpload"].requests, counts["AbortMultipartUpload"].requests), (1, 1));
}

/// Radosgw copies the bytes as they are and does not say that they are encrypted, since they are not.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_plain_is_encrypted_where_it_is_renamed() {
    let place = Place::at(Service::Tls).await;
    let (plain, encrypted) = (files(&place, &[]), files(&place, KEY_SERVICE));
    for (name, length) in [("empty", 0), ("small", 1000), ("large", 20 << 20)] {
        write(&plain, &format!("from/{name}"), &content(length, 3)).await.unwrap();
        assert_eq!(said(&place, &[], &format!("from/{name}"), "").await, None);
    }
    assert!(encrypted.rename("from", "to").await.unwrap());
    for (name, length) in [("empty", 0), ("small", 1000), ("large", 20 << 20)] {
        let path = format!("to/{name}");
        assert_eq!(said(&place, KEY_SERVICE, &path, "").await.as_deref(), Some("aws:kms"), "{name}");
        assert!(read(&encrypted, &path).await.unwrap() == content(length, 3), "{name}");
    }
    write(&plain, "one", b"x").await.unwrap();
    assert!(encrypted.rename("one", "another").await.unwrap());
    assert_eq!(said(&place, KEY_SERVICE, "another", "").await.as_deref(), Some("aws:kms"));
    let keys = place.gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap().objects;
    let keys: Vec<_> = keys.iter().map(|object| object.key.as_str()).collect();
    assert!(!keys.iter().any(|key| key.contains(".s3core")), "{keys:?}");
}

#[rstest]
#[case::customers_key(CUSTOMER)]
#[case::key_service(KEY_SERVICE)]
#[tokio::test(flavor = "multi_thread")]
async fn encrypted_files_can_be_renamed(#[case] options: &[(&str, &str)]) {
    let place = Place::at(Service::Tls).await;
    let files = files(&place, options);
    for length in [0, 1000, 20 << 20] {
        let bytes = content(length, 9);
        write(&files, "from/file", &bytes).await.unwrap();
        assert!(files.rename("from", "to").await.unwrap(), "{length}");
        assert!(read(&files, "to/file").await.unwrap() == bytes, "{length}");
        assert!(files.delete("to", true).await.unwrap());
    }
}

/// Small files travel in the pending set, large ones as uploads that the job completes; both lie encrypted.
#[rstest]
#[case::customers_key(CUSTOMER, "-customer-algorithm", "AES256")]
#[case::key_service(KEY_SERVICE, "", "aws:kms")]
#[tokio::test(flavor = "multi_thread")]
async fn the_output_of_jobs_is_encrypted(#[case] options: &[(&str, &str)], #[case] ending: &str, #[case] value: &str) {
    let place = Place::at(Service::Tls).await;
    let executor = files(&place, options);
    let job = Job::new("out", "j1").unwrap();
    job.set_up(&executor, false, ConflictMode::Append).await.unwrap();
    let attempt = TaskAttempt::new(job.clone(), "task_0", "attempt_0_0").unwrap();
    attempt.set_up(&executor);
    for (name, length) in [("small", 1000), ("large", 20 << 20)] {
        write(&executor, &format!("{}/{name}", attempt.work_path()), &content(length, 6)).await.unwrap();
    }
    attempt.commit(&executor).await.unwrap();
    let set = "out/_s3core_job-j1/task_0.pendingset";
    assert_eq!(said(&place, options, set, ending).await.as_deref(), Some(value));

    let driver = files(&place, options);
    assert_eq!(job.commit(&driver, CommitOptions::default()).await.unwrap().files, 2);
    for (name, length) in [("out/small", 1000), ("out/large", 20 << 20)] {
        assert!(read(&driver, name).await.unwrap() == content(length, 6), "{name}");
        assert_eq!(said(&place, options, name, ending).await.as_deref(), Some(value), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_object_is_read_with_its_key_only() {
    let place = Place::at(Service::Tls).await;
    write(&files(&place, CUSTOMER), "a", b"secret").await.unwrap();
    for options in [ANOTHER, &[]] {
        let files = files(&place, options);
        let failure = read(&files, "a").await.unwrap_err();
        assert!(matches!(failure.kind(), ErrorKind::BadRequest | ErrorKind::AccessDenied), "{failure:?}");
        assert!(failure.message().contains("fs.s3a.encryption"), "{failure:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_the_service_does_not_have_is_named() {
    let place = Place::at(Service::Tls).await;
    let options = [("fs.s3a.encryption.algorithm", "SSE-KMS"), ("fs.s3a.encryption.key", "no-such-key")];
    let failure = write(&files(&place, &options), "a", b"x").await.unwrap_err();
    assert!(failure.message().contains("fs.s3a.encryption.key"), "{failure:?}");
}

/// Radosgw wants TLS for it (`rgw_crypt_require_ssl`).
#[tokio::test(flavor = "multi_thread")]
async fn encryption_without_tls_names_the_remedy() {
    let place = Place::at(Service::Ceph).await;
    let failure = write(&files(&place, KEY_SERVICE), "a", b"x").await.unwrap_err();
    assert_eq!(failure.kind(), ErrorKind::BadRequest, "{failure:?}");
    assert!(failure.message().contains("https://"), "{failure}");
}
