//! Verdicts on partitions and directories.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rstest::rstest;

use super::*;
use crate::inventory::{Object, Table};
use crate::policy::{Age, Met};

fn policy(rules: &str) -> Policy {
    zoned("UTC", "{day:%Y-%m-%d}", rules)
}

fn zoned(zone: &str, time: &str, rules: &str) -> Policy {
    let text = format!(
        "version: 1\nzone: {zone}\ndatasets:\n  - name: events\n    location: s3a://lake/events/\n    \
         age: {{from: partition, time: \"{time}\"}}\n    rules: {rules}\n"
    );
    Policy::read(&text).unwrap_or_else(|findings| panic!("{findings}"))
}

fn partition(policy: &Policy, path: &str, written: &str) -> UnitSummary {
    let Age::Partition(template) = &policy.datasets[0].age else { panic!("partitions") };
    let (prefix, values) = template.partition(path).unwrap();
    let mut unit = UnitSummary::new(&format!("events/{prefix}"), template.interval(&values, &policy.zone));
    unit.add(&object(path, 10, written), Met::default());
    unit
}

fn object<'a>(key: &'a str, bytes: u64, written: &str) -> Object<'a> {
    Object { key, bytes, written: written.parse().unwrap(), class: "STANDARD", tags: None }
}

fn at(moment: &str) -> ZonedDateTime {
    moment.parse::<Timestamp>().unwrap().to_zoned_datetime(TimeZone::UTC)
}

/// The names of the rules that are due, by the day of the partition; other verdicts are words.
fn verdicts(policy: &Policy, units: &[UnitSummary], now: &str) -> Vec<String> {
    let rules = &policy.datasets[0].rules;
    let word = |verdict: Verdict| match verdict {
        Verdict::Due { rule, .. } => rules[rule].name.clone(),
        Verdict::Settling { rule, .. } => format!("settling: {}", rules[rule].name),
        Verdict::OfTable { format } => format!("table: {format:?}"),
        Verdict::Running { key } => format!("running: {key}"),
        Verdict::NotYet { rule, due } => format!("{} at {}", rules[rule].name, due.timestamp()),
        Verdict::Kept { rule } => format!("kept: {}", rules[rule].name),
        Verdict::Held { hold } => format!("held: {hold}"),
        Verdict::Undated => "undated".to_owned(),
        Verdict::Untouched => "untouched".to_owned(),
    };
    let inventory = Inventory { units: units.to_vec(), ..Inventory::default() };
    decide(policy, &policy.datasets[0], &inventory, &at(now)).into_iter().map(word).collect()
}

fn days(policy: &Policy, days: &[&str]) -> Vec<UnitSummary> {
    days.iter().map(|day| partition(policy, &format!("day={day}/x"), "2020-01-01T00:00:00Z")).collect()
}

const COOL_AND_DROP: &str = "[{name: cool, when: {older_than: 30d}, then: {tier: COLD}}, \
                             {name: drop, when: {older_than: 1y}, then: expire}]";

#[test]
fn an_age_counts_from_the_end_of_the_partition() {
    let policy = policy(COOL_AND_DROP);
    let units = days(&policy, &["2023-02-27", "2023-02-28", "2024-01-29", "2024-01-30"]);
    assert_eq!(
        verdicts(&policy, &units, "2024-02-29T00:00:00Z"),
        ["drop", "cool", "cool", "cool at 2024-03-01T00:00:00Z"]
    );
    assert_eq!(verdicts(&policy, &units, "2024-02-29T23:59:59Z")[1], "cool", "until March 1 of the next year");
    assert_eq!(verdicts(&policy, &units, "2024-03-01T00:00:00Z")[1], "drop");
}

