//! Spellings of values: everything that S3A takes on some Hadoop line, and the common forms beside.

use std::time::Duration;

use super::row::{Kind, Row, Unit};

/// A value in the form that the rest of the crate uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Flag(bool),
    /// Bytes or a plain number.
    Number(u64),
    Time(Duration),
    List(Vec<String>),
}

/// Reads `text` as the row says. `Err` says what was expected, as the end of a sentence.
pub(super) fn parse(row: &Row, text: &str) -> Result<Value, String> {
    let text = text.trim();
    match row.kind {
        Kind::Text | Kind::Secret => readable(text).map(Value::Text),
        Kind::Document => readable(&text.replace(['\r', '\n', '\t'], " ")).map(Value::Text),
        Kind::Boolean => boolean(text).map(Value::Flag).ok_or_else(|| "write true or false".to_owned()),
        Kind::Size => {
            let bytes = size(text).ok_or_else(|| {
                "write bytes (67108864) or a whole number with K, M, G or T (64M, 64MB, 64MiB)".to_owned()
            })?;
            within(row, bytes, in_bytes).map(Value::Number)
        }
        Kind::Count => {
            let number = text.parse().map_err(|_| "write a whole number".to_owned())?;
            within(row, number, |limit| limit.to_string()).map(Value::Number)
        }
        Kind::Time(unit) => {
            let time = time(text, unit).ok_or_else(|| {
                let plain = if unit == Unit::Milliseconds { "milliseconds" } else { "seconds" };
                format!(
                    "write a whole number with ms, s, m, h or d (500ms, 60s, 5m); without a unit it counts in {plain}"
                )
            })?;
            let milliseconds = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
            within(row, milliseconds, in_time)?;
            Ok(Value::Time(time))
        }
        Kind::Choice(words) => list(text)
            .iter()
            .map(|word| word.to_lowercase())
            .find(|word| words.contains(&word.as_str()))
            .map(Value::Text)
            .ok_or_else(|| format!("write one of {}", words.join(", "))),
        Kind::List => Ok(Value::List(list(text))),
    }
}

fn readable(text: &str) -> Result<String, String> {
    if text.chars().any(char::is_control) {
        return Err("it holds a line break or another control character; remove it".to_owned());
    }
    Ok(text.to_owned())
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Bytes, with or without a binary prefix: Hadoop's `StringUtils.TraditionalBinaryPrefix` (64M, in either case) and
/// the forms 64MB, 64MiB and 64B. All of them count in powers of 1024, as Hadoop does.
fn size(text: &str) -> Option<u64> {
    let (number, unit) = number_and_unit(text)?;
    let shift = match unit.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        "p" | "pb" | "pib" => 50,
        "e" | "eb" | "eib" => 60,
        _ => return None,
    };
    number.checked_mul(1_u64.checked_shl(shift)?)
}

/// A time with a unit (those of Hadoop's `Configuration.getTimeDuration` and their names), or in `unit` without.
fn time(text: &str, unit: Unit) -> Option<Duration> {
    let (number, written) = number_and_unit(text)?;
    let nanoseconds: u64 = match written.as_str() {
        "" => u64::try_from(unit.duration().as_nanos()).ok()?,
        "ns" => 1,
        "us" | "µs" => 1_000,
        "ms" | "millis" | "millisecond" | "milliseconds" => 1_000_000,
        "s" | "sec" | "secs" | "second" | "seconds" => 1_000_000_000,
        "m" | "min" | "mins" | "minute" | "minutes" => 60_000_000_000,
        "h" | "hour" | "hours" => 3_600_000_000_000,
        "d" | "day" | "days" => 86_400_000_000_000,
        _ => return None,
    };
    number.checked_mul(nanoseconds).map(Duration::from_nanos)
}

/// `15 min` as 15 and `min`, in lower case.
fn number_and_unit(text: &str) -> Option<(u64, String)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim().to_lowercase()))
}

/// Whether a time or a size says its unit.
pub(super) fn has_unit(text: &str) -> bool {
    !text.trim().chars().all(|c| c.is_ascii_digit())
}

fn list(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// `a=1, b=2` as pairs; `None` where a part is no pair.
pub(super) fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let words = list(text).into_iter();
    words
        .map(|word| {
            let (name, value) = word.split_once('=')?;
            (!name.trim().is_empty()).then(|| (name.trim().to_owned(), value.trim().to_owned()))
        })
        .collect()
}

fn within(row: &Row, number: u64, show: impl Fn(u64) -> String) -> Result<u64, String> {
    let (least, most) = row.range;
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(match most {
        u64::MAX => format!("it must be at least {}", show(least)),
        _ => format!("it must be from {} to {}", show(least), show(most)),
    })
}

