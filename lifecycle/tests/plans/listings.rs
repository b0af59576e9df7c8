//! Directories of all sizes are listed together, and what is found is what lies there.

use std::sync::atomic::Ordering;

use jiff::Timestamp;
use s3core::gateway::Gateway;
use s3life::inventory::{Inventory, InventoryBuilder, Object};
use s3life::listing::{Lister, Pace, Range};
use s3life::policy::Policy;

use super::in_flight::InFlight;
use super::lake::{Lake, summary};

const NOW: &str = "2030-01-01T00:00:00Z";

const KINDS: [&str; 3] = [
    "age: {from: partition, time: \"{day:%F}\"}",
    "age: {from: newest_object}",
    "age: {from: newest_object}\n    unit: object",
];

/// Days of two files among which some are large, some are gone, and some have neighbours that sort between their name and
/// their slash, or right behind it; jobs that are at work, and files in no directory.
fn keys(days: u64, large: u64) -> Vec<String> {
    let mut keys = Vec::new();
    for number in 0..days {
        let day = format!("events/day=20{:02}-{:02}-{:02}", 10 + number / 300, 1 + number % 300 / 25, 1 + number % 25);
        let files = if number % 50 == 7 { large } else { number % 4 };
        keys.extend((0..files).map(|file| format!("{day}/part-{file:05}")));
        match number % 20 {
            1 => keys.push(format!("{day}/_SUCCESS")),
            2 => keys.push(format!("{day}-old/a")),
            3 => keys.push(format!("{day}.bak/a")),
            4 => keys.push(day),
            5 => keys.push(format!("{day}0")),
            6 => keys.push(format!("{day}/_temporary/0/a")),
            8 => keys.push(format!("{day}.\u{1F600}/a")),
            9 => keys.push(format!("{day}/")),
            _ => {}
        }
    }
    keys.sort_unstable();
    keys
}

/// By one listing without any cuts.
async fn flat(lake: &Lake, policy: &Policy) -> Inventory {
    let lister = Lister::new(lake.gateway.clone(), &lake.bucket, Pace::default());
    let mut builder = InventoryBuilder::new(&policy.datasets[0], &policy.zone);
    let mut pages = lister.in_order(vec![Range::all("events/", 1_000_000)]).next_range().unwrap();
    while let Some(page) = pages.next().await.unwrap() {
        for listed in &page {
            let written = Timestamp::try_from(listed.modified.unwrap()).unwrap();
            builder.add(&Object { key: &listed.key, bytes: listed.length, written, class: "STANDARD", tags: None });
        }
    }
    builder.finish(&[], &now().to_zoned_datetime(policy.zone.clone()))
}

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn policy(bucket: &str, kind: &str) -> String {
    format!(
        "version: 1\ndefaults: {{guard: {{max_removed: none}}}}\ndatasets:\n  - name: events\n    \
         location: s3a://{bucket}/events/\n    {kind}\n    \
         rules: [{{name: drop, when: {{older_than: 1d}}, then: expire}}]\n"
    )
}

async fn check(lake: &Lake) {
    for kind in KINDS {
        let policy = Policy::read(&policy(&lake.bucket, kind)).unwrap();
        let lister = Lister::new(lake.gateway.clone(), &lake.bucket, Pace::default());
        let now = now().to_zoned_datetime(policy.zone.clone());
        let survey = lister.survey(&policy, &policy.datasets[0], &now, Some(String::new())).await.unwrap();
        let expected = flat(lake, &policy).await;
        assert!(expected.units.len() > 5 && !expected.jobs.is_empty(), "{kind}");
        let found = survey.inventory;
        // Says which one, where one is wrong.
        for (found, expected) in found.units.iter().zip(&expected.units) {
            assert_eq!(found, expected, "{kind}");
        }
        assert_eq!(found, expected, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_together_on_ceph_is_what_lies_there() {
    let lake = Lake::new().await;
    lake.put_all(keys(120, 250)).await;
    check(&lake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_together_is_what_lies_there() {
    let (_endpoint, lake) = seeded(keys(600, 2500)).await;
    check(&lake).await;
}

/// Partitions of `days`, with so many files each.
fn days(days: std::ops::Range<i64>, files: usize) -> impl Iterator<Item = String> {
    let day = |number| jiff::civil::date(2020, 1, 1).checked_add(jiff::Span::new().days(number)).unwrap();
    days.flat_map(move |number| (0..files).map(move |file| format!("events/day={}/{file:05}", day(number))))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_small_partitions_cost_few_requests() {
    let (endpoint, lake) = seeded(days(0..1000, 5)).await;
    lake.policy(&policy("BUCKET", KINDS[0]));
    let plan = lake.planned(NOW);
    assert_eq!(summary(&plan)["rules"]["drop"]["units"], 1000, "{}", summary(&plan));
    let listings = endpoint.request_counts()["ListObjectsV2"];
    assert!(listings < 50, "{listings} listings of a thousand partitions");
}

/// Only what fills a page goes on from one to the next.
#[tokio::test(flavor = "multi_thread")]
async fn large_partitions_among_small_ones_are_listed_side_by_side() {
    let (_endpoint, lake) = seeded(days(0..300, 2).chain(days(300..308, 5000)).chain(days(308..600, 2))).await;
    let policy = Policy::read(&policy(&lake.bucket, KINDS[0])).unwrap();
    let (environment, most) = InFlight::before(lake.gateway.environment().clone(), "GET", "continuation-token=");
    let gateway = Gateway::new(lake.gateway.settings().clone(), environment);
    let lister = Lister::new(gateway, &lake.bucket, Pace::default());
    let now = now().to_zoned_datetime(policy.zone.clone());
    let survey = lister.survey(&policy, &policy.datasets[0], &now, None).await.unwrap();
    assert_eq!(survey.inventory.total.objects, 2 * 592 + 8 * 5000);
    let most = most.load(Ordering::SeqCst);
    assert!(most >= 8, "{most} of eight at once");
}

/// What lies between two units may belong to one that is around them.
#[tokio::test(flavor = "multi_thread")]
async fn units_in_units_are_listed_without_what_lies_between() {
    let around = (0..6000).map(|file| format!("events/a/c/{file:05}"));
    let units = ["events/a/_SUCCESS", "events/a/b/_SUCCESS", "events/a/d/_SUCCESS", "events/b/_SUCCESS", "events/b/1"];
    let (endpoint, lake) = seeded(units.iter().map(|key| (*key).to_owned()).chain(around)).await;
    let hold = "hold: [{path: \"s3a://BUCKET/events/a/c/\", reason: audit}]\n";
    lake.policy(&policy("BUCKET", KINDS[1]).replace("datasets:", &format!("{hold}datasets:")));
    let plan = lake.planned(NOW);
    assert_eq!(super::lake::units(&plan, "drop"), ["events/a/b/", "events/a/d/", "events/b/"]);
    let listings = endpoint.request_counts()["ListObjectsV2"];
    assert!(listings < 25, "{listings} listings");
}

async fn seeded(keys: impl IntoIterator<Item = String>) -> (s3core_gateway::Gateway, Lake) {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    endpoint.set_backdating(std::time::Duration::from_secs(86_400 * 30));
    let lake = Lake::embedded(&endpoint).await;
    endpoint.seed(&lake.bucket, b"ten bytes.", keys).unwrap();
    endpoint.reset_requests();
    (endpoint, lake)
}
