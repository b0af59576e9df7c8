//! Periods of a policy, as a calendar counts them in a zone: `30d` after a day is thirty days later on the wall clock,
//! `1mo` after January 31 is the last of February, and only `h` is a fixed number of seconds.

use std::fmt;
use std::str::FromStr;

use jiff::{Span, ZonedDateTime};

/// A whole number of hours, days, weeks, months or years: `12h`, `30d`, `2w`, `6mo`, `7y`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    count: i32,
    unit: Unit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unit {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    const ALL: [(Self, &'static str); 5] =
        [(Self::Hour, "h"), (Self::Day, "d"), (Self::Week, "w"), (Self::Month, "mo"), (Self::Year, "y")];
}

/// A period, to be compared with another: of units that always go so often into each other there is one.
#[derive(Clone, Copy)]
enum Length {
    Hours(i64),
    Days(i64),
    Months(i64),
}

impl Length {
    /// The fewest and the most hours that it may have where each day has 24.
    fn hours(self) -> (i64, i64) {
        match self {
            Self::Hours(hours) => (hours, hours),
            Self::Days(days) => (24 * days, 24 * days),
            Self::Months(months) => {
                let (years, months) = (months / 12, months % 12);
                (24 * (365 * years + 28 * months), 24 * (366 * years + 31 * months))
            }
        }
    }
}

/// Hours: by more no zone has ever changed its clocks, also where it went across the date line.
const SHIFT: i64 = 26;

/// No period of a policy is longer.
const LONGEST: Period = Period { count: 1000, unit: Unit::Year };

impl Period {
    /// A period of days.
    pub const fn days(count: i32) -> Self {
        Self { count, unit: Unit::Day }
    }

    /// A period of hours.
    pub const fn hours(count: i32) -> Self {
        Self { count, unit: Unit::Hour }
    }

    /// The moment one period after `moment`, in its zone. None where the calendar ends before it.
    pub fn after(self, moment: &ZonedDateTime) -> Option<ZonedDateTime> {
        moment.checked_add(self.span()).ok()
    }

    /// The moment one period before `moment`, in its zone. None where the calendar begins after it.
    pub fn before(self, moment: &ZonedDateTime) -> Option<ZonedDateTime> {
        moment.checked_sub(self.span()).ok()
    }

    /// Whether it is over no later than `other`, whatever moment and zone both are counted in. False where that depends on
    /// them: six months are longer than 26 weeks in one half of the year only.
    pub fn is_never_longer_than(self, other: Self) -> bool {
        match (self.length(), other.length()) {
            (Length::Hours(0), _) => true,
            (Length::Hours(own), Length::Hours(others))
            | (Length::Days(own), Length::Days(others))
            | (Length::Months(own), Length::Months(others)) => own <= others,
            (own @ Length::Hours(_), others) | (own, others @ Length::Hours(_)) => {
                own.hours().1 + SHIFT <= others.hours().0
            }
            (own, others) => own.hours().1 <= others.hours().0,
        }
    }

    /// Its length where months have 30 days and years 365: roughly, never to date anything.
    pub const fn roughly_hours(self) -> i64 {
        let hours = match self.unit {
            Unit::Hour => 1,
            Unit::Day => 24,
            Unit::Week => 7 * 24,
            Unit::Month => 30 * 24,
            Unit::Year => 365 * 24,
        };
        self.count as i64 * hours
    }

    fn length(self) -> Length {
        let count = i64::from(self.count);
        match self.unit {
            Unit::Hour => Length::Hours(count),
            // Nothing is nothing in every unit.
            _ if count == 0 => Length::Hours(0),
            Unit::Day => Length::Days(count),
            Unit::Week => Length::Days(7 * count),
            Unit::Month => Length::Months(count),
            Unit::Year => Length::Months(12 * count),
        }
    }

    fn span(self) -> Span {
        let span = Span::new();
        match self.unit {
            Unit::Hour => span.hours(self.count),
            Unit::Day => span.days(self.count),
            Unit::Week => span.weeks(self.count),
            Unit::Month => span.months(self.count),
            Unit::Year => span.years(self.count),
        }
    }
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (count, name) = text.split_at(digits);
        let unit = Unit::ALL.iter().find(|(_, known)| *known == name).map(|(unit, _)| *unit);
        let (Ok(count), Some(unit)) = (count.parse(), unit) else {
            return Err(format!("`{text}` is no period: write a whole number and h, d, w, mo or y, as in 30d"));
        };
        let period = Self { count, unit };
        if period.roughly_hours() > LONGEST.roughly_hours() {
            return Err(format!("`{text}` is longer than {LONGEST}"));
        }
        Ok(period)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Unit::ALL.iter().find(|(unit, _)| *unit == self.unit).map_or("", |(_, name)| name);
        write!(formatter, "{}{name}", self.count)
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("2024-01-31T00:00[UTC]", "1mo", "2024-02-29T00:00:00+00:00[UTC]")]
    #[case("2024-02-29T00:00[UTC]", "1y", "2025-02-28T00:00:00+00:00[UTC]")]
    #[case("2024-03-30T12:00[Europe/Berlin]", "1d", "2024-03-31T12:00:00+02:00[Europe/Berlin]")]
    #[case("2024-03-30T12:00[Europe/Berlin]", "24h", "2024-03-31T13:00:00+02:00[Europe/Berlin]")]
    #[case("2024-12-30T00:00[UTC]", "2w", "2025-01-13T00:00:00+00:00[UTC]")]
    fn periods_are_calendar_arithmetic(#[case] from: ZonedDateTime, #[case] period: Period, #[case] until: &str) {
        assert_eq!(period.after(&from).unwrap().to_string(), until);
    }

    #[rstest]
    #[case::no_time("0mo", "0h", true)]
    #[case::nothing_is_shorter("0h", "1d", true)]
    #[case::weeks_are_days("1w", "7d", true)]
    #[case::years_are_months("1y", "12mo", true)]
    #[case::longer("3y", "2y", false)]
    #[case::half_a_year("6mo", "26w", false)]
    #[case::and_the_other_way("26w", "6mo", false)]
    #[case::a_year_less_three_days("12mo", "362d", false)]
    #[case::a_leap_year("1y", "366d", true)]
    #[case::a_year_of_365("1y", "365d", false)]
    #[case::longest_month("1mo", "31d", true)]
    #[case::shortest_month("28d", "1mo", true)]
    #[case::not_in_february("29d", "1mo", false)]
    #[case::clocks_change("24h", "1d", false)]
    #[case::hours_of_a_month("600h", "1mo", true)]
    fn one_period_is_never_longer(#[case] one: Period, #[case] other: Period, #[case] expected: bool) {
        assert_eq!(one.is_never_longer_than(other), expected);
    }

    /// Where it says so, it is so, on each of four years' days.
    #[test]
    fn what_is_never_longer_is_over_no_later() {
        let periods = [
            "0h", "24h", "1w", "7d", "28d", "1mo", "31d", "59d", "2mo", "26w", "6mo", "362d", "12mo", "366d", "1y",
            "2y",
        ];
        let periods: Vec<Period> = periods.iter().map(|text| text.parse().unwrap()).collect();
        for zone in ["UTC", "America/New_York", "Pacific/Apia"] {
            let first: ZonedDateTime = format!("2009-12-31T12:00[{zone}]").parse().unwrap();
            for moment in (0..4 * 366).map(|days| Period::days(days).after(&first).unwrap()) {
                for (one, other) in periods.iter().flat_map(|one| periods.iter().map(move |other| (*one, *other))) {
                    let is_later = one.after(&moment) > other.after(&moment);
                    assert!(
                        !is_later || !one.is_never_longer_than(other),
                        "{one} after {moment} is later than {other}"
                    );
                }
            }
        }
    }

    #[rstest]
    #[case("30")]
    #[case("d")]
    #[case("-3d")]
    #[case("3 d")]
    #[case("3m")]
    #[case("1.5d")]
    #[case("99999999999d")]
    #[case("1001y")]
    fn what_is_no_period_is_refused(#[case] text: &str) {
        assert!(text.parse::<Period>().is_err());
    }

    #[test]
    fn a_period_is_written_as_it_was_read() {
        for text in ["12h", "30d", "2w", "6mo", "7y"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
    }
}
