//! What can go wrong on a connection, in sentences that name the endpoint and the remedy.

use std::io;
use std::time::Duration;

use rustls::CertificateError;

use super::dial::Stage;
use super::proxy::ProxySettings;
use crate::http::Endpoint;
use crate::{Error, ErrorKind};

/// Where to add a certificate.
const TRUST: &str =
    "add the CA (or the self-signed certificate itself) to fs.s3core.ssl.ca.file or the JVM's trust store";

pub(super) fn no_turn(endpoint: &Endpoint, maximum: usize, limit: Duration) -> Error {
    Error::new(
        ErrorKind::TimedOut,
        format!(
            "all {maximum} connections to {endpoint} were in use and none came free for {limit:?}; \
             raise fs.s3a.connection.maximum, or close readers that are no longer read"
        ),
    )
}

pub(super) fn lookup(endpoint: &Endpoint, cause: io::Error) -> Error {
    let message =
        format!("the host {} of the endpoint {endpoint} has no address: {cause}; check fs.s3a.endpoint", endpoint.host);
    Error::new(ErrorKind::UnknownHost, message).caused_by(cause)
}

pub(super) fn host_name(endpoint: &Endpoint, cause: impl std::error::Error + Send + Sync + 'static) -> Error {
    let message = format!("{} is no host name; check fs.s3a.endpoint", endpoint.host);
    Error::new(ErrorKind::UnknownHost, message).caused_by(cause)
}

pub(super) fn connect(endpoint: &Endpoint, cause: io::Error) -> Error {
    let message = match cause.kind() {
        io::ErrorKind::ConnectionRefused => format!(
            "{endpoint} refuses connections: nothing listens on port {}; check fs.s3a.endpoint and that the gateway runs",
            endpoint.port
        ),
        _ => format!("no connection to {endpoint}: {cause}; check fs.s3a.endpoint and the network"),
    };
    Error::new(ErrorKind::Unreachable, message).caused_by(cause)
}

pub(super) fn connect_timed_out(endpoint: &Endpoint, stage: Stage, limit: Duration) -> Error {
    let (kind, what) = match stage {
        Stage::Lookup => (ErrorKind::UnknownHost, "the name was not resolved"),
        Stage::Connect => (ErrorKind::Unreachable, "no address answered (a firewall may be in the way)"),
        Stage::Proxy => {
            (ErrorKind::Unreachable, "the proxy of fs.s3a.proxy.host does not answer or finds no way to the endpoint")
        }
        Stage::Handshake => (ErrorKind::Unreachable, "the port accepts connections but did not finish a TLS handshake"),
    };
    Error::new(kind, format!("no connection to {endpoint} within {limit:?}: {what}; check fs.s3a.endpoint"))
}

pub(super) fn handshake(endpoint: &Endpoint, cause: io::Error) -> Error {
    let (kind, message) = match cause.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(reason)) => (
            ErrorKind::UntrustedCertificate,
            format!("the certificate of {endpoint} {}", certificate(endpoint, reason)),
        ),
        Some(rustls::Error::InvalidMessage(_)) => (
            ErrorKind::WrongProtocol,
            format!(
                "the port {} of {} does not speak TLS: use http:// in fs.s3a.endpoint (an endpoint without a scheme means https)",
                endpoint.port, endpoint.host
            ),
        ),
        Some(reason) => (ErrorKind::WrongProtocol, format!("no TLS session with {endpoint}: {reason}")),
        None => {
            (ErrorKind::Disconnected, format!("{endpoint} broke off the TLS handshake ({cause}); is it an https port?"))
        }
    };
    Error::new(kind, message).caused_by(cause)
}

fn certificate(endpoint: &Endpoint, reason: &CertificateError) -> String {
    let host = &endpoint.host;
    match reason {
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            format!(
                "names no host in its subject alternative names (common names do not count): have it issued for {host}"
            )
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(
            "is for {}, not for {host}: use one of these names in fs.s3a.endpoint, or have it issued for {host}",
            presented.join(", ")
        ),
        CertificateError::NotValidForName => {
            format!("is not for {host}: have it issued for {host}")
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "has expired: renew it".to_owned(),
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: check this machine's clock".to_owned()
        }
        CertificateError::UnknownIssuer => {
            format!("is not trusted: its issuer is in no store that was looked at; {TRUST}")
        }
        CertificateError::BadSignature => format!(
            "is not trusted: the stores hold a CA of its issuer's name, but with another key (the CA was made anew?); {TRUST}"
        ),
        other => format!("is not trusted: {other}; {TRUST}"),
    }
}

pub(super) fn no_certificates(endpoint: &Endpoint) -> Error {
    let message = format!(
        "{endpoint} cannot be trusted: no CA certificate was found in the operating system's store, \
         the JVM's or fs.s3core.ssl.ca.file; {TRUST}"
    );
    Error::new(ErrorKind::UntrustedCertificate, message)
}

