//! The `time:` of a dataset: which columns date its partitions, and how.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{DateTime, date};
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, ZonedDateTime};

use super::directive::{Field, fields, is_single};
use super::value::columns;

/// A parsed template, `{day:%Y-%m-%d}` or `{year}-{month}-{day}`. What stands between the columns is for the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    columns: Vec<Column>,
    smallest: Field,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Column {
    name: String,
    format: Format,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Format {
    /// Conversions of strftime.
    Calendar(String),
    /// Units of one second since 1970, so many in a second.
    Epoch(i64),
}

/// The time that a partition's data is from: `start` is in it, `end` is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// The first moment.
    pub start: ZonedDateTime,
    /// The first moment after it.
    pub end: ZonedDateTime,
}

/// Columns whose name tells their format.
const KNOWN: [(&str, &str); 5] = [("year", "%Y"), ("month", "%m"), ("day", "%d"), ("hour", "%H"), ("minute", "%M")];

/// Years before it are taken for values of another meaning (`dt=240301`), and no partition is that old.
const FIRST_YEAR: i16 = 1900;

impl Template {
    /// Where the partition's directory ends in `path` (which is relative to the dataset), and its columns' values: the
    /// shallowest directory below which all columns are known. None outside any partition, and below a directory that readers
    /// pass over.
    pub fn partition<'a>(&self, path: &'a str) -> Option<(&'a str, Vec<String>)> {
        let mut values = vec![None; self.columns.len()];
        for (name, value, end) in columns(path) {
            for (column, known) in self.columns.iter().zip(&mut values) {
                if column.name == name {
                    *known = Some(value.clone());
                }
            }
            if values.iter().all(Option::is_some) {
                let directory = path.get(..end)?;
                let values = values.into_iter().flatten().collect();
                return (!directory.split_terminator('/').any(is_hidden)).then_some((directory, values));
            }
        }
        None
    }

    /// What the values of [`Self::partition`] say in `zone`. None where they don't parse, or name no moment.
    pub fn interval(&self, values: &[String], zone: &TimeZone) -> Option<Interval> {
        if let ([Column { format: Format::Epoch(units), .. }], [value]) = (self.columns.as_slice(), values) {
            let start = epoch(value, *units)?.to_zoned_datetime(zone.clone());
            let end = start.checked_add(1.second()).ok()?;
            return Some(Interval { start, end });
        }
        let start = self.civil(values)?;
        let end = start.checked_add(self.length()).ok()?;
        Some(Interval {
            start: start.to_zoned_datetime(zone.clone()).ok()?,
            end: end.to_zoned_datetime(zone.clone()).ok()?,
        })
    }

    fn civil(&self, values: &[String]) -> Option<DateTime> {
        let mut format = String::new();
        let mut text = String::new();
        for (column, value) in self.columns.iter().zip(values) {
            let Format::Calendar(own) = &column.format else { return None };
            add(&mut format, own);
            add(&mut text, value);
        }
        // What the template leaves open begins with its first.
        for (open, first) in [("%m", "1"), ("%d", "1")].iter().skip(usize::from(self.smallest == Field::Month)) {
            if self.smallest <= Field::Month {
                add(&mut format, open);
                add(&mut text, first);
            }
        }
        if self.smallest == Field::Week {
            add(&mut format, "%u");
            add(&mut text, "1");
        }
        let parsed = strtime::parse(&format, &text).ok()?;
        for (column, value) in self.columns.iter().zip(values) {
            column.is_exact(value, &parsed).then_some(())?;
        }
        let date = parsed.to_date().ok()?;
        let time = parsed.to_time().unwrap_or_default();
        (date.year() >= FIRST_YEAR).then(|| date.to_datetime(time))
    }

    /// The directory of a partition that it dates, `day=2024-03-05/`. None where it can date none.
    pub fn example(&self) -> Option<String> {
        let sample = date(2024, 3, 5).at(16, 7, 8, 0).to_zoned_datetime(TimeZone::UTC).ok()?;
        let written = self.columns.iter().map(|column| match &column.format {
            Format::Calendar(format) => strtime::format(format, &sample).ok(),
            Format::Epoch(units) => Some((sample.timestamp().as_second() * units).to_string()),
        });
        let values = written.collect::<Option<Vec<_>>>()?;
        self.interval(&values, &TimeZone::UTC)?;
        Some(self.columns.iter().zip(values).map(|(column, value)| format!("{}={value}/", column.name)).collect())
    }

    fn length(&self) -> Span {
        match self.smallest {
            Field::Year => 1.year(),
            Field::Month => 1.month(),
            Field::Week => 1.week(),
            Field::Day => 1.day(),
            Field::Hour => 1.hour(),
            Field::Minute => 1.minute(),
            Field::Second => 1.second(),
        }
    }
}