/// Bytes as an option spells them: the largest unit that needs no fraction.
pub(super) fn in_bytes(bytes: u64) -> String {
    [(40, 'T'), (30, 'G'), (20, 'M'), (10, 'K')]
        .into_iter()
        .find(|(shift, _)| bytes != 0 && bytes.is_multiple_of(1 << shift))
        .map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

/// Milliseconds as an option spells them: the largest unit that needs no fraction.
pub(super) fn in_time(milliseconds: u64) -> String {
    [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1000, "s")]
        .into_iter()
        .find(|(unit, _)| milliseconds != 0 && milliseconds.is_multiple_of(*unit))
        .map_or_else(|| format!("{milliseconds}ms"), |(unit, name)| format!("{}{name}", milliseconds / unit))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::super::table::TABLE;
    use super::*;

    #[rstest]
    #[case("65536", Some(65536))]
    #[case("0", Some(0))]
    #[case("64M", Some(64 << 20))]
    #[case("64m", Some(64 << 20))]
    #[case("64MB", Some(64 << 20))]
    #[case("64MiB", Some(64 << 20))]
    #[case("64 MB", Some(64 << 20))]
    #[case("1g", Some(1 << 30))]
    #[case("2T", Some(2 << 40))]
    #[case("1P", Some(1 << 50))]
    #[case("1E", Some(1 << 60))]
    #[case("16E", None)]
    #[case("100B", Some(100))]
    #[case("0.5G", None)]
    #[case("-1", None)]
    #[case("M", None)]
    #[case("64Q", None)]
    #[case("64MM", None)]
    #[case("99999999999999999999", None)]
    fn sizes(#[case] text: &str, #[case] bytes: Option<u64>) {
        assert_eq!(size(text), bytes);
    }

    #[rstest]
    #[case("200000", Unit::Milliseconds, Some(200_000))]
    #[case("60", Unit::Seconds, Some(60_000))]
    #[case("60s", Unit::Milliseconds, Some(60_000))]
    #[case("60S", Unit::Milliseconds, Some(60_000))]
    #[case("5m", Unit::Milliseconds, Some(300_000))]
    #[case("1h", Unit::Seconds, Some(3_600_000))]
    #[case("100ms", Unit::Seconds, Some(100))]
    #[case("15 min", Unit::Seconds, Some(900_000))]
    #[case("2 days", Unit::Seconds, Some(172_800_000))]
    #[case("5000000ns", Unit::Seconds, Some(5))]
    #[case("7000us", Unit::Seconds, Some(7))]
    #[case("1.5s", Unit::Seconds, None)]
    #[case("-5s", Unit::Seconds, None)]
    #[case("s", Unit::Seconds, None)]
    #[case("5 fortnights", Unit::Seconds, None)]
    fn times(#[case] text: &str, #[case] unit: Unit, #[case] milliseconds: Option<u64>) {
        assert_eq!(time(text, unit), milliseconds.map(Duration::from_millis));
    }

    #[rstest]
    #[case("true", Some(true))]
    #[case("TRUE", Some(true))]
    #[case("False", Some(false))]
    #[case("yes", None)]
    #[case("1", None)]
    fn booleans(#[case] text: &str, #[case] value: Option<bool>) {
        assert_eq!(boolean(text), value);
    }

    #[rstest]
    #[case(0, "0")]
    #[case(100, "100")]
    #[case(64 << 10, "64K")]
    #[case(96 << 20, "96M")]
    #[case(5 << 40, "5T")]
    fn bytes_are_shown_in_the_largest_whole_unit(#[case] bytes: u64, #[case] shown: &str) {
        assert_eq!(in_bytes(bytes), shown);
        assert_eq!(size(shown), Some(bytes));
    }

    #[rstest]
    #[case(0, "0ms")]
    #[case(1500, "1500ms")]
    #[case(90_000, "90s")]
    #[case(7_200_000, "2h")]
    fn times_are_shown_in_the_largest_whole_unit(#[case] milliseconds: u64, #[case] shown: &str) {
        assert_eq!(in_time(milliseconds), shown);
    }

    #[rstest]
    #[case("a,b", &["a", "b"])]
    #[case(" a ,\n  b,\n", &["a", "b"])]
    #[case("", &[])]
    fn lists(#[case] text: &str, #[case] words: &[&str]) {
        assert_eq!(list(text), words);
    }

    #[test]
    fn every_default_is_a_value_of_its_own_option() {
        for row in TABLE {
            if let Some(default) = row.default {
                assert!(parse(row, default).is_ok(), "{}: {default}", row.name);
            }
        }
    }
}
