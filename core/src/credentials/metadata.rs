//! What containers, instances and programs have in common: keys as JSON.

use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use http::{HeaderMap, Method, StatusCode};
use serde::Deserialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::http::{Endpoint, Limits, Payload, Request};
use crate::{Error, ErrorKind, Result};

use super::Credentials;
use super::provider::{Issued, World};

/// Longest document with keys.
const LONGEST_DOCUMENT: usize = 256 * 1024;

/// Services of this machine answer at once or are not there.
pub(super) fn limits(seconds: u64) -> Limits {
    let limit = Duration::from_secs(seconds);
    Limits { connect: limit, answer: limit, idle: limit }
}

/// Status and text of an answer.
pub(super) async fn ask(
    world: &World,
    endpoint: &Endpoint,
    method: Method,
    path_and_query: &str,
    headers: HeaderMap,
    limits: Limits,
) -> Result<(StatusCode, String)> {
    let request = Request { method, path_and_query: path_and_query.to_owned(), headers, payload: Payload::empty() };
    let response = world.environment.transport.send_directly(endpoint, request, limits).await?;
    let status = response.status;
    let body = response.body.collect(LONGEST_DOCUMENT).await?;
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

/// The text of a file, which may lie on a disk that does not answer at once.
pub(super) async fn read_file(path: &Path) -> io::Result<String> {
    let path = path.to_owned();
    let read = tokio::task::spawn_blocking(move || std::fs::read_to_string(path));
    read.await.unwrap_or_else(|stopped| Err(io::Error::other(stopped)))
}

/// The keys in a document of the form `{"AccessKeyId": …, "SecretAccessKey": …, "Token": …, "Expiration": …}`.
/// `source` says whose document it is.
///
/// # Errors
/// `NoCredentials` where it holds no keys, with what it says instead.
pub(super) fn keys(document: &str, source: &str) -> Result<Issued> {
    let fail = |reason: &str| Err(Error::new(ErrorKind::NoCredentials, format!("{source} gave no keys: {reason}")));
    let Ok(document) = serde_json::from_str::<Document>(document) else {
        return fail("the answer is no JSON object of keys");
    };
    if let Some(code) = document.code.filter(|code| !code.eq_ignore_ascii_case("success")) {
        return fail(&format!("{code} {}", document.message.unwrap_or_default()));
    }
    let (Some(access_key), Some(secret_key)) = (document.access_key_id, document.secret_access_key) else {
        return fail("AccessKeyId or SecretAccessKey is missing");
    };
    let expires = match document.expiration {
        None => None,
        Some(text) => match expiration(&text) {
            None => return fail(&format!("Expiration is {text:?}, which is no time of ISO 8601")),
            time => time,
        },
    };
    let session_token = document.token.or(document.session_token);
    Ok(Issued { credentials: Some(Credentials { access_key, secret_key, session_token }), expires })
}

/// A time of ISO 8601.
pub(super) fn expiration(text: &str) -> Option<SystemTime> {
    OffsetDateTime::parse(text.trim(), &Rfc3339).ok().map(SystemTime::from)
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Document {
    code: Option<String>,
    message: Option<String>,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    /// Of containers and instances.
    token: Option<String>,
    /// Of programs.
    session_token: Option<String>,
    expiration: Option<String>,
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[test]
    fn keys_are_read_under_the_names_of_every_service() {
        for token in ["Token", "SessionToken"] {
            let document = format!(
                "{{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"s\", \"{token}\": \"t\", \
                 \"Expiration\": \"2025-11-14T22:13:20Z\", \"RoleArn\": \"arn:x\"}}"
            );
            let issued = keys(&document, "a test").unwrap();
            let credentials = issued.credentials.unwrap();
            assert_eq!((credentials.access_key.as_str(), credentials.secret_key.as_str()), ("a", "s"));
            assert_eq!(credentials.session_token.as_deref(), Some("t"));
            assert_eq!(issued.expires, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_158_400)));
        }
        assert_eq!(keys("{\"AccessKeyId\":\"a\",\"SecretAccessKey\":\"s\"}", "").unwrap().expires, None);
    }

    #[rstest]
    #[case("<html>", "no JSON")]
    #[case("[1]", "no JSON")]
    #[case("{}", "AccessKeyId")]
    #[case("{\"Code\": \"AssumeRoleUnauthorizedAccess\", \"Message\": \"no trust\"}", "no trust")]
    #[case("{\"AccessKeyId\": \"a\", \"SecretAccessKey\": \"swordfish\", \"Expiration\": \"soon\"}", "\"soon\"")]
    fn what_holds_no_keys_is_said(#[case] document: &str, #[case] part: &str) {
        let error = keys(document, "the service").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoCredentials);
        assert!(error.message().contains(part) && error.message().contains("the service"), "{error}");
        assert!(!error.message().contains("swordfish"), "{error}");
    }
}
