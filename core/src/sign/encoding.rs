//! Percent-encoding as SigV4 wants it: everything but RFC 3986's unreserved characters, in upper-case hex, once.

/// Appends a key; slashes stay, so that "a//b" and "/a" remain what they are.
pub(super) fn push_path(target: &mut String, key: &str) {
    for byte in key.bytes() {
        if byte == b'/' { target.push('/') } else { push_byte(target, byte) }
    }
}

/// Appends `?name=value&flag`, sorted by name; a parameter without a value is written without "=".
pub(super) fn push_query(target: &mut String, parameters: &[(&'static str, String)]) {
    let mut sorted: Vec<_> = parameters.iter().collect();
    sorted.sort();
    for (index, (name, value)) in sorted.into_iter().enumerate() {
        target.push(if index == 0 { '?' } else { '&' });
        name.bytes().for_each(|byte| push_byte(target, byte));
        if !value.is_empty() {
            target.push('=');
            value.bytes().for_each(|byte| push_byte(target, byte));
        }
    }
}

/// Appends `name=value` to a form or query, after an ampersand where something stands there already.
pub(crate) fn push_pair(target: &mut String, name: &str, value: &str) {
    if !target.is_empty() {
        target.push('&');
    }
    name.bytes().for_each(|byte| push_byte(target, byte));
    target.push('=');
    value.bytes().for_each(|byte| push_byte(target, byte));
}

/// Appends bytes in lower-case hex.
pub(super) fn push_hex(target: &mut String, bytes: &[u8]) {
    for byte in bytes {
        target.push(digit(byte >> 4).to_ascii_lowercase());
        target.push(digit(byte & 15).to_ascii_lowercase());
    }
}

fn push_byte(target: &mut String, byte: u8) {
    if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
        target.push(char::from(byte));
    } else {
        target.push('%');
        target.push(digit(byte >> 4));
        target.push(digit(byte & 15));
    }
}

fn digit(nibble: u8) -> char {
    char::from(if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_encoded_once_and_keep_their_slashes() {
        let encoded = |key| {
            let mut target = String::new();
            push_path(&mut target, key);
            target
        };
        assert_eq!(encoded("a//b/../c/./d"), "a//b/../c/./d");
        assert_eq!(encoded("/leading"), "/leading");
        assert_eq!(encoded("day=1/a+b c%20~_-.x"), "day%3D1/a%2Bb%20c%2520~_-.x");
        assert_eq!(encoded("ü/日本/\u{1F600}"), "%C3%BC/%E6%97%A5%E6%9C%AC/%F0%9F%98%80");
        assert_eq!(
            encoded("!*'()\"<>?#&:@,;\\|^`{}[]\n"),
            "%21%2A%27%28%29%22%3C%3E%3F%23%26%3A%40%2C%3B%5C%7C%5E%60%7B%7D%5B%5D%0A"
        );
    }

    #[test]
    fn queries_are_sorted_and_flags_have_no_value() {
        let mut target = String::from("/b");
        push_query(&mut target, &[("uploads", String::new()), ("prefix", "a b/+".into()), ("list-type", "2".into())]);
        assert_eq!(target, "/b?list-type=2&prefix=a%20b%2F%2B&uploads");
    }
}
