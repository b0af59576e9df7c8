use rstest::rstest;

use super::*;

const POLICY: &str = "\
version: 1
defaults: {notice: 24h}
hold:
  - {path: \"s3a://lake/events/day=2024-03-01/\", reason: audit}
datasets:
  - name: events
    location: s3a://lake/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 30d}, then: {tier: COLD}}
      - {name: drop, when: {older_than: 2y}, then: expire}
";

const PATIENCE: SignedDuration = SignedDuration::ZERO;

fn policy(text: &str) -> Policy {
    Policy::read(text).unwrap()
}

fn source() -> PolicySource {
    PolicySource::of("/policy.yaml".to_owned(), POLICY)
}

fn hour(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 3600 * hours).unwrap()
}

fn name(rule: &str) -> (String, String) {
    ("events".to_owned(), rule.to_owned())
}

/// So many units that wait, of which so many were announced.
fn waiting(units: u64, announced: u64) -> BTreeMap<(String, String), RuleDue> {
    let amount = |units| Amount { units, objects: 3 * units, bytes: 30 * units };
    let due = RuleDue {
        due: amount(units),
        waits: amount(units),
        unannounced: amount(units - announced),
        ..RuleDue::default()
    };
    [(name("drop"), due), (name("cool"), due)].into()
}

fn everything(policy: &Policy) -> BTreeSet<String> {
    let round = Round { policy, approved: &BTreeSet::new(), known: &[], patience: PATIENCE };
    round.rules().map(|(_, _, digest)| digest).collect()
}

fn may(policy: &Policy, approved: &BTreeSet<String>, before: Option<&ServedPolicy>, now: Timestamp) -> [May; 2] {
    let standings =
        Round { policy, approved, known: before.map_or(&[], std::slice::from_ref), patience: PATIENCE }.standings(now);
    [standings[&name("cool")].may, standings[&name("drop")].may]
}

#[test]
fn what_nobody_has_approved_does_nothing_and_is_not_announced() {
    let policy = policy(POLICY);
    let none = BTreeSet::new();
    let round = Round { policy: &policy, approved: &none, known: &[], patience: PATIENCE };
    let said = round.said(&source(), &waiting(5, 0), hour(0), hour(0));
    assert_eq!(may(&policy, &none, Some(&said), hour(100)), [May::Nothing, May::Nothing]);
    let waiting: Vec<_> = said.waiting().map(|rule| (rule.rule.as_str(), rule.waits.units)).collect();
    assert_eq!(waiting, [("cool", 5), ("drop", 5)]);
    assert!(said.rules.iter().all(|rule| rule.announcements.is_empty()));
}

#[test]
fn what_was_announced_goes_when_the_notice_is_over() {
    let policy = policy(POLICY);
    let approved = everything(&policy);
    assert_eq!(may(&policy, &approved, None, hour(0)), [May::All, May::Announced(None)]);
    let round = Round { policy: &policy, approved: &approved, known: &[], patience: PATIENCE };
    // Between the plan and what is said of it an hour passes: the notice counts from then.
    let first = round.said(&source(), &waiting(5, 0), hour(0), hour(1));
    assert!(first.rules[0].announcements.is_empty());
    let of_five = Announcement {
        until: hour(0),
        at: hour(1),
        from: hour(25),
        amount: Amount { units: 5, objects: 15, bytes: 150 },
    };
    assert_eq!(first.rules[1].announcements, [of_five]);
    assert_eq!(may(&policy, &approved, Some(&first), hour(24)), [May::All, May::Announced(None)]);
    assert_eq!(may(&policy, &approved, Some(&first), hour(25)), [May::All, May::Announced(Some(hour(0)))]);

    // What becomes due later has a notice of its own.
    let round = Round { policy: &policy, approved: &approved, known: std::slice::from_ref(&first), patience: PATIENCE };
    let second = round.said(&source(), &waiting(7, 5), hour(10), hour(10));
    assert_eq!(second.rules[1].announcements.len(), 2);
    assert_eq!(second.rules[1].announcements[1].amount.units, 2);
    assert_eq!(may(&policy, &approved, Some(&second), hour(33))[1], May::Announced(Some(hour(0))));
    assert_eq!(may(&policy, &approved, Some(&second), hour(34))[1], May::Announced(Some(hour(10))));

    // The later one covers the earlier one; nothing is left when nothing is due.
    let round =
        Round { policy: &policy, approved: &approved, known: std::slice::from_ref(&second), patience: PATIENCE };
    assert_eq!(round.said(&source(), &waiting(7, 7), hour(33), hour(33)).rules[1].announcements.len(), 2);
    assert_eq!(round.said(&source(), &waiting(7, 7), hour(34), hour(34)).rules[1].announcements.len(), 1);
    assert!(round.said(&source(), &waiting(0, 0), hour(34), hour(34)).rules[1].announcements.is_empty());
}