#[test]
fn leap_days_end_when_the_calendar_says() {
    let policy = policy("[{name: drop, when: {older_than: 1y}, then: expire}]");
    let units = days(&policy, &["2024-02-28", "2024-02-29"]);
    // The first ends with the beginning of February 29, which a year later is February 28.
    assert_eq!(
        verdicts(&policy, &units, "2025-02-27T23:59:59Z"),
        ["drop at 2025-02-28T00:00:00Z", "drop at 2025-03-01T00:00:00Z"]
    );
}

#[test]
fn ages_are_counted_in_the_zone() {
    let policy = zoned("America/New_York", "{day:%F} {hour}", "[{name: drop, when: {older_than: 1d}, then: expire}]");
    let unit = [partition(&policy, "day=2024-03-09/hour=23/x", "2020-01-01T00:00:00Z")];
    // March 10 has 23 hours there: a day later it is midnight again.
    assert_eq!(verdicts(&policy, &unit, "2024-03-11T03:59:59Z"), ["drop at 2024-03-11T04:00:00Z"]);
    assert_eq!(verdicts(&policy, &unit, "2024-03-11T04:00:00Z"), ["drop"]);
}

#[test]
fn the_most_final_action_counts_whatever_the_order() {
    let rules = "[{name: trash, when: {older_than: 20d}, then: expire}, \
                 {name: away, when: {older_than: 25d}, then: {delete: without_trash}}, \
                 {name: cool, when: {older_than: 1d}, then: {tier: COLD}}]";
    let policy = policy(rules);
    let units = days(&policy, &["2024-01-01", "2024-01-25"]);
    assert_eq!(verdicts(&policy, &units, "2024-01-28T00:00:00Z"), ["away", "cool"]);
}

#[test]
fn what_is_kept_is_neither_removed_nor_tiered() {
    let rules = "[{name: cool, when: {older_than: 1d}, then: {tier: COLD}}, \
                 {name: drop, when: {older_than: 60d}, keep: {newest: 1, of: partition}, then: expire}, \
                 {name: ends, keep: {last_of: month, for: 1y}}]";
    let policy = policy(rules);
    let units = days(
        &policy,
        &["2022-01-31", "2024-01-30", "2024-01-31", "2024-02-28", "2024-02-29", "2024-03-01", "2024-03-05"],
    );
    assert_eq!(
        verdicts(&policy, &units, "2024-06-01T00:00:00Z"),
        ["drop", "drop", "kept: ends", "drop", "kept: ends", "drop", "kept: drop"],
        "January 2022 is older than what is kept for a year"
    );
}

#[rstest]
#[case("week", &["2024-12-29", "2025-01-02", "2025-01-05"], &[true, false, true])]
#[case("month", &["2024-12-29", "2025-01-02", "2025-01-05"], &[true, false, true])]
#[case("year", &["2024-11-01", "2024-12-29", "2025-01-05"], &[false, true, true])]
fn the_last_of_a_stretch_is_kept(#[case] stretch: &str, #[case] given: &[&str], #[case] kept: &[bool]) {
    let policy = policy(&format!(
        "[{{name: drop, when: {{older_than: 1d}}, then: expire}}, {{name: ends, keep: {{last_of: {stretch}}}}}]"
    ));
    let found = verdicts(&policy, &days(&policy, given), "2025-06-01T00:00:00Z");
    assert_eq!(found.iter().map(|word| word.starts_with("kept")).collect::<Vec<_>>(), kept, "{found:?}");
}

#[test]
fn partitions_of_one_time_are_kept_together() {
    let policy = policy("[{name: drop, when: {older_than: 1d}, keep: {newest: 2, of: partition}, then: expire}]");
    let paths = [
        "country=de/day=2024-01-03/x",
        "country=fr/day=2024-01-03/x",
        "country=de/day=2024-01-02/x",
        "country=de/day=2024-01-01/x",
    ];
    let units: Vec<_> = paths.iter().map(|path| partition(&policy, path, "2020-01-01T00:00:00Z")).collect();
    assert_eq!(verdicts(&policy, &units, "2024-06-01T00:00:00Z"), ["kept: drop", "kept: drop", "kept: drop", "drop"]);
}

