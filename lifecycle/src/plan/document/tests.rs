//! Plans that are read as they were written, and what is refused.

use std::collections::BTreeMap;
use std::fs;

use rstest::rstest;
use sha2::{Digest, Sha256};

use super::*;
use crate::plan::line::{
    Amount, DatasetSummary, FORMAT, GuardVerdict, Header, PlannedAction, PlannedObject, PlannedTrash, PlannedUnit,
    PlannedUpload, PolicySource, Shape,
};
use crate::policy::Policy;

const POLICY: &str = "\
version: 1
hold:
  - {path: \"s3a://lake/events/day=2024-01-09/\", reason: audit}
datasets:
  - name: events
    location: s3a://lake/events/
    age: {from: partition, time: \"{day:%F}\"}
    rules:
      - {name: cool, when: {older_than: 1d}, then: {tier: COLD}}
      - {name: drop, when: {older_than: 1y}, then: expire}
      - {name: sweep, then: sweep_abandoned}
      - {name: uploads, then: abort_uploads}
";

fn header() -> Header {
    let at = |text: &str| text.parse().unwrap();
    Header {
        format: FORMAT,
        s3life: "0.1.0".to_owned(),
        bucket: "lake".to_owned(),
        policy: PolicySource { path: "/policy.yaml".to_owned(), sha256: "abc".to_owned() },
        zone: "UTC".to_owned(),
        now: at("2026-01-01T00:00:00Z"),
        created: at("2026-01-01T00:00:00Z"),
        expires: at("2026-01-02T00:00:00Z"),
        allowed: BTreeMap::new(),
        confirmed: Vec::new(),
    }
}

fn object(key: &str, bytes: u64) -> PlannedObject {
    let written = "2024-01-02T00:00:00.5Z".parse().unwrap();
    PlannedObject { key: key.to_owned(), bytes, etag: "0cc1".to_owned(), written, class: "STANDARD".to_owned() }
}

fn unit(prefix: &str, objects: &[PlannedObject]) -> PlannedUnit {
    PlannedUnit {
        dataset: "events".to_owned(),
        rule: "drop".to_owned(),
        action: PlannedAction::Expire,
        prefix: prefix.to_owned(),
        shape: Shape::Prefix,
        objects: objects.len() as u64,
        bytes: objects.iter().map(|object| object.bytes).sum(),
        partial: false,
        since: "2025-01-02T00:00:00Z".parse().unwrap(),
        trash_until: Some("2026-01-08T00:00:00Z".parse().unwrap()),
        reason: "it is older than 1y: line 10".to_owned(),
    }
}

fn summary(rules: &[(&str, Amount)], exceeded: bool) -> DatasetSummary {
    let rules: BTreeMap<_, _> = rules.iter().map(|(rule, amount)| ((*rule).to_owned(), *amount)).collect();
    let planned = rules.values().fold(Amount::default(), |mut sum, amount| {
        sum.add(*amount);
        sum
    });
    let guard = GuardVerdict {
        percent: 20,
        within: "30d".to_owned(),
        before: Amount::default(),
        planned,
        share: (1.0 / 3.0 * 100.0, 12.5),
        exceeded,
    };
    DatasetSummary {
        name: "events".to_owned(),
        prefix: "events/".to_owned(),
        total: Amount { units: 9, objects: 99, bytes: 999 },
        rules,
        left: [("held".to_owned(), 1)].into(),
        outside: Amount::default(),
        catalog: None,
        guard: Some(guard),
    }
}

/// Units with the objects behind them.
type Units = Vec<(PlannedUnit, Vec<PlannedObject>)>;

fn units() -> Units {
    let first = vec![object("events/day=2024-01-01/_SUCCESS", 0), object("events/day=2024-01-01/a \"ü\"\n", 10)];
    let second = vec![object("events/day=2024-01-02/a", 7)];
    vec![(unit("events/day=2024-01-01/", &first), first), (unit("events/day=2024-01-02/", &second), second)]
}

fn written(units: &Units, exceeded: bool) -> WrittenPlan {
    let mut writer = PlanWriter::new(header()).unwrap();
    let mut sums: BTreeMap<&str, Amount> = BTreeMap::new();
    for (unit, objects) in units {
        writer.begin_unit(unit.clone()).unwrap();
        objects.iter().for_each(|object| writer.object(object.clone()).unwrap());
        assert!(writer.end_unit().unwrap());
        sums.entry(&unit.rule).or_default().add(Amount { units: 1, objects: unit.objects, bytes: unit.bytes });
    }
    writer.upload(upload()).unwrap();
    writer.trash(trash()).unwrap();
    writer.finish(vec![summary(&sums.into_iter().collect::<Vec<_>>(), exceeded)]).unwrap()
}

fn upload() -> PlannedUpload {
    PlannedUpload {
        dataset: "events".to_owned(),
        rule: "uploads".to_owned(),
        key: "events/day=2024-01-03/part".to_owned(),
        upload: "2~x".to_owned(),
        begun: "2024-01-02T00:00:00Z".parse().unwrap(),
        reason: "it was begun long ago: line 12".to_owned(),
    }
}

fn trash() -> PlannedTrash {
    let since = "2025-12-01T00:00:00Z".parse().unwrap();
    PlannedTrash { run: "20251124T000000Z-a1b2c3".to_owned(), since, objects: 3, bytes: 30 }
}

/// The plan with `from` in it replaced by `to`, and a digest that is right again.
fn forged(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from} is not in {text}");
    let text = text.replacen(from, to, 1);
    let before = &text[..text.len() - 64 - lines::AFTER_DIGEST.len()];
    format!("{before}{}{}", hexadecimal(&Sha256::digest(before)), lines::AFTER_DIGEST)
}

/// Opens a plan with this text for the policy.
fn open(text: &str) -> Result<PlanReader, PlanError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("plan.jsonl");
    fs::write(&path, text).unwrap();
    PlanReader::open_for(&path, &Policy::read(POLICY).unwrap(), "abc")
}

