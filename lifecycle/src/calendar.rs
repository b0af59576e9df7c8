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

    /// Its length where months have 30 days and years 365: to compare periods with each other, never to date anything.
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
