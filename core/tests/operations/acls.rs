//! GetObjectAcl and PutObjectAcl.

use rstest::rstest;
use s3core::ErrorKind;
use s3core::ops::{AccessControlList, CopyObject, GetObjectAcl, HeadObject, PutObjectAcl};
use s3core_gateway::Quirks;

use crate::support::admin::User;
use crate::support::{EMBEDDED, Place, Service};

async fn acl(place: &Place, key: &str) -> AccessControlList {
    place.gateway.run(GetObjectAcl::new(&place.bucket, key)).await.unwrap()
}

/// Everybody may read.
fn public(list: &AccessControlList) -> AccessControlList {
    let grant = "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"Group\">\
                 <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission></Grant>";
    let end = "</AccessControlList>";
    list.as_str().replace(end, &format!("{grant}{end}")).parse().unwrap()
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn a_list_comes_back_as_it_was(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    let own = acl(&place, "k").await;
    assert!(own.is_default(own.owner()), "{own:?}");
    assert!(!own.is_default("somebody"));

    let before = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    place.gateway.run(PutObjectAcl::new(&place.bucket, "k", public(&own))).await.unwrap();
    let shared = acl(&place, "k").await;
    assert!(shared.as_str().contains("AllUsers") && !shared.is_default(own.owner()), "{shared:?}");
    let after = place.gateway.run(HeadObject::new(&place.bucket, "k")).await.unwrap();
    assert_eq!(after.etag, before.etag);
    let makes_new = match service {
        Service::Ceph => std::env::var("S3CORE_TEST_CEPH_RELEASE").unwrap() == "pacific",
        other => other == Service::Embedded(Quirks::Pacific),
    };
    assert_eq!(after.modified > before.modified, makes_new);

    // A copy has a list of its own; the source's is given to it.
    place.gateway.run(CopyObject::new(&place.bucket, "k", &place.bucket, "copy")).await.unwrap();
    assert_eq!(acl(&place, "copy").await, own);
    place.gateway.run(PutObjectAcl::new(&place.bucket, "copy", shared.clone())).await.unwrap();
    assert_eq!(acl(&place, "copy").await, shared);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn refusals_are_told(#[case] service: Service) {
    let place = Place::at(service).await;
    place.put("k", "x").await;
    let own = acl(&place, "k").await;
    let put = |key: &str, list: &str| PutObjectAcl::new(&place.bucket, key, list.parse().unwrap());
    let missing = place.gateway.run(GetObjectAcl::new(&place.bucket, "none")).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let missing = place.gateway.run(put("none", own.as_str())).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound);
    let (before, owner) = own.as_str().split_once("<Owner>").unwrap();
    let owner = owner.replacen(&format!("<ID>{}</ID>", own.owner()), "<ID>somebody</ID>", 1);
    let foreign = format!("{before}<Owner>{owner}");
    let refused = place.gateway.run(put("k", &foreign)).await.unwrap_err();
    // Tentacle has another word for it.
    assert!(matches!(refused.kind(), ErrorKind::AccessDenied | ErrorKind::BadRequest), "{refused:?}");
    assert_eq!(acl(&place, "k").await, own);
}

#[tokio::test]
async fn somebody_who_is_gone_cannot_be_named() {
    let place = Place::at(Service::Ceph).await;
    place.put("k", "x").await;
    let name = format!("reader-{}", place.bucket);
    let user = User::make(&place.gateway, &name, &format!("key-{}", place.bucket), "secret").await;
    let grant = format!(
        "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\">\
         <ID>{name}</ID></Grantee><Permission>READ</Permission></Grant></AccessControlList>"
    );
    let own = acl(&place, "k").await;
    let list: AccessControlList = own.as_str().replace("</AccessControlList>", &grant).parse().unwrap();
    place.gateway.run(PutObjectAcl::new(&place.bucket, "k", list)).await.unwrap();
    let shared = acl(&place, "k").await;
    assert!(shared.as_str().contains(&name), "{shared:?}");
    user.remove().await;
    let refused = place.gateway.run(PutObjectAcl::new(&place.bucket, "k", shared)).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::BadRequest);
}