fn text() -> String {
    fs::read_to_string(written(&units(), false).path()).unwrap()
}

#[test]
fn a_plan_is_read_as_it_was_written() {
    let plan = written(&units(), false);
    let policy = Policy::read(POLICY).unwrap();
    for mut reader in
        [PlanReader::open(plan.path()).unwrap(), PlanReader::open_for(plan.path(), &policy, "abc").unwrap()]
    {
        assert_eq!((reader.header(), reader.end(), reader.tally()), (&header(), &plan.end, &plan.tally));
        for _ in 0..2 {
            let read: Units = std::iter::from_fn(|| reader.next_unit().unwrap()).collect();
            assert_eq!(read, units());
            reader.rewind();
        }
        assert_eq!(reader.uploads().map(Result::unwrap).collect::<Vec<_>>(), [upload()]);
        assert_eq!(reader.trash().map(Result::unwrap).collect::<Vec<_>>(), [trash()]);
    }
    assert_eq!(plan.end.planned, Amount { units: 2, objects: 3, bytes: 17 });
    let drop = &plan.tally.rules[&("events".to_owned(), "drop".to_owned())];
    assert_eq!(drop.ends, Some(("events/day=2024-01-01/".to_owned(), "events/day=2024-01-02/".to_owned())));
    assert_eq!((drop.action.as_str(), drop.planned.units, drop.copied), ("expire", 2, (3, 17)));
}

#[test]
fn the_digest_is_that_of_all_that_stands_before_it() {
    let plan = written(&units(), false);
    let text = fs::read_to_string(plan.path()).unwrap();
    let before = text.split_once(&plan.end.digest).unwrap().0;
    assert_eq!(plan.end.digest, hexadecimal(&Sha256::digest(before)));
}

#[test]
fn a_unit_that_is_not_as_it_said_leaves_no_trace() {
    let plan = written(&units(), false);
    let mut writer = PlanWriter::new(header()).unwrap();
    for (index, (unit, objects)) in units().into_iter().enumerate() {
        writer.begin_unit(unit.clone()).unwrap();
        writer.object(object("events/day=2024-01-01/a", 11)).unwrap();
        match index {
            0 => writer.drop_unit().unwrap(),
            _ => assert!(!writer.end_unit().unwrap(), "11 bytes are not 7"),
        }
        writer.begin_unit(unit).unwrap();
        objects.into_iter().for_each(|object| writer.object(object).unwrap());
        assert!(writer.end_unit().unwrap());
    }
    writer.upload(upload()).unwrap();
    writer.trash(trash()).unwrap();
    let again = writer.finish(plan.end.datasets.clone()).unwrap();
    assert_eq!(again.tally, plan.tally);
    assert_eq!(fs::read_to_string(again.path()).unwrap(), fs::read_to_string(plan.path()).unwrap());
}

