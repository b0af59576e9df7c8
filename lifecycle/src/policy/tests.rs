//! Policies that are right, and what is said of those that are wrong.

use rstest::rstest;

use super::*;

const EXAMPLE: &str = include_str!("../../examples/policy.yaml");

#[test]
fn the_example_is_understood() {
    let policy = Policy::read(EXAMPLE).unwrap();
    assert_eq!((policy.zone_name.as_str(), policy.bucket.as_str()), ("UTC", "lake"));
    let [hold] = policy.holds.as_slice() else { panic!("one hold") };
    assert_eq!((hold.prefix.as_str(), hold.owner.as_str()), ("events/day=2024-03-01/", "risk"));
    let [events, scratch] = policy.datasets.as_slice() else { panic!("two datasets") };
    assert_eq!((events.prefix.as_str(), events.unit, scratch.unit), ("events/", Unit::Partition, Unit::Directory));
    assert_eq!(events.catalog.as_ref().map(|catalog| catalog.table.as_str()), Some("events"));
    assert_eq!((events.guard, scratch.guard), (Some(Guard { percent: 20, within: Period::days(30) }), None));
    let actions = |dataset: &Dataset| dataset.rules.iter().map(|rule| rule.action.clone()).collect::<Vec<_>>();
    assert_eq!(actions(events), [Some(Action::Tier("COLD".into())), Some(Action::Expire), None]);
    assert_eq!(actions(scratch), [Some(Action::Expire), Some(Action::AbortUploads)]);
    let keeps: Vec<_> = events.rules.iter().filter_map(|rule| rule.keep).collect();
    assert_eq!(keeps, [Keep::Newest(24), Keep::LastOf(Stretch::Month, Some("7y".parse().unwrap()))]);
}

/// The example with `from` in it replaced by `to`.
fn wrong(from: &str, to: &str) -> Findings {
    assert!(EXAMPLE.contains(from), "{from}");
    Policy::read(&EXAMPLE.replacen(from, to, 1)).unwrap_err()
}

#[rstest]
#[case("version: 1", "version: 2", 1, "version 1")]
#[case("zone: UTC", "zone: Mars", 2, "IANA name")]
#[case("trash: 7d", "trash: 7m", 4, "is no period")]
#[case("trash: 7d", "abandoned_after: 3h", 4, "24h or more")]
#[case("20% per 30d", "a lot", 7, "20% per 30d")]
#[case("20% per 30d", "120% per 30d", 7, "20% per 30d")]
#[case("s3a://lake/events/day=2024-03-01/", "s3a://lake/elsewhere/", 9, "protects nothing")]
#[case("name: events", "name: all events", 11, "letters, digits")]
#[case("location: s3a://lake/events/", "location: events", 12, "write s3a://")]
#[case("location: s3a://lake/events/", "location: s3a://lake/tmp/x/", 23, "overlap")]
#[case("location: s3a://lake/tmp/", "location: s3a://other/tmp/", 23, "outside the bucket")]
#[case("{day:%Y-%m-%d}", "{day:%d}", 13, "leaves the year open")]
#[case("{from: newest_object}", "{from: newest_object, time: x}", 24, "from: partition")]
#[case("table: lake.events", "table: events", 14, "database.table")]
#[case("thrift://metastore:9083", "metastore:9083", 14, "write thrift://HOST:9083")]
#[case(
    "age: {from: newest_object}",
    "catalog: {uri: \"thrift://m:1\", table: a.b}\n    age: {from: newest_object}",
    24,
    "from: partition"
)]
#[case("{tier: COLD}", "{tier: 'C OLD'}", 16, "storage class")]
#[case("{older_than: 30d}", "{older_than: 3y}", 16, "can never apply: drop")]
#[case("older_than: 2y", "larger_than: 1MiB, older_than: 2y", 17, "whole units")]
#[case("{older_than: 2y}", "{}", 17, "would take everything")]
#[case("newest: 24, of: partition", "newest: 24", 19, "newest: 24, of: partition")]
#[case("name: month_ends,", "name: month_ends, when: {older_than: 1y},", 21, "`keep` counts always")]
#[case("name: month_ends,", "name: month_ends, when: {name: x},", 21, "`keep` counts always")]
#[case("name: month_ends", "name: cool", 21, "two rules are called cool")]
#[case("name: sweep", "name: sweep, keep: {newest: 3, of: partition}", 27, "counts partitions")]
#[case("then: abort_uploads", "keep: {}", 28, "counts partitions")]
fn what_is_wrong_names_line_and_remedy(#[case] from: &str, #[case] to: &str, #[case] line: u64, #[case] part: &str) {
    let findings = wrong(from, to);
    let all = findings.to_string();
    assert!(findings.0.iter().any(|finding| finding.line == line && finding.message.contains(part)), "{all}");
}

