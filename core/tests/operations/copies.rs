//! CopyObject and UploadPartCopy.

use bytes::Bytes;
use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{
    CompleteMultipartUpload, CompletedPart, CopyObject, CopySource, CreateMultipartUpload, HeadObject,
    ObjectAttributes, PutObject, UploadPartCopy,
};
use s3core_gateway::Quirks;

use crate::support::{EMBEDDED, Place, Service, content};

async fn with_source(service: Service) -> (Place, String) {
    let place = Place::at(service).await;
    let mut put = PutObject::new(&place.bucket, "from/a b+\u{e9}%20", Bytes::from_static(b"hello"));
    put.attributes = ObjectAttributes {
        content_type: Some("text/x-test".to_owned()),
        metadata: [("owner".to_owned(), "me".to_owned())].into(),
        storage_class: None,
        ..ObjectAttributes::default()
    };
    let etag = place.gateway.run(put).await.unwrap();
    (place, etag)
}

fn copy(place: &Place) -> CopyObject {
    CopyObject::new(&place.bucket, "from/a b+\u{e9}%20", &place.bucket, "to/k")
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn a_copy_keeps_bytes_and_attributes(#[case] service: Service) {
    let (place, etag) = with_source(service).await;
    let copied = place.gateway.run(copy(&place)).await.unwrap();
    assert_eq!(copied.etag, etag);
    assert!(copied.modified.is_some());
    assert_eq!(place.get("to/k").await, b"hello");
    let head = place.gateway.run(HeadObject::new(&place.bucket, "to/k")).await.unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/x-test"));
    assert_eq!(head.metadata.get("owner").map(String::as_str), Some("me"));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_copy_may_have_other_attributes_and_another_class(#[case] service: Service) {
    let (place, _) = with_source(service).await;
    let mut copy = copy(&place);
    copy.storage_class = Some("COLD".to_owned());
    copy.replacement = Some(ObjectAttributes {
        content_type: Some("text/x-other".to_owned()),
        metadata: [("reader".to_owned(), "you".to_owned())].into(),
        storage_class: None,
        ..ObjectAttributes::default()
    });
    place.gateway.run(copy).await.unwrap();
    let head = place.gateway.run(HeadObject::new(&place.bucket, "to/k")).await.unwrap();
    assert_eq!(head.storage_class.as_deref(), Some("COLD"));
    assert_eq!(head.content_type.as_deref(), Some("text/x-other"));
    assert_eq!(head.metadata.get("reader").map(String::as_str), Some("you"));
    assert_eq!(head.metadata.get("owner"), None);
    assert_eq!(place.get("to/k").await, b"hello");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn only_the_known_source_is_copied(#[case] service: Service) {
    let (place, etag) = with_source(service).await;
    let mut copy = copy(&place);
    copy.source.if_match = Some("0123456789abcdef0123456789abcdef".to_owned());
    let refused = place.gateway.run(copy.clone()).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PreconditionFailed);
    assert!(place.gateway.run(HeadObject::new(&place.bucket, "to/k")).await.is_err());
    copy.source.if_match = Some(etag);
    place.gateway.run(copy).await.unwrap();
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_missing_source_is_not_found(#[case] service: Service) {
    let place = Place::at(service).await;
    let error = place.gateway.run(copy(&place)).await.unwrap_err();
    assert_eq!((error.kind(), error.service_code()), (ErrorKind::NotFound, Some("NoSuchKey")));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn an_object_is_put_together_from_ranges_of_another(#[case] service: Service) {
    const MIB: u64 = 1 << 20;
    let place = Place::at(service).await;
    let source = content(8 * MIB as usize + 3, 1);
    place.put("from k", source.clone()).await;
    let upload = place.gateway.run(CreateMultipartUpload::new(&place.bucket, "to")).await.unwrap();
    let mut parts = Vec::new();
    for (number, range) in [(1, MIB..6 * MIB), (2, 8 * MIB..8 * MIB + 3)] {
        let copy = UploadPartCopy {
            bucket: place.bucket.clone(),
            key: "to".to_owned(),
            upload_id: upload.clone(),
            part_number: number,
            source: CopySource { bucket: place.bucket.clone(), key: "from k".to_owned(), if_match: None },
            range: Some(range),
        };
        let copied = place.gateway.run(copy).await.unwrap();
        parts.push(CompletedPart { number, etag: copied.etag });
    }
    let length = 5 * MIB + 3;
    place.gateway.run(CompleteMultipartUpload::new(&place.bucket, "to", &upload, parts, length)).await.unwrap();
    let expected = [&source[MIB as usize..6 * MIB as usize], &source[8 * MIB as usize..]].concat();
    assert!(place.get("to").await == expected);
}
