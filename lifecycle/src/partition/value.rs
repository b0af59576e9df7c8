//! `column=value` in paths: names and values with the escapes that Hive and Spark write.

/// What Hive writes for a null (`hive.exec.default.partition.name`).
pub const NULL_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// The partition column and value of each directory of `path`, from the left, with the end of that directory in `path`
/// (its slash included). Directories that name no column are left out.
pub fn columns(path: &str) -> impl Iterator<Item = (String, String, usize)> + '_ {
    let mut end = 0;
    path.split_inclusive('/').filter_map(move |part| {
        end += part.len();
        let (name, value) = part.strip_suffix('/')?.split_once('=')?;
        (!name.is_empty()).then(|| (unescape(name), unescape(value), end))
    })
}

/// Hive's `FileUtils.unescapePathName`: `%3A` is a colon; what is no escape stands for itself.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = (*first == b'%').then(|| after.first_chunk()).flatten().and_then(hexadecimal);
        match escaped {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn hexadecimal(digits: &[u8; 2]) -> Option<u8> {
    let digits = str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_end_at_their_slash() {
        let path = "country=de/plain/day=2024-03-01/part-0";
        let found: Vec<_> = columns(path).collect();
        assert_eq!(
            found,
            [
                ("country".into(), "de".into(), "country=de/".len()),
                ("day".into(), "2024-03-01".into(), "country=de/plain/day=2024-03-01/".len()),
            ]
        );
    }

    #[test]
    fn escapes_of_hive_are_undone_and_others_stay() {
        let value = |path: &str| columns(path).next().unwrap().1;
        assert_eq!(value("ts=2024-03-01 12%3A30/"), "2024-03-01 12:30");
        assert_eq!(value("name=50%25/"), "50%");
        assert_eq!(value("name=50%/"), "50%");
        assert_eq!(value("name=%+1/"), "%+1");
        assert_eq!(value("name=caf%C3%A9/"), "café");
        assert_eq!(value("name=a=b/"), "a=b");
    }
}