#[test]
fn an_empty_plan_is_a_plan() {
    let plan = PlanWriter::new(header()).unwrap().finish(vec![summary(&[], false)]).unwrap();
    let mut reader = PlanReader::open(plan.path()).unwrap();
    assert!(reader.is_empty() && reader.next_unit().unwrap().is_none());
}

#[test]
fn no_cut_plan_is_read() {
    let text = text();
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let failure = open(&text[..end]).err().unwrap_or_else(|| panic!("cut at {end}"));
        assert!(matches!(failure, PlanError::Cut { .. }), "{end}: {failure}");
        assert!(failure.to_string().contains("make a new one"), "{failure}");
    }
}

#[test]
fn no_changed_byte_is_overlooked() {
    let text = text().into_bytes();
    for at in 0..text.len() {
        for byte in [b'1', b'"', b'\n'] {
            let mut changed = text.clone();
            changed[at] = byte;
            if changed == text {
                continue;
            }
            let Ok(changed) = String::from_utf8(changed) else { continue };
            assert!(open(&changed).is_err(), "{} at {at}", byte as char);
        }
    }
    let changed = String::from_utf8(text).unwrap().replacen("\"bytes\":999", "\"bytes\":998", 1);
    let failure = open(&changed).unwrap_err();
    assert!(matches!(failure, PlanError::Digest { .. }), "in the last line too: {failure}");
}

#[rstest]
#[case("\"key\":\"events/day=2024-01-02/a\"", "\"key\":\"events/day=2024-01-03/a\"", 6, "outside its unit")]
#[case("\"key\":\"events/day=2024-01-02/a\"", "\"key\":\"events/day=2024-01-02/_temporary/a\"", 6, "belongs to a job")]
#[case("\"bytes\":10,", "\"bytes\":11,", 5, "2 objects with 10 bytes, and says 2 with 11")]
#[case("\"bytes\":7,\"etag\"", "\"bytes\":8,\"etag\"", 7, "1 objects with 8 bytes, and says 1 with 7")]
#[case("\"shape\":\"prefix\"", "\"shape\":\"object\"", 2, "another shape")]
#[case("\"shape\":\"prefix\"", "\"shape\":\"directory\"", 2, "no unit of the dataset")]
#[case("\"objects\":2,", "\"objects\":3,", 5, "and says 3")]
#[case("a \\\"ü\\\"\\n", "A", 4, "stands behind events/day=2024-01-01/_SUCCESS")]
#[case("\"etag\":\"0cc1\"", "\"etag\":\"\"", 3, "no ETag")]
#[case("\"prefix\":\"events/day=2024-01-02/\"", "\"prefix\":\"events/day=2024-01-01/\"", 5, "stands behind")]
#[case(
    "\"prefix\":\"events/day=2024-01-02/\"",
    "\"prefix\":\"events2/day=2024-01-02/\"",
    5,
    "outside the dataset events"
)]
#[case("\"prefix\":\"events/day=2024-01-02/\"", "\"prefix\":\".s3core/trash/\"", 5, "its own state")]
#[case("\"prefix\":\"events/day=2024-01-02/\"", "\"prefix\":\"events/day=2024-01-09/\"", 5, "is held")]
#[case(
    "\"prefix\":\"events/day=2024-01-02/\"",
    "\"prefix\":\"events/day=2024-01-02/_temporary/\"",
    5,
    "does not concern"
)]
#[case(
    "\"rule\":\"drop\",\"action\":\"expire\"",
    "\"rule\":\"cool\",\"action\":\"expire\"",
    2,
    "no rule cool of events says `expire`"
)]
#[case("\"rule\":\"drop\",\"action\":\"expire\"", "\"rule\":\"drop\",\"action\":\"delete\"", 2, "nobody confirmed")]
#[case("\"rule\":\"drop\",\"action\":\"expire\"", "\"rule\":\"cool\",\"action\":{\"tier\":\"HOT\"}", 2, "no rule cool")]
#[case("\"dataset\":\"events\"", "\"dataset\":\"others\"", 2, "no dataset others")]
#[case("\"key\":\"events/day=2024-01-03/part\"", "\"key\":\".s3core/x\"", 7, "its own state")]
#[case("\"key\":\"events/day=2024-01-03/part\"", "\"key\":\"other/x\"", 7, "outside events/")]
#[case("{\"kind\":\"trash\"", "{\"kind\":\"treasure\"", 8, "no line of a plan")]
#[case("\"run\":\"20251124T000000Z-a1b2c3\"", "\"run\":\"20251124T000000Z-a1b2c3/1/other\"", 8, "the name of no run")]
#[case("\"run\":\"20251124T000000Z-a1b2c3\"", "\"run\":\"\"", 8, "the name of no run")]
#[case("\"key\":\"events/day=2024-01-03/part\"", "\"key\":\"events/day=2024-01-09/part\"", 7, "is held")]
#[case("{\"kind\":\"trash\"", "[\"kind\":\"trash\"", 8, "no line of a plan")]
#[case("\"bytes\":17},\"digest\"", "\"bytes\":18},\"digest\"", 9, "sums are not")]
#[case("\"name\":\"events\"", "\"name\":\"other\"", 9, "does not know the dataset events")]
#[case("\"rules\":{\"drop\":{\"units\":2", "\"rules\":{\"drop\":{\"units\":1", 9, "its sums of events")]
#[case("{\"kind\":\"plan\"", "{\"kind\":\"unit\"", 1, "no plan begins so")]
fn what_no_plan_says_names_its_line(#[case] from: &str, #[case] to: &str, #[case] line: u64, #[case] part: &str) {
    let failure = open(&forged(&text(), from, to)).unwrap_err();
    let PlanError::Line { line: found, reason, .. } = &failure else { panic!("{failure}") };
    assert!(*found == line && reason.contains(part), "{failure}");
}

