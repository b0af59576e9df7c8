//! GetObject and HeadObject.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rstest::rstest;
use s3core::ops::{ByteRange, GetObject, HeadObject, ObjectAttributes, ObjectHead, PutObject};
use s3core::{ErrorKind, Result};
use s3core_gateway::Fault;

use crate::support::{EMBEDDED, Place, Service, content};

async fn read(place: &Place, get: impl FnOnce(&mut GetObject<&mut Vec<Bytes>>)) -> Result<(ObjectHead, Vec<u8>)> {
    let mut frames = Vec::new();
    let mut operation = GetObject::new(&place.bucket, "k", &mut frames);
    get(&mut operation);
    let head = place.gateway.run(operation).await?;
    Ok((head, frames.concat()))
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn an_object_is_read_as_it_was_written(#[case] service: Service) {
    let place = Place::at(service).await;
    for length in [0, 1, 4096, 9 * 1024 * 1024 + 7] {
        let written = content(length, 1);
        let etag = place.put("k", written.clone()).await;
        let (head, bytes) = read(&place, |_| {}).await.unwrap();
        assert!(bytes == written, "{length}");
        assert_eq!(head.etag.as_deref(), Some(etag.as_str()));
        assert_eq!((head.length, head.range), (length as u64, 0..length as u64));
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn ranges_are_clipped_at_the_end(#[case] service: Service) {
    let place = Place::at(service).await;
    let written = content(100_000, 2);
    place.put("k", written.clone()).await;
    for (range, expected) in [
        (ByteRange::At { start: 0, length: 1 }, 0..1),
        (ByteRange::At { start: 17, length: 1000 }, 17..1017),
        (ByteRange::At { start: 99_990, length: 1000 }, 99_990..100_000),
        (ByteRange::From(99_999), 99_999..100_000),
        (ByteRange::From(0), 0..100_000),
        (ByteRange::Last(10), 99_990..100_000),
        (ByteRange::Last(1_000_000), 0..100_000),
    ] {
        let (head, bytes) = read(&place, |get| get.range = Some(range)).await.unwrap();
        assert_eq!((head.length, head.range), (100_000, expected.clone()), "{range:?}");
        assert!(bytes == written[expected.start as usize..expected.end as usize], "{range:?}");
    }
    for range in [ByteRange::From(100_000), ByteRange::At { start: 200_000, length: 1 }] {
        let error = read(&place, |get| get.range = Some(range)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfRange, "{range:?}");
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn an_empty_object_has_no_ranges(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "").await;
    let error = read(&place, |get| get.range = Some(ByteRange::From(0))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfRange);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn conditions_of_reads(#[case] service: Service) {
    let place = Place::at(service).await;
    let etag = place.put("k", "hello").await;
    let same = Some(etag.clone());
    let other = Some("0123456789abcdef0123456789abcdef".to_owned());

    assert_eq!(read(&place, |get| get.if_match = same.clone()).await.unwrap().1, b"hello");
    assert_eq!(read(&place, |get| get.if_none_match = other.clone()).await.unwrap().1, b"hello");
    let refused = read(&place, |get| get.if_match = other.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    let refused = read(&place, |get| get.if_none_match = same.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);

    let head = |if_match, if_none_match| {
        place.gateway.run(HeadObject { if_match, if_none_match, ..HeadObject::new(&place.bucket, "k") })
    };
    assert_eq!(head(same.clone(), None).await.unwrap().length, 5);
    assert_eq!(head(None, other.clone()).await.unwrap().length, 5);
    assert_eq!(head(other, None).await.unwrap_err().kind(), ErrorKind::PreconditionFailed);
    assert_eq!(head(None, same).await.unwrap_err().kind(), ErrorKind::PreconditionFailed);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_head_tells_what_was_stored(#[case] service: Service) {
    let place = Place::at(service).await;
    let mut put = PutObject::new(&place.bucket, "k", Bytes::from_static(b"hello"));
    put.attributes = ObjectAttributes {
        content_type: Some("text/x-test".to_owned()),
        storage_class: Some("COLD".to_owned()),
        metadata: [("owner".to_owned(), "me & you".to_owned())].into(),
        ..ObjectAttributes::default()
    };
    let etag = place.gateway.run(put).await.unwrap();
    let head = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    assert_eq!(head.length, 5);
    assert_eq!(head.etag, Some(etag));
    assert_eq!(head.content_type.as_deref(), Some("text/x-test"));
    assert_eq!(head.storage_class.as_deref(), Some("COLD"));
    assert_eq!(head.metadata.get("owner").map(String::as_str), Some("me & you"));
    let age = SystemTime::now().duration_since(head.modified.unwrap());
    assert!(age.is_ok_and(|age| age < Duration::from_secs(60)), "{head:?}");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn what_is_not_there_is_not_found(#[case] service: Service) {
    let place = Place::at(service).await;
    let error = read(&place, |_| {}).await.unwrap_err();
    assert_eq!((error.kind(), error.service_code()), (ErrorKind::NotFound, Some("NoSuchKey")));
    assert_eq!(error.location(), Some(format!("s3a://{}/k", place.bucket)));
    let error = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_read_survives_cut_bodies() {
    let place = Place::at(EMBEDDED).await;
    let written = content(1_000_000, 3);
    let etag = place.put("k", written.clone()).await;
    place.faults().add(Fault::cut_body(300_000).operation("GetObject").times(2));
    let (head, bytes) = read(&place, |_| {}).await.unwrap();
    assert!(bytes == written);
    assert_eq!((head.length, head.etag), (1_000_000, Some(etag)));
    assert_eq!(place.faults().injected(), 2);
}

#[tokio::test]
async fn an_object_replaced_while_it_is_read_is_changed() {
    let place = Place::at(EMBEDDED).await;
    place.put("k", content(1_000_000, 4)).await;
    place.faults().add(Fault::cut_body(300_000).operation("GetObject").times(1));
    // Leaves the time for the other writer between the attempts.
    place.faults().add(Fault::slow_down().operation("GetObject").times(1).retry_after(2));
    let mut sink = ReplacedMeanwhile { place: &place, bytes: 0 };
    let error = place.gateway.run(GetObject::new(&place.bucket, "k", &mut sink)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Changed);
    assert_eq!(sink.bytes, 300_000);
}

/// Replaces the object when the first answer about it arrives.
struct ReplacedMeanwhile<'a> {
    place: &'a Place,
    bytes: usize,
}

impl s3core::ops::Sink for ReplacedMeanwhile<'_> {
    fn head(&mut self, _: &ObjectHead) -> Result<()> {
        let put = PutObject::new(&self.place.bucket, "k", content(1_000_000, 5));
        let gateway = self.place.gateway.clone();
        tokio::spawn(async move { gateway.run(put).await });
        Ok(())
    }

    fn frame(&mut self, frame: Bytes) -> Result<()> {
        self.bytes += frame.len();
        Ok(())
    }
}
