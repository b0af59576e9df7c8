//! The objects of a journal: their names, and the lines in them.
//!
//! The first line says what the object is and how many lines follow, so that one that was cut is no shorter whole.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::run::keys;

use super::{IntendedUnit, UnitOutcome};

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
}

impl Half {
    const ALL: [Self; 2] = [Self::Intent, Self::Outcome];

    fn name(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Outcome => "outcome",
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
    let half = Half::ALL.into_iter().find(|half| rest.strip_prefix(half.name()) == Some(".jsonl"))?;
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
}

pub(super) fn intent(place: Place, group: Group, units: &[IntendedUnit]) -> serde_json::Result<Vec<u8>> {
    written(place, Some(group), units)
}

pub(super) fn outcome(place: Place, outcomes: &[UnitOutcome]) -> serde_json::Result<Vec<u8>> {
    written(place, None, outcomes)
}

/// # Errors
/// What is wrong with it.
pub(super) fn parsed_intent(place: Place, text: &[u8]) -> Result<(Group, Vec<IntendedUnit>), String> {
    let (group, units) = parsed(place, text)?;
    let group = group.ok_or("its first line is no intent's")?;
    if !(group.first..=group.last).contains(&place.sequence) {
        return Err(format!("it is not in its group, {} to {}", group.first, group.last));
    }
    Ok((group, units))
}

/// # Errors
/// What is wrong with it.
pub(super) fn parsed_outcome(place: Place, text: &[u8]) -> Result<Vec<UnitOutcome>, String> {
    match parsed(place, text)? {
        (None, outcomes) => Ok(outcomes),
        (Some(_), _) => Err("its first line is no outcome's".to_owned()),
    }
}

fn written<T: Serialize>(place: Place, group: Option<Group>, lines: &[T]) -> serde_json::Result<Vec<u8>> {
    let Place { lease, sequence } = place;
    let mut text = serde_json::to_vec(&Head { lease, sequence, lines: lines.len(), group })?;
    for line in lines {
        text.push(b'\n');
        serde_json::to_writer(&mut text, line)?;
    }
    text.push(b'\n');
    Ok(text)
}

fn parsed<T: DeserializeOwned>(place: Place, text: &[u8]) -> Result<(Option<Group>, Vec<T>), String> {
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
    Ok((head.group, lines))
}

fn line<T: DeserializeOwned>(index: usize, text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|failure| format!("line {}: {failure}", index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::journal::Outcome;

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
        for (found, half) in [(&intent, Half::Intent), (&outcome, Half::Outcome)] {
            assert_eq!(parsed_key("r", found), Some((PLACE, half)));
        }
        for other in ["7-12-intent.jsonl", "00000007-00000012-intent.json", "00000007-00000012-other.jsonl", "x", ""] {
            assert_eq!(parsed_key("r", &format!("{}{other}", keys::journal("r"))), None, "{other}");
        }
    }

    #[test]
    fn what_was_written_is_read() {
        let text = outcome(PLACE, &outcomes()).unwrap();
        assert_eq!(parsed_outcome(PLACE, &text).unwrap(), outcomes());
        let group = Group { first: 12, last: 13 };
        let text = intent(PLACE, group, &[]).unwrap();
        assert_eq!(parsed_intent(PLACE, &text).unwrap(), (group, Vec::new()));
    }

    #[test]
    fn every_cut_is_noticed() {
        let text = outcome(PLACE, &outcomes()).unwrap();
        for length in 0..text.len() {
            assert!(parsed_outcome(PLACE, &text[..length]).is_err(), "cut to {length} bytes");
        }
    }

    #[test]
    fn what_belongs_elsewhere_is_noticed() {
        let outcome = outcome(PLACE, &outcomes()).unwrap();
        let elsewhere = Place { sequence: 13, ..PLACE };
        assert!(parsed_outcome(elsewhere, &outcome).unwrap_err().contains("the batch 12 of the lease 7"));
        assert!(parsed_intent(PLACE, &outcome).is_err());
        let outside = intent(PLACE, Group { first: 1, last: 11 }, &[]).unwrap();
        assert!(parsed_intent(PLACE, &outside).unwrap_err().contains("not in its group"));
        let intent = intent(PLACE, Group { first: 12, last: 12 }, &[]).unwrap();
        assert!(parsed_outcome(PLACE, &intent).is_err());
    }
}
