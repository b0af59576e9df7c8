//! What requests say besides their operation: S3A's options for it.

use http::header::{HeaderName, HeaderValue};

use crate::Result;
use crate::gateway::RequestSettings;
use crate::gateway::audit::AuditSettings;
use crate::http::Endpoint;

use super::encryption;
use super::sources::{Given, Resolver};
use super::table::{
    ACL, AUDIT_ENABLED, AUDIT_JOB, AUDIT_PRINCIPAL, AUDIT_PROCESS, AUDIT_REFERRER_ENABLED, AUDIT_REFERRER_FILTER,
    CONTENT_ENCODING, CUSTOM_HEADERS, REQUESTER_PAYS, TENANT,
};
use super::values;

/// Canned ACLs, as S3 spells them and in lower case as S3A does.
pub(super) const ACLS: &[&str] = &[
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "bucket-owner-read",
    "bucket-owner-full-control",
    "log-delivery-write",
    "publicread",
    "publicreadwrite",
    "authenticatedread",
    "awsexecread",
    "bucketownerread",
    "bucketownerfullcontrol",
    "logdeliverywrite",
];

/// What the options say about requests to `endpoint`.
///
/// # Errors
/// `InvalidOption` for what no header can hold, and those of [`encryption::read`].
pub(super) fn read(resolver: &Resolver<'_>, endpoint: &Endpoint) -> Result<RequestSettings> {
    let headers = match resolver.find(&CUSTOM_HEADERS) {
        None => Vec::new(),
        Some(given) => custom(&given)?,
    };
    Ok(RequestSettings {
        encryption: encryption::read(resolver, endpoint)?,
        acl: resolver.choice(&ACL)?.map(|name| canned(&name)),
        content_encoding: resolver.text(&CONTENT_ENCODING)?,
        requester_pays: resolver.flag(&REQUESTER_PAYS)?,
        headers,
        audit: audit(resolver)?,
        tenant: tenant(resolver)?,
    })
}

/// S3's spelling.
fn canned(name: &str) -> String {
    let plain = |name: &str| name.replace('-', "");
    ACLS.iter().find(|known| plain(known) == plain(name)).copied().unwrap_or(name).to_owned()
}

fn custom(given: &Given) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let complaint = |what: &str| given.invalid(&CUSTOM_HEADERS, what);
    let pairs = values::pairs(&given.text)
        .ok_or_else(|| complaint("write pairs with commas between (x-site=berlin,x-team=a;b)"))?;
    let mut headers = Vec::new();
    for (number, (name, texts)) in (1..).zip(pairs) {
        // What stands there may be a piece of a value with a comma in it, and values are secrets.
        let header = HeaderName::try_from(&name)
            .map_err(|_| complaint(&format!("the name of pair {number} is no name of a header")))?;
        if is_reserved(header.as_str()) {
            return Err(complaint(&format!("the header {header} is one that requests need themselves; leave it out")));
        }
        // Values with commas between mean the same as the header sent several times (RFC 9110, section 5.3), and keep
        // their signature on every gateway.
        let texts: Vec<_> = texts.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
        let value = HeaderValue::try_from(texts.join(", ")).ok().filter(|value| value.to_str().is_ok());
        let mut value = value.ok_or_else(|| complaint(&format!("the header {header} takes visible ASCII")))?;
        value.set_sensitive(true);
        headers.push((header, value));
    }
    Ok(headers)
}

/// Headers that frame, sign or narrow a request: others in their place would break it, or make it another one.
const RESERVED: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "content-range",
    "date",
    "expect",
    "host",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-unmodified-since",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "range",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-amz-content-sha256",
    "x-amz-date",
    "x-amz-delete-if-unmodified-since",
    "x-amz-metadata-directive",
    "x-amz-security-token",
];

fn is_reserved(name: &str) -> bool {
    RESERVED.contains(&name) || name.starts_with("x-amz-copy-") || name.starts_with("x-amz-server-side-encryption")
}

fn audit(resolver: &Resolver<'_>) -> Result<Option<AuditSettings>> {
    if !resolver.flag(&AUDIT_ENABLED)? || !resolver.flag(&AUDIT_REFERRER_ENABLED)? {
        return Ok(None);
    }
    Ok(Some(AuditSettings {
        principal: resolver.text(&AUDIT_PRINCIPAL)?,
        process: resolver.text(&AUDIT_PROCESS)?,
        job: resolver.text(&AUDIT_JOB)?,
        filter: resolver.list(&AUDIT_REFERRER_FILTER)?,
    }))
}

fn tenant(resolver: &Resolver<'_>) -> Result<Option<String>> {
    let Some(given) = resolver.find(&TENANT) else {
        return Ok(None);
    };
    let name = given.one_line(&TENANT)?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        // Radosgw: "validate_tenant" in rgw_rest_s3.cc.
        return Err(given.invalid(&TENANT, "a tenant's name holds letters, digits and underscores only"));
    }
    Ok(Some(name))
}
