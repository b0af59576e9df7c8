//! What a gateway's error answers mean: one table from S3 codes and HTTP statuses to [`ErrorKind`].
//!
//! Messages name the remedy and never hold a secret: of an access key at most the first four characters are shown.

mod table;

use std::time::Duration;

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};

use crate::gateway::REQUEST_ID;
use crate::http::Response;
use crate::{Error, ErrorKind};

use super::xml::{self, ErrorDocument};
use table::{Row, row};

/// Longest error body that is looked at.
const LONGEST_BODY: usize = 256 * 1024;

/// The error that an answer with an error status tells of.
pub(super) async fn translated(response: Response) -> Error {
    let Response { status, headers, body } = response;
    // A body that breaks off leaves the status, which says enough.
    let body = body.collect(LONGEST_BODY).await.unwrap_or_default();
    translate(status, &headers, &body)
}

/// The gateway's name for the request.
pub(super) fn request_id(headers: &HeaderMap) -> Option<String> {
    headers.get(REQUEST_ID)?.to_str().ok().map(str::to_owned)
}

/// The error that an `Error` document under status 200 tells of: the gateway had begun its answer before it knew the
/// outcome.
pub(super) fn under_success(document: &ErrorDocument) -> Error {
    let code = document.code.as_deref().unwrap_or_default();
    let kind = row(code).map_or(ErrorKind::Unavailable, |row| row.kind);
    Error::new(kind, sentence(kind, row(code), document)).answered(
        200,
        document.code.clone(),
        document.request_id.clone(),
    )
}

/// The error for a document that no S3 gateway sends.
pub(super) fn no_s3_answer(text: &str) -> Error {
    let message = format!(
        "the endpoint does not answer like an S3 gateway: check fs.s3a.endpoint, its port and its path; it sent {:?}",
        first_words(text)
    );
    Error::new(ErrorKind::WrongProtocol, message)
}

fn translate(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let document =
        (xml::root(text).as_deref() == Some("Error")).then(|| xml::parse::<ErrorDocument>(text)).and_then(Result::ok);
    let id = request_id(headers);
    let error = match document {
        Some(mut document) => {
            document.region = document.region.or_else(|| bucket_region(headers));
            let known = document.code.as_deref().and_then(row);
            let kind = known.map_or_else(|| by_status(status), |row| row.kind);
            let id = id.or_else(|| document.request_id.clone());
            Error::new(kind, sentence(kind, known, &document)).answered(status.as_u16(), document.code, id)
        }
        None => without_document(status, headers, text).answered(status.as_u16(), None, id),
    };
    match retry_after(headers) {
        Some(pause) => error.retry_after(pause),
        None => error,
    }
}

fn by_status(status: StatusCode) -> ErrorKind {
    match status.as_u16() {
        401 | 403 => ErrorKind::AccessDenied,
        404 | 410 => ErrorKind::NotFound,
        405 | 501 => ErrorKind::Unsupported,
        408 => ErrorKind::TimedOut,
        304 | 412 => ErrorKind::PreconditionFailed,
        416 => ErrorKind::OutOfRange,
        // A proxy that gets no answer from a gateway sends 504; so does one whose gateway blocks writers in a reshard.
        429 | 503 | 504 => ErrorKind::Throttled,
        500..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::BadRequest,
    }
}

/// The sentence for an answer with an `Error` document.
fn sentence(kind: ErrorKind, known: Option<&Row>, document: &ErrorDocument) -> String {
    let said = document.message.as_deref().map(str::trim).filter(|said| !said.is_empty()).map(first_words);
    let known = known.map(|row| row.message).filter(|message| !message.is_empty());
    let mut sentence = match (kind, known) {
        (ErrorKind::BadCredentials, Some(message)) if message.starts_with("is not known") => {
            let shown: String = document.access_key.iter().flat_map(|key| key.chars().take(4)).collect();
            let access_key =
                if shown.is_empty() { "the access key".to_owned() } else { format!("access key {shown}…") };
            format!("{access_key} {message}")
        }
        (_, Some(message)) => message.to_owned(),
        (_, None) => said.unwrap_or_else(|| kind.row().meaning.trim_end_matches('.').to_lowercase()),
    };
    match (&document.region, &document.endpoint) {
        (Some(region), _) if kind == ErrorKind::BadRequest => {
            sentence.push_str(&format!("; the bucket is in region {region}: set fs.s3a.endpoint.region"));
        }
        (None, Some(endpoint)) if kind == ErrorKind::BadRequest => {
            sentence.push_str(&format!("; it wants to be addressed as {endpoint}: set fs.s3a.endpoint"));
        }
        _ => {}
    }
    sentence
}