#[test]
fn an_approval_that_is_taken_back_ends_the_announcements() {
    let policy = policy(POLICY);
    let approved = everything(&policy);
    let round = Round { policy: &policy, approved: &approved, known: &[], patience: PATIENCE };
    let said = round.said(&source(), &waiting(5, 0), hour(0), hour(0));
    let none = BTreeSet::new();
    let round = Round { policy: &policy, approved: &none, known: std::slice::from_ref(&said), patience: PATIENCE };
    assert_eq!(round.standings(hour(30))[&name("drop")].may, May::Nothing);
    assert!(round.said(&source(), &waiting(5, 5), hour(30), hour(30)).rules[1].announcements.is_empty());
}

#[rstest]
// Another rule was never announced.
#[case("older_than: 2y", "older_than: 1y", false)]
// Neither was what a lifted hold had kept.
#[case("hold:\n  - {path: \"s3a://lake/events/day=2024-03-01/\", reason: audit}\n", "", false)]
#[case("day=2024-03-01/", "day=2024-03-02/", false)]
// One that is added takes nothing away.
#[case("hold:\n", "hold:\n  - {path: \"s3a://lake/events/day=2024-03-02/\", reason: audit}\n", true)]
#[case("version: 1", "# nothing\nversion: 1", true)]
fn a_change_begins_the_notice_anew(#[case] part: &str, #[case] other: &str, #[case] goes: bool) {
    assert!(POLICY.contains(part));
    let before = policy(POLICY);
    let round = Round { policy: &before, approved: &everything(&before), known: &[], patience: PATIENCE };
    let said = round.said(&source(), &waiting(5, 0), hour(0), hour(0));
    let after = policy(&POLICY.replace(part, other));
    let may = may(&after, &everything(&after), Some(&said), hour(30))[1];
    assert_eq!(may, May::Announced(goes.then(|| hour(0))));
}

#[test]
fn what_is_overdue_is_told_by_what_was_announced_long_ago() {
    let policy = policy(POLICY);
    let approved = everything(&policy);
    let patience = SignedDuration::from_hours(2);
    let round = Round { policy: &policy, approved: &approved, known: &[], patience };
    // Just approved.
    assert_eq!(round.standings(hour(0))[&name("cool")].since, Some(hour(0)));
    let first = round.said(&source(), &waiting(5, 0), hour(0), hour(0));
    let round = Round { known: std::slice::from_ref(&first), ..round };
    let standing = |now| round.standings(hour(now))[&name("drop")];
    assert_eq!((standing(24).long_ripe, standing(24).since), (None, Some(hour(0))));
    assert_eq!((standing(25).long_ripe, standing(26).long_ripe), (None, Some(hour(0))));
    // One that is ripe, but not for long, takes no earlier one's place.
    let second = round.said(&source(), &waiting(7, 5), hour(10), hour(10));
    let round = Round { known: std::slice::from_ref(&second), ..round };
    let count = |now| round.said(&source(), &waiting(7, 7), hour(now), hour(now)).rules[1].announcements.len();
    assert_eq!((count(35), count(36)), (2, 1));
    assert_eq!(round.standings(hour(35))[&name("drop")].long_ripe, Some(hour(0)));
}

/// A policy gets or loses a dataset, and another one may have its name: what was said of its rules last counts.
#[test]
fn rules_are_known_wherever_they_were_announced() {
    let policy = policy(POLICY);
    let approved = everything(&policy);
    let round = Round { policy: &policy, approved: &approved, known: &[], patience: PATIENCE };
    let early = round.said(&source(), &waiting(5, 0), hour(0), hour(0));
    let late = round.said(&source(), &waiting(5, 0), hour(9), hour(9));
    for known in [[early.clone(), late.clone()], [late, early]] {
        let round = Round { policy: &policy, approved: &approved, known: &known, patience: PATIENCE };
        assert_eq!(round.standings(hour(30))[&name("drop")].may, May::Announced(None));
        assert_eq!(round.standings(hour(33))[&name("drop")].may, May::Announced(Some(hour(9))));
        assert_eq!((places(&policy), known[0].places()), (["events/"].into(), ["events/"].into()));
    }
}

#[test]
fn announcements_do_not_pile_up() {
    let policy = policy(POLICY);
    let approved = everything(&policy);
    let mut said = None;
    let mut most = 0;
    for minute in 0..3 * 24 * 60 {
        let now = hour(0).saturating_add(SignedDuration::from_mins(minute)).unwrap();
        let round = Round { policy: &policy, approved: &approved, known: said.as_slice(), patience: PATIENCE };
        // Each minute something is due that no announcement covers yet.
        let next = round.said(&source(), &waiting(5, 4), now, now);
        most = most.max(next.rules[1].announcements.len());
        let last = next.rules[1].announcements.last().unwrap();
        assert!(now.duration_since(last.at) < SignedDuration::from_hours(1));
        said = Some(next);
    }
    assert!((24..=26).contains(&most), "{most}");
}

#[test]
fn without_notice_rules_act_at_once() {
    let policy = policy(&POLICY.replace("24h", "0h"));
    let approved = everything(&policy);
    assert_eq!(may(&policy, &approved, None, hour(0)), [May::All, May::All]);
    let round = Round { policy: &policy, approved: &approved, known: &[], patience: PATIENCE };
    assert!(round.said(&source(), &waiting(5, 0), hour(0), hour(0)).rules[1].announcements.is_empty());
}
