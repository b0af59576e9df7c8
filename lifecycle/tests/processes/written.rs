//! Somebody overwrites what a process is removing, in a bucket that keeps versions: without them the gateway itself loses writes
//! that overlap with a DELETE (`act/overlapping.rs`).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Child;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use s3core::ops::ListObjectVersions;

use crate::lake::{Lake, said};
use crate::support::content;

const PARTITIONS: usize = 420;
const FILES: usize = 4;

/// How often somebody writes while a process is at work.
const WRITES: usize = 1000;

/// Writers at a time.
const WRITERS: usize = 5;

/// What a reader finds below a prefix, by keys: ETags; and the ETags of all versions.
async fn etags(lake: &Lake) -> (BTreeMap<String, String>, BTreeSet<(String, String)>) {
    let mut list = ListObjectVersions::new(&lake.place.bucket, "events/");
    let (mut found, mut all) = (BTreeMap::new(), BTreeSet::new());
    let mut newest = String::new();
    loop {
        let page = lake.place.gateway.run(list.clone()).await.unwrap();
        for version in page.versions {
            let is_newest = newest != version.key;
            newest.clone_from(&version.key);
            let Some(etag) = version.etag.filter(|_| !version.is_delete_marker) else { continue };
            if is_newest {
                found.insert(version.key.clone(), etag.clone());
            }
            all.insert((version.key, etag));
        }
        match page.next {
            Some(next) => list.marker = Some(next),
            None => return (found, all),
        }
    }
}

/// Overwrites objects in no order while a process is at work. Returns what it has written: the last ETag of each key, and the
/// number of writes.
async fn write_beside(lake: &Lake, keys: &[String], process: &mut Child) -> (BTreeMap<String, String>, usize) {
    let (mut written, mut writes) = (BTreeMap::new(), 0);
    while process.try_wait().unwrap().is_none() {
        let seeds = (0..WRITERS).map(|number| (writes + number) as u64 + 1);
        let chosen: BTreeMap<&String, u64> = seeds.map(|seed| (&keys[chance(seed) % keys.len()], seed)).collect();
        let puts = chosen
            .into_iter()
            .map(|(key, seed)| async move { (key.clone(), lake.place.put(key, content(50, seed)).await) });
        let done: Vec<_> = stream::iter(puts).buffer_unordered(WRITERS).collect().await;
        writes += done.len();
        written.extend(done);
    }
    (written, writes)
}

fn chance(seed: u64) -> usize {
    usize::from_le_bytes(content(8, seed)[..8].try_into().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_writes_beside_a_run_stays() {
    let mut all_writes = 0;
    while all_writes < WRITES {
        let lake = Lake::with_versions(PARTITIONS, FILES).await;
        let before = etags(&lake).await.0;
        assert_eq!(before.len(), PARTITIONS * FILES);
        let keys: Vec<String> = before.keys().cloned().collect();
        let mut process = lake.start_patiently(&["apply", "policy.yaml", "--yes"]);
        // It is at work.
        while etags(&lake).await.0.len() == before.len() {
            assert!(process.try_wait().unwrap().is_none(), "it ended before it began");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (written, writes) = write_beside(&lake, &keys, &mut process).await;
        let run = said(&process.wait_with_output().unwrap());
        all_writes += writes;

        let (after, all) = etags(&lake).await;
        for (key, etag) in before {
            // What nobody wrote is there, or hidden.
            match written.get(&key) {
                Some(last) => assert_eq!(after.get(&key), Some(last), "{key}"),
                None => assert!(all.contains(&(key.clone(), etag)), "{key}"),
            }
        }
        // They met.
        let expired = run["actions"]["expire"]["units"].as_u64();
        assert!(expired > Some(0) && run["skipped"].as_u64() > Some(0), "{run}");
    }
}