impl Column {
    /// Whether `value` is what the format writes for the moment that was read: a parser is more lenient than a date may
    /// be that data is removed by. One conversion alone may come without its zeros, as in `month=3`.
    fn is_exact(&self, value: &str, parsed: &strtime::BrokenDownTime) -> bool {
        let Format::Calendar(format) = &self.format else { return false };
        let Ok(written) = parsed.to_string(format) else { return false };
        let unpadded = |text: &str| text.trim_start_matches('0').to_owned();
        written == value || (is_single(format) && format != "%Y" && unpadded(&written) == unpadded(value))
    }
}

/// Whether Spark and Hive pass over a directory of this name and all below it (`InMemoryFileIndex.shouldFilterOutPathName`,
/// `FileUtils.HIDDEN_FILES_PATH_FILTER`).
fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || name.starts_with('_') && !name.contains('=')
}

/// A separator that no value contains: one directory ends where the next begins.
fn add(text: &mut String, part: &str) {
    text.push('/');
    text.push_str(part);
}

fn epoch(value: &str, units: i64) -> Option<Timestamp> {
    let count: i64 = value.parse().ok()?;
    let moment = Timestamp::from_second(count.div_euclid(units)).ok()?;
    (count > 0 && moment.to_zoned_datetime(TimeZone::UTC).year() <= 9000).then_some(moment)
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut found = Vec::new();
        let mut rest = text;
        while let Some((_, after)) = rest.split_once('{') {
            let (column, after) =
                after.split_once('}').ok_or_else(|| format!("`{text}` has a brace that is not closed"))?;
            found.push(Column::read(column)?);
            rest = after;
        }
        let smallest = check(text, &found)?;
        let template = Self { columns: found, smallest };
        if template.example().is_none() {
            return Err(format!(
                "`{text}` can date no partition, since its conversions do not go together: write years of weeks as %G-W%V, \
                 and others with %Y"
            ));
        }
        Ok(template)
    }
}

/// As it is read, with all formats.
impl fmt::Display for Template {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Column { name, format } in &self.columns {
            match format {
                Format::Calendar(format) => write!(formatter, "{{{name}:{format}}}")?,
                Format::Epoch(1) => write!(formatter, "{{{name}:epoch}}")?,
                Format::Epoch(_) => write!(formatter, "{{{name}:epoch_ms}}")?,
            }
        }
        Ok(())
    }
}

impl Column {
    fn read(text: &str) -> Result<Self, String> {
        let (name, format) = match text.split_once(':') {
            Some((name, format)) => (name, Some(format)),
            None => (text, None),
        };
        if name.is_empty() || name.contains(['=', '/', '{']) {
            return Err(format!("`{{{text}}}` names no partition column: write {{column:%Y-%m-%d}}"));
        }
        let format = match format {
            Some("epoch") => Format::Epoch(1),
            Some("epoch_ms") => Format::Epoch(1000),
            Some(format) => Format::Calendar(format.to_owned()),
            None => KNOWN
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, format)| Format::Calendar((*format).to_owned()))
                .ok_or_else(|| format!("the column `{name}` needs its format: {{{name}:%Y-%m-%d}}"))?,
        };
        Ok(Self { name: name.to_owned(), format })
    }
}

