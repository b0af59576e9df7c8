//! Where the service is, and the proxy on the way.

use rstest::rstest;

use super::*;

#[rstest]
#[case("fs.s3a.bucket.lake.path.style.access=false")]
#[case("fs.s3core.path.style.access=false")]
fn a_wish_for_virtual_hosts_that_hadoop_does_not_ship_counts(#[case] wish: &str) {
    assert!(!World::hadoop(&format!("fs.s3a.endpoint=http://rgw {wish}")).options().gateway.path_style);
}

#[rstest]
#[case("", "https://s3.us-east-1.amazonaws.com", "us-east-1", false)]
#[case("fs.s3a.endpoint= fs.s3a.endpoint.region=eu-west-1", "https://s3.eu-west-1.amazonaws.com", "eu-west-1", false)]
#[case("fs.s3a.endpoint=s3.eu-west-1.amazonaws.com", "https://s3.eu-west-1.amazonaws.com", "eu-west-1", false)]
#[case("fs.s3a.endpoint=rgw:8000", "https://rgw:8000", "us-east-1", true)]
#[case("fs.s3a.endpoint=rgw:8000 fs.s3a.connection.ssl.enabled=false", "http://rgw:8000", "us-east-1", true)]
fn endpoint_region_and_style_follow_from_each_other(
    #[case] text: &str,
    #[case] endpoint: &str,
    #[case] region: &str,
    #[case] path_style: bool,
) {
    let gateway = World::hadoop(text).options().gateway;
    assert_eq!(gateway.endpoint.to_string(), endpoint);
    assert_eq!(gateway.region, region);
    assert_eq!(gateway.path_style, path_style);
}

#[test]
fn bucket_names_are_checked_for_the_style() {
    World::hadoop("fs.s3a.endpoint=http://rgw").resolve_for("data_lake").unwrap();
    let error = World::hadoop("").resolve_for("data_lake").map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidPath);
}

#[test]
fn amazon_buckets_with_dots_are_reached_in_path_style() {
    assert!(World::hadoop("").resolve_for("data.lake").unwrap().gateway.path_style);
}

#[rstest]
#[case("", None)]
#[case("fs.s3a.proxy.host=proxy", Some("http://proxy"))]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.port=3128", Some("http://proxy:3128"))]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.ssl.enabled=true", Some("https://proxy"))]
#[case("fs.s3a.bucket.lake.proxy.host=[::1] fs.s3core.proxy.port=1", Some("http://[::1]:1"))]
#[case("fs.s3a.bucket.other.proxy.host=proxy", None)]
fn the_proxy_is_named_as_s3a_names_it(#[case] text: &str, #[case] address: Option<&str>) {
    let proxy = World::hadoop(text).options().transport.proxy;
    assert_eq!(proxy.map(|proxy| proxy.endpoint.to_string()).as_deref(), address);
}

#[rstest]
#[case("fs.s3a.proxy.port=1", "without fs.s3a.proxy.host")]
#[case("fs.s3a.proxy.host=http://proxy", "alone")]
#[case("fs.s3a.proxy.host=a:b@proxy", "alone")]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.port=0", "from 1 to 65535")]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.username=alice", "without the other")]
#[case("fs.s3a.proxy.host=proxy fs.s3a.proxy.password=wonder", "without the other")]
fn a_proxy_that_cannot_be_names_the_remedy(#[case] text: &str, #[case] part: &str) {
    let error = World::hadoop(text).resolve().map(|_| ()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidOption);
    assert!(error.message().contains(part) && !error.message().contains("wonder"), "{error}");
}

#[test]
fn a_key_inside_an_endpoint_is_not_repeated() {
    let error = World::hadoop("fs.s3a.endpoint=http://me:swordfish@rgw").error();
    assert!(!error.message().contains("swordfish"), "{error}");
}
