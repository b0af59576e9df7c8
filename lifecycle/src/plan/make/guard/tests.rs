//! What guards count, and whom they stop.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rstest::rstest;

use super::*;
use crate::plan::line::PolicySource;
use crate::plan::make::Past;
use crate::policy::{Action, Policy};
use crate::run::record::{DatasetDone, RunRecord, RunState};

const NOW: &str = "2026-06-30T00:00:00Z";

fn policy(guard: &str) -> Policy {
    let text = format!(
        "version: 1\ndatasets:\n  - name: events\n    location: s3a://lake/events/\n    \
         age: {{from: partition, time: \"{{day:%F}}\"}}\n    guard: {{max_removed: {guard}}}\n    \
         rules: [{{name: drop, when: {{older_than: 1y}}, then: expire}}]\n"
    );
    Policy::read(&text).unwrap()
}

fn amount(units: u64, bytes: u64) -> Amount {
    Amount { units, objects: 2 * units, bytes }
}

/// A run that began then, in the dataset at `prefix`.
fn run(started: &str, prefix: &str, action: &str, done: Amount, undone: Amount) -> RunRecord {
    let started: Timestamp = started.parse().unwrap();
    let actions = [(action.to_owned(), done)].into();
    let (prefix, total) = (prefix.to_owned(), amount(100, 1000));
    let dataset = DatasetDone { prefix, total, actions, undone, ..DatasetDone::default() };
    RunRecord {
        run: format!("{started}"),
        finished: Some(started),
        state: RunState::Done,
        holder: "here".to_owned(),
        trash_until: Some("2026-06-20T00:00:00Z".parse().unwrap()),
        ..RunRecord::begun(source(), "d", started, 1, [("any".to_owned(), dataset)].into())
    }
}

fn source() -> PolicySource {
    PolicySource { path: "/p.yaml".to_owned(), sha256: "abc".to_owned() }
}

fn judged(
    guard: &str,
    allowed: Option<u32>,
    records: Vec<RunRecord>,
    total: Amount,
    planned: Amount,
) -> Option<GuardVerdict> {
    judged_after(guard, allowed, &Past { records, ..Past::default() }, total, planned)
}

fn judged_after(
    guard: &str,
    allowed: Option<u32>,
    past: &Past,
    total: Amount,
    planned: Amount,
) -> Option<GuardVerdict> {
    let policy = policy(guard);
    let request = Request {
        policy: &policy,
        source: source(),
        now: "2036-01-01T00:00:00Z".parse().unwrap(),
        created: NOW.parse().unwrap(),
        expires: NOW.parse().unwrap(),
        allowed: allowed.map(|percent| ("events".to_owned(), percent)).into_iter().collect::<BTreeMap<_, _>>(),
        confirmed: Vec::new(),
        past,
        served: None,
    };
    verdict(&request, &policy.datasets[0], total, planned)
}

#[rstest]
#[case(20, 200, false)]
#[case(21, 200, true)]
#[case(20, 201, true)]
#[case(95, 950, true)]
#[case(0, 0, false)]
fn no_more_than_the_share_goes_by_units_and_by_bytes(#[case] units: u64, #[case] bytes: u64, #[case] exceeded: bool) {
    let found = judged("20% per 30d", None, Vec::new(), amount(100, 1000), amount(units, bytes)).unwrap();
    assert_eq!(found.exceeded, exceeded, "{found:?}");
    assert_eq!((found.share, found.within.as_str()), ((units as f64, bytes as f64 / 10.0), "30d"));
}

#[test]
fn a_guard_may_be_waived_once_or_for_good() {
    let (total, planned) = (amount(100, 1000), amount(95, 950));
    assert!(judged("20% per 30d", Some(94), Vec::new(), total, planned).unwrap().exceeded);
    let allowed = judged("20% per 30d", Some(95), Vec::new(), total, planned).unwrap();
    assert!(!allowed.exceeded && allowed.percent == 95);
    assert_eq!(judged("none", None, Vec::new(), total, planned), None);
}

/// 15 of 100 went; of the 85 that are left 5 more would be 20 of 100, and 6 more are too much.
#[rstest]
#[case("2026-06-01T00:00:00Z", "events/", "expire", 0, true)]
#[case("2026-05-31T00:00:01Z", "events/", "delete", 0, true)]
#[case("2026-05-30T00:00:00Z", "events/", "expire", 0, false)]
#[case("2026-06-01T00:00:00Z", "events/", "tier", 0, false)]
#[case("2026-06-01T00:00:00Z", "events/day=1/", "expire", 0, true)]
#[case("2026-06-01T00:00:00Z", "", "expire", 0, true)]
#[case("2026-06-01T00:00:00Z", "other/", "expire", 0, false)]
#[case("2026-06-01T00:00:00Z", "events/", "expire", 2, false)]
fn what_earlier_runs_removed_counts(
    #[case] started: &str,
    #[case] prefix: &str,
    #[case] action: &str,
    #[case] undone: u64,
    #[case] exceeded: bool,
) {
    let records = || vec![run(started, prefix, action, amount(15, 150), amount(undone, 10 * undone))];
    let found = judged("20% per 30d", None, records(), amount(85, 850), amount(6, 60)).unwrap();
    assert_eq!(found.exceeded, exceeded, "{found:?}");
    let less = judged("20% per 30d", None, records(), amount(85, 850), amount(5, 50)).unwrap();
    assert!(!less.exceeded, "{less:?}");
}

