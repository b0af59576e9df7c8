//! What lies around a dataset's location and concerns it: logs of tables, and jobs.

use jiff::{Timestamp, ToSpan};
use rstest::rstest;
use s3core::ops::DeleteObject;
use s3core_gateway::Fault;
use s3life::inventory::{Inventory, TableFormat};
use s3life::listing::{Lister, Pace};
use s3life::policy::Policy;

use super::lake::{Lake, summary, units};

const POLICY: &str = "\
version: 1
defaults: {settle: 0h, guard: {max_removed: none}}
datasets:
  - name: rows
    location: s3a://BUCKET/wh/db/t/data/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 1d}, then: {tier: COLD}}
      - {name: drop, when: {older_than: 1y}, then: expire}
";

const DAY: &str = "wh/db/t/data/day=2020-01-01/a";

/// What the names beside a location mean.
#[derive(Debug, PartialEq)]
enum Means {
    Nothing,
    Table(&'static str, TableFormat),
    /// A job's tree.
    Job(&'static str),
}

const CASES: [(&[&str], Means); 17] = [
    (&["wh/db/t/metadata/00001-7c1d.metadata.json"], Means::Table("wh/db/t/", TableFormat::Iceberg)),
    (&["wh/db/t/metadata/version-hint.text"], Means::Table("wh/db/t/", TableFormat::Iceberg)),
    (&["wh/_delta_log/0.json"], Means::Table("wh/", TableFormat::Delta)),
    (&[".hoodie/hoodie.properties"], Means::Table("", TableFormat::Hudi)),
    (&["wh/db/_spark_metadata/0"], Means::Table("wh/db/", TableFormat::StreamingSink)),
    (&["wh/metadata", "wh/offsets/0", "wh/commits/0"], Means::Table("wh/", TableFormat::StreamingCheckpoint)),
    (&["wh/db/t/_temporary/0/x"], Means::Job("wh/db/t/_temporary/")),
    (&[".spark-staging-7c1d/day=2020-01-01/x"], Means::Job(".spark-staging-7c1d/")),
    (&["wh/__magic/job-1/x"], Means::Job("wh/__magic/")),
    (&["wh/db/_s3core_job-7c1d/_s3core_job"], Means::Job("wh/db/_s3core_job-7c1d/")),
    (&["wh/.hive-staging_hive_1/x"], Means::Job("wh/.hive-staging_hive_1/")),
    (&["wh/db/t/metadata/notes.txt", "wh/db/t/metadata/v", "wh/db/t/metadata/a/version-hint.text"], Means::Nothing),
    (&["wh/db/other/_delta_log/0.json"], Means::Nothing),
    (&["wh/metadata-of-others", "wh/offsets/0", "wh/commits/0"], Means::Nothing),
    (&["wh/_temporary", "wh/_temporary-notes/x", "wh/_delta_log"], Means::Nothing),
    (&["wh/db/other/_temporary/0/x"], Means::Nothing),
    (&["wh/db/t2/.hoodie/x", "wh/d/_delta_log/0.json"], Means::Nothing),
];

async fn survey(lake: &Lake, now: Timestamp) -> Inventory {
    let policy = Policy::read(&POLICY.replace("BUCKET", &lake.bucket)).unwrap();
    let lister = Lister::new(lake.gateway.clone(), &lake.bucket, Pace::default());
    let now = now.to_zoned_datetime(policy.zone.clone());
    lister.survey(&policy, &policy.datasets[0], &now, None).await.unwrap().inventory
}

/// So many names that nobody looks at all of them.
fn many() -> impl Iterator<Item = String> {
    let places = ["", "wh/", "wh/db/", "wh/db/t/"];
    places.into_iter().flat_map(|place| (0..110).map(move |number| format!("{place}_{number:03}/x")))
}

async fn check(lake: &Lake) {
    lake.put(DAY).await;
    let written = lake.newest(DAY).await;
    let later = |hours: i64| written.checked_add(hours.hours()).unwrap();
    for (keys, means) in CASES {
        lake.put_all(keys).await;
        let found = survey(lake, later(6 * 24)).await;
        let tables: Vec<_> = found.tables.iter().map(|table| (table.prefix.as_str(), table.format)).collect();
        let running = found.units[0].running.as_deref();
        assert_eq!((found.units.len(), found.jobs.as_slice()), (1, &[][..]), "{keys:?}");
        match means {
            Means::Nothing => assert_eq!((tables, running), (vec![], None), "{keys:?}"),
            Means::Table(prefix, format) => {
                assert_eq!((tables, running), (vec![(prefix, format)], None), "{keys:?}");
            }
            Means::Job(tree) => {
                assert_eq!((tables, running), (vec![], Some(tree)), "{keys:?}");
                assert_eq!(found.jobs_above, [tree]);
                // Abandoned after seven days.
                assert_eq!(survey(lake, later(8 * 24)).await.units[0].running, None, "{keys:?}");
            }
        }
        for key in keys {
            lake.gateway.run(DeleteObject::new(&lake.bucket, key)).await.unwrap();
        }
    }
}

#[rstest]
#[case::with_few_names(false)]
#[case::with_many_names(true)]
#[tokio::test(flavor = "multi_thread")]
async fn names_around_a_location_tell_on_ceph(#[case] is_wide: bool) {
    let lake = Lake::new().await;
    if is_wide {
        lake.put_all(many()).await;
    }
    check(&lake).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn names_around_a_location_tell_and_cost_few_requests() {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    let lake = Lake::embedded(&endpoint).await;
    check(&lake).await;
    let listings = async || {
        endpoint.reset_requests();
        survey(&lake, Timestamp::now()).await;
        endpoint.request_counts()["ListObjectsV2"]
    };
    let with_few = listings().await;
    assert!(with_few <= 8, "{with_few} listings of one partition, four of them around it");
    // Names by the hundred thousand cost no more than some hundred.
    endpoint.seed(&lake.bucket, b"x", (0..100_000).map(|number| format!("wh/_{number:06}"))).unwrap();
    let with_many = listings().await;
    assert!(with_many <= with_few + 12, "{with_many} listings with a directory of many names");
    endpoint.seed(&lake.bucket, b"x", many()).unwrap();
    check(&lake).await;
    // Whoever may look into the location only is not kept from planning.
    let denied = Fault::error(403, "AccessDenied").operation("ListObjectsV2").query("max-keys", "100");
    let denied = endpoint.faults().add(denied);
    assert_eq!(survey(&lake, Timestamp::now()).await.units.len(), 1);
    assert_eq!(endpoint.faults().injected_by(denied), 4);
}

/// The layout of an Iceberg table: files of partitions may change their class, and go by its own procedure only.
#[tokio::test(flavor = "multi_thread")]
async fn a_table_around_a_location_and_a_job_there_are_told() {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    endpoint.set_backdating(std::time::Duration::from_secs(3600));
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(&POLICY.replace("      - {name: cool, when: {older_than: 1d}, then: {tier: COLD}}\n", ""));
    lake.put(DAY).await;
    let now = Timestamp::now().to_string();
    assert_eq!(units(&lake.planned(&now), "drop"), ["wh/db/t/data/day=2020-01-01/"]);
    lake.put("wh/db/t/metadata/v1.metadata.json").await;
    let plan = lake.planned(&now);
    assert_eq!((units(&plan, "drop").len(), &summary(&plan)["left"]["of a table"]), (0, &1.into()), "{plan}");
    let said = lake.plan(&["--now", &now]);
    assert!(said.out.contains("  wh/db/t/ is an Iceberg table: old data goes by DELETE"), "{}", said.out);
    let cool = POLICY.replace("      - {name: drop, when: {older_than: 1y}, then: expire}\n", "");
    lake.policy(&cool.replace("COLD", "STANDARD_IA"));
    assert_eq!(units(&lake.planned(&now), "cool"), ["wh/db/t/data/day=2020-01-01/"]);
    lake.put("wh/.spark-staging-7c1d/db=x/b").await;
    let plan = lake.planned(&now);
    assert_eq!((units(&plan, "cool").len(), &summary(&plan)["left"]["running"]), (0, &1.into()), "{plan}");
    let said = lake.plan(&["--now", &now]);
    assert!(said.out.contains("  at work around it: wh/.spark-staging-7c1d/"), "{}", said.out);
}

/// All that a plan asks, whatever for: no request for each partition.
#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_four_hundred_partitions_sends_few_requests() {
    let endpoint = s3core_gateway::Gateway::builder().start().unwrap();
    endpoint.set_backdating(std::time::Duration::from_secs(3600));
    let lake = Lake::embedded(&endpoint).await;
    lake.policy(&POLICY.replace("COLD", "STANDARD_IA"));
    let day = |number: i64| jiff::civil::date(2020, 1, 1).checked_add(number.days()).unwrap();
    let keys = (0..400).flat_map(|number| [1, 2].map(|file| format!("wh/db/t/data/day={}/{file}", day(number))));
    endpoint.seed(&lake.bucket, b"ten bytes.", keys).unwrap();
    endpoint.reset_requests();
    assert_eq!(units(&lake.planned(&Timestamp::now().to_string()), "drop").len(), 400);
    let sent = endpoint.request_counts();
    let all: u64 = sent.values().sum();
    assert!(all < 50, "{sent:?}");
}
