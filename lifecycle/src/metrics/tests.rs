use std::collections::BTreeSet;

use super::*;
use crate::plan::line::{GuardVerdict, PolicySource};
use crate::run::lease::{Holder, Purpose};
use crate::serve::{Announcement, ServedRule};

const AMOUNT: Amount = Amount { units: 4, objects: 8, bytes: 80 };

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 3600 * hours).unwrap()
}

fn record(run: &str, state: RunState, actions: &[(&str, Amount)]) -> RunRecord {
    let done = DatasetDone {
        prefix: "events/".to_owned(),
        actions: actions.iter().map(|(action, amount)| ((*action).to_owned(), *amount)).collect(),
        ..DatasetDone::default()
    };
    let text = json(run, state);
    let mut record: RunRecord = serde_json::from_value(text).unwrap();
    record.datasets.insert("events".to_owned(), done);
    record
}

fn json(run: &str, state: RunState) -> serde_json::Value {
    serde_json::json!({
        "run": run, "policy": PolicySource::of("/policy.yaml".to_owned(), ""), "digest": "", "started": hour(0),
        "finished": null, "state": state, "holder": "", "lease": 1, "datasets": {}, "skipped": [], "skipped_count": 3,
        "trash_until": null, "released": false,
    })
}

fn served() -> ServedPolicy {
    let rule = |rule: &str, approved| ServedRule {
        digest: format!("digest-{rule}"),
        dataset: "events".to_owned(),
        prefix: "events/".to_owned(),
        rule: rule.to_owned(),
        action: "expire".to_owned(),
        approved,
        approved_since: None,
        seen: hour(0),
        holds: Vec::new(),
        waits: AMOUNT,
        announcements: vec![Announcement { until: hour(0), at: hour(0), from: hour(24), amount: AMOUNT }],
    };
    let policy = PolicySource::of("/policy.yaml".to_owned(), "");
    ServedPolicy {
        policy,
        round: hour(0),
        rules: vec![rule("drop", true), rule("sweep", false)],
        stopped: BTreeSet::new(),
    }
}

/// Metrics that all have something to say.
fn full() -> Metrics {
    let metrics = Metrics::new(SignedDuration::from_hours(1), hour(0));
    metrics.serves("lake", hour(0));
    let lease = LeaseView {
        number: 7,
        holder: Holder { host: "one".to_owned(), process: 12 },
        purpose: Purpose::from("apply"),
        taken: hour(0),
        until: hour(1),
        standing: Standing::Held,
    };
    metrics.lease("lake", Some(&lease));
    let guard = GuardVerdict {
        percent: 20,
        within: "30d".to_owned(),
        before: AMOUNT,
        planned: AMOUNT,
        share: (25.5, 10.0),
        exceeded: true,
    };
    let dataset = DatasetSummary {
        name: "events".to_owned(),
        prefix: "events/".to_owned(),
        total: AMOUNT,
        rules: [].into(),
        left: [].into(),
        outside: Amount::default(),
        guard: Some(guard),
        catalog: None,
    };
    metrics.planned("lake", &[dataset]);
    let due = RuleDue { due: AMOUNT, overdue: AMOUNT, oldest_overdue: Some(hour(0)), ..RuleDue::default() };
    metrics.due("lake", [("events", "drop", &due)].into_iter(), hour(2));
    metrics.said("lake", &served());
    let waiting = record("b", RunState::WaitingForGateway, &[("expire", AMOUNT), ("tier", AMOUNT)]);
    metrics.runs("lake", &[waiting.clone(), record("a", RunState::Purged, &[("expire", AMOUNT)])], hour(3));
    metrics.acted("lake", None, &waiting);
    metrics.ended(RoundResult::Done, hour(4));
    metrics.failed("gateway");
    metrics
}

