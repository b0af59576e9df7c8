//! What a page says of datasets: sums over their objects.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, ZonedDateTime};

use crate::census::{Row, census};
use crate::listing::Lister;
use crate::plan::line::Amount;
use crate::policy::{Dataset, Policy};

/// Ages that are told apart: younger than so many days, in words; what is older comes last.
const AGES: [(i64, &str); 6] =
    [(1, "< 1 day"), (7, "< 1 week"), (30, "< 30 days"), (90, "< 90 days"), (365, "< 1 year"), (730, "< 2 years")];

/// Number of the ages, with what is older and what has none.
pub(super) const ALL_AGES: usize = AGES.len() + 2;

/// An age in words, by its number.
pub(super) fn age(number: usize) -> &'static str {
    match AGES.get(number) {
        Some((_, words)) => words,
        None if number == AGES.len() => "older",
        None => "no age",
    }
}

/// Days that are looked ahead.
pub(super) const AHEAD: usize = 30;

/// What lies in a dataset.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DatasetSums {
    /// Its name.
    pub name: String,
    /// First letters of its keys.
    pub prefix: String,
    /// All its objects.
    pub total: Amount,
    /// Those that belong to units.
    pub in_units: Amount,
    /// Objects and bytes by age, in the order of ages.
    pub ages: [Amount; ALL_AGES],
    /// Objects and bytes by storage class.
    pub classes: BTreeMap<String, Amount>,
    /// Units, objects and bytes by the word of their verdict.
    pub verdicts: BTreeMap<&'static str, Amount>,
    /// What is due, or will be within [`AHEAD`] days of the policy's calendar, by rule and number of the day: 0 for now, 1 for the
    /// rest of today.
    pub due: BTreeMap<(String, usize), Amount>,
    /// What is due now by rules that guards count.
    pub guarded: Amount,
}

impl DatasetSums {
    /// Sums up a dataset, as it is at `now`.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn read(
        lister: &Lister,
        policy: &Policy,
        dataset: &Dataset,
        now: &ZonedDateTime,
    ) -> s3core::Result<Self> {
        let mut sums = Self { name: dataset.name.clone(), prefix: dataset.prefix.clone(), ..Self::default() };
        let mut last = Last::default();
        let inventory = census(lister, policy, dataset, now, |row| {
            sums.add(dataset, row, now, &mut last);
            Ok::<_, s3core::Error>(())
        })
        .await?;
        sums.in_units = inventory.total;
        Ok(sums)
    }

    fn add(&mut self, dataset: &Dataset, row: &Row<'_>, now: &ZonedDateTime, last: &mut Last) {
        let object = Amount { units: 0, objects: 1, bytes: row.object.bytes };
        self.total.add(object);
        if let Some(age) = self.ages.get_mut(number_of_age(row.from, now.timestamp())) {
            age.add(object);
        }
        self.classes.entry(row.object.class.to_owned()).or_default().add(object);
        // The objects of a unit come one after the other, but for those of units in it.
        let counted = Amount { units: last.is_new(row), ..object };
        self.verdicts.entry(row.verdict).or_default().add(counted);
        let (Some(rule), Some(due)) = (row.rule, row.due) else { return };
        let Some(day) = day(row.verdict, due, now) else { return };
        self.due.entry((rule.to_owned(), day)).or_default().add(counted);
        let action = dataset.rules.iter().find(|own| own.name == rule).and_then(|own| own.action.as_ref());
        if row.verdict == "due" && action.is_some_and(crate::policy::Action::is_guarded) {
            self.guarded.add(counted);
        }
    }
}

/// The unit of the last row, with the verdict on it.
#[derive(Default)]
struct Last {
    unit: String,
    verdict: &'static str,
}

impl Last {
    /// 1 where a row begins a unit.
    fn is_new(&mut self, row: &Row<'_>) -> u64 {
        let Some(unit) = row.unit else { return 0 };
        if self.unit == unit && self.verdict == row.verdict {
            return 0;
        }
        unit.clone_into(&mut self.unit);
        self.verdict = row.verdict;
        1
    }
}

fn number_of_age(from: Option<Timestamp>, now: Timestamp) -> usize {
    let Some(from) = from else { return ALL_AGES - 1 };
    let age = now.duration_since(from);
    AGES.iter().take_while(|(days, _)| age >= SignedDuration::from_hours(24 * days)).count()
}

/// Number of the day that something is due on: 0 for now, 1 for the rest of today; None where that is later than what is looked
/// at.
fn day(verdict: &str, due: Timestamp, now: &ZonedDateTime) -> Option<usize> {
    if verdict == "due" {
        return Some(0);
    }
    let due = due.to_zoned_datetime(now.time_zone().clone()).date();
    let day = usize::try_from(due.duration_since(now.date()).as_hours() / 24).ok()? + 1;
    (matches!(verdict, "not yet" | "settling") && day <= AHEAD).then_some(day)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const NOW: &str = "2026-11-25T12:00:00Z";

    #[rstest]
    #[case(Some("2026-11-26T00:00:00Z"), "< 1 day")]
    #[case(Some("2026-11-24T12:00:01Z"), "< 1 day")]
    #[case(Some("2026-11-24T12:00:00Z"), "< 1 week")]
    #[case(Some("2025-11-25T12:00:01Z"), "< 1 year")]
    #[case(Some("2025-11-25T12:00:00Z"), "< 2 years")]
    #[case(Some("2013-01-01T00:00:00Z"), "older")]
    #[case(None, "no age")]
    fn ages_have_names(#[case] from: Option<&str>, #[case] words: &str) {
        let from = from.map(|from| from.parse().unwrap());
        assert_eq!(age(number_of_age(from, NOW.parse().unwrap())), words);
    }

    #[rstest]
    #[case("due", "2020-01-01T00:00:00Z", Some(0))]
    #[case("not yet", "2026-11-25T13:00:00Z", Some(1))]
    // In Berlin that is tomorrow.
    #[case("not yet", "2026-11-25T23:00:00Z", Some(2))]
    #[case("settling", "2026-11-26T13:00:00Z", Some(2))]
    #[case("not yet", "2026-12-24T22:59:59Z", Some(30))]
    #[case("not yet", "2026-12-24T23:00:00Z", None)]
    #[case("kept", "2026-11-25T13:00:00Z", None)]
    fn days_are_counted_from_now(#[case] verdict: &str, #[case] due: &str, #[case] expected: Option<usize>) {
        let now = NOW.parse::<Timestamp>().unwrap().in_tz("Europe/Berlin").unwrap();
        assert_eq!(day(verdict, due.parse().unwrap(), &now), expected);
    }
}
