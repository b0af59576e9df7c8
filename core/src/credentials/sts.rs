//! Keys of roles: AssumeRole and AssumeRoleWithWebIdentity of the Security Token Service, which Radosgw offers at its own
//! endpoint (<https://docs.ceph.com/en/latest/radosgw/STS/>) and AWS at one per region.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use quick_xml::Reader;
use quick_xml::events::Event;
use sha2::{Digest, Sha256};

use crate::environment::{Clock, CorrectedClock};
use crate::http::{Endpoint, Limits, Payload, Request, Response};
use crate::sign::{Identity, PayloadHash, Scope, Signable, push_pair};
use crate::{Error, ErrorKind, Result};

use super::Credentials;
use super::metadata::{self, expiration};
use super::provider::{AssumedRole, Issued, Role, Secret, Sts, WebIdentity, World};

/// Longest time to wait for an answer of STS.
const ANSWER: Duration = Duration::from_secs(30);
const LONGEST_ANSWER: usize = 256 * 1024;

/// # Errors
/// What the providers of the keys fail with that the role is taken on with; what STS refuses, with the role named.
pub(super) async fn assume_role(assumed: &AssumedRole, world: &World) -> Result<Issued> {
    let AssumedRole { role, sts, base } = assumed;
    let blame = |error: Error| blame(&role.arn, sts, &error);
    let keys = base.issue(0, world).await.map_err(blame)?.and_then(|(_, issued)| issued.credentials);
    let Some(keys) = keys else {
        let message = format!(
            "the role {} is taken on with other keys, and there are none: {} had none; check \
             fs.s3a.assumed.role.credentials.provider",
            role.arn,
            base.names()
        );
        return Err(Error::new(ErrorKind::NoCredentials, message));
    };
    let form = form("AssumeRole", role);
    send(sts, form, Some(&Identity::from(&keys)), world).await.map_err(blame)
}

/// # Errors
/// `NoCredentials` where the token's file cannot be read; what STS refuses, with the role named.
pub(super) async fn assume_role_with_web_identity(identity: &WebIdentity, world: &World) -> Result<Issued> {
    let WebIdentity { role, sts, token_file } = identity;
    // Read anew each time: Kubernetes renews the file.
    let token = metadata::read_file(token_file).await.map_err(|cause| {
        let message =
            format!("the file {} of AWS_WEB_IDENTITY_TOKEN_FILE cannot be read: {cause}", token_file.display());
        Error::new(ErrorKind::NoCredentials, message).caused_by(cause)
    })?;
    let mut form = form("AssumeRoleWithWebIdentity", role);
    push_pair(&mut form, "WebIdentityToken", token.trim());
    send(sts, form, None, world).await.map_err(|error| blame(&role.arn, sts, &error))
}

fn form(action: &str, role: &Role) -> String {
    let mut form = String::new();
    push_pair(&mut form, "Action", action);
    push_pair(&mut form, "Version", "2011-06-15");
    push_pair(&mut form, "RoleArn", &role.arn);
    push_pair(&mut form, "RoleSessionName", &role.session_name);
    if let Some(duration) = role.duration {
        push_pair(&mut form, "DurationSeconds", &duration.as_secs().to_string());
    }
    if let Some(policy) = &role.policy {
        push_pair(&mut form, "Policy", policy);
    }
    if let Some(Secret(id)) = &role.external_id {
        push_pair(&mut form, "ExternalId", id);
    }
    form
}

/// Tried again once where it was the clock: the service has said what the time is.
async fn send(sts: &Sts, form: String, identity: Option<&Identity>, world: &World) -> Result<Issued> {
    warn_of_eavesdroppers(&sts.endpoint);
    let clock = world.clock_of(&sts.endpoint);
    let offset = clock.offset();
    match try_to_send(sts, form.clone(), identity, world, &clock).await {
        Err(failure) if failure.kind() == ErrorKind::ClockSkew && clock.offset() != offset => {
            try_to_send(sts, form, identity, world, &clock).await
        }
        outcome => outcome,
    }
}

async fn try_to_send(
    sts: &Sts,
    form: String,
    identity: Option<&Identity>,
    world: &World,
    clock: &CorrectedClock,
) -> Result<Issued> {
    let hash = PayloadHash::Sha256(Sha256::digest(&form).into());
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded; charset=utf-8"));
    if let Some(identity) = identity {
        let signable = Signable {
            method: &Method::POST,
            endpoint: &sts.endpoint,
            path_and_query: "/",
            headers: &headers,
            payload_hash: hash,
        };
        let scope = Scope { service: "sts", region: &sts.region };
        let signed = signable.sign(identity, scope, clock.wall())?;
        headers.extend(signed);
    }
    let payload = Payload::from(Bytes::from(form));
    let request = Request { method: Method::POST, path_and_query: "/".to_owned(), headers, payload };
    let limits = Limits { answer: world.limits.answer.min(ANSWER), ..world.limits };
    let response = world.environment.transport.send(&sts.endpoint, request, limits).await?;
    read(response, clock).await
}