#[test]
fn partitions_without_data_are_not_counted_as_kept() {
    let rules = "[{name: drop, when: {older_than: 1d}, keep: {newest: 1, of: partition}, then: expire}, \
                 {name: ends, keep: {last_of: month}}]";
    let policy = policy(rules);
    let paths = ["01-30/a", "01-31/", "03-01/a", "03-02/_SUCCESS", "05-01/_chunk-1.bin", "06-30/"];
    let paths = paths.map(|path| format!("day=2024-{path}"));
    let units = paths.map(|path| partition(&policy, &path, "2020-01-01T00:00:00Z"));
    assert_eq!(
        verdicts(&policy, &units, "2024-06-01T00:00:00Z"),
        ["kept: ends", "drop", "kept: ends", "drop", "kept: drop", "drop at 2024-07-02T00:00:00Z"]
    );
}

#[test]
fn a_partition_with_one_new_object_waits_and_tiers() {
    let policy = policy(COOL_AND_DROP);
    let mut unit = partition(&policy, "day=2020-01-01/x", "2020-01-01T00:00:00Z");
    unit.add(&object("events/a", 1, "2024-05-30T00:00:00Z"), Met::default());
    assert_eq!(verdicts(&policy, std::slice::from_ref(&unit), "2024-06-01T00:00:00Z"), ["settling: drop"]);
    assert_eq!(verdicts(&policy, &[unit], "2024-06-06T00:00:00Z"), ["drop"]);
    let mut young = partition(&policy, "day=2024-04-01/x", "2020-01-01T00:00:00Z");
    young.add(&object("events/a", 1, "2024-05-30T00:00:00Z"), Met::default());
    assert_eq!(verdicts(&policy, &[young], "2024-06-01T00:00:00Z"), ["cool"]);
}

#[test]
fn what_is_in_its_class_already_needs_nothing() {
    let policy = policy(COOL_AND_DROP);
    let mut unit = partition(&policy, "day=2024-01-01/x", "2020-01-01T00:00:00Z");
    unit.groups[0].class = "COLD".to_owned();
    assert_eq!(
        verdicts(&policy, std::slice::from_ref(&unit), "2024-06-01T00:00:00Z"),
        ["drop at 2025-01-02T00:00:00Z"]
    );
    unit.add(&object("events/a", 1, "2020-01-01T00:00:00Z"), Met::default());
    assert_eq!(verdicts(&policy, &[unit], "2024-06-01T00:00:00Z"), ["cool"]);
}

#[test]
fn running_jobs_holds_and_undated_partitions_are_left_alone() {
    let mut policy = policy(COOL_AND_DROP);
    policy.holds.push(crate::policy::Hold {
        prefix: "events/day=2019-01-01/country=de/".to_owned(),
        reason: "audit".to_owned(),
        owner: String::new(),
    });
    let mut units = days(&policy, &["2018-01-01", "2019-01-01", "2020-01-01", "__HIVE_DEFAULT_PARTITION__", "someday"]);
    units[0].running = Some("events/day=2018-01-01/_temporary/0/".to_owned());
    assert_eq!(
        verdicts(&policy, &units, "2024-06-01T00:00:00Z"),
        ["running: events/day=2018-01-01/_temporary/0/", "held: 0", "drop", "undated", "undated"]
    );
}