#[test]
fn everything_is_told() {
    let text = full().text();
    let of_events = "bucket=\"lake\",dataset=\"events\"";
    for line in [
        format!("s3life_due_units{{{of_events},rule=\"drop\"}} 4.0"),
        format!("s3life_due_bytes{{{of_events},rule=\"drop\"}} 80.0"),
        format!("s3life_overdue_units{{{of_events},rule=\"drop\"}} 4.0"),
        format!("s3life_oldest_overdue_seconds{{{of_events},rule=\"drop\"}} 7200.0"),
        format!("s3life_announced_units{{{of_events},rule=\"drop\"}} 4.0"),
        format!("s3life_approval_waiting{{{of_events},rule=\"sweep\",action=\"expire\",digest=\"digest-sweep\"}} 1.0"),
        format!("s3life_guard_share_ratio{{{of_events},of=\"units\"}} 0.255"),
        format!("s3life_guard_limit_ratio{{{of_events}}} 0.2"),
        format!("s3life_guard_stopped{{{of_events}}} 1.0"),
        format!("s3life_action_objects_total{{{of_events},action=\"tier\"}} 8"),
        "s3life_skipped_units_total{bucket=\"lake\"} 3".to_owned(),
        "s3life_trash_bytes{bucket=\"lake\"} 80.0".to_owned(),
        "s3life_native_lag_seconds{bucket=\"lake\"} 10800.0".to_owned(),
        "s3life_lease_holder_info{bucket=\"lake\",host=\"one\",process=\"12\",purpose=\"apply\"} 1.0".to_owned(),
        "s3life_errors_total{kind=\"gateway\"} 1".to_owned(),
        "s3life_errors_total{kind=\"policy\"} 0".to_owned(),
        "s3life_rounds_total{result=\"done\"} 1".to_owned(),
        "s3life_round_interval_seconds{bucket=\"lake\"} 3600.0".to_owned(),
    ] {
        assert!(text.lines().any(|own| own == line), "{line} in\n{text}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn a_run_that_goes_on_counts_once() {
    let metrics = Metrics::new(SignedDuration::from_hours(1), hour(0));
    let first = record("a", RunState::WaitingForGateway, &[("tier", AMOUNT)]);
    let more = Amount { units: 6, objects: 12, bytes: 120 };
    let second = record("a", RunState::Done, &[("tier", more)]);
    metrics.acted("lake", None, &first);
    metrics.acted("lake", Some(&first), &second);
    let line = "s3life_action_units_total{bucket=\"lake\",dataset=\"events\",action=\"tier\"} 6";
    assert!(metrics.text().contains(line), "{}", metrics.text());
}

#[test]
fn a_first_success_is_waited_for_from_the_beginning() {
    let metrics = Metrics::new(SignedDuration::from_hours(1), hour(0));
    let is_told = |name: &str, bucket: &str, time: Timestamp| {
        let line = format!("s3life_{name}_timestamp_seconds{{bucket=\"{bucket}\"}} {}.0", time.as_second());
        metrics.text().lines().any(|own| own == line)
    };
    // The policy cannot be read yet.
    assert!(is_told("last_success", "", hour(0)));
    metrics.serves("lake", hour(1));
    assert!(is_told("last_success", "lake", hour(1)) && !metrics.text().contains("bucket=\"\""));
    metrics.began(hour(2));
    metrics.serves("lake", hour(2));
    assert!(is_told("last_success", "lake", hour(1)) && is_told("round_begun", "lake", hour(2)));
    metrics.ended(RoundResult::Failed, hour(3));
    assert!(is_told("last_success", "lake", hour(1)) && is_told("round_begun", "lake", Timestamp::UNIX_EPOCH));
    metrics.ended(RoundResult::Done, hour(4));
    assert!(is_told("last_success", "lake", hour(4)));
}

#[test]
fn a_run_lags_since_the_gateway_has_last_moved_a_unit() {
    let metrics = Metrics::new(SignedDuration::from_hours(1), hour(0));
    let waiting = RunRecord { moved: Some(hour(90)), ..record("a", RunState::WaitingForGateway, &[]) };
    metrics.runs("lake", &[waiting], hour(91));
    assert!(metrics.text().contains("s3life_native_lag_seconds{bucket=\"lake\"} 3600.0"), "{}", metrics.text());
}

#[test]
fn what_is_no_longer_so_is_told_no_more() {
    let metrics = full();
    metrics.lease("lake", None);
    metrics.due("lake", std::iter::empty(), hour(2));
    let text = metrics.text();
    assert!(!text.contains("s3life_lease_holder_info{") && !text.contains("s3life_due_units{"), "{text}");
}

#[test]
fn dashboard_and_alerts_name_metrics_that_exist() {
    let text = full().text();
    let names = |text: &str| -> BTreeSet<String> {
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        words.filter(|word| word.starts_with("s3life_")).map(str::to_owned).collect()
    };
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let exported = names(&samples.collect::<Vec<_>>().join("\n"));
    let dashboard = names(include_str!("../../monitoring/dashboard.json"));
    let alerts = names(include_str!("../../monitoring/alerts.yaml"));
    assert!(alerts.len() > 7, "{alerts:?}");
    assert_eq!(alerts.difference(&exported).collect::<Vec<_>>(), Vec::<&String>::new());
    // Interval and begin of rounds are in the alerts.
    let mut shown = exported;
    shown.remove("s3life_round_interval_seconds");
    shown.remove("s3life_round_begun_timestamp_seconds");
    assert_eq!(dashboard, shown);
}