/// `failure` says of the proxy's address what would be true of an endpoint's.
pub(super) fn proxy_unreachable(proxy: &ProxySettings, failure: Error) -> Error {
    let remedy = match failure.kind() {
        ErrorKind::UntrustedCertificate => TRUST,
        ErrorKind::WrongProtocol => "check fs.s3a.proxy.ssl.enabled",
        _ => "check fs.s3a.proxy.host and fs.s3a.proxy.port",
    };
    let message = format!("the proxy {} cannot be reached: {}; {remedy}", proxy.endpoint, root(&failure));
    let kind = failure.kind();
    failure.restated(kind, message)
}

pub(super) fn no_tunnel(proxy: &ProxySettings, endpoint: &Endpoint, cause: io::Error) -> Error {
    let message = format!("the proxy {} broke off when it was asked for a way to {endpoint} ({cause})", proxy.endpoint);
    Error::new(ErrorKind::Disconnected, message).caused_by(cause)
}

pub(super) fn no_proxy(proxy: &ProxySettings) -> Error {
    let message = format!(
        "{} does not speak HTTP: check fs.s3a.proxy.host, fs.s3a.proxy.port and fs.s3a.proxy.ssl.enabled",
        proxy.endpoint
    );
    Error::new(ErrorKind::WrongProtocol, message)
}

pub(super) fn refused_by_proxy(proxy: &ProxySettings, endpoint: &Endpoint, status: u16, is_known: bool) -> Error {
    let proxy = &proxy.endpoint;
    let (kind, message) = match status {
        407 if is_known => (
            ErrorKind::AccessDenied,
            format!("the proxy {proxy} does not accept fs.s3a.proxy.username and fs.s3a.proxy.password"),
        ),
        407 => (
            ErrorKind::AccessDenied,
            format!(
                "the proxy {proxy} wants a name and a password: set fs.s3a.proxy.username and fs.s3a.proxy.password"
            ),
        ),
        400..=499 => (
            ErrorKind::AccessDenied,
            format!(
                "the proxy {proxy} does not let anybody through to {endpoint}: allow it there, or remove fs.s3a.proxy.host"
            ),
        ),
        _ => (
            ErrorKind::Unreachable,
            format!("the proxy {proxy} finds no way to {endpoint}; check fs.s3a.endpoint and the proxy's network"),
        ),
    };
    Error::new(kind, message).answered(status, None, None)
}

pub(super) fn unanswered(endpoint: &Endpoint, cause: hyper::Error) -> Error {
    // The request's body is the only part of an exchange that comes from this side.
    if cause.is_user() {
        let message = format!("a part that waits on disk for its upload cannot be read ({})", root(&cause));
        return Error::new(ErrorKind::LocalDisk, message).caused_by(cause);
    }
    let message = if cause.is_parse() {
        format!("{endpoint} sent something that is no HTTP answer ({cause})")
    } else {
        format!("{endpoint} closed the connection without an answer ({})", root(&cause))
    };
    Error::new(ErrorKind::Disconnected, message).caused_by(cause)
}

pub(super) fn never_answered(endpoint: &Endpoint, is_tls_port: bool, cause: hyper::Error) -> Error {
    let Endpoint { host, port, .. } = endpoint;
    if is_tls_port {
        let message =
            format!("the port {port} of {host} speaks TLS: use https:// instead of http:// in fs.s3a.endpoint");
        return Error::new(ErrorKind::WrongProtocol, message).caused_by(cause);
    }
    if cause.is_parse() {
        let message = format!("the port {port} of {host} does not speak HTTP: check fs.s3a.endpoint");
        return Error::new(ErrorKind::WrongProtocol, message).caused_by(cause);
    }
    unanswered(endpoint, cause)
}

pub(super) fn answer_timed_out(endpoint: &Endpoint, limit: Duration) -> Error {
    let seconds = limit.as_secs_f64();
    let message = format!(
        "{endpoint} took the request and did not answer within {seconds:.1} s: check fs.s3a.endpoint, and whether its \
         gateway is overloaded (fs.s3a.connection.timeout is the longest time that is waited)"
    );
    Error::new(ErrorKind::TimedOut, message)
}

pub(super) fn request_stalled(endpoint: &Endpoint, limit: Duration) -> Error {
    let seconds = limit.as_secs_f64();
    Error::new(ErrorKind::TimedOut, format!("{endpoint} took nothing of the request's body for {seconds:.1} s"))
}

pub(super) fn body_stalled(endpoint: &Endpoint, received: u64, limit: Duration) -> Error {
    let message = format!("{endpoint} sent nothing for {limit:?} after {received} bytes of the answer's body");
    Error::new(ErrorKind::TimedOut, message)
}

pub(super) fn body_cut(endpoint: &Endpoint, received: u64, cause: hyper::Error) -> Error {
    let message = format!("{endpoint} broke off after {received} bytes of the answer's body ({})", root(&cause));
    Error::new(ErrorKind::Disconnected, message).caused_by(cause)
}

pub(super) fn length_unknown(endpoint: &Endpoint) -> Error {
    let message = format!(
        "{endpoint} answered without Content-Length, so a cut cannot be told from the end; a proxy between may drop it"
    );
    Error::new(ErrorKind::Corrupted, message)
}

/// The innermost cause says most: hyper's own words are about its state.
fn root(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}
