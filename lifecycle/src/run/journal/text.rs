//! The objects of a journal: their names, and the lines in them.
//!
//! The first line says what the object is and how many lines follow, so that one that was cut is no shorter whole. Names,
//! groups, parts, keys and markers are also read by core (`fs/removed/hidden.rs`), which tells readers who has hidden a file.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::run::keys;

use super::{BATCH, IntendedUnit, UnitOutcome};

/// Most outcomes and delete markers of one object.
const PART: usize = 5 * BATCH;

/// Place of a batch in a run's journal. Batches are read in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) lease: u64,
    pub(super) sequence: u64,
}

/// Which half of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Half {
    Intent,
    Outcome,
    /// A further part of an outcome, from 2. It counts from when the outcome is there.
    Rest(u32),
}

impl Half {
    fn name(self) -> String {
        match self {
            Self::Intent => "intent".to_owned(),
            Self::Outcome => "outcome".to_owned(),
            Self::Rest(number) => format!("rest-{number}"),
        }
    }

    fn of_name(name: &str) -> Option<Self> {
        match name {
            "intent" => Some(Self::Intent),
            "outcome" => Some(Self::Outcome),
            other => Some(Self::Rest(other.strip_prefix("rest-")?.parse().ok()?)),
        }
    }
}

/// First letters of the keys that the holder of this lease writes. Up to eight digits keys sort as numbers do: a lease a
/// minute has them for 190 years.
pub(super) fn of_lease(run: &str, lease: u64) -> String {
    format!("{}{lease:08}-", keys::journal(run))
}

pub(super) fn key(run: &str, place: Place, half: Half) -> String {
    format!("{}{:08}-{}.jsonl", of_lease(run, place.lease), place.sequence, half.name())
}

/// What a key of the journal stands for; `None` for one that is none.
pub(super) fn parsed_key(run: &str, found: &str) -> Option<(Place, Half)> {
    let (lease, rest) = found.strip_prefix(&keys::journal(run))?.split_once('-')?;
    let (sequence, rest) = rest.split_once('-')?;
    let place = Place { lease: lease.parse().ok()?, sequence: sequence.parse().ok()? };
    let half = Half::of_name(rest.strip_suffix(".jsonl")?)?;
    (key(run, place, half) == found).then_some((place, half))
}

/// The first line of an intent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Group {
    /// Sequence of the first batch of its group.
    pub(super) first: u64,
    /// Sequence of the last one.
    pub(super) last: u64,
}

#[derive(Serialize, Deserialize)]
struct Head {
    lease: u64,
    sequence: u64,
    /// Number of the lines that follow.
    lines: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<Group>,
    /// Of an outcome that was cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
}

/// Which part of an outcome.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Part {
    /// From 1.
    number: u32,
    /// Number of all.
    of: u32,
}

pub(super) fn intent(place: Place, group: Group, units: &[IntendedUnit]) -> serde_json::Result<Vec<u8>> {
    written(place, Some(group), None, units)
}

/// The outcome, and what is too much for one object.
pub(super) fn outcome(place: Place, outcomes: &[UnitOutcome]) -> serde_json::Result<Vec<(Half, Vec<u8>)>> {
    let parts = cut(outcomes);
    let of = u32::try_from(parts.len()).unwrap_or(u32::MAX);
    let text = |(number, lines): (u32, Vec<UnitOutcome>)| {
        let half = if number == 1 { Half::Outcome } else { Half::Rest(number) };
        Ok((half, written(place, None, (of > 1).then_some(Part { number, of }), &lines)?))
    };
    (1..=of).zip(parts).map(text).collect()
}

