//! Access control lists of what goes and comes back, while processes are killed and others change lists.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use rstest::rstest;
use s3core::ops::{AccessControlList, GetObjectAcl, PutObject, PutObjectAcl};
use s3core_gateway::{Fault, Quirks};
use tokio::time::sleep;

use crate::lake::{FILES, Lake, OBJECTS};

const APPLY: [&str; 3] = ["apply", "policy.yaml", "--yes"];

/// A lake whose objects may be read by all; a change of a list leaves their times as they are.
async fn readable() -> Lake {
    let lake = Lake::embedded_as(Quirks::Tentacle).await;
    let keys = keys(&lake).await;
    assert_eq!(keys.len(), OBJECTS);
    for key in keys {
        give(&lake, &key, "AllUsers").await;
    }
    lake
}

async fn keys(lake: &Lake) -> Vec<String> {
    lake.listed("events/").await.into_keys().map(|key| format!("events/{key}")).collect()
}

async fn list(lake: &Lake, key: &str) -> AccessControlList {
    lake.place.gateway.run(GetObjectAcl::new(&lake.place.bucket, key)).await.unwrap()
}

/// Lets a group read an object, and nobody else but its owner.
async fn give(lake: &Lake, key: &str, group: &str) {
    let bucket = &lake.place.bucket;
    let owner = list(lake, key).await.owner().to_owned();
    let grantee = |kind: &str, is: &str, permission: &str| {
        format!(
            "<Grant><Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"{kind}\">{is}</Grantee>\
             <Permission>{permission}</Permission></Grant>"
        )
    };
    let own = grantee("CanonicalUser", &format!("<ID>{owner}</ID>"), "FULL_CONTROL");
    let uri = format!("<URI>http://acs.amazonaws.com/groups/global/{group}</URI>");
    let grants = own + &grantee("Group", &uri, "READ");
    let list = format!(
        "<AccessControlPolicy xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Owner><ID>{owner}</ID></Owner>\
         <AccessControlList>{grants}</AccessControlList></AccessControlPolicy>"
    );
    let list: AccessControlList = list.parse().unwrap();
    lake.place.gateway.run(PutObjectAcl::new(bucket, key, list)).await.unwrap();
}

async fn lists(lake: &Lake) -> BTreeMap<String, String> {
    let mut lists = BTreeMap::new();
    for key in keys(lake).await {
        let list = list(lake, &key).await;
        lists.insert(key, list.as_str().to_owned());
    }
    lists
}

/// Kills a process at the first of its requests for an operation that come after so many of them.
async fn kill_at(lake: &Lake, arguments: &[&str], operation: &str, after: u64) {
    let faults = lake.endpoint().faults();
    // What stalls is never carried out.
    let never = Fault::stall(Duration::from_secs(3600)).operation(operation).after(after);
    let never = if operation == "DeleteObject" { never.key_prefix("events/") } else { never };
    let never = faults.add(never);
    let mut process = lake.start(arguments, 10);
    while faults.injected_by(never) == 0 {
        assert_eq!(process.try_wait().unwrap(), None);
        sleep(Duration::from_millis(2)).await;
    }
    process.kill().unwrap();
    process.wait().unwrap();
    faults.clear();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_changed_after_a_kill_comes_back() {
    let lake = readable().await;
    let mut before = lists(&lake).await;
    kill_at(&lake, &APPLY, "DeleteObject", 30).await;
    let left = keys(&lake).await;
    assert!(!left.is_empty() && left.len() < OBJECTS, "{}", left.len());
    for key in left.iter().step_by(2) {
        give(&lake, key, "AuthenticatedUsers").await;
        before.insert(key.clone(), list(&lake, key).await.as_str().to_owned());
    }
    lake.run(&APPLY);
    let run = lake.only_run(OBJECTS);
    lake.run(&["undo", &run, "policy.yaml"]);
    assert_eq!(lists(&lake).await, before);
}

/// How many objects are in each partition that has any.
fn partitions(keys: &[String]) -> BTreeMap<&str, usize> {
    let mut partitions = BTreeMap::new();
    keys.iter().for_each(|key| *partitions.entry(key.rsplit_once('/').unwrap().0).or_default() += 1);
    partitions
}

/// Of a unit of which a part went before the kill nothing is lost where the lists of the rest may not be read any more: it comes
/// back as a whole at once, or where a part may not even be looked at, by undo.
#[rstest]
#[case::no_lists(false)]
#[case::nothing_of_one_object(true)]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_begun_is_not_lost_where_lists_may_not_be_read_by_now(#[case] is_unseen: bool) {
    let lake = readable().await;
    let all = lists(&lake).await;
    kill_at(&lake, &APPLY, "DeleteObject", 30).await;
    let there = keys(&lake).await;
    let left = partitions(&there);
    let half_gone = left.iter().find(|(_, objects)| **objects < FILES).unwrap().0;
    let one = there.iter().find(|key| key.starts_with(half_gone)).unwrap();
    for (operation, prefix) in
        [("GetObjectAcl", "events/"), ("HeadObject", one)].into_iter().take(1 + usize::from(is_unseen))
    {
        let denied = Fault::error(403, "AccessDenied").operation(operation).key_prefix(prefix);
        lake.endpoint().faults().add(denied);
    }
    let refused = lake.start_patiently(&APPLY).wait_with_output().unwrap();
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    lake.endpoint().faults().clear();
    // It has gone on to its end.
    let history = lake.history();
    let run = history.last().unwrap();
    assert_eq!(run["state"], "done", "{refused:?}");
    let before = if is_unseen {
        lake.run(&["undo", run["run"].as_str().unwrap(), "policy.yaml"]);
        all
    } else {
        // What had gone as a whole is gone.
        all.into_iter().filter(|(key, _)| left.contains_key(key.rsplit_once('/').unwrap().0)).collect()
    };
    assert!(lists(&lake).await == before, "{:?}", keys(&lake).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_a_killed_undo_did_not_give_is_given() {
    let lake = readable().await;
    let before = lists(&lake).await;
    lake.run(&APPLY);
    let run = lake.only_run(OBJECTS);
    let undo = ["undo", run.as_str(), "policy.yaml"];
    kill_at(&lake, &undo, "PutObjectAcl", 30).await;
    lake.run(&undo);
    assert_eq!(lists(&lake).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_has_uploaded_again_keeps_its_list() {
    let lake = readable().await;
    let mut before = lists(&lake).await;
    let keys = keys(&lake).await;
    let mut bodies = BTreeMap::new();
    for key in &keys[..4] {
        bodies.insert(key, lake.place.get(key).await);
    }
    lake.run(&APPLY);
    for (number, (key, body)) in bodies.into_iter().enumerate() {
        lake.place.gateway.run(PutObject::new(&lake.place.bucket, key, Bytes::from(body))).await.unwrap();
        if number % 2 == 0 {
            give(&lake, key, "AuthenticatedUsers").await;
        }
        before.insert(key.clone(), list(&lake, key).await.as_str().to_owned());
    }
    let run = lake.only_run(OBJECTS);
    lake.run(&["undo", &run, "policy.yaml"]);
    assert_eq!(lists(&lake).await, before);
}
