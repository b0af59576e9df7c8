//! Keys of the role that an EC2 instance has: the instance metadata service, version 2 ("Use IMDSv2" in the EC2 user
//! guide). Where nobody answers, this is no instance, and nobody waits for long.

use std::sync::atomic::Ordering;

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use crate::{Error, ErrorKind, Result};

use super::metadata;
use super::provider::{Instance, Issued, World};

/// Seconds that the service may take for each of connecting and answering: it is one hop away or nowhere.
const LIMIT: u64 = 1;

const TOKEN: &str = "/latest/api/token";
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const TOKEN_LIFE: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const TOKEN_HEADER: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");

/// `None` where there is no such service, or the instance has no role.
///
/// # Errors
/// `NoCredentials` where the role's keys cannot be had, `Unavailable` where the service fails inside or has too much to
/// do, and where it is silent although this is an instance.
pub(super) async fn issue(instance: &Instance, world: &World) -> Result<Option<Issued>> {
    let source = format!("the instance metadata service {}", instance.endpoint);
    let headers = HeaderMap::from_iter([(TOKEN_LIFE, HeaderValue::from_static("21600"))]);
    let asked = metadata::ask(world, &instance.endpoint, Method::PUT, TOKEN, headers, metadata::limits(LIMIT));
    let token = match asked.await {
        Ok((status, token)) if status.is_success() => HeaderValue::try_from(token.trim()).ok(),
        Ok((status, _)) if is_trouble(status) => return Err(in_trouble(&source, status)),
        Err(failure) if instance.is_sure || world.is_instance.load(Ordering::Relaxed) => {
            let message = format!("{source} is silent: {}", failure.message());
            return Err(failure.restated(ErrorKind::Unavailable, message));
        }
        outcome => {
            tracing::debug!(?outcome, "{source} issued no token");
            None
        }
    };
    let Some(mut token) = token else {
        return Ok(None);
    };
    token.set_sensitive(true);
    let headers = HeaderMap::from_iter([(TOKEN_HEADER, token)]);
    let get = |path: String| {
        let headers = headers.clone();
        async move { metadata::ask(world, &instance.endpoint, Method::GET, &path, headers, metadata::limits(LIMIT)).await }
    };
    let (status, roles) = get(ROLES.to_owned()).await?;
    let role = roles.lines().next().map(str::trim).filter(|role| status.is_success() && !role.is_empty());
    let Some(role) = role else {
        return if is_trouble(status) { Err(in_trouble(&source, status)) } else { Ok(None) };
    };
    let (status, document) = get(format!("{ROLES}{role}")).await?;
    if status == StatusCode::OK {
        let keys = metadata::keys(&document, &source)?;
        world.is_instance.store(true, Ordering::Relaxed);
        return Ok(Some(keys));
    }
    if is_trouble(status) {
        return Err(in_trouble(&source, status));
    }
    let message = format!("{source} gave no keys for the role {role}: it answered {}", status.as_u16());
    Err(Error::new(ErrorKind::NoCredentials, message))
}

fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

fn in_trouble(source: &str, status: StatusCode) -> Error {
    let message = format!("{source} fails inside or has too much to do (HTTP {})", status.as_u16());
    Error::new(ErrorKind::Unavailable, message)
}
