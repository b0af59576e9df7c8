//! Which partitions a plan names.

use super::dates::{Date, days, days_of, plus_days, plus_year, text};
use super::lake::{Lake, summary, units};

const EVENTS: &str = "\
version: 1
zone: Europe/Berlin
hold:
  - {path: \"s3a://BUCKET/events/day=2036-01-15/\", reason: audit, owner: risk}
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%Y-%m-%d}\"}
    guard: {max_removed: none}
    rules:
      - {name: cool, when: {older_than: 30d}, then: {tier: COLD}}
      - name: drop
        when: {older_than: 1y}
        keep: {newest: 24, of: partition}
        then: expire
      - {name: month_ends, keep: {last_of: month, for: 7y}}
";

const FIRST: Date = (2035, 12, 1);
const HELD: Date = (2036, 1, 15);

fn prefix(date: &Date) -> String {
    format!("events/day={}/", text(*date))
}

/// What the policy means on `today`, a day that has begun.
fn expected(all: &[Date], today: Date) -> (Vec<String>, Vec<String>) {
    let is_kept = |index: usize, date: &Date| {
        *date == HELD || index + 24 >= all.len() || date.2 == days_of(*date) || index + 1 == all.len()
    };
    let free = all.iter().enumerate().filter(|(index, date)| !is_kept(*index, date)).map(|(_, date)| date);
    // A day is over when the next one begins.
    let (drop, rest): (Vec<&Date>, Vec<&Date>) = free.partition(|date| plus_year(plus_days(**date, 1)) <= today);
    let cool = rest.into_iter().filter(|date| plus_days(**date, 31) <= today);
    (drop.into_iter().map(prefix).collect(), cool.map(prefix).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_400_days_a_plan_names_those_that_the_policy_means() {
    let lake = Lake::new().await;
    lake.policy(EVENTS);
    let all = days(FIRST, 400);
    lake.put_all(all.iter().map(|date| format!("{}part-0", prefix(date)))).await;
    lake.put("events/_SUCCESS").await;
    lake.put("events/day=__HIVE_DEFAULT_PARTITION__/part-0").await;
    lake.rest().await;
    // In winter a day begins in Berlin at 23:00 UTC.
    for (now, today) in [
        ("2036-12-31T22:59:59Z", (2036, 12, 31)),
        ("2036-12-31T23:00:00Z", (2037, 1, 1)),
        ("2037-02-28T22:59:59Z", (2037, 2, 28)),
        ("2037-02-28T23:00:00Z", (2037, 3, 1)),
        ("2037-03-01T23:00:00Z", (2037, 3, 2)),
        ("2039-01-01T12:00:00Z", (2039, 1, 1)),
    ] {
        let plan = lake.planned(now);
        let (drop, cool) = expected(&all, today);
        assert_eq!(units(&plan, "drop"), drop, "{now}");
        assert_eq!(units(&plan, "cool"), cool, "{now}");
        assert_eq!(plan["plan"]["zone"], "Europe/Berlin");
        let summary = summary(&plan);
        assert_eq!(summary["total"]["units"], 401, "{now}");
        assert_eq!(summary["outside"]["objects"], 1);
        assert_eq!((&summary["left"]["held"], &summary["left"]["undated"]), (&1.into(), &1.into()), "{now}");
        assert_eq!(summary["rules"]["drop"]["bytes"].as_u64().unwrap_or(0), 10 * drop.len() as u64);
    }
    let (before, _) = expected(&all, (2037, 2, 28));
    assert!(before.contains(&prefix(&(2036, 2, 28))), "February 29, a year later, is February 28");
    let later = lake.planned("2044-06-01T00:00:00Z");
    assert!(units(&later, "drop").contains(&prefix(&(2036, 2, 29))), "the last of a month is kept for seven years");
    let all_but_kept = 400 - 24 - 1;
    assert_eq!(units(&later, "drop").len(), all_but_kept, "and so are the 24 newest, and what is held");
}

const COLUMNS: &str = "\
version: 1
zone: UTC
defaults: {guard: {max_removed: none}, settle: 0h}
datasets:
  - name: hours
    location: s3a://BUCKET/hours/
    age: {from: partition, time: \"{day:%F} {hour}\"}
    rules: [{name: drop_hours, when: {older_than: 12h}, then: expire}]
  - name: three
    location: s3a://BUCKET/three/
    age: {from: partition, time: \"{year}-{month}-{day}\"}
    rules: [{name: drop_three, when: {older_than: 1mo}, then: expire}]
  - name: two
    location: s3a://BUCKET/two/
    age: {from: partition, time: \"{ym:%Y-%m}-{dom:%d}\"}
    rules: [{name: drop_two, when: {older_than: 1d}, then: expire}]
  - name: stamps
    location: s3a://BUCKET/stamps/
    age: {from: partition, time: \"{ts:%Y-%m-%d %H:%M}\"}
    rules: [{name: drop_stamps, when: {older_than: 1h}, then: expire}]
  - name: odd
    location: s3a://BUCKET/odd/
    age: {from: partition, time: \"{day:%F}\"}
    rules: [{name: drop_odd, when: {older_than: 1d}, then: expire}]
";

#[tokio::test(flavor = "multi_thread")]
async fn partitions_are_dated_by_their_columns() {
    let lake = Lake::new().await;
    lake.policy(COLUMNS);
    let hour = |hour: u32| format!("hours/day=2036-03-01/hour={hour:02}/");
    let undated = ["day=2036-02-30/", "day=36-02-03/", "day=__HIVE_DEFAULT_PARTITION__/"];
    lake.put_all((0..24).map(|number| format!("{}x", hour(number)))).await;
    let others = [
        "three/year=2036/month=1/day=30/",
        "three/year=2036/month=01/day=31/",
        "three/year=2036/month=2/day=2/",
        "two/ym=2036-02/dom=29/",
        "two/ym=2036-02/country=de/dom=28/",
        "two/ym=2036-03/dom=01/",
        "stamps/ts=2036-03-02 04%3A58/",
        "stamps/ts=2036-03-02 04%3A59/",
        "stamps/ts=2036-03-02 05%3A00/",
        "odd/day=2036-02-28/",
    ];
    lake.put_all(others.iter().map(|prefix| format!("{prefix}x"))).await;
    lake.put_all(undated.iter().map(|prefix| format!("odd/{prefix}x"))).await;
    lake.rest().await;
    let plan = lake.planned("2036-03-02T06:00:00Z");
    // 17 o'clock is over at 18:00, twelve hours before.
    assert_eq!(units(&plan, "drop_hours"), (0..18).map(hour).collect::<Vec<_>>());
    // January 30 is over on the 31st, a month after which is February 29; January 31 on February 1.
    assert_eq!(units(&plan, "drop_three"), ["three/year=2036/month=01/day=31/", "three/year=2036/month=1/day=30/"]);
    // February 29 is over on March 1, a day before.
    assert_eq!(units(&plan, "drop_two"), ["two/ym=2036-02/country=de/dom=28/", "two/ym=2036-02/dom=29/"]);
    assert_eq!(units(&plan, "drop_stamps"), ["stamps/ts=2036-03-02 04%3A58/", "stamps/ts=2036-03-02 04%3A59/"]);
    assert_eq!(units(&plan, "drop_odd"), ["odd/day=2036-02-28/"]);
    let datasets: Vec<_> =
        plan["units"].as_array().unwrap().iter().map(|unit| unit["dataset"].as_str().unwrap()).collect();
    let mut in_order = datasets.clone();
    in_order.dedup();
    assert_eq!(in_order, ["hours", "three", "two", "stamps", "odd"], "in the policy's order");
    assert_eq!(plan["end"]["datasets"][4]["left"]["undated"], 3);
    let said = lake.plan(&["--now", "2036-03-02T06:00:00Z"]);
    let first = said.out.lines().next().unwrap();
    assert_eq!(first, "ages are counted in UTC, up to 2036-03-02T06:00:00Z", "the zone comes first");
    assert!(
        said.out.contains("undated: 3 partitions whose values say no time, such as odd/day=2036-02-30/"),
        "{}",
        said.out
    );
    assert!(said.out.contains("\nnot to be applied: at the gateway it is 20"), "{}", said.out);
    let past = lake.plan(&["--now", "2026-01-01T00:00:00Z", "--expires", "2h"]);
    assert!(past.out.contains("\nto be applied until 20"), "{}", past.out);
    assert!(said.out.contains("drop_two (expire): 2 units, 2 objects, 20 B"), "{}", said.out);
    assert!(said.out.contains("two/ym=2036-02/country=de/dom=28/ to two/ym=2036-02/dom=29/"), "{}", said.out);
}

const CONDITIONS: &str = "\
version: 1
datasets:
  - name: events
    location: s3a://BUCKET/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: logs, when: {older_than: 1d, name: '*.log'}, then: {tier: COLD}}
      - {name: all, when: {older_than: 1y}, then: {tier: COLD}}
";

#[tokio::test(flavor = "multi_thread")]
async fn conditions_select_objects_inside_partitions() {
    let lake = Lake::new().await;
    lake.policy(CONDITIONS);
    lake.put_all(["events/day=2036-01-01/a", "events/day=2036-01-01/b.log", "events/day=2036-01-02/a"]).await;
    lake.put_in("events/day=2036-01-01/c.log", Some("COLD")).await;
    lake.rest().await;
    let plan = lake.planned("2036-02-01T00:00:00Z");
    assert_eq!(units(&plan, "logs"), ["events/day=2036-01-01/"]);
    let unit = &plan["units"][0];
    assert_eq!(
        (&unit["objects"], &unit["partial"], &unit["action"]["tier"]),
        (&1.into(), &true.into(), &"COLD".into())
    );
    let later = lake.planned("2037-02-01T00:00:00Z");
    assert_eq!(units(&later, "all"), ["events/day=2036-01-01/", "events/day=2036-01-02/"]);
    assert_eq!((&later["units"][0]["objects"], &later["units"][0]["partial"]), (&3.into(), &serde_json::Value::Null));
}
