//! What our own probes find on the Ceph that is running, and on the embedded endpoint that imitates each release.
//! `tests/releases/run.sh` makes docs/releases.md of the printed lines.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "helpers of tests fail as tests do"
)]

mod support;

use rstest::rstest;
use s3core::fs::FileSystem;
use s3core::gateway::capabilities::Capability;
use s3core::probe::probe;
use s3core_gateway::Quirks;
use support::files::Files;
use support::{EMBEDDED, Service};

/// What each release is known to have, in the order of [`Capability::ALL`].
fn expected(release: &str) -> [bool; 6] {
    match release {
        "pacific" | "reef" => [true, true, false, false, false, true],
        "tentacle" => [true, true, true, true, true, true],
        "aws" => [true, true, true, true, true, false],
        other => panic!("no expectation for {other}: add one"),
    }
}

async fn found(files: &FileSystem) -> Vec<bool> {
    let mut found = Vec::new();
    for capability in Capability::ALL {
        found.push(probe(files.gateway(), files.bucket(), capability).await.unwrap());
    }
    let mut left = files.list("", true);
    assert!(left.next_page().await.unwrap().unwrap().is_empty(), "a probe left something behind");
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn this_ceph_has_what_its_release_is_known_to_have() {
    let files = Files::at(Service::Ceph).await;
    let name = |key: &str| std::env::var(key).unwrap_or_else(|_| panic!("{key} is not set: tests/ceph sets it"));
    let (release, version) = (name("S3CORE_TEST_CEPH_RELEASE"), name("S3CORE_TEST_CEPH_VERSION"));
    let found = found(&files).await;
    for (capability, has) in Capability::ALL.iter().zip(&found) {
        println!("capability {release} {version} {capability:?} {}", if *has { "yes" } else { "no" });
    }
    assert_eq!(found, expected(&release));
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn the_embedded_endpoint_imitates_each_release(#[values("pacific", "reef", "tentacle", "aws")] release: &str) {
    let quirks: Quirks = release.parse().unwrap();
    let files = Files::at(Service::Embedded(quirks)).await;
    assert_eq!(found(&files).await, expected(release));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_finding_is_remembered() {
    let files = Files::at(EMBEDDED).await;
    let first = probe(files.gateway(), files.bucket(), Capability::ExclusivePut).await.unwrap();
    let requests = files.gateway().statistics().snapshot();
    assert_eq!(probe(files.gateway(), files.bucket(), Capability::ExclusivePut).await.unwrap(), first);
    assert_eq!(files.gateway().statistics().snapshot(), requests);
}