/// Says once in a process that secret keys cross the network unencrypted.
fn warn_of_eavesdroppers(endpoint: &Endpoint) {
    static IS_SAID: AtomicBool = AtomicBool::new(false);
    if can_be_overheard(endpoint) && !IS_SAID.swap(true, Ordering::Relaxed) {
        tracing::warn!(
            "STS at {endpoint} answers with secret keys, and without TLS everybody on the way can read them: name an \
             https:// address in fs.s3a.assumed.role.sts.endpoint"
        );
    }
}

fn can_be_overheard(endpoint: &Endpoint) -> bool {
    let is_here = endpoint.host == "localhost" || endpoint.host.parse::<IpAddr>().is_ok_and(|host| host.is_loopback());
    !endpoint.tls && !is_here
}

async fn read(response: Response, clock: &CorrectedClock) -> Result<Issued> {
    let (status, date) = (response.status, response.date("date"));
    let body = response.body.collect(LONGEST_ANSWER).await?;
    let text = String::from_utf8_lossy(&body);
    let element = |name: &str| element(&text, name);
    if !status.is_success() {
        let code = element("Code").unwrap_or_default();
        let kind = kind(status.as_u16(), &code);
        if let (ErrorKind::ClockSkew, Some(date)) = (kind, date) {
            clock.set(date);
        }
        let said = element("Message").unwrap_or_default();
        let message = if said.is_empty() { format!("it refused ({code})") } else { format!("it says: {said}") };
        return Err(Error::new(kind, message).answered(status.as_u16(), Some(code), element("RequestId")));
    }
    let (Some(access_key), Some(secret_key)) = (element("AccessKeyId"), element("SecretAccessKey")) else {
        let message = "the answer holds no keys: is STS enabled there (Radosgw: rgw_s3_auth_use_sts)?";
        return Err(Error::new(ErrorKind::WrongProtocol, message));
    };
    let credentials = Credentials { access_key, secret_key, session_token: element("SessionToken") };
    Ok(Issued { credentials: Some(credentials), expires: element("Expiration").as_deref().and_then(expiration) })
}

fn kind(status: u16, code: &str) -> ErrorKind {
    match (status, code) {
        (_, "RequestTimeTooSkewed" | "RequestExpired") => ErrorKind::ClockSkew,
        (_, "Throttling" | "ThrottlingException" | "SlowDown") | (429 | 503 | 504, _) => ErrorKind::Throttled,
        (500..=599, _) => ErrorKind::Unavailable,
        (_, "SignatureDoesNotMatch" | "InvalidClientTokenId" | "InvalidAccessKeyId") => ErrorKind::BadCredentials,
        (_, code) if code.starts_with("ExpiredToken") || code.starts_with("InvalidIdentityToken") => {
            ErrorKind::BadCredentials
        }
        (401 | 403 | 404, _) => ErrorKind::AccessDenied,
        _ => ErrorKind::BadRequest,
    }
}

/// The same failure, with the role and the service named.
fn blame(role: &str, sts: &Sts, error: &Error) -> Error {
    let message = format!("no keys for the role {role} from the STS at {}: {}", sts.endpoint, error.message());
    error.clone().restated(error.kind(), message).during("AssumeRole")
}