const TWO_RULES: &str = "\
version: 1
datasets:
  - name: events
    location: s3a://lake/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: one, when: {older_than: ONE}, then: FIRST}
      - {name: other, when: {older_than: OTHER}, then: SECOND}
";

/// What is said of two rules, each an age and an action.
fn beside(one: (&str, &str), other: (&str, &str)) -> String {
    let text = TWO_RULES.replace("ONE", one.0).replace("FIRST", one.1);
    let text = text.replace("OTHER", other.0).replace("SECOND", other.1);
    Policy::read(&text).map_or_else(|findings| findings.to_string(), |_| String::new())
}

#[rstest]
#[case::archive_before_tier(("10d", "{archive: GLACIER}"), ("30d", "{tier: COLD}"), "other can never apply: one archives")]
#[case::whatever_the_order(("30d", "{tier: COLD}"), ("10d", "{archive: GLACIER}"), "one can never apply: other archives")]
#[case::delete_before_expire(("2y", "{delete: without_trash}"), ("24mo", "expire"), "other can never apply: one removes")]
#[case::the_same_later(("2y", "expire"), ("3y", "expire"), "other can never apply: one removes")]
#[case::the_same_at_once(("4w", "{tier: COLD}"), ("28d", "{tier: GLACIER}"), "other can never apply: one moves")]
#[case::in_any_year(("366d", "{tier: COLD}"), ("1y", "expire"), "one can never apply: other removes")]
fn a_rule_that_can_never_apply_is_found(#[case] one: (&str, &str), #[case] other: (&str, &str), #[case] part: &str) {
    let said = beside(one, other);
    assert!(said.contains(part) && said.lines().count() == 1, "{said}");
}

#[rstest]
#[case::longer_in_half_of_the_year(("26w", "{tier: COLD}"), ("6mo", "expire"))]
#[case::days_before_a_year(("362d", "{tier: COLD}"), ("12mo", "expire"))]
#[case::a_leap_year(("365d", "{tier: COLD}"), ("1y", "expire"))]
#[case::one_class_after_another(("10d", "{tier: COLD}"), ("30d", "{tier: GLACIER}"))]
#[case::the_earlier_one_last(("3y", "expire"), ("2y", "expire"))]
#[case::archive_after_tier(("10d", "{tier: COLD}"), ("30d", "{archive: GLACIER}"))]
fn a_rule_that_has_its_turn_is_none_that_cannot_apply(#[case] one: (&str, &str), #[case] other: (&str, &str)) {
    assert_eq!(beside(one, other), "");
}