/// The same outcomes in parts, at least one. A unit may be in many of them, with other markers in each.
fn cut(outcomes: &[UnitOutcome]) -> Vec<Vec<UnitOutcome>> {
    let mut parts = Vec::new();
    let (mut part, mut room) = (Vec::new(), PART);
    for UnitOutcome { prefix, outcome, at, markers } in outcomes {
        let mut rest = markers.as_slice();
        loop {
            if room == 0 {
                parts.push(std::mem::take(&mut part));
                room = PART;
            }
            let (markers, behind) = rest.split_at(rest.len().min(room - 1));
            room -= 1 + markers.len();
            let (prefix, outcome, markers) = (prefix.clone(), outcome.clone(), markers.to_vec());
            part.push(UnitOutcome { prefix, outcome, at: *at, markers });
            rest = behind;
            if rest.is_empty() {
                break;
            }
        }
    }
    parts.push(part);
    parts
}

/// Adds the outcomes of the next part; the first may be the rest of the last.
pub(super) fn join(outcomes: &mut Vec<UnitOutcome>, part: Vec<UnitOutcome>) {
    for next in part {
        match outcomes.last_mut() {
            Some(last) if last.prefix == next.prefix => last.markers.extend(next.markers),
            _ => outcomes.push(next),
        }
    }
}

/// # Errors
/// What is wrong with it.
pub(super) fn parsed_intent(place: Place, text: &[u8]) -> Result<(Group, Vec<IntendedUnit>), String> {
    let (Head { group, .. }, units) = parsed(place, text)?;
    let group = group.ok_or("its first line is no intent's")?;
    if !(group.first..=group.last).contains(&place.sequence) {
        return Err(format!("it is not in its group, {} to {}", group.first, group.last));
    }
    Ok((group, units))
}

/// The part of an outcome with this number, and how many there are.
///
/// # Errors
/// What is wrong with it.
pub(super) fn parsed_outcome(place: Place, number: u32, text: &[u8]) -> Result<(Vec<UnitOutcome>, u32), String> {
    let (Head { group, part, .. }, outcomes) = parsed(place, text)?;
    let part = part.unwrap_or(Part { number: 1, of: 1 });
    if group.is_some() || part.number != number {
        return Err(format!("its first line is not that of part {number} of an outcome"));
    }
    Ok((outcomes, part.of))
}

fn written<T: Serialize>(
    place: Place,
    group: Option<Group>,
    part: Option<Part>,
    lines: &[T],
) -> serde_json::Result<Vec<u8>> {
    let Place { lease, sequence } = place;
    let mut text = serde_json::to_vec(&Head { lease, sequence, lines: lines.len(), group, part })?;
    for line in lines {
        text.push(b'\n');
        serde_json::to_writer(&mut text, line)?;
    }
    text.push(b'\n');
    Ok(text)
}

fn parsed<T: DeserializeOwned>(place: Place, text: &[u8]) -> Result<(Head, Vec<T>), String> {
    let text = text.strip_suffix(b"\n").ok_or("it was cut: its last line has no end")?;
    let mut lines = text.split(|byte| *byte == b'\n');
    let head: Head = line(0, lines.next().unwrap_or_default())?;
    if (head.lease, head.sequence) != (place.lease, place.sequence) {
        return Err(format!("it is the batch {} of the lease {}", head.sequence, head.lease));
    }
    let lines: Vec<T> = lines.enumerate().map(|(index, text)| line(index + 1, text)).collect::<Result<_, _>>()?;
    if lines.len() != head.lines {
        return Err(format!("it has {} lines where {} were written", lines.len(), head.lines));
    }
    Ok((head, lines))
}

