//! The proxy that requests go through: S3A's options for it.

use crate::http::Endpoint;
use crate::http::connection::ProxySettings;
use crate::{Error, ErrorKind, Result};

use super::sources::Resolver;
use super::table::{PROXY_HOST, PROXY_PASSWORD, PROXY_PORT, PROXY_SSL_ENABLED, PROXY_USERNAME};

/// The proxy, where one is named.
///
/// # Errors
/// `InvalidOption` for a host that is none, for a port without a host, and for a name without a password.
pub(super) fn read(resolver: &Resolver<'_>) -> Result<Option<ProxySettings>> {
    let port = resolver.count(&PROXY_PORT)?;
    let Some(given) = resolver.find(&PROXY_HOST) else {
        return match resolver.find(&PROXY_PORT) {
            None => Ok(None),
            Some(port) => Err(port.invalid(&PROXY_PORT, "fs.s3a.proxy.port is set without fs.s3a.proxy.host")),
        };
    };
    let host = given.text.trim().trim_start_matches('[').trim_end_matches(']');
    if host.contains(|c: char| c.is_whitespace() || "/@?#".contains(c)) {
        return Err(given.invalid(&PROXY_HOST, "write the host's name or address alone; the port is fs.s3a.proxy.port"));
    }
    let tls = resolver.flag(&PROXY_SSL_ENABLED)?;
    let port = port.and_then(|port| u16::try_from(port).ok()).unwrap_or(if tls { 443 } else { 80 });
    let endpoint = Endpoint { tls, host: host.to_owned(), port };
    let (name, password) = (resolver.text(&PROXY_USERNAME)?, resolver.text(&PROXY_PASSWORD)?);
    let user = match (&name, &password) {
        (Some(name), Some(password)) => Some((name.as_str(), password.as_str())),
        (None, None) => None,
        _ => {
            let message = "fs.s3a.proxy.username or fs.s3a.proxy.password is set without the other: set both, or none";
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
    };
    let proxy = ProxySettings::new(endpoint, user);
    proxy.map(Some).ok_or_else(|| given.invalid(&PROXY_HOST, "its name and password cannot be a header"))
}