#[rstest]
#[case("    rules:", "    rulez:", 15, "an entry of `datasets` has no `rulez`: write `rules`")]
#[case("    rules:", "    rulez:", 11, "events lacks `rules`: add it (What happens when)")]
#[case("then: expire", "then: forget", 20, "`then` cannot be `forget`: write one of tier, archive, expire, delete")]
#[case("then: expire", "then: delete", 20, "write `{delete: …}`")]
#[case("then: expire", "then: {expire: now}", 20, "nothing belongs to `expire`")]
#[case("then: expire", "then: {tier: COLD, archive: COLD}", 20, "one thing only")]
#[case("from: partition", "from: birth", 13, "`from` cannot be `birth`: write one of partition, newest_object")]
#[case("version: 1", "version: one", 1, "`version` is `one`: write a whole number (Version of this format: 1)")]
#[case("trash: 7d", "trash: [7d]", 4, "`trash` is a list: write a single value")]
#[case("{older_than: 30d}", "30d", 16, "`when` is `30d`: write names with values (Conditions, of which all must hold)")]
#[case("version: 1", "version: '1'", 1, "`version` is `1` in quotes: write it without quotes")]
#[case("version: 1", "version: 99999999999", 1, "`version` is `99999999999`: write a whole number")]
#[case("{older_than: 30d}", "{older_then: 30d}", 16, "`when` has no `older_then`: write `older_than`")]
#[case("zone: UTC", "zone: [UTC", 3, "a bracket in a line before this is not closed")]
#[case("zone: UTC", "zone: \"UTC", 9, "a quote in a line before this is not closed")]
#[case("zone: UTC", "zone: *UTC", 2, "put it in quotes")]
#[case("zone: UTC", "zone: U: TC", 2, "no `name: value` can stand here")]
#[case("zone: UTC", "zone: UTC\nzone: UTC", 3, "`zone` stands here for the second time")]
#[case("zone: UTC", "\tzone: UTC", 1, "a tab stands here")]
#[case("zone: UTC", "zone", 2, "`: ` and a value are missing")]
#[case("    location: s3a://lake/tmp/", "   location: s3a://lake/tmp/", 23, "begins in one column")]
fn what_has_no_such_shape_names_its_place(#[case] from: &str, #[case] to: &str, #[case] line: u64, #[case] part: &str) {
    let findings = wrong(from, to);
    let is_told = |finding: &Finding| finding.line == line && finding.message.contains(part);
    assert!(findings.0.iter().any(is_told), "{findings}");
    // The place is said once, and not in the words of a library.
    assert!(
        findings.0.iter().all(|finding| finding.column > 0 && !finding.message.contains(" at line ")),
        "{findings}"
    );
}

#[rstest]
#[case("", "the policy is empty: begin with `version: 1`")]
#[case("version: 1\nzone: UTC\n", "the policy lacks `datasets`")]
#[case("version: 1\n\ndatasets: []\n", "names no dataset")]
#[case("version: 1\n---\nversion: 1\n", "make it two files")]
fn what_is_about_the_whole_has_a_line_too(#[case] text: &str, #[case] part: &str) {
    let findings = Policy::read(text).unwrap_err();
    let [Finding { line, message, .. }] = findings.0.as_slice() else { panic!("{findings}") };
    assert!((1..=3).contains(line) && message.contains(part), "{findings}");
}

#[test]
fn all_that_has_no_such_shape_is_said_at_once() {
    let text = EXAMPLE.replacen("trash: 7d", "thrash: 7d", 1).replacen("then: expire", "then: forget", 1);
    let text = text.replacen("from: newest_object", "since: newest_object", 1);
    let findings = Policy::read(&text).unwrap_err();
    let lines: Vec<_> = findings.0.iter().map(|finding| finding.line).collect();
    assert_eq!(lines, [4, 20, 24, 24], "{findings}");
}

#[test]
fn what_makes_no_sense_is_said_beside_what_has_no_such_shape() {
    let text = EXAMPLE.replacen("zone: UTC", "zone: Mars", 1).replacen("then: abort_uploads", "then: abort", 1);
    let text = text.replacen("{day:%Y-%m-%d}", "{day:%d}", 1).replacen("{older_than: 3d}", "{older_than: 3x}", 1);
    let findings = Policy::read(&text).unwrap_err();
    let told: Vec<_> = findings.0.iter().map(|finding| (finding.line, finding.column)).collect();
    let all = Policy::read(&text.replacen("then: abort", "then: abort_uploads", 1)).unwrap_err();
    let mut expected: Vec<_> = all.0.iter().map(|finding| (finding.line, finding.column)).collect();
    assert_eq!(expected.len(), 3, "{all}");
    expected.push(*told.last().unwrap());
    assert_eq!((told.len(), told), (4, expected), "{findings}");
}

#[test]
fn all_that_is_wrong_is_said_at_once() {
    let text = EXAMPLE.replacen("zone: UTC", "zone: Mars", 1).replacen("30d}", "30x}", 1).replacen("COLD", "C D", 1);
    assert_eq!(Policy::read(&text).unwrap_err().0.len(), 3);
    // What is no period is not taken for none as well.
    assert_eq!(wrong("older_than: 2y", "older_than: 2x").0.len(), 1);
}

#[test]
fn the_schema_is_the_published_one() {
    let published = include_str!("../../policy.schema.json");
    let schema = serde_json::to_string_pretty(&Policy::schema()).unwrap() + "\n";
    if std::env::var_os("S3CORE_WRITE_DOCS").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/policy.schema.json"), &schema).unwrap();
        return;
    }
    assert_eq!(schema, published, "run make docs");
}
