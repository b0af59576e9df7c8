//! How objects are encrypted: S3A's options for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use crate::gateway::{CustomerKey, Encryption};
use crate::http::Endpoint;
use crate::{Error, ErrorKind, Result};

use super::row::Row;
use super::sources::Resolver;
use super::table::{ENCRYPTION_ALGORITHM, ENCRYPTION_CONTEXT, ENCRYPTION_KEY};
use super::values;

/// What the options say about objects of `endpoint`.
///
/// # Errors
/// `UnusableEncryption` for an algorithm that is not known, for a key that is missing, superfluous or of another length, and for SSE-C without TLS; `Unsupported`
/// for encryption in the client.
pub(super) fn read(resolver: &Resolver<'_>, endpoint: &Endpoint) -> Result<Encryption> {
    wanted(resolver, endpoint).map_err(|error| match error.kind() {
        ErrorKind::InvalidOption => {
            let message = error.message().to_owned();
            error.restated(ErrorKind::UnusableEncryption, message)
        }
        _ => error,
    })
}

fn wanted(resolver: &Resolver<'_>, endpoint: &Endpoint) -> Result<Encryption> {
    let Some(written) = resolver.text(&ENCRYPTION_ALGORITHM)? else {
        return Ok(Encryption::AsTheBucket);
    };
    let algorithm = written.to_lowercase();
    let key = resolver.text(&ENCRYPTION_KEY)?;
    match algorithm.as_str() {
        "aes256" if key.is_some() => Err(invalid(
            resolver,
            &ENCRYPTION_KEY,
            "AES256 (SSE-S3) has keys of the gateway's own; remove it, or set fs.s3a.encryption.algorithm to SSE-KMS or SSE-C",
        )),
        "aes256" => Ok(Encryption::Gateway),
        "sse-c" => customers(resolver, endpoint, key),
        "sse-kms" | "dsse-kms" => {
            let context = resolver.text(&ENCRYPTION_CONTEXT)?.map(|text| context(resolver, &text)).transpose()?;
            Ok(Encryption::KeyService { key, context, dual: algorithm == "dsse-kms" })
        }
        "cse-kms" | "cse-custom" => Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{}: encryption in the client ({}) is left out on purpose: other readers of the bucket could not read the \
                 objects. Use AES256, SSE-KMS or SSE-C",
                origin(resolver, &ENCRYPTION_ALGORITHM),
                algorithm.to_uppercase()
            ),
        )),
        // S3A's words.
        _ => Err(Error::new(
            ErrorKind::UnusableEncryption,
            format!(
                "Unknown encryption algorithm {written} (from {}): write AES256, SSE-KMS, DSSE-KMS or SSE-C",
                origin(resolver, &ENCRYPTION_ALGORITHM)
            ),
        )),
    }
}

fn customers(resolver: &Resolver<'_>, endpoint: &Endpoint, key: Option<String>) -> Result<Encryption> {
    let Some(key) = key else {
        let message = format!(
            "{}: SSE-C is enabled but no encryption key was declared in fs.s3a.encryption.key: set it to 256 bits in base64",
            origin(resolver, &ENCRYPTION_ALGORITHM)
        );
        return Err(Error::new(ErrorKind::InvalidOption, message));
    };
    if !endpoint.tls {
        let message = format!(
            "{}: SSE-C sends the key in every request, and {endpoint} speaks no TLS: use an https:// endpoint, or \
             fs.s3a.connection.ssl.enabled=true",
            origin(resolver, &ENCRYPTION_ALGORITHM)
        );
        return Err(Error::new(ErrorKind::InvalidOption, message));
    }
    let key = CustomerKey::from_base64(&key)
        .ok_or_else(|| invalid(resolver, &ENCRYPTION_KEY, "SSE-C takes a key of 256 bits (32 bytes) in base64"))?;
    Ok(Encryption::Customer(key))
}

/// Pairs as base64 of JSON.
fn context(resolver: &Resolver<'_>, text: &str) -> Result<String> {
    let pairs = values::pairs(text).ok_or_else(|| {
        invalid(resolver, &ENCRYPTION_CONTEXT, "write pairs with commas between (project=lake,team=a)")
    })?;
    let pairs: Map<String, Value> = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
    Ok(STANDARD.encode(Value::Object(pairs).to_string()))
}

fn invalid(resolver: &Resolver<'_>, row: &Row, complaint: &str) -> Error {
    match resolver.find(row) {
        Some(given) => given.invalid(row, complaint),
        None => Error::new(ErrorKind::InvalidOption, format!("option {}: {complaint}", row.key())),
    }
}

fn origin(resolver: &Resolver<'_>, row: &Row) -> String {
    resolver.find(row).map_or_else(|| row.key(), |given| given.origin)
}