/// 15 of 100 are held, are in an archive, or a part of them is gone: 5 more would be 20 of 100, and 6 more are too much.
#[rstest]
#[case("held", 100)]
#[case("archive", 100)]
#[case("not_restored", 85)]
fn what_is_held_or_half_gone_counts(#[case] action: &str, #[case] left: u64) {
    let records = || vec![run("2026-06-01T00:00:00Z", "events/", action, amount(15, 150), Amount::default())];
    let judge =
        |more| judged("20% per 30d", None, records(), amount(left, 10 * left), amount(more, 10 * more)).unwrap();
    assert!(judge(6).exceeded && !judge(5).exceeded, "{:?}", judge(6));
}

/// So do 15 of 100 that the gateway has still to move to an archive.
#[rstest]
#[case("events/", true)]
#[case("", true)]
#[case("other/", false)]
fn what_is_on_its_way_to_an_archive_counts(#[case] place: &str, #[case] exceeded: bool) {
    let past = Past { archiving: vec![(place.to_owned(), amount(15, 150))], ..Past::default() };
    let judge = |more| judged_after("20% per 30d", None, &past, amount(100, 1000), amount(more, 10 * more)).unwrap();
    assert_eq!(judge(6).exceeded, exceeded, "{:?}", judge(6));
    assert!(!judge(5).exceeded, "{:?}", judge(5));
}

/// What was swept is no part of what counts, and neither is that it came back.
#[rstest]
#[case(0, true)]
#[case(30, true)]
#[case(32, false)]
fn what_was_swept_and_came_back_takes_nothing_off(#[case] undone: u64, #[case] exceeded: bool) {
    let mut record = run("2026-06-01T00:00:00Z", "events/", "expire", amount(15, 150), amount(undone, 10 * undone));
    let swept = [(Action::SweepAbandoned.name().to_owned(), amount(30, 300))];
    record.datasets.values_mut().for_each(|done| done.actions.extend(swept.clone()));
    let found = judged("20% per 30d", None, vec![record], amount(85, 850), amount(6, 60)).unwrap();
    assert_eq!(found.exceeded, exceeded, "{found:?}");
}

#[test]
fn many_small_runs_do_not_get_around_it() {
    let mut records = Vec::new();
    let mut left = 100;
    for minute in 0..30 {
        let found = judged("20% per 30d", None, records.clone(), amount(left, 10 * left), amount(1, 10)).unwrap();
        assert_eq!(found.exceeded, minute >= 20, "minute {minute}: {found:?}");
        if !found.exceeded {
            left -= 1;
            records.push(run("2026-06-29T00:00:00Z", "events/", "expire", amount(1, 10), Amount::default()));
        }
    }
    assert_eq!(left, 80);
}

#[test]
fn trash_is_due_when_its_time_is_over_and_its_run_is() {
    let mut records = vec![
        run("2026-06-01T00:00:00Z", "events/", "expire", amount(3, 30), amount(1, 10)),
        run("2026-05-01T00:00:00Z", "events/", "sweep_abandoned", amount(1, 5), Amount::default()),
        run("2026-04-01T00:00:00Z", "events/", "delete", amount(1, 5), Amount::default()),
    ];
    records[2].trash_until = None;
    for state in
        [RunState::Running, RunState::WaitingForGateway, RunState::Undoing, RunState::Purging, RunState::Purged]
    {
        let other = run("2026-05-02T00:00:00Z", "events/", "expire", amount(1, 1), Amount::default());
        records.push(RunRecord { state, ..other });
    }
    records[1].state = RunState::Undone;
    // Some of it did not come back: its copies are still wanted.
    let other = run("2026-05-03T00:00:00Z", "events/", "expire", amount(1, 1), Amount::default());
    records.push(RunRecord { state: RunState::Undone, skipped_count: 1, ..other });
    // Another policy knows what is held there.
    records.push(run("2026-05-04T00:00:00Z", "other/", "expire", amount(1, 1), Amount::default()));
    let (past, policy) = (Past { records, ..Past::default() }, policy("none"));
    let due = |now: &str| {
        let due = past.due_trash(now.parse().unwrap(), &policy);
        due.into_iter().map(|trash| (trash.run, trash.objects, trash.bytes)).collect::<Vec<_>>()
    };
    assert_eq!(due("2026-06-19T23:59:59Z"), []);
    assert_eq!(
        due("2026-06-20T00:00:00Z"),
        // One whose emptying was cut short goes on.
        [
            ("2026-05-01T00:00:00Z".to_owned(), 2, 5),
            ("2026-05-02T00:00:00Z".to_owned(), 2, 1),
            ("2026-06-01T00:00:00Z".to_owned(), 4, 20)
        ]
    );
}

#[test]
fn runs_that_are_under_way_are_found_by_their_place() {
    let mut record = run("2026-06-01T00:00:00Z", "events/", "expire", amount(1, 1), Amount::default());
    for (state, is_under_way) in [
        (RunState::Running, true),
        (RunState::WaitingForGateway, false),
        (RunState::Undoing, false),
        (RunState::Done, false),
        (RunState::Undone, false),
        (RunState::Purging, false),
        (RunState::Purged, false),
    ] {
        record.state = state;
        let past = Past { records: vec![record.clone()], ..Past::default() };
        for (prefix, meets) in [("events/", true), ("events/day=1/", true), ("", true), ("events2/", false)] {
            assert_eq!(past.running(prefix).is_some(), is_under_way && meets, "{state:?} {prefix}");
        }
    }
}
