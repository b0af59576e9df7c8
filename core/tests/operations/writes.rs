//! PutObject, its conditions and its digests.

use bytes::Bytes;
use http::Method;
use rstest::rstest;
use s3core::environment::{Random, SystemRandom};
use s3core::gateway::{Exchange, OperationRequest};
use s3core::http::{Payload, Response};
use s3core::ops::{DeleteObject, HeadObject, PayloadDigest, PutObject, WriteCondition, WriteId};
use s3core::sign::PayloadHash;
use s3core::{ErrorKind, Result};
use s3core_gateway::{Fault, Quirks};

use crate::support::{EMBEDDED, Place, Service};

fn write(place: &Place, content: &'static str, condition: WriteCondition) -> PutObject {
    let mut put = PutObject::new(&place.bucket, "k", Bytes::from_static(content.as_bytes()));
    put.condition = condition;
    put.write_id = Some(WriteId::new(SystemRandom.bits()));
    put
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_write_replaces_the_object(#[case] service: Service) {
    let place = Place::at(service).await;
    assert_eq!(place.put("k", "hello").await, "5d41402abc4b2a76b9719d911017c592");
    assert_eq!(place.put("k", "world").await, "7d793037a0760186574b0282f2f435e7");
    assert_eq!(place.get("k").await, b"world");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_key_may_hold_any_character(#[case] service: Service) {
    let place = Place::at(service).await;
    for key in [
        "a b+c",
        "year=2013/month=1",
        "\u{e9}/\u{65e5}\u{672c}",
        "a%20b",
        "q?x=1&y#z",
        "tab\tend",
        "<&>\"'",
        "a//b/",
        " lead",
    ] {
        place.put(key, key).await;
        assert_eq!(place.get(key).await, key.as_bytes(), "{key:?}");
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn only_where_there_is_nothing(#[case] service: Service) {
    let place = Place::at(service).await;
    place.gateway.run(write(&place, "first", WriteCondition::IfAbsent)).await.unwrap();
    let refused = place.gateway.run(write(&place, "second", WriteCondition::IfAbsent)).await.unwrap_err();
    assert_eq!((refused.kind(), refused.status()), (ErrorKind::AlreadyExists, Some(412)));
    assert_eq!(place.get("k").await, b"first");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn only_in_place_of_a_known_object(#[case] service: Service) {
    let place = Place::at(service).await;
    let first = place.put("k", "first").await;
    let second = place.gateway.run(write(&place, "second", WriteCondition::IfMatch(first.clone()))).await.unwrap();
    let refused = place.gateway.run(write(&place, "third", WriteCondition::IfMatch(first))).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    assert_eq!(place.get("k").await, b"second");
    let head = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    assert_eq!(head.etag, Some(second));
    place.gateway.run(DeleteObject::new(&place.bucket, "k")).await.unwrap();
    let condition = WriteCondition::IfMatch("7d793037a0760186574b0282f2f435e7".to_owned());
    let refused = place.gateway.run(write(&place, "fourth", condition)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed, "{refused:?}");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn of_writers_at_the_same_time_one_wins(#[case] service: Service) {
    let place = Place::at(service).await;
    let writers = (0..8).map(|_| place.gateway.run(write(&place, "mine", WriteCondition::IfAbsent)));
    let outcomes = futures::future::join_all(writers).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    for refused in outcomes.into_iter().filter_map(Result::err) {
        assert_eq!(refused.kind(), ErrorKind::AlreadyExists, "{refused:?}");
    }
}

#[tokio::test]
async fn a_conditional_write_whose_answer_is_lost_is_done() {
    let place = Place::at(EMBEDDED).await;
    place.faults().add(Fault::lose_reply().operation("PutObject").times(1));
    let etag = place.gateway.run(write(&place, "mine", WriteCondition::IfAbsent)).await.unwrap();
    assert_eq!(place.faults().injected(), 1);
    let head = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    assert_eq!(head.etag, Some(etag));
    place.faults().add(Fault::lose_reply().operation("PutObject").times(1));
    let refused = place.gateway.run(write(&place, "other", WriteCondition::IfAbsent)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    assert_eq!(place.get("k").await, b"mine");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn the_gateway_checks_either_digest(#[case] service: Service) {
    let place = Place::at(service).await;
    for (digest, accepted) in [
        (PayloadDigest { payload_hash: PayloadHash::Unsigned, md5: Some(*b"0123456789abcdef") }, false),
        (PayloadDigest { payload_hash: PayloadHash::Sha256([7; 32]), md5: None }, false),
        (PayloadDigest { payload_hash: PayloadHash::Unsigned, md5: None }, true),
        (PayloadDigest::of(&Payload::from(Bytes::from_static(b"hello"))).unwrap(), true),
    ] {
        let mut put = PutObject::new(&place.bucket, "k", Bytes::from_static(b"hello"));
        put.digest = Some(digest);
        let outcome = place.gateway.run(Once(put)).await;
        assert_eq!(
            outcome.as_ref().err().map(s3core::Error::kind),
            (!accepted).then_some(ErrorKind::BadRequest),
            "{digest:?} {outcome:?}"
        );
    }
}

/// Without further attempts: tells a corruption as a bad request.
struct Once<E>(E);

impl<E: Exchange> Exchange for Once<E> {
    type Output = E::Output;

    fn operation(&self) -> &'static str {
        self.0.operation()
    }

    fn place(&self) -> (&str, &str) {
        self.0.place()
    }

    fn request(&mut self) -> Result<OperationRequest> {
        let request = self.0.request()?;
        assert_eq!(request.method, Method::PUT);
        Ok(request)
    }

    async fn read(&mut self, response: Response) -> Result<E::Output> {
        self.0.read(response).await.map_err(|error| match error.kind() {
            ErrorKind::Corrupted => s3core::Error::new(ErrorKind::BadRequest, error.message()),
            _ => error,
        })
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn an_unknown_storage_class_is_named(#[case] service: Service) {
    let place = Place::at(service).await;
    let mut put = PutObject::new(&place.bucket, "k", Bytes::from_static(b"hello"));
    put.attributes.storage_class = Some("ARCTIC".to_owned());
    let error = place.gateway.run(put).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::BadRequest);
    assert!(error.message().contains("ARCTIC"), "{error:?}");
}
