//! ACL, content encoding, who pays, and headers of one's own.

use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use http::{HeaderMap, Method};
use s3core::Result;
use s3core::environment::Environment;
use s3core::gateway::{Exchange, OperationRequest};
use s3core::http::{Endpoint, Limits, Request, Response, Transport};
use s3core::ops::HeadObject;

use crate::support::files::Files;
use crate::support::{Place, Service, environment};
use crate::{files, write};

/// GetObjectAcl and the headers of GetObject: what no operation of core reads.
struct Look<'a> {
    bucket: &'a str,
    key: &'a str,
    query: Vec<(&'static str, String)>,
}

impl Exchange for Look<'_> {
    type Output = (HeaderMap, String);

    fn operation(&self) -> &'static str {
        "Look"
    }

    fn place(&self) -> (&str, &str) {
        (self.bucket, self.key)
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let query = self.query.clone();
        Ok(OperationRequest { query, ..OperationRequest::new(Method::GET, self.bucket, self.key) })
    }

    async fn read(&mut self, response: Response) -> Result<Self::Output> {
        let headers = response.headers.clone();
        Ok((headers, String::from_utf8_lossy(&response.body.collect(1 << 20).await?).into_owned()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_have_the_canned_acl() {
    let place = Place::at(Service::Ceph).await;
    write(&files(&place, &[("fs.s3a.acl.default", "PublicRead")]), "public", b"x").await.unwrap();
    write(&files(&place, &[]), "private", b"x").await.unwrap();
    let public = files(&place, &[("fs.s3a.acl.default", "public-read")]);
    write(&public, "large", &vec![0; 9 << 20]).await.unwrap();
    assert!(public.rename("private", "moved").await.unwrap());
    write(&files(&place, &[]), "private", b"x").await.unwrap();
    for (key, is_public) in [("public", true), ("large", true), ("moved", true), ("private", false)] {
        let query = vec![("acl", String::new())];
        let (_, acl) = place.gateway.run(Look { bucket: &place.bucket, key, query }).await.unwrap();
        assert_eq!(acl.contains("global/AllUsers"), is_public, "{key}: {acl}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_have_the_content_encoding() {
    let place = Place::at(Service::Ceph).await;
    write(&files(&place, &[("fs.s3a.object.content.encoding", "gzip")]), "a", b"x").await.unwrap();
    let look = Look { bucket: &place.bucket, key: "a", query: Vec::new() };
    let (headers, _) = place.gateway.run(look).await.unwrap();
    assert_eq!(headers["content-encoding"], "gzip");
}

#[tokio::test(flavor = "multi_thread")]
async fn new_objects_have_the_storage_class() {
    let place = Place::at(Service::Ceph).await;
    let files = files(&place, &[("fs.s3a.create.storage.class", "COLD")]);
    for (key, length) in [("small", 1), ("large", 9 << 20)] {
        write(&files, key, &vec![0; length]).await.unwrap();
        let head = place.gateway.run(HeadObject::new(&place.bucket, key)).await.unwrap();
        assert_eq!(head.storage_class.as_deref(), Some("COLD"), "{key}");
    }
}

/// Keeps the headers of every request.
#[derive(Clone)]
struct Listener {
    inner: Arc<dyn Transport>,
    sent: Arc<Mutex<Vec<HeaderMap>>>,
}

impl Transport for Listener {
    fn send(&self, endpoint: &Endpoint, request: Request, limits: Limits) -> BoxFuture<'static, Result<Response>> {
        self.sent.lock().unwrap().push(request.headers.clone());
        self.inner.send(endpoint, request, limits)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_request_has_the_headers_that_were_asked_for_and_they_are_signed() {
    let place = Place::at(Service::Ceph).await;
    let world = environment();
    let listener = Listener { inner: Arc::clone(&world.transport), sent: Arc::default() };
    let options = [
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ("fs.s3a.requester.pays.enabled", "true"),
        ("fs.s3a.client.s3.custom.headers", "x-site=berlin, x-team=a;b"),
        ("fs.s3a.user.agent.prefix", "reports"),
    ];
    let world = Environment { transport: Arc::new(listener.clone()), ..world };
    let files = Files::in_world(world, &place.running.url, &place.bucket, &options, 64 << 20);
    write(&files, "a", b"x").await.unwrap();
    assert_eq!(files.status("a").await.unwrap().length, 1);
    assert!(files.delete("a", false).await.unwrap());
    let sent = listener.sent.lock().unwrap();
    assert!(sent.len() >= 4);
    for headers in sent.iter() {
        assert_eq!(headers["x-amz-request-payer"], "requester");
        assert_eq!(headers["x-site"], "berlin");
        assert!(headers["user-agent"].to_str().unwrap().starts_with("reports s3core/"), "{headers:?}");
        assert_eq!(headers["x-team"], "a, b");
        let signed = headers["authorization"].to_str().unwrap();
        assert!(signed.contains("x-amz-request-payer") && signed.contains("x-site"), "{signed}");
    }
}

/// A call whose parts are sent by other threads, on a path with a name that no header holds as it is.
#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_a_call_names_it() {
    let place = Place::at(Service::Ceph).await;
    let world = environment();
    let listener = Listener { inner: Arc::clone(&world.transport), sent: Arc::default() };
    let options = [
        ("fs.s3a.access.key", place.running.access_key.as_str()),
        ("fs.s3a.secret.key", place.running.secret_key.as_str()),
        ("fs.s3a.multipart.size", "8M"),
        ("fs.s3core.audit.principal", "alice"),
    ];
    let world = Environment { transport: Arc::new(listener.clone()), ..world };
    let files = Files::in_world(world, &place.running.url, &place.bucket, &options, 64 << 20);
    let path = "d\u{fc}rre/gr\u{f6}\u{df}e \u{1f600}".repeat(10);
    write(&files.for_call("op_create", &[&path]), &path, &vec![1; 20 << 20]).await.unwrap();
    assert_eq!(files.for_call("op_get_file_status", &[&path]).status(&path).await.unwrap().length, 20 << 20);
    files.status(&path).await.unwrap();
    let sent: Vec<_> = listener.sent.lock().unwrap().drain(..).map(|headers| headers.get("referer").cloned()).collect();
    let names = |operation: &str| {
        let start = format!("https://audit.example.org/hadoop/1/{operation}/");
        let is_it = |header: &&Option<http::HeaderValue>| {
            let text = header.as_ref().map(|value| value.to_str().unwrap()).unwrap_or_default();
            text.starts_with(&start)
                && text.contains("&p1=s3a://")
                && text.contains("%C3%BCrre")
                && text.contains("&pr=alice&")
        };
        sent.iter().filter(is_it).count()
    };
    // Whether something stands there, the upload, three parts and their completion; the status; one of no call.
    assert_eq!((names("op_create"), names("op_get_file_status")), (6, 1), "{sent:?}");
    assert_eq!(sent.iter().filter(|header| header.is_none()).count(), 1);
}
