//! Turns operations into signed HTTP requests: addressing, percent-encoding and AWS Signature Version 4.
//!
//! Bodies are never sent in aws-chunked form, which older Radosgw refuses over plain HTTP for empty bodies: the body's
//! hash is a header, or the body is declared unsigned.

mod encoding;
mod signature;

use std::time::SystemTime;

use http::header::{HeaderValue, USER_AGENT};

use crate::gateway::{GatewaySettings, OperationRequest};
use crate::http::{Endpoint, Request};
use crate::{Error, ErrorKind, Result};

pub(crate) use encoding::push_pair;
pub use signature::Identity;
pub(crate) use signature::{Scope, Signable};

/// How the body takes part in the signature: the value of `x-amz-content-sha256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadHash {
    /// `UNSIGNED-PAYLOAD`: the signature covers the head only.
    Unsigned,
    /// There is no body.
    Empty,
    /// SHA-256 of the body, which the gateway checks.
    Sha256([u8; 32]),
}

/// Signs requests to one gateway.
pub struct Signer {
    endpoint: Endpoint,
    path_style: bool,
    region: String,
    tenant: Option<String>,
    user_agent: HeaderValue,
}

impl Signer {
    /// A signer for the gateway of `settings`.
    pub fn new(settings: &GatewaySettings) -> Self {
        let user_agent = format!("{} s3core/{}", settings.user_agent, crate::VERSION);
        Self {
            endpoint: settings.endpoint.clone(),
            path_style: settings.path_style,
            region: settings.region.clone(),
            tenant: settings.requests.tenant.clone(),
            user_agent: HeaderValue::from_str(user_agent.trim())
                .unwrap_or(HeaderValue::from_static(concat!("s3core/", env!("CARGO_PKG_VERSION")))),
        }
    }

    /// Where requests about `bucket` go: the gateway itself, or `bucket.gateway` in virtual-host style.
    pub fn endpoint(&self, bucket: &str) -> Endpoint {
        if self.is_in_host(bucket) {
            Endpoint { host: format!("{bucket}.{}", self.endpoint.host), ..self.endpoint.clone() }
        } else {
            self.endpoint.clone()
        }
    }

    /// The request for `operation`, signed for `time`, or not signed at all. It has to go to [`Self::endpoint`] of the
    /// operation's bucket.
    ///
    /// # Errors
    /// `InvalidOption` for headers that are not text, `Internal` where the signature cannot be made.
    pub fn sign(&self, operation: OperationRequest, identity: Option<&Identity>, time: SystemTime) -> Result<Request> {
        let path_and_query = self.path_and_query(&operation);
        let OperationRequest { method, bucket, copy_source, mut headers, payload, payload_hash, .. } = operation;
        if let Some((bucket, key)) = copy_source {
            headers.insert("x-amz-copy-source", self.copy_source(&bucket, &key)?);
        }
        if let Some(identity) = identity {
            let signable = Signable {
                method: &method,
                endpoint: &self.endpoint(&bucket),
                path_and_query: &path_and_query,
                headers: &headers,
                payload_hash,
            };
            let signed = signable.sign(identity, Scope { service: "s3", region: &self.region }, time)?;
            headers.extend(signed);
        }
        headers.insert(USER_AGENT, self.user_agent.clone());
        Ok(Request { method, path_and_query, headers, payload })
    }

    fn path_and_query(&self, operation: &OperationRequest) -> String {
        let mut target = String::with_capacity(operation.bucket.len() + operation.key.len() * 2 + 64);
        target.push('/');
        if !operation.bucket.is_empty() && !self.is_in_host(&operation.bucket) {
            self.push_bucket(&mut target, &operation.bucket);
            if !operation.key.is_empty() {
                target.push('/');
            }
        }
        encoding::push_path(&mut target, &operation.key);
        encoding::push_query(&mut target, &operation.query);
        target
    }

    /// `bucket/key`, encoded: some gateways decode the header once, and none takes it as it is.
    fn copy_source(&self, bucket: &str, key: &str) -> Result<HeaderValue> {
        let mut source = String::with_capacity(bucket.len() + key.len() * 2 + 16);
        self.push_bucket(&mut source, bucket);
        source.push('/');
        encoding::push_path(&mut source, key);
        HeaderValue::try_from(source).map_err(|cause| {
            Error::new(ErrorKind::Internal, "the name of the copy's source is no header").caused_by(cause)
        })
    }

    /// The name by which a path finds the bucket: Radosgw takes `tenant:bucket`.
    fn push_bucket(&self, target: &mut String, bucket: &str) {
        if let Some(tenant) = &self.tenant {
            encoding::push_path(target, tenant);
            encoding::push_path(target, ":");
        }
        encoding::push_path(target, bucket);
    }

    /// A bucket stands in the host only where it is one DNS label: a certificate's wildcard covers no dots, an IP
    /// address has no subdomains.
    fn is_in_host(&self, bucket: &str) -> bool {
        let is_label = !bucket.is_empty()
            && bucket.len() <= 63
            && bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !bucket.starts_with('-')
            && !bucket.ends_with('-');
        !self.path_style && self.tenant.is_none() && is_label && self.endpoint.host.parse::<std::net::IpAddr>().is_err()
    }
}

#[cfg(test)]
mod tests;
