//! The conversions of strftime that date a partition, and how much time each leaves open.

/// A stretch of time that one conversion fixes, from the longest to the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Field {
    Year,
    Month,
    Week,
    Day,
    Hour,
    Minute,
    Second,
}

/// The fields that a format fixes.
///
/// # Errors
/// A conversion that says nothing of the time, or none at all.
pub(crate) fn fields(format: &str) -> Result<Vec<Field>, String> {
    let mut found = Vec::new();
    let mut characters = format.chars();
    while let Some(character) = characters.next() {
        if character != '%' {
            continue;
        }
        let conversion = characters.next().map(String::from).unwrap_or_default();
        match conversion.as_str() {
            "Y" | "y" | "G" => found.push(Field::Year),
            "m" | "b" | "B" => found.push(Field::Month),
            "V" => found.push(Field::Week),
            "d" | "j" | "u" => found.push(Field::Day),
            "F" | "D" => found.extend([Field::Year, Field::Month, Field::Day]),
            "H" => found.push(Field::Hour),
            "M" => found.push(Field::Minute),
            "S" => found.push(Field::Second),
            "R" => found.extend([Field::Hour, Field::Minute]),
            "T" => found.extend([Field::Hour, Field::Minute, Field::Second]),
            "%" => {}
            _ => {
                return Err(format!(
                    "`%{conversion}` cannot date a partition: use %Y %m %d %H %M %S, %F, %j, or %G-W%V for weeks"
                ));
            }
        }
    }
    if found.is_empty() { Err(format!("`{format}` has no conversion such as %Y-%m-%d")) } else { Ok(found) }
}

/// Whether a format is one conversion and nothing else: its values may come without leading zeros.
pub(crate) fn is_single(format: &str) -> bool {
    format.len() == 2 && format.starts_with('%')
}