#[test]
fn a_directory_is_as_old_as_its_newest_object() {
    let text = "version: 1\ndatasets:\n  - name: scratch\n    location: s3a://lake/events/\n    \
                age: {from: newest_object}\n    settle: 0d\n    \
                rules: [{name: sweep, when: {older_than: 3d}, then: expire}]\n";
    let policy = Policy::read(text).unwrap();
    let mut unit = UnitSummary::new("events/run-1/", None);
    for written in ["2024-05-01T00:00:00Z", "2024-05-30T12:00:00Z"] {
        unit.add(&object("events/run-1/a", 1, written), Met::default());
    }
    let now = at("2024-06-02T11:59:59Z");
    let due = at("2024-06-02T12:00:00Z");
    let inventory = Inventory { units: vec![unit], ..Inventory::default() };
    let found = |now: &ZonedDateTime| decide(&policy, &policy.datasets[0], &inventory, now).remove(0);
    assert_eq!(found(&now), Verdict::NotYet { rule: 0, due: due.clone() });
    assert_eq!(found(&now.checked_add(1.second()).unwrap()), Verdict::Due { rule: 0, since: due });
}

#[test]
fn of_a_table_with_a_log_nothing_is_removed() {
    let policy = policy(COOL_AND_DROP);
    let units = days(&policy, &["2020-01-01", "2024-04-01"]);
    let table = Table { prefix: "events/".to_owned(), format: TableFormat::Delta };
    let inventory = Inventory { units, tables: vec![table], ..Inventory::default() };
    let verdicts = decide(&policy, &policy.datasets[0], &inventory, &at("2024-06-01T00:00:00Z"));
    assert_eq!(verdicts[0], Verdict::OfTable { format: TableFormat::Delta });
    assert!(matches!(verdicts[1], Verdict::Due { rule: 0, .. }), "it may tier: {:?}", verdicts[1]);
}

#[test]
fn the_log_of_a_table_does_not_move_either() {
    let policy = policy("[{name: cool, when: {older_than: 1d}, then: {tier: COLD}}]");
    let units = days(&policy, &["2024-01-01", "2024-01-02"]);
    let table = Table { prefix: "events/day=2024-01-01/".to_owned(), format: TableFormat::Iceberg };
    let inventory = Inventory { units, tables: vec![table], ..Inventory::default() };
    let verdicts = decide(&policy, &policy.datasets[0], &inventory, &at("2024-06-01T00:00:00Z"));
    assert_eq!(verdicts[0], Verdict::OfTable { format: TableFormat::Iceberg });
    assert!(matches!(verdicts[1], Verdict::Due { .. }), "{verdicts:?}");
}

#[test]
fn a_unit_goes_from_class_to_class_and_not_back() {
    let rules = "[{name: frozen, when: {older_than: 90d}, then: {tier: FROZEN}}, \
                 {name: cool, when: {older_than: 30d}, then: {tier: COLD}}]";
    let policy = policy(rules);
    let mut unit = partition(&policy, "day=2024-01-01/x", "2020-01-01T00:00:00Z");
    for (class, now, expected) in [
        ("STANDARD", "2024-02-15T00:00:00Z", "cool"),
        ("COLD", "2024-02-15T00:00:00Z", "frozen at 2024-04-01T00:00:00Z"),
        ("COLD", "2024-05-01T00:00:00Z", "frozen"),
        ("STANDARD", "2024-05-01T00:00:00Z", "frozen"),
        ("FROZEN", "2024-05-01T00:00:00Z", "untouched"),
    ] {
        unit.groups[0].class = class.to_owned();
        assert_eq!(verdicts(&policy, std::slice::from_ref(&unit), now), [expected], "{class} {now}");
    }
}

/// A day of objects `name`, of so many bytes, in a class.
fn day(policy: &Policy, objects: &[(&str, u64, &str)]) -> UnitSummary {
    let mut unit = partition(policy, "day=2024-01-01/x", "2020-01-01T00:00:00Z");
    (unit.groups, unit.objects, unit.bytes) = (Vec::new(), 0, 0);
    for (name, bytes, class) in objects {
        let key = format!("events/day=2024-01-01/{name}");
        let written = "2020-01-01T00:00:00Z".parse().unwrap();
        let object = Object { key: &key, bytes: *bytes, written, class, tags: None };
        unit.add(&object, policy.datasets[0].met(&object));
    }
    unit
}

