//! The multipart family.

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{
    AbortMultipartUpload, CompleteMultipartUpload, CompletedPart, CreateMultipartUpload, HeadObject,
    ListMultipartUploads, ListParts, ObjectAttributes, UploadPart, WriteCondition, multipart_etag,
};
use s3core_gateway::{Fault, Quirks};

use crate::support::{EMBEDDED, Place, Service, content};

const PART: usize = 5 << 20;

struct Sent {
    upload: String,
    parts: Vec<CompletedPart>,
    length: u64,
    bytes: Vec<u8>,
}

/// Two parts of an upload to "k".
async fn send(place: &Place) -> Sent {
    let upload = place.gateway.run(CreateMultipartUpload::new(&place.bucket, "k")).await.unwrap();
    let (mut parts, mut bytes) = (Vec::new(), Vec::new());
    for (number, length) in [(1, PART), (2, 1000)] {
        let part = content(length, u64::from(number));
        bytes.extend_from_slice(&part);
        let operation = UploadPart::new(&place.bucket, "k", &upload, number, part);
        parts.push(completed(number, place.gateway.run(operation).await.unwrap()));
    }
    Sent { upload, parts, length: bytes.len() as u64, bytes }
}

fn completed(number: u32, etag: String) -> CompletedPart {
    CompletedPart { number, etag }
}

