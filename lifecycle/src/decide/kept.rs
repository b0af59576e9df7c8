//! Which units the `keep` of a rule protects.

use std::collections::BTreeMap;

use jiff::ZonedDateTime;
use jiff::civil::Date;

use crate::partition::Interval;
use crate::policy::{Dataset, Keep, Policy, Stretch};
use crate::unit::UnitSummary;

/// For each unit the first rule that keeps it. Partitions without data, such as those that were created in advance, are none
/// that a rule counts: they would be kept instead of data.
pub(super) fn by_rule(
    policy: &Policy,
    dataset: &Dataset,
    units: &[&UnitSummary],
    now: &ZonedDateTime,
) -> Vec<Option<usize>> {
    let mut kept = vec![None; units.len()];
    let intervals: Vec<_> =
        units.iter().filter(|unit| unit.has_data).filter_map(|unit| unit.interval.as_ref()).collect();
    for (rule, keep) in dataset.rules.iter().enumerate().filter_map(|(index, rule)| Some((index, rule.keep?))) {
        let ends = match keep {
            Keep::Newest(count) => newest(&intervals, count),
            Keep::LastOf(stretch, lasting) => {
                let mut ends = last_of(policy, &intervals, stretch);
                ends.retain(|end| lasting.is_none_or(|period| period.after(end).is_none_or(|until| until > *now)));
                ends
            }
        };
        for (unit, kept) in units.iter().zip(&mut kept) {
            let end = unit.interval.as_ref().map(|interval| &interval.end);
            if end.is_some_and(|end| ends.contains(end)) {
                kept.get_or_insert(rule);
            }
        }
    }
    kept
}

/// The ends of the `count` newest times. Partitions of one time (of several countries, say) count as one.
fn newest(intervals: &[&Interval], count: u32) -> Vec<ZonedDateTime> {
    let mut ends: Vec<_> = intervals.iter().map(|interval| interval.end.clone()).collect();
    ends.sort_unstable_by(|one, other| other.cmp(one));
    ends.dedup();
    ends.truncate(usize::try_from(count).unwrap_or(usize::MAX));
    ends
}

/// The end of the last time in each stretch of the calendar. A time belongs where it begins.
fn last_of(policy: &Policy, intervals: &[&Interval], stretch: Stretch) -> Vec<ZonedDateTime> {
    let mut last: BTreeMap<Date, ZonedDateTime> = BTreeMap::new();
    for interval in intervals {
        let date = interval.start.with_time_zone(policy.zone.clone()).date();
        let Some(first) = first_of(date, stretch) else { continue };
        let end = last.entry(first).or_insert_with(|| interval.end.clone());
        if *end < interval.end {
            *end = interval.end.clone();
        }
    }
    last.into_values().collect()
}

/// The first day of the stretch that `date` is in.
fn first_of(date: Date, stretch: Stretch) -> Option<Date> {
    match stretch {
        Stretch::Week => Date::from_iso_week_date(date.iso_week_date().first_of_week().ok()?).into(),
        Stretch::Month => Some(date.first_of_month()),
        Stretch::Year => Some(date.first_of_year()),
    }
}
