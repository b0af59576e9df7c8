//! ListObjectsV2.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use rstest::rstest;
use s3core::ops::{ListObjectsV2, ListedObject, ObjectPage};
use s3core_gateway::Quirks;

use crate::support::{EMBEDDED, Place, Service};

fn keys(objects: &[ListedObject]) -> Vec<&str> {
    objects.iter().map(|object| object.key.as_str()).collect()
}

/// All pages, put together.
async fn all(place: &Place, mut list: ListObjectsV2) -> (ObjectPage, usize) {
    let mut together = ObjectPage::default();
    for pages in 1.. {
        let page = place.gateway.run(list.clone()).await.unwrap();
        together.objects.extend(page.objects);
        together.common_prefixes.extend(page.common_prefixes);
        let Some(next) = page.next else {
            return (together, pages);
        };
        list.continuation_token = Some(next);
    }
    unreachable!()
}

async fn filled(service: Service, keys: &[&str]) -> Place {
    let place = Place::at(service).await;
    for key in keys {
        place.put(key, (*key).to_owned()).await;
    }
    place
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn a_directory_is_a_prefix_and_a_delimiter(#[case] service: Service) {
    let place = filled(service, &["a", "t/", "t/1", "t/2", "t/d/1", "t/d/2", "t/e/x/y", "u/1"]).await;
    let mut list = ListObjectsV2::new(&place.bucket, "t/");
    list.delimiter = Some("/".to_owned());
    let page = place.gateway.run(list.clone()).await.unwrap();
    assert_eq!(keys(&page.objects), ["t/", "t/1", "t/2"]);
    assert_eq!(page.common_prefixes, ["t/d/", "t/e/"]);
    assert_eq!(page.next, None);

    list.max_keys = Some(2);
    let (together, pages) = all(&place, list).await;
    assert_eq!(keys(&together.objects), ["t/", "t/1", "t/2"]);
    assert_eq!(together.common_prefixes, ["t/d/", "t/e/"]);
    assert_eq!(pages, 3);
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn pages_follow_each_other(#[case] service: Service) {
    let names: Vec<String> = (0..25).map(|number| format!("k/{number:02}")).collect();
    let place = filled(service, &names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let mut list = ListObjectsV2::new(&place.bucket, "k/");
    list.max_keys = Some(10);
    let (together, pages) = all(&place, list.clone()).await;
    assert_eq!((keys(&together.objects), pages), (names.iter().map(String::as_str).collect(), 3));
    list.start_after = Some("k/19".to_owned());
    let (together, pages) = all(&place, list).await;
    assert_eq!((keys(&together.objects), pages), (names[20..].iter().map(String::as_str).collect(), 1));
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[case::embedded_pacific(Service::Embedded(Quirks::Pacific))]
#[tokio::test]
async fn odd_keys_survive_pages_of_one(#[case] service: Service) {
    let odd = [
        " lead and trail ",
        "a b+c",
        "a%20b",
        "a+b",
        "cr\rlf\n",
        "tab\t",
        "\u{1}control\u{1f}",
        "<&>\"'",
        "\u{e9}/\u{65e5}\u{672c}/x",
        "q?x=1&y#z",
        "year=2013/month=1/part-0",
        "~tilde",
        "double//slash",
        "\u{1f600}",
    ];
    let place = filled(service, &odd).await;
    let expected: BTreeSet<&str> = odd.into();
    for max_keys in [None, Some(1)] {
        let list = ListObjectsV2 { max_keys, ..ListObjectsV2::new(&place.bucket, "") };
        let (together, _) = all(&place, list).await;
        assert_eq!(keys(&together.objects), expected.iter().copied().collect::<Vec<_>>(), "{max_keys:?}");
        let list = ListObjectsV2 { max_keys, delimiter: Some("/".to_owned()), ..ListObjectsV2::new(&place.bucket, "") };
        let (together, _) = all(&place, list).await;
        let directories: BTreeSet<String> =
            odd.iter().filter_map(|key| key.split_once('/')).map(|(directory, _)| format!("{directory}/")).collect();
        assert_eq!(together.common_prefixes, directories.into_iter().collect::<Vec<_>>(), "{max_keys:?}");
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn an_entry_tells_what_a_head_would(#[case] service: Service) {
    let place = Place::at(service).await;
    let etag = place.put("k", "hello").await;
    let page = place.gateway.run(ListObjectsV2::new(&place.bucket, "")).await.unwrap();
    let [object] = &page.objects[..] else { panic!("{page:?}") };
    assert_eq!((object.length, object.etag.as_ref()), (5, Some(&etag)));
    assert_eq!(object.storage_class.as_deref(), Some("STANDARD"));
    let age = SystemTime::now().duration_since(object.modified.unwrap()).unwrap();
    assert!(age < Duration::from_secs(60), "{object:?}");
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::embedded(EMBEDDED)]
#[tokio::test]
async fn nothing_is_an_empty_page(#[case] service: Service) {
    let place = Place::at(service).await;
    let page = place.gateway.run(ListObjectsV2::new(&place.bucket, "none/")).await.unwrap();
    assert_eq!(page, ObjectPage::default());
}