#[test]
fn conditions_select_objects_inside_a_unit() {
    let rules = "[{name: large, when: {older_than: 30d, larger_than: 100}, then: {tier: COLD}}, \
                 {name: logs, when: {older_than: 60d, name: '*.log'}, then: {tier: FROZEN}}]";
    let policy = policy(rules);
    let dataset = &policy.datasets[0];
    let (february, may) = (at("2024-02-15T00:00:00Z"), at("2024-05-01T00:00:00Z"));
    let select = |unit: &UnitSummary, now: &ZonedDateTime| {
        let judge = Judge::new(&policy, dataset, &[], now);
        match judge.of(unit) {
            Verdict::Due { rule, .. } => {
                let Selection { objects, bytes, is_partial, .. } = judge.selection(unit, rule);
                (dataset.rules[rule].name.clone(), objects, bytes, is_partial)
            }
            verdict => (verdict.word().to_owned(), 0, 0, false),
        }
    };
    let due = |rule: &str, objects, bytes, is_partial| (rule.to_owned(), objects, bytes, is_partial);
    let mixed = day(&policy, &[("a", 100, "STANDARD"), ("b", 101, "STANDARD"), ("c.log", 200, "STANDARD")]);
    assert_eq!(select(&mixed, &february), due("large", 2, 301, true));
    assert_eq!(select(&mixed, &may), due("logs", 1, 200, true), "the rule of the greater age comes first");
    let moved = day(&policy, &[("a", 100, "STANDARD"), ("b", 101, "STANDARD"), ("c.log", 200, "FROZEN")]);
    assert_eq!(select(&moved, &may), due("large", 1, 101, true), "and takes nothing back");
    let done = day(&policy, &[("a", 100, "STANDARD"), ("b", 101, "COLD"), ("c.log", 200, "FROZEN")]);
    assert_eq!(select(&done, &may), due("untouched", 0, 0, false));
    let large = day(&policy, &[("b", 101, "STANDARD"), ("c", 102, "COLD")]);
    assert_eq!(select(&large, &may), due("large", 2, 203, false), "all of it moves as a whole");
    let small = day(&policy, &[("a", 1, "STANDARD")]);
    assert_eq!(select(&small, &may), due("untouched", 0, 0, false));
}

#[rstest]
#[case("larger_than: 10", &["b", "c.tmp"])]
#[case("smaller_than: 11", &["a"])]
#[case("name: '*.tmp'", &["c.tmp"])]
#[case("storage_class: COLD", &["b"])]
#[case("name: '*.tmp', smaller_than: 11", &[])]
fn conditions_select_objects_that_are_units(#[case] condition: &str, #[case] due: &[&str]) {
    let text = format!(
        "version: 1\ndatasets:\n  - name: scratch\n    location: s3a://lake/events/\n    unit: object\n    \
         age: {{from: newest_object}}\n    settle: 0d\n    \
         rules: [{{name: sweep, when: {{older_than: 3d, {condition}}}, then: expire}}]\n"
    );
    let policy = Policy::read(&text).unwrap();
    let units: Vec<_> = [("a", 10, "STANDARD"), ("b", 11, "COLD"), ("c.tmp", 12, "STANDARD")]
        .into_iter()
        .map(|(name, bytes, class)| {
            let (key, written) = (format!("events/{name}"), "2020-01-01T00:00:00Z".parse().unwrap());
            let mut unit = UnitSummary::new(&key, None);
            let object = Object { key: &key, bytes, written, class, tags: None };
            unit.add(&object, policy.datasets[0].met(&object));
            unit
        })
        .collect();
    let words = verdicts(&policy, &units, "2024-06-01T00:00:00Z");
    let found: Vec<_> =
        units.iter().zip(words).filter(|(_, word)| word == "sweep").map(|(unit, _)| &unit.prefix[7..]).collect();
    assert_eq!(found, due);
}
