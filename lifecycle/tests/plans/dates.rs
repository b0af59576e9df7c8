//! A calendar of the tests' own, so that what is expected does not come from what is tested.

/// Year, month and day.
pub(crate) type Date = (i32, u32, u32);

pub(crate) fn is_leap(year: i32) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_of((year, month, _): Date) -> u32 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

pub(crate) fn next(date: Date) -> Date {
    let (year, month, day) = date;
    match (month, day < days_of(date)) {
        (_, true) => (year, month, day + 1),
        (12, false) => (year + 1, 1, 1),
        (_, false) => (year, month + 1, 1),
    }
}

pub(crate) fn plus_days(date: Date, days: u32) -> Date {
    (0..days).fold(date, |date, _| next(date))
}

/// What a calendar calls a year later: February 29 becomes 28.
pub(crate) fn plus_year((year, month, day): Date) -> Date {
    (year + 1, month, day.min(days_of((year + 1, month, day))))
}

/// So many days from `first` on.
pub(crate) fn days(first: Date, count: usize) -> Vec<Date> {
    std::iter::successors(Some(first), |date| Some(next(*date))).take(count).collect()
}

pub(crate) fn text((year, month, day): Date) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}