/// The error for an answer without an `Error` document: one to a HEAD request, which has no body, or one that did not
/// come from an S3 gateway.
fn without_document(status: StatusCode, headers: &HeaderMap, text: &str) -> Error {
    let kind = by_status(status);
    if text.is_empty() {
        return Error::new(kind, without_body(status, kind, headers));
    }
    let words = first_words(text);
    if matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::TimedOut) {
        return Error::new(
            kind,
            format!("no gateway behind the endpoint answers; something in between sent {words:?}"),
        );
    }
    let is_markup = text.starts_with('<')
        || headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).is_some_and(|kind| kind.contains("html"));
    if is_markup || !looks_like_s3(headers) {
        return no_s3_answer(text);
    }
    Error::new(kind, format!("the gateway answered {words:?}"))
}

fn looks_like_s3(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| name.as_str().starts_with("x-amz-"))
}

fn without_body(status: StatusCode, kind: ErrorKind, headers: &HeaderMap) -> String {
    if let Some(region) = bucket_region(headers).filter(|_| matches!(status.as_u16(), 301 | 307 | 400)) {
        return format!("the bucket is in region {region}: set fs.s3a.endpoint.region");
    }
    match status.as_u16() {
        301 | 302 | 307 | 308 => {
            "the endpoint points elsewhere: check fs.s3a.endpoint and fs.s3a.endpoint.region".to_owned()
        }
        400 => "the gateway refused the request without a reason: check fs.s3a.endpoint.region and the credentials"
            .to_owned(),
        401 | 403 => {
            "access denied, without a reason: check fs.s3a.access.key, fs.s3a.secret.key, the bucket's policy \
                      and this machine's clock"
                .to_owned()
        }
        404 | 410 => "no such object".to_owned(),
        412 => "the object is not the one that the condition named".to_owned(),
        416 => "the range is beyond the end of the object".to_owned(),
        _ => kind.row().meaning.trim_end_matches('.').to_lowercase(),
    }
}