#[test]
fn without_the_policy_nothing_leaves_the_dataset_either() {
    let once = forged(&text(), "\"prefix\":\"events/day=2024-01-02/\"", "\"prefix\":\"zebra/day=2024-01-02/\"");
    let forged = forged(&once, "\"key\":\"events/day=2024-01-02/a\"", "\"key\":\"zebra/day=2024-01-02/a\"");
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), forged).unwrap();
    let failure = PlanReader::open(file.path()).unwrap_err();
    assert!(failure.to_string().contains("line 5") && failure.to_string().contains("outside events/"), "{failure}");
}

#[test]
fn a_plan_of_another_format_names_the_version_that_reads_it() {
    let changed = forged(&text(), "\"format\":1,\"s3life\":\"0.1.0\"", "\"form\":{},\"format\":2,\"s3life\":\"0.9.0\"");
    let failure = open(&changed).unwrap_err();
    assert!(matches!(&failure, PlanError::Format { format: 2, s3life, .. } if s3life == "0.9.0"), "{failure}");
}

#[rstest]
#[case("\"sha256\":\"abc\"", "\"sha256\":\"abd\"", "the text is another now")]
#[case("\"bucket\":\"lake\"", "\"bucket\":\"pond\"", "for the bucket pond")]
#[case("\"exceeded\":false", "\"exceeded\":true", "--allow events=")]
#[case("\"guard\":{", "\"guarded\":{", "says nothing of its guard")]
#[case("\"prefix\":\"events/\"", "\"prefix\":\"event\"", "not those of the policy")]
#[case(
    "\"guard\":{",
    "\"catalog\":{\"uri\":\"u\",\"database\":\"d\",\"table\":\"t\"},\"guard\":{",
    "names another table"
)]
fn a_plan_that_does_not_fit_its_policy_is_refused(#[case] from: &str, #[case] to: &str, #[case] part: &str) {
    let failure = open(&forged(&text(), from, to)).unwrap_err();
    assert!(matches!(&failure, PlanError::Policy { .. }) && failure.to_string().contains(part), "{failure}");
}

#[test]
fn what_stands_behind_the_end_is_no_plan() {
    let failure = open(&(text() + "{}\n")).unwrap_err();
    assert!(matches!(&failure, PlanError::Line { line: 10, .. }), "{failure}");
    let failure = open(&(text() + &text())).unwrap_err();
    assert!(failure.to_string().contains("behind the last line"), "{failure}");
}

#[test]
fn a_file_that_is_written_to_while_it_is_read_is_given_up() {
    let plan = written(&units(), false);
    let mut reader = PlanReader::open(plan.path()).unwrap();
    reader.next_unit().unwrap().unwrap();
    fs::write(plan.path(), text() + " ").unwrap();
    assert!(matches!(reader.next_unit(), Err(PlanError::Moving { .. })));
}

#[test]
fn a_missing_file_is_named() {
    let failure = PlanReader::open("/nowhere/plan.jsonl".as_ref()).unwrap_err();
    assert!(failure.to_string().contains("/nowhere/plan.jsonl"), "{failure}");
}
