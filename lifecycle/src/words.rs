//! Numbers in words.

use bytesize::ByteSize;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::plan::line::Amount;
use crate::run::record::{HELD, NOT_RESTORED};

/// `1,234,567`
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1,234 units`, `1 unit`
pub(crate) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", count(number), if number == 1 { "" } else { "s" })
}

/// `3 units (12 objects, 5.0 MiB)`
pub(crate) fn amount(Amount { units, objects, bytes }: Amount) -> String {
    format!("{} ({}, {})", counted(units, "unit"), counted(objects, "object"), size(bytes))
}

/// What a run did by this action: `expire`
pub(crate) fn action(name: &str) -> &str {
    match name {
        HELD => "in place",
        NOT_RESTORED => "half gone",
        other => other,
    }
}

/// `1.2 GiB`
pub(crate) fn size(bytes: u64) -> String {
    ByteSize::b(bytes).to_string()
}

/// `2026-11-25 12:00 UTC`
pub(crate) fn moment(moment: Timestamp, zone: &TimeZone) -> String {
    moment.to_zoned_datetime(zone.clone()).strftime("%F %R %Z").to_string()
}

/// `2026-11-25T12:00:00Z`; `2026-11-25T13:00:00+01:00` in a zone that is not UTC
pub(crate) fn in_zone(moment: Timestamp, zone: &str) -> String {
    match moment.in_tz(zone) {
        Ok(zoned) if zone != "UTC" => zoned.strftime("%FT%T%:z").to_string(),
        _ => moment.strftime("%FT%TZ").to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_in_groups_of_three() {
        let numbers = [0, 12, 999, 1_000, 123_456, 1_234_567].map(count);
        assert_eq!(numbers, ["0", "12", "999", "1,000", "123,456", "1,234,567"]);
        let one = Amount { units: 1, objects: 1, bytes: 10 };
        assert_eq!(amount(one), "1 unit (1 object, 10 B)");
        assert_eq!([counted(1, "unit"), counted(2_000, "unit")], ["1 unit", "2,000 units"]);
    }

    #[test]
    fn moments_name_their_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let noon = "2026-11-25T12:00:30.5Z".parse().unwrap();
        assert_eq!(moment(noon, &zone), "2026-11-25 13:00 CET");
        assert_eq!(in_zone(noon, "Europe/Berlin"), "2026-11-25T13:00:30+01:00");
        assert_eq!([in_zone(noon, "UTC"), in_zone(noon, "Nowhere")], ["2026-11-25T12:00:30Z"; 2]);
    }
}
