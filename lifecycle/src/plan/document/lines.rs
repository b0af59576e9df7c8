//! The text of a plan: lines, and the digest in the last of them.

use std::fmt::Write as _;
use std::io::{self, BufRead, Read};

/// Longest line that is read: that of many datasets. Others are shorter than two keys.
const LONGEST: u64 = 16 << 20;

/// What stands behind the digest, which is the last value of the last line.
pub(super) const AFTER_DIGEST: &str = "\"}\n";

/// Length of a digest.
const DIGITS: usize = 64;

/// The next line with its newline, in `line`; false at the end.
///
/// # Errors
/// Those of reading; `InvalidData` for a line that is too long or is not UTF-8.
pub(super) fn read(from: &mut impl BufRead, line: &mut String) -> io::Result<bool> {
    line.clear();
    let length = from.take(LONGEST).read_line(line)?;
    if length as u64 == LONGEST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a line is longer than 16 MiB"));
    }
    Ok(length > 0)
}

/// What is digested of the last line: what stands before its digest. None where none is there.
pub(super) fn before_digest(line: &str) -> Option<&str> {
    let rest = line.strip_suffix(AFTER_DIGEST)?;
    let before = rest.get(..rest.len().checked_sub(DIGITS)?)?;
    before.ends_with("\"digest\":\"").then_some(before)
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
