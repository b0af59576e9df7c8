//! Percent encoding of keys, in the copy-source header and in listings with `encoding-type=url`.

use std::borrow::Cow;

use crate::{Error, ErrorKind, Result};

/// A path with everything but unreserved characters and slashes encoded, as SigV4 encodes keys.
pub(super) fn encoded_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.extend(
                [byte >> 4, byte & 15]
                    .map(|digit| char::from_digit(u32::from(digit), 16).unwrap_or_default().to_ascii_uppercase()),
            );
        }
    }
    encoded
}

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
    fn keys_survive_a_round_trip() {
        for key in ["plain/key", "a b+c", "%41", "é/ü/日本", "tab\there\r\n\u{1}", "k=v&x?y#z", "quote\"'<>"] {
            assert_eq!(decoded(Cow::Owned(encoded_path(key))).unwrap(), key);
        }
    }

    #[test]
    fn encoding_is_the_one_of_signatures() {
        assert_eq!(encoded_path("a b+c/é~"), "a%20b%2Bc/%C3%A9~");
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
