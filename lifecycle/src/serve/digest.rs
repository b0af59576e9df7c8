//! What is approved of a rule: all that says what goes by it, and nothing else.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::plan::document::hexadecimal;
use crate::policy::{Action, Age, Dataset, Keep, Policy, Rule, Unit};

/// The digest of a rule: SHA-256, in hexadecimal digits, of the rule, of the dataset's location, unit, age, zone and
/// times, of its guard, and of every `keep` in it, each as it is understood. Where one of these changes it is another
/// rule, and comments, the order of rules and the way that defaults are written are none of them. Holds are not, either:
/// one that is lifted makes the announcements begin anew. None for a rule that only keeps.
pub fn rule_digest(policy: &Policy, dataset: &Dataset, rule: &Rule) -> Option<String> {
    let action = rule.action.as_ref()?;
    let mut keeps: Vec<_> = dataset.rules.iter().filter_map(|rule| rule.keep.as_ref()).map(keep).collect();
    keeps.sort_by_key(Value::to_string);
    let catalog = dataset
        .catalog
        .as_ref()
        .map(|catalog| json!({"uri": catalog.uri, "table": format!("{}.{}", catalog.database, catalog.table)}));
    let guard = dataset.guard.map(|guard| format!("{}% per {}", guard.percent, guard.within));
    let meant = json!({
        "zone": policy.zone_name,
        "location": format!("s3a://{}/{}", policy.bucket, dataset.prefix),
        "unit": match dataset.unit {
            Unit::Partition => "partition",
            Unit::Directory => "directory",
            Unit::Object => "object",
        },
        "age": match &dataset.age {
            Age::Partition(template) => template.to_string(),
            Age::NewestObject => "newest_object".to_owned(),
        },
        "trash": dataset.trash.to_string(),
        "settle": dataset.settle.to_string(),
        "notice": dataset.notice.to_string(),
        "abandoned_after": dataset.abandoned_after.to_string(),
        "guard": guard,
        "catalog": catalog,
        "keeps": keeps,
        "rule": {"name": rule.name, "when": when(rule), "then": then(action)},
    });
    // Names in an object of JSON are sorted.
    Some(hexadecimal(&Sha256::digest(meant.to_string())))
}

fn when(rule: &Rule) -> Value {
    let object = &rule.when.object;
    json!({
        "older_than": rule.when.older_than.map(|period| period.to_string()),
        "larger_than": object.larger_than,
        "smaller_than": object.smaller_than,
        "name": object.name.as_ref().map(|name| name.glob().glob()),
        "storage_class": object.storage_class,
        "tags": object.tags,
    })
}

fn then(action: &Action) -> Value {
    match action {
        Action::Tier(class) | Action::Archive(class) => json!({action.name(): class}),
        _ => json!(action.name()),
    }
}

fn keep(keep: &Keep) -> Value {
    match keep {
        Keep::Newest(count) => json!({"newest": count}),
        Keep::LastOf(stretch, lasting) => {
            json!({"last_of": format!("{stretch:?}").to_lowercase(), "for": lasting.map(|period| period.to_string())})
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const POLICY: &str = "\
version: 1
defaults: {settle: 7d}
datasets:
  - name: events
    location: s3a://lake/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 30d}, then: {tier: COLD}}
      - {name: drop, when: {older_than: 2y}, then: expire}
      - {name: month_ends, keep: {last_of: month, for: 7y}}
";

    const NEWEST: &str = "      - {name: newest, keep: {newest: 1, of: partition}}\n";

    fn digests(text: &str) -> Vec<Option<String>> {
        let policy = Policy::read(text).unwrap();
        let dataset = &policy.datasets[0];
        dataset.rules.iter().map(|rule| rule_digest(&policy, dataset, rule)).collect()
    }

    #[test]
    fn each_rule_that_acts_has_its_own() {
        let digests = digests(POLICY);
        // What was approved stays approved with later versions.
        assert_eq!(digests[1].as_deref(), Some("bb68b5b6fe91714cf5021b698562a533452e0c74acdc0cef87f521be22313b42"));
        assert_ne!(digests[0], digests[1]);
        assert_eq!(digests[2], None);
    }

    #[rstest]
    #[case("older_than: 2y", "older_than: 1y")]
    #[case("then: expire", "then: {delete: without_trash}")]
    #[case("lake/events/", "lake/other/")]
    #[case("{day:%F}", "{dt:%F}")]
    #[case("settle: 7d", "settle: 8d")]
    #[case("settle: 7d", "notice: 1h")]
    #[case("settle: 7d", "trash: 1h")]
    #[case("settle: 7d", "guard: {max_removed: none}")]
    #[case("version: 1", "version: 1\nzone: Europe/Berlin")]
    #[case("for: 7y", "for: 6y")]
    #[case("      - {name: month_ends, keep: {last_of: month, for: 7y}}\n", "")]
    #[case("name: drop", "name: dropped")]
    fn what_changes_what_goes_changes_it(#[case] part: &str, #[case] other: &str) {
        assert!(POLICY.contains(part));
        assert_ne!(digests(POLICY)[1], digests(&POLICY.replace(part, other))[1]);
    }

    #[test]
    fn rules_that_keep_may_stand_in_any_order() {
        let (last, first) =
            (format!("{POLICY}{NEWEST}"), POLICY.replace("    rules:\n", &format!("    rules:\n{NEWEST}")));
        assert_ne!(digests(&last)[1], digests(POLICY)[1]);
        assert_eq!(digests(&last)[1], digests(&first)[2]);
    }

    #[rstest]
    #[case("version: 1", "# a comment\nversion: 1\nzone: UTC")]
    #[case("settle: 7d", "notice: 24h")]
    #[case("older_than: 30d", "older_than: 40d")]
    #[case("name: events", "name: renamed")]
    #[case("{day:%F}", "day={day:%F}")]
    fn what_does_not_stays_the_same(#[case] part: &str, #[case] other: &str) {
        assert!(POLICY.contains(part));
        assert_eq!(digests(POLICY)[1], digests(&POLICY.replace(part, other))[1]);
    }
}