/// The smallest field, where all greater ones are there.
fn check(text: &str, columns: &[Column]) -> Result<Field, String> {
    let mut all = Vec::new();
    for column in columns {
        match &column.format {
            Format::Calendar(format) => all.extend(fields(format)?),
            Format::Epoch(_) if columns.len() == 1 => return Ok(Field::Second),
            Format::Epoch(_) => return Err(format!("`{text}`: a column of epoch seconds dates a partition alone")),
        }
    }
    let smallest =
        *all.iter().max().ok_or_else(|| format!("`{text}` names no partition column: write {{column:%Y-%m-%d}}"))?;
    let day_of_year =
        columns.iter().any(|column| matches!(&column.format, Format::Calendar(format) if format.contains("%j")));
    let needed: &[Field] = match smallest {
        Field::Year => &[Field::Year],
        Field::Week => &[Field::Year, Field::Week],
        _ if day_of_year || all.contains(&Field::Week) => &[Field::Year, Field::Day],
        Field::Month => &[Field::Year, Field::Month],
        Field::Day => &[Field::Year, Field::Month, Field::Day],
        Field::Hour => &[Field::Year, Field::Month, Field::Day, Field::Hour],
        Field::Minute | Field::Second => &[Field::Year, Field::Month, Field::Day, Field::Hour, Field::Minute],
    };
    let names = columns.iter().map(|column| &column.name).collect::<std::collections::BTreeSet<_>>();
    if names.len() != columns.len() {
        return Err(format!("`{text}` names a column twice"));
    }
    match needed.iter().find(|field| !all.contains(field)) {
        None => Ok(smallest),
        Some(missing) => Err(format!("`{text}` leaves the {} open", format!("{missing:?}").to_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn dated(template: &str, path: &str, zone: &str) -> Option<(String, String)> {
        let template: Template = template.parse().unwrap();
        let (_, values) = template.partition(path)?;
        let interval = template.interval(&values, &TimeZone::get(zone).unwrap())?;
        Some((interval.start.to_string(), interval.end.to_string()))
    }

    #[rstest]
    #[case("{day:%Y-%m-%d}", "day=2024-02-29/x", "2024-02-29T00:00:00+00:00[UTC]", "2024-03-01T00:00:00+00:00[UTC]")]
    #[case("{day:%F}", "day=2023-12-31/x", "2023-12-31T00:00:00+00:00[UTC]", "2024-01-01T00:00:00+00:00[UTC]")]
    #[case("{dt:%Y%m%d}", "dt=20240301/x", "2024-03-01T00:00:00+00:00[UTC]", "2024-03-02T00:00:00+00:00[UTC]")]
    #[case("{dt:%Y%m%d%H}", "dt=2024030123/x", "2024-03-01T23:00:00+00:00[UTC]", "2024-03-02T00:00:00+00:00[UTC]")]
    #[case(
        "{year}-{month}-{day}",
        "year=2024/month=3/day=1/x",
        "2024-03-01T00:00:00+00:00[UTC]",
        "2024-03-02T00:00:00+00:00[UTC]"
    )]
    #[case(
        "{year}-{month}",
        "year=2024/month=02/x",
        "2024-02-01T00:00:00+00:00[UTC]",
        "2024-03-01T00:00:00+00:00[UTC]"
    )]
    #[case("{year}", "year=2024/x", "2024-01-01T00:00:00+00:00[UTC]", "2025-01-01T00:00:00+00:00[UTC]")]
    #[case("{week:%G-W%V}", "week=2020-W53/x", "2020-12-28T00:00:00+00:00[UTC]", "2021-01-04T00:00:00+00:00[UTC]")]
    #[case("{d:%Y-%j}", "d=2024-060/x", "2024-02-29T00:00:00+00:00[UTC]", "2024-03-01T00:00:00+00:00[UTC]")]
    #[case(
        "{day:%F} {hour}",
        "day=2024-03-01/hour=7/x",
        "2024-03-01T07:00:00+00:00[UTC]",
        "2024-03-01T08:00:00+00:00[UTC]"
    )]
    #[case(
        "{day:%F}",
        "country=de/day=2024-03-01/kind=a/x",
        "2024-03-01T00:00:00+00:00[UTC]",
        "2024-03-02T00:00:00+00:00[UTC]"
    )]
    #[case(
        "{ts:%F %H:%M}",
        "ts=2024-03-01 12%3A30/x",
        "2024-03-01T12:30:00+00:00[UTC]",
        "2024-03-01T12:31:00+00:00[UTC]"
    )]
    #[case("{ts:epoch}", "ts=1709251200/x", "2024-03-01T00:00:00+00:00[UTC]", "2024-03-01T00:00:01+00:00[UTC]")]
    #[case("{ts:epoch_ms}", "ts=1709251200999/x", "2024-03-01T00:00:00+00:00[UTC]", "2024-03-01T00:00:01+00:00[UTC]")]
    fn partitions_are_dated(#[case] template: &str, #[case] path: &str, #[case] start: &str, #[case] end: &str) {
        assert_eq!(dated(template, path, "UTC"), Some((start.to_owned(), end.to_owned())));
    }

    #[test]
    fn a_day_is_as_long_as_its_zone_makes_it() {
        let (start, end) = dated("{day:%F}", "day=2024-03-31/x", "Europe/Berlin").unwrap();
        assert_eq!(
            (start.as_str(), end.as_str()),
            ("2024-03-31T00:00:00+01:00[Europe/Berlin]", "2024-04-01T00:00:00+02:00[Europe/Berlin]",)
        );
    }

    #[rstest]
    #[case("{day:%Y-%m-%d}", "day=2024-02-30/x")]
    #[case("{day:%Y-%m-%d}", "day=24-02-03/x")]
    #[case("{day:%Y-%m-%d}", "day=2024-2-3/x")]
    #[case("{day:%Y-%m-%d}", "day=2024-02-03-old/x")]
    #[case("{day:%Y-%m-%d}", "day=__HIVE_DEFAULT_PARTITION__/x")]
    #[case("{day:%Y-%m-%d}", "day=/x")]
    #[case("{dt:%Y%m%d}", "dt=2024031/x")]
    #[case("{dt:%Y%m%d}", "dt=240301/x")]
    #[case("{week:%G-W%V}", "week=2021-W53/x")]
    #[case("{year}-{month}", "year=24/month=3/x")]
    #[case("{year}-{month}", "year=2024/month=13/x")]
    #[case("{ts:epoch}", "ts=-5/x")]
    #[case("{ts:epoch}", "ts=1709251200000000/x")]
    fn a_value_that_does_not_parse_dates_nothing(#[case] template: &str, #[case] path: &str) {
        assert_eq!(dated(template, path, "UTC"), None);
    }

    #[test]
    fn a_partition_ends_where_its_last_column_is_known() {
        let template: Template = "{day:%F}".parse().unwrap();
        let end = |path| template.partition(path).map(|(end, _)| end);
        assert_eq!(end("country=de/day=2024-03-01/kind=a/x"), Some("country=de/day=2024-03-01/"));
        assert_eq!(end("_SUCCESS"), None);
        assert_eq!(end("day=2024-03-01"), None);
        assert_eq!(end("country=de/x"), None);
        assert_eq!(end("_country=de/day=2024-03-01/x"), Some("_country=de/day=2024-03-01/"));
        assert_eq!(end("_backup/day=2024-03-01/x"), None, "no reader looks there");
        assert_eq!(end(".old/day=2024-03-01/x"), None);
        assert_eq!(end("day=2024-03-01/_SUCCESS"), Some("day=2024-03-01/"));
    }

    #[rstest]
    #[case("{day:%F}", "day=2024-03-05/")]
    #[case("{year}-{month}-{hour}-{day}", "year=2024/month=03/hour=16/day=05/")]
    #[case("{week:%G-W%V}", "week=2024-W10/")]
    #[case("{ts:epoch}", "ts=1709654828/")]
    #[case("{ts:epoch_ms}", "ts=1709654828000/")]
    fn an_example_is_a_partition(#[case] template: &str, #[case] directory: &str) {
        assert_eq!(template.parse::<Template>().unwrap().example().as_deref(), Some(directory));
    }

    #[rstest]
    #[case("day", "names no partition column")]
    #[case("{day", "not closed")]
    #[case("{}", "names no partition column")]
    #[case("{dt}", "needs its format")]
    #[case("{day}", "leaves the year open")]
    #[case("{year}-{day}", "leaves the month open")]
    #[case("{dt:%Y-%m-%d %M}", "leaves the hour open")]
    #[case("{dt:%Q}", "%Q")]
    #[case("{dt:today}", "no conversion")]
    #[case("{ts:epoch}-{day:%F}", "alone")]
    #[case("{dt:%Y}-{dt:%m}", "twice")]
    #[case("{day:%Y-%m-%e}", "%e")]
    #[case("{week:%Y-W%V}", "%G-W%V")]
    #[case("{day:%G-%m-%d}", "with %Y")]
    fn templates_that_date_nothing_name_the_remedy(#[case] text: &str, #[case] part: &str) {
        let error = text.parse::<Template>().unwrap_err();
        assert!(error.contains(part), "{error}");
    }
}