/// The text of the first element of that name: releases differ in what stands around it.
fn element(document: &str, wanted: &str) -> Option<String> {
    let mut reader = Reader::from_str(document);
    let mut found = None;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) if found.is_none() && start.local_name().as_ref() == wanted => {
                found = Some(String::new());
            }
            Event::Text(text) => {
                if let Some(found) = &mut found {
                    found.push_str(&text);
                }
            }
            Event::GeneralRef(reference) => {
                if let Some(found) = &mut found {
                    let reference = format!("&{};", &*reference);
                    found.push_str(&quick_xml::escape::unescape(&reference).ok()?);
                }
            }
            Event::End(_) if found.is_some() => return found,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::SystemTime;

    use futures::future::BoxFuture;
    use http::StatusCode;

    use super::*;
    use crate::environment::{Environment, Fixed, SystemRandom};
    use crate::http::{ResponseBody, Transport};

    #[test]
    fn elements_are_found_wherever_they_stand() {
        let aws = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
                   <AccessKeyId>a</AccessKeyId><SecretAccessKey>s&amp;/+</SecretAccessKey></Credentials></AssumeRoleResult>\
                   </AssumeRoleResponse>";
        assert_eq!(element(aws, "AccessKeyId").as_deref(), Some("a"));
        assert_eq!(element(aws, "SecretAccessKey").as_deref(), Some("s&/+"));
        assert_eq!(element(aws, "SessionToken"), None);
        assert_eq!(element("<Error><Code>Busy</Code>", "Code").as_deref(), Some("Busy"));
        assert_eq!(element("no XML < at all", "Code"), None);
    }

    #[test]
    fn a_form_says_what_was_asked_for() {
        let role = Role {
            arn: "arn:aws:iam:::role/reader".into(),
            session_name: "me".into(),
            duration: Some(Duration::from_secs(900)),
            policy: Some("{\"Version\": 1}".into()),
            external_id: Some(Secret("x&y".into())),
        };
        assert_eq!(
            form("AssumeRole", &role),
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A%3Arole%2Freader&RoleSessionName=me&\
             DurationSeconds=900&Policy=%7B%22Version%22%3A%201%7D&ExternalId=x%26y"
        );
    }

    #[test]
    fn keys_without_tls_can_be_overheard_on_the_way() {
        let endpoint = |tls, host: &str| Endpoint { tls, host: host.into(), port: 80 };
        assert!(can_be_overheard(&endpoint(false, "rgw")) && can_be_overheard(&endpoint(false, "10.0.0.1")));
        assert!(!can_be_overheard(&endpoint(true, "rgw")));
        for host in ["localhost", "127.0.0.1", "::1"] {
            assert!(!can_be_overheard(&endpoint(false, host)), "{host}");
        }
    }

    /// A service whose clock is a day ahead.
    struct Ahead;

    impl Transport for Ahead {
        fn send(&self, _: &Endpoint, request: Request, _: Limits) -> BoxFuture<'static, Result<Response>> {
            let signed = request.headers["x-amz-date"].to_str().unwrap().to_owned();
            let document = "<AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey>";
            let (status, body) = match signed.starts_with("20010910") {
                true => (200, format!("<Credentials>{document}</Credentials>")),
                false => (403, "<Error><Code>RequestTimeTooSkewed</Code></Error>".to_owned()),
            };
            let date = HeaderValue::from_static("Mon, 10 Sep 2001 01:46:40 GMT");
            let body = ResponseBody::new(futures::stream::iter([Ok(Bytes::from(body))]));
            let headers = HeaderMap::from_iter([(http::header::DATE, date)]);
            Box::pin(async move { Ok(Response { status: StatusCode::from_u16(status).unwrap(), headers, body }) })
        }
    }

    #[tokio::test]
    async fn the_clock_of_one_service_is_not_that_of_another() {
        let machine: Arc<dyn Clock> = Arc::new(Fixed(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)));
        let clock = Arc::new(CorrectedClock::new(Arc::clone(&machine)));
        let environment = Environment { clock: machine, random: Arc::new(SystemRandom), transport: Arc::new(Ahead) };
        let endpoint = |host: &str| Endpoint { tls: true, host: host.into(), port: 443 };
        let limit = Duration::from_secs(1);
        let limits = Limits { connect: limit, answer: limit, idle: limit };
        let world = World::new(&environment, &endpoint("rgw"), &clock, limits);
        let keys = Credentials { access_key: "k".into(), secret_key: "s".into(), session_token: None };
        let identity = Identity::from(&keys);
        for (host, offset) in [("sts", 0), ("rgw", 86_400_000)] {
            let sts = Sts { endpoint: endpoint(host), region: "us-east-1".into() };
            assert!(send(&sts, "Action=x".into(), Some(&identity), &world).await.is_ok());
            assert_eq!((world.clock.offset(), world.clock_of(&sts.endpoint).offset()), (offset, 86_400_000), "{host}");
        }
    }

    #[test]
    fn codes_become_kinds() {
        for (status, code, wanted) in [
            (403, "AccessDenied", ErrorKind::AccessDenied),
            (403, "SignatureDoesNotMatch", ErrorKind::BadCredentials),
            (400, "ExpiredTokenException", ErrorKind::BadCredentials),
            (403, "RequestTimeTooSkewed", ErrorKind::ClockSkew),
            (400, "Throttling", ErrorKind::Throttled),
            (503, "", ErrorKind::Throttled),
            (500, "InternalFailure", ErrorKind::Unavailable),
            (404, "NoSuchEntity", ErrorKind::AccessDenied),
            (400, "ValidationError", ErrorKind::BadRequest),
        ] {
            assert_eq!(kind(status, code), wanted, "{code}");
        }
    }
}
