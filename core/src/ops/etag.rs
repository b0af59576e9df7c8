//! ETags without quotes, and the ETag that a multipart upload will have.
//!
//! Gateways of different releases send them quoted, bare or empty; inside s3core they are always bare.

use md5::{Digest, Md5};

/// The bare form of an ETag as a gateway sent it; `None` for an empty one.
pub(super) fn bare(etag: &str) -> Option<String> {
    let etag = etag.trim();
    let etag = etag.strip_prefix("W/").unwrap_or(etag);
    let etag = etag.strip_prefix('"').unwrap_or(etag);
    let etag = etag.strip_suffix('"').unwrap_or(etag);
    (!etag.is_empty()).then(|| etag.to_owned())
}

/// The form of RFC 9110 for conditions on reads. Conditions on writes take the bare form: Radosgw before 20.2.1
/// compares a PUT's `If-Match` literally, quotes included.
pub(super) fn quoted(etag: &str) -> String {
    if etag == "*" { etag.to_owned() } else { format!("\"{etag}\"") }
}

/// The ETag of an object made of parts with these ETags: the MD5 of their MD5s, a dash and their number. `None` where
/// one of them is not an MD5 (SSE-KMS and SSE-C on AWS).
pub fn multipart_etag<'a>(parts: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let mut hasher = Md5::new();
    let mut number = 0_usize;
    for part in parts {
        hasher.update(md5_of(part)?);
        number += 1;
    }
    Some(format!("{}-{number}", hexadecimal(&hasher.finalize())))
}

/// The MD5 that a bare ETag is, where it has the form of one.
pub(super) fn md5_of(etag: &str) -> Option<[u8; 16]> {
    let mut digest = [0; 16];
    if etag.len() != 32 || !etag.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(etag.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(digest)
}

/// Lower-case hexadecimal digits.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_becomes_bare() {
        for sent in ["\"abc-2\"", "abc-2", " W/\"abc-2\" ", "&quot;".replace("&quot;", "\"abc-2\"").as_str()] {
            assert_eq!(bare(sent).as_deref(), Some("abc-2"), "{sent}");
        }
        assert_eq!(bare("\"\""), None);
        assert_eq!(bare(""), None);
    }

    #[test]
    fn multipart_etag_is_the_md5_of_md5s() {
        // Two parts "hello" and "world": md5(md5("hello") || md5("world")).
        let parts = ["5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7"];
        assert_eq!(multipart_etag(parts).as_deref(), Some("065947336a2f2a95ba8899f3675c3be6-2"));
    }

    #[test]
    fn parts_without_md5_have_no_predictable_etag() {
        assert_eq!(multipart_etag(["not-an-md5"]), None);
        assert_eq!(multipart_etag(["5d41402abc4b2a76b9719d911017c59g"]), None);
    }
}