fn bucket_region(headers: &HeaderMap) -> Option<String> {
    headers.get("x-amz-bucket-region")?.to_str().ok().map(str::to_owned)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// Enough of a text to recognise who wrote it, on one line.
fn first_words(text: &str) -> String {
    const ENOUGH: usize = 120;
    let words: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(ENOUGH) {
        Some((end, _)) => format!("{}…", words.split_at(end).0),
        None => words,
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;
    use crate::error::Repeat;
    use crate::ops::ListObjectsV2;
    use crate::ops::scripted::{Answer, play};

    fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &str) -> Error {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)));
        translate(StatusCode::from_u16(status).unwrap(), &headers.collect(), body.as_bytes())
    }

    /// As Radosgw writes it.
    fn document(code: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message></Message>\
             <RequestId>tx0-1</RequestId><HostId>a-default-default</HostId></Error>"
        )
    }

    #[tokio::test(start_paused = true)]
    async fn the_error_page_of_a_proxy_is_not_the_gateways_first_answer() {
        let began = tokio::time::Instant::now();
        let page = |_| Answer::new(503, "<html>no server is available</html>").header("content-type", "text/html");
        assert!(play(ListObjectsV2::new("b", ""), (0..10).map(page)).await.outcome.is_err());
        assert!(began.elapsed() < Duration::from_secs(30), "{:?}", began.elapsed());
    }

    #[test]
    fn codes_become_kinds() {
        for (status, code, kind) in [
            (503, "SlowDown", ErrorKind::Throttled),
            (503, "ServiceUnavailable", ErrorKind::Throttled),
            (500, "InternalError", ErrorKind::Unavailable),
            (400, "RequestTimeout", ErrorKind::TimedOut),
            (404, "NoSuchKey", ErrorKind::NotFound),
            (404, "NoSuchBucket", ErrorKind::NoSuchBucket),
            (404, "NoSuchUpload", ErrorKind::NotFound),
            (403, "AccessDenied", ErrorKind::AccessDenied),
            (403, "InvalidAccessKeyId", ErrorKind::BadCredentials),
            (403, "SignatureDoesNotMatch", ErrorKind::BadCredentials),
            (403, "RequestTimeTooSkewed", ErrorKind::ClockSkew),
            (403, "QuotaExceeded", ErrorKind::QuotaExceeded),
            (403, "UserSuspended", ErrorKind::UserSuspended),
            (412, "PreconditionFailed", ErrorKind::PreconditionFailed),
            (416, "InvalidRange", ErrorKind::OutOfRange),
            (409, "BucketAlreadyExists", ErrorKind::AlreadyExists),
            (409, "BucketAlreadyOwnedByYou", ErrorKind::AlreadyExists),
            (400, "EntityTooSmall", ErrorKind::BadRequest),
            (400, "XAmzContentSHA256Mismatch", ErrorKind::Corrupted),
            (400, "BadDigest", ErrorKind::Corrupted),
            (301, "PermanentRedirect", ErrorKind::BadRequest),
            (501, "NotImplemented", ErrorKind::Unsupported),
            (409, "ConditionalRequestConflict", ErrorKind::Unavailable),
        ] {
            let error = answer(status, &[], &document(code));
            assert_eq!(error.kind(), kind, "{code}");
            assert_eq!(error.service_code(), Some(code));
            assert_eq!(error.status(), Some(status));
            assert_eq!(error.request_id(), Some("tx0-1"));
            assert!(!error.message().is_empty(), "{code}");
        }
    }

    #[test]
    fn unknown_codes_go_by_their_status_and_keep_the_gateways_words() {
        let body = "<Error><Code>Odd</Code><Message>Something\n odd</Message></Error>";
        for (status, kind) in [
            (400, ErrorKind::BadRequest),
            (403, ErrorKind::AccessDenied),
            (404, ErrorKind::NotFound),
            (409, ErrorKind::BadRequest),
            (429, ErrorKind::Throttled),
            (500, ErrorKind::Unavailable),
            (501, ErrorKind::Unsupported),
            (502, ErrorKind::Unavailable),
            (503, ErrorKind::Throttled),
            (504, ErrorKind::Throttled),
        ] {
            let error = answer(status, &[], body);
            assert_eq!((error.kind(), error.message()), (kind, "Something odd"), "{status}");
        }
    }

    #[test]
    fn patience_is_for_busy_gateways_only() {
        assert_eq!(answer(503, &[], "").kind().row().repeat, Repeat::Patiently);
        assert_eq!(answer(504, &[], "").kind().row().repeat, Repeat::Patiently);
        assert_eq!(answer(500, &[], "").kind().row().repeat, Repeat::Briefly);
        assert_eq!(answer(502, &[], "").kind().row().repeat, Repeat::Briefly);
        assert_eq!(answer(403, &[], "").kind().row().repeat, Repeat::Never);
    }

    #[test]
    fn answers_to_head_have_no_body() {
        for (status, kind) in [
            (400, ErrorKind::BadRequest),
            (403, ErrorKind::AccessDenied),
            (404, ErrorKind::NotFound),
            (412, ErrorKind::PreconditionFailed),
        ] {
            let error = answer(status, &[], "");
            assert_eq!(error.kind(), kind, "{status}");
            assert_eq!(error.service_code(), None);
            assert!(!error.message().is_empty());
        }
        let error = answer(301, &[("x-amz-bucket-region", "eu-west-1")], "");
        assert!(error.message().contains("eu-west-1") && error.message().contains("fs.s3a.endpoint.region"), "{error}");
    }

    #[test]
    fn a_web_server_is_no_gateway() {
        let page = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head></html>";
        for status in [200_u16, 400, 403, 404, 405] {
            let error =
                if status == 200 { no_s3_answer(page) } else { answer(status, &[("content-type", "text/html")], page) };
            assert_eq!(error.kind(), ErrorKind::WrongProtocol, "{status}");
            assert!(error.message().contains("<!DOCTYPE html> <html>"), "{error}");
            assert!(error.message().contains("fs.s3a.endpoint"), "{error}");
        }
        assert_eq!(answer(404, &[], "404 page not found").kind(), ErrorKind::WrongProtocol);
    }

    #[test]
    fn a_proxys_error_page_is_worth_another_attempt() {
        let page = "<html><body><h1>503 Service Unavailable</h1>No server is available.</body></html>";
        let error = answer(503, &[("retry-after", "7")], page);
        assert_eq!(error.kind(), ErrorKind::Throttled);
        assert_eq!(error.retry_after_hint(), Some(Duration::from_secs(7)));
        assert!(error.message().contains("503 Service Unavailable"), "{error}");
        assert_eq!(answer(502, &[], page).kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn an_odd_retry_after_is_ignored() {
        assert_eq!(answer(503, &[("retry-after", "soon")], "").retry_after_hint(), None);
        assert_eq!(answer(503, &[("retry-after", "-1")], "").retry_after_hint(), None);
    }

    #[test]
    fn messages_name_the_option() {
        assert!(answer(403, &[], &document("SignatureDoesNotMatch")).message().contains("check fs.s3a.secret.key"));
        assert!(answer(403, &[], &document("InvalidAccessKeyId")).message().contains("check fs.s3a.access.key"));
    }

    #[test]
    fn of_an_access_key_four_characters_are_shown() {
        let body = "<Error><Code>InvalidAccessKeyId</Code><AWSAccessKeyId>AKIAVERYSECRET</AWSAccessKeyId></Error>";
        let error = answer(403, &[], body);
        assert!(error.to_string().contains("access key AKIA… is not known"), "{error}");
        assert!(!format!("{error:?}").contains("AKIAV"));
        let body = "<Error><Code>SignatureDoesNotMatch</Code><AWSAccessKeyId>AKIAVERYSECRET</AWSAccessKeyId>\
                    <StringToSign>AWS4</StringToSign><SignatureProvided>f00</SignatureProvided></Error>";
        let error = format!("{:?}", answer(403, &[], body));
        assert!(!error.contains("AKIAV") && !error.contains("f00"), "{error}");
    }

    #[test]
    fn a_wrong_region_is_named() {
        let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message>\
                    <Region>eu-central-1</Region></Error>";
        let error = answer(400, &[], body);
        assert_eq!(
            error.message(),
            "the region is wrong; the bucket is in region eu-central-1: set fs.s3a.endpoint.region"
        );
    }

    #[test]
    fn broken_documents_go_by_their_status() {
        assert_eq!(answer(503, &[], "<Error><Code>Slow").kind(), ErrorKind::Throttled);
        assert_eq!(answer(404, &[("x-amz-request-id", "tx")], "gone").kind(), ErrorKind::NotFound);
    }

    #[test]
    fn an_error_under_status_200_is_an_error() {
        let document: ErrorDocument = xml::parse(&document("InternalError")).unwrap();
        assert_eq!(under_success(&document).kind(), ErrorKind::Unavailable);
        let document: ErrorDocument = xml::parse("<Error><Code>NoSuchUpload</Code></Error>").unwrap();
        assert_eq!(under_success(&document).kind(), ErrorKind::NotFound);
        assert_eq!(under_success(&ErrorDocument::default()).kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn long_bodies_are_cut_between_characters() {
        let words = first_words(&"é".repeat(500));
        assert_eq!(words.chars().count(), 121);
    }
}