fn complete(place: &Place, sent: &Sent) -> CompleteMultipartUpload {
    CompleteMultipartUpload::new(&place.bucket, "k", &sent.upload, sent.parts.clone(), sent.length)
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn parts_become_an_object(#[case] service: Service) {
    let place = Place::at(service).await;
    let sent = send(&place).await;
    assert_eq!(
        place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap_err().kind(),
        ErrorKind::NotFound,
        "nothing is visible before the completion"
    );
    let etag = place.gateway.run(complete(&place, &sent)).await.unwrap();
    assert_eq!(Some(&etag), multipart_etag(sent.parts.iter().map(|part| part.etag.as_str())).as_ref());
    assert!(place.get("k").await == sent.bytes);
    let head = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    assert_eq!((head.length, head.etag), (sent.length, Some(etag)));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn attributes_are_given_at_the_beginning(#[case] service: Service) {
    let place = Place::at(service).await;
    let mut create = CreateMultipartUpload::new(&place.bucket, "k");
    create.attributes = ObjectAttributes {
        content_type: Some("text/x-test".to_owned()),
        storage_class: Some("COLD".to_owned()),
        metadata: [("owner".to_owned(), "me".to_owned())].into(),
        ..ObjectAttributes::default()
    };
    let upload = place.gateway.run(create).await.unwrap();
    let part = UploadPart::new(&place.bucket, "k", &upload, 1, content(10, 1));
    let parts = vec![completed(1, place.gateway.run(part).await.unwrap())];
    place.gateway.run(CompleteMultipartUpload::new(&place.bucket, "k", &upload, parts, 10)).await.unwrap();
    let head = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    assert_eq!(head.content_type.as_deref(), Some("text/x-test"));
    assert_eq!(head.storage_class.as_deref(), Some("COLD"));
    assert_eq!(head.metadata.get("owner").map(String::as_str), Some("me"));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn parts_are_listed_in_pages(#[case] service: Service) {
    let place = Place::at(service).await;
    let sent = send(&place).await;
    let mut list = ListParts::new(&place.bucket, "k", &sent.upload);
    let page = place.gateway.run(list.clone()).await.unwrap();
    let listed: Vec<_> = page.parts.iter().map(|part| (part.number, part.length, part.etag.clone())).collect();
    let expected: Vec<_> = sent
        .parts
        .iter()
        .zip([PART as u64, 1000])
        .map(|(part, length)| (part.number, length, Some(part.etag.clone())))
        .collect();
    assert_eq!((listed, page.next), (expected, None));
    assert!(page.parts.iter().all(|part| part.modified.is_some()));

    list.max_parts = Some(1);
    let first = place.gateway.run(list.clone()).await.unwrap();
    assert_eq!((first.parts.len(), first.next), (1, Some(1)));
    list.part_number_marker = first.next;
    let second = place.gateway.run(list).await.unwrap();
    assert_eq!((second.parts.first().map(|part| part.number), second.next), (Some(2), None));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn uploads_under_way_are_listed_in_pages(#[case] service: Service) {
    let place = Place::at(service).await;
    let mut begun = Vec::new();
    for key in ["a/1 +\u{e9}", "a/2", "a/2", "a/<3>", "b/1"] {
        let upload = place.gateway.run(CreateMultipartUpload::new(&place.bucket, key)).await.unwrap();
        begun.push((key.to_owned(), upload));
    }
    begun.retain(|(key, _)| key.starts_with("a/"));
    begun.sort();
    for max_uploads in [None, Some(1)] {
        let mut list = ListMultipartUploads { max_uploads, ..ListMultipartUploads::new(&place.bucket, "a/") };
        let mut listed = Vec::new();
        loop {
            let page = place.gateway.run(list.clone()).await.unwrap();
            assert!(page.uploads.iter().all(|upload| upload.initiated.is_some()), "{page:?}");
            listed.extend(page.uploads.into_iter().map(|upload| (upload.key, upload.upload_id)));
            if page.next.is_none() {
                break;
            }
            list.marker = page.next;
        }
        listed.sort();
        assert_eq!(listed, begun, "{max_uploads:?}");
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn an_aborted_upload_is_gone(#[case] service: Service) {
    let place = Place::at(service).await;
    let sent = send(&place).await;
    for _ in 0..2 {
        place.gateway.run(AbortMultipartUpload::new(&place.bucket, "k", &sent.upload)).await.unwrap();
    }
    let gone = place.gateway.run(ListParts::new(&place.bucket, "k", &sent.upload)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound);
    let started = std::time::Instant::now();
    let gone = place.gateway.run(complete(&place, &sent)).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::NotFound, "{gone:?}");
    assert!(started.elapsed().as_secs() < 5, "it fails at once, also where the gateway answers 500");
    assert!(place.gateway.run(HeadObject::new(&place.bucket, "k")).await.is_err());
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn a_completion_after_success_is_success(#[case] service: Service) {
    let place = Place::at(service).await;
    let sent = send(&place).await;
    let first = place.gateway.run(complete(&place, &sent)).await.unwrap();
    let second = place.gateway.run(complete(&place, &sent)).await.unwrap();
    assert_eq!(first, second);
}

#[rstest]
#[case::aws(Quirks::Aws)]
#[case::pacific(Quirks::Pacific)]
#[tokio::test]
async fn a_completion_whose_answer_is_lost_is_done(#[case] quirks: Quirks) {
    for fault in [Fault::lose_reply(), Fault::error_in_body("InternalError"), Fault::error(500, "InternalError")] {
        let place = Place::at(Service::Embedded(quirks)).await;
        let sent = send(&place).await;
        place.faults().add(fault.operation("CompleteMultipartUpload").times(1));
        let etag = place.gateway.run(complete(&place, &sent)).await.unwrap();
        assert_eq!(place.faults().injected(), 1);
        let head = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
        assert_eq!((head.length, head.etag), (sent.length, Some(etag)));
    }
}

#[rstest]
#[case::aws(Quirks::Aws)]
#[case::tentacle(Quirks::Tentacle)]
#[tokio::test]
async fn only_where_there_is_nothing(#[case] quirks: Quirks) {
    let place = Place::at(Service::Embedded(quirks)).await;
    place.put("k", "old").await;
    let sent = send(&place).await;
    let mut complete = complete(&place, &sent);
    complete.condition = WriteCondition::IfAbsent;
    let refused = place.gateway.run(complete).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
    assert_eq!(place.get("k").await, b"old");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn small_parts_and_unknown_parts_are_refused(#[case] service: Service) {
    let place = Place::at(service).await;
    let upload = place.gateway.run(CreateMultipartUpload::new(&place.bucket, "k")).await.unwrap();
    let mut parts = Vec::new();
    for number in [1, 2] {
        let part = UploadPart::new(&place.bucket, "k", &upload, number, content(10, 1));
        parts.push(completed(number, place.gateway.run(part).await.unwrap()));
    }
    let too_small = CompleteMultipartUpload::new(&place.bucket, "k", &upload, parts.clone(), 20);
    let refused = place.gateway.run(too_small).await.unwrap_err();
    assert_eq!((refused.kind(), refused.service_code()), (ErrorKind::BadRequest, Some("EntityTooSmall")));
    assert!(refused.message().contains("fs.s3a.multipart.size"), "{refused:?}");
    parts.truncate(1);
    parts[0].etag = "0123456789abcdef0123456789abcdef".to_owned();
    let unknown = CompleteMultipartUpload::new(&place.bucket, "k", &upload, parts, 10);
    let refused = place.gateway.run(unknown).await.unwrap_err();
    assert_eq!((refused.kind(), refused.service_code()), (ErrorKind::BadRequest, Some("InvalidPart")));
}
