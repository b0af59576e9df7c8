//! Percent encoding of keys in listings with `encoding-type=url`.

use std::borrow::Cow;

use crate::{Error, ErrorKind, Result};

/// The text that a listing encoded: percent sequences, and a plus for a blank (AWS; Radosgw writes `%20`, and both
/// write `%2B` for a plus).
///
/// # Errors
/// `Corrupted` where the result is not UTF-8, which no key can be.
pub(super) fn decoded(text: Cow<'_, str>) -> Result<String> {
    if !text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        return Ok(text.into_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => match tail {
                [high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                    bytes.push((digit(*high) << 4) | digit(*low));
                    rest = after;
                }
                _ => bytes.push(byte),
            },
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::new(ErrorKind::Corrupted, format!("the gateway listed {text:?}, which is no UTF-8 key")))
}

fn digit(character: u8) -> u8 {
    char::from(character).to_digit(16).and_then(|value| u8::try_from(value).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_out_as_they_were() {
        let listed = "plain/key%20a%2Bb%25%2F%C3%A9/%E6%97%A5%0D%0A%01k%3Dv%26x%3Fy%23%22%27%3C%3E";
        assert_eq!(decoded(listed.into()).unwrap(), "plain/key a+b%/é/日\r\n\u{1}k=v&x?y#\"'<>");
    }

    #[test]
    fn a_plus_is_a_blank_and_a_lone_percent_sign_stays() {
        assert_eq!(decoded("a+b%".into()).unwrap(), "a b%");
        assert_eq!(decoded("%zz%4".into()).unwrap(), "%zz%4");
        assert_eq!(decoded("%2b%2B".into()).unwrap(), "++");
    }

    #[test]
    fn what_is_not_utf8_is_an_error() {
        assert_eq!(decoded("%ff%fe".into()).unwrap_err().kind(), ErrorKind::Corrupted);
    }
}