fn line<T: DeserializeOwned>(index: usize, text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|failure| format!("line {}: {failure}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::journal::{Marker, Outcome};

    const PLACE: Place = Place { lease: 7, sequence: 12 };

    fn outcomes() -> Vec<UnitOutcome> {
        let outcome = |prefix: &str, outcome| UnitOutcome {
            prefix: prefix.to_owned(),
            outcome,
            at: "2026-11-25T21:45:00Z".parse().unwrap(),
            markers: Vec::new(),
        };
        let changed = Outcome::Changed { key: "a/2/x".to_owned(), reason: "new\nline".to_owned() };
        vec![outcome("a/1/", Outcome::Done), outcome("a/2/", changed)]
    }

    #[test]
    fn keys_sort_by_lease_sequence_and_half() {
        let intent = key("r", PLACE, Half::Intent);
        assert_eq!(intent, ".s3core/life/runs/r/journal/00000007-00000012-intent.jsonl");
        let outcome = key("r", PLACE, Half::Outcome);
        let next = key("r", Place { sequence: 13, ..PLACE }, Half::Intent);
        let later = key("r", Place { lease: 10, sequence: 1 }, Half::Intent);
        assert!(intent < outcome && outcome < next && next < later);
        assert!(intent.starts_with(&of_lease("r", 7)));
        let rest = key("r", PLACE, Half::Rest(2));
        assert_eq!(rest, ".s3core/life/runs/r/journal/00000007-00000012-rest-2.jsonl");
        for (found, half) in [(&intent, Half::Intent), (&outcome, Half::Outcome), (&rest, Half::Rest(2))] {
            assert_eq!(parsed_key("r", found), Some((PLACE, half)));
        }
        for other in [
            "00000007-00000012-rest-02.jsonl",
            "7-12-intent.jsonl",
            "00000007-00000012-intent.json",
            "00000007-00000012-other.jsonl",
            "x",
            "",
        ] {
            assert_eq!(parsed_key("r", &format!("{}{other}", keys::journal("r"))), None, "{other}");
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let texts = outcome(PLACE, &outcomes()).unwrap();
        let [(Half::Outcome, text)] = texts.as_slice() else { panic!("{texts:?}") };
        assert!(!String::from_utf8_lossy(text).contains("part"));
        assert_eq!(parsed_outcome(PLACE, 1, text).unwrap(), (outcomes(), 1));
        let group = Group { first: 12, last: 13 };
        let text = intent(PLACE, group, &[]).unwrap();
        assert_eq!(parsed_intent(PLACE, &text).unwrap(), (group, Vec::new()));
    }

    #[test]
    fn outcomes_with_many_markers_are_cut_and_joined() {
        let marker = |number: usize| Marker { key: number.to_string(), version: "v".to_owned() };
        for (markers, sizes) in [
            ([0, 0], [2].as_slice()),
            ([PART - 2, 0], [PART].as_slice()),
            ([PART - 1, 0], [PART, 1].as_slice()),
            ([PART - 2, 3], [PART, 4].as_slice()),
            ([3 * PART, 1], [PART, PART, PART, 6].as_slice()),
        ] {
            let mut all = outcomes();
            for (outcome, markers) in all.iter_mut().zip(markers) {
                outcome.markers = (0..markers).map(marker).collect();
            }
            let parts = cut(&all);
            let size = |part: &Vec<UnitOutcome>| part.iter().map(|outcome| 1 + outcome.markers.len()).sum();
            assert_eq!(parts.iter().map(size).collect::<Vec<usize>>(), sizes, "{markers:?}");
            let mut joined = Vec::new();
            parts.into_iter().for_each(|part| join(&mut joined, part));
            assert_eq!(joined, all, "{markers:?}");
        }
    }

    #[test]
    fn every_cut_is_noticed() {
        let text = outcome(PLACE, &outcomes()).unwrap().remove(0).1;
        for length in 0..text.len() {
            assert!(parsed_outcome(PLACE, 1, &text[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn what_belongs_elsewhere_is_noticed() {
        let outcome = outcome(PLACE, &outcomes()).unwrap().remove(0).1;
        assert!(parsed_outcome(PLACE, 2, &outcome).unwrap_err().contains("part 2"));
        let elsewhere = Place { sequence: 13, ..PLACE };
        assert!(parsed_outcome(elsewhere, 1, &outcome).unwrap_err().contains("the batch 12 of the lease 7"));
        assert!(parsed_intent(PLACE, &outcome).is_err());
        let outside = intent(PLACE, Group { first: 1, last: 11 }, &[]).unwrap();
        assert!(parsed_intent(PLACE, &outside).unwrap_err().contains("not in its group"));
        let intent = intent(PLACE, Group { first: 12, last: 12 }, &[]).unwrap();
        assert!(parsed_outcome(PLACE, 1, &intent).is_err());
    }
}
