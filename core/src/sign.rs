//! Turns operations into signed HTTP requests: addressing, percent-encoding and AWS Signature Version 4.
//!
//! Bodies are never sent in aws-chunked form, which older Radosgw refuses over plain HTTP for empty bodies: the body's
//! hash is a header, or the body is declared unsigned.

mod encoding;

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use http::header::{HeaderName, HeaderValue, USER_AGENT};

use crate::credentials::Credentials;
use crate::gateway::{GatewaySettings, OperationRequest};
use crate::http::{Endpoint, Request};
use crate::{Error, ErrorKind, Result};

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

/// Signs requests to one gateway in one name.
pub struct Signer {
    endpoint: Endpoint,
    path_style: bool,
    region: String,
    identity: Option<Identity>,
    user_agent: HeaderValue,
}

impl Signer {
    /// A signer for the gateway and the credentials of `settings`.
    pub fn new(settings: &GatewaySettings) -> Self {
        let user_agent = format!("{} s3core/{}", settings.user_agent, crate::VERSION);
        Self {
            endpoint: settings.endpoint.clone(),
            path_style: settings.path_style,
            region: settings.region.clone(),
            identity: settings.credentials.as_ref().map(identity),
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

    /// The request for `operation`, signed for `time`. It has to go to [`Self::endpoint`] of the operation's bucket.
    ///
    /// # Errors
    /// `InvalidOption` for headers that are not text, `Internal` where the signature cannot be made.
    pub fn sign(&self, operation: OperationRequest, time: SystemTime) -> Result<Request> {
        let path_and_query = self.path_and_query(&operation);
        let OperationRequest { method, bucket, mut headers, payload, payload_hash, .. } = operation;
        if let Some(identity) = &self.identity {
            let endpoint = self.endpoint(&bucket);
            let signed =
                self.signature(identity, method.as_str(), &endpoint, &path_and_query, &headers, payload_hash, time)?;
            headers.extend(signed);
        }
        headers.insert(USER_AGENT, self.user_agent.clone());
        Ok(Request { method, path_and_query, headers, payload })
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of a request, taken apart once")]
    fn signature(
        &self,
        identity: &Identity,
        method: &str,
        endpoint: &Endpoint,
        path_and_query: &str,
        headers: &http::HeaderMap,
        payload_hash: PayloadHash,
        time: SystemTime,
    ) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let authority = endpoint.authority();
        let uri = format!("http://{authority}{path_and_query}");
        let mut signable = Vec::with_capacity(headers.len() + 1);
        signable.push(("host", authority.as_str()));
        for (name, value) in headers {
            let value = value.to_str().map_err(|cause| {
                Error::new(
                    ErrorKind::InvalidOption,
                    format!("the header {name} holds characters besides visible ASCII"),
                )
                .caused_by(cause)
            })?;
            signable.push((name.as_str(), value));
        }
        let defect = |cause: Box<dyn std::error::Error + Send + Sync>| {
            Error::new(ErrorKind::Internal, format!("the request could not be signed: {cause}"))
        };
        let parameters = v4::SigningParams::builder()
            .identity(identity)
            .region(&self.region)
            .name("s3")
            .time(time)
            .settings(settings())
            .build()
            .map_err(|cause| defect(cause.into()))?
            .into();
        let request = SignableRequest::new(method, uri, signable.into_iter(), body(payload_hash))
            .map_err(|cause| defect(cause.into()))?;
        let (instructions, _) = sign(request, &parameters).map_err(|cause| defect(cause.into()))?.into_parts();
        instructions
            .headers()
            .map(|(name, value)| {
                let name = HeaderName::try_from(name).map_err(|cause| defect(cause.into()))?;
                let mut value = HeaderValue::try_from(value).map_err(|cause| defect(cause.into()))?;
                value.set_sensitive(name == http::header::AUTHORIZATION || name == "x-amz-security-token");
                Ok((name, value))
            })
            .collect()
    }

    fn path_and_query(&self, operation: &OperationRequest) -> String {
        let mut target = String::with_capacity(operation.bucket.len() + operation.key.len() * 2 + 64);
        target.push('/');
        if !operation.bucket.is_empty() && !self.is_in_host(&operation.bucket) {
            encoding::push_path(&mut target, &operation.bucket);
            if !operation.key.is_empty() {
                target.push('/');
            }
        }
        encoding::push_path(&mut target, &operation.key);
        encoding::push_query(&mut target, &operation.query);
        target
    }

    /// A bucket stands in the host only where it is one DNS label: a certificate's wildcard covers no dots, an IP
    /// address has no subdomains.
    fn is_in_host(&self, bucket: &str) -> bool {
        let is_label = !bucket.is_empty()
            && bucket.len() <= 63
            && bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !bucket.starts_with('-')
            && !bucket.ends_with('-');
        !self.path_style && is_label && self.endpoint.host.parse::<std::net::IpAddr>().is_err()
    }
}

fn identity(credentials: &Credentials) -> Identity {
    aws_credential_types::Credentials::new(
        credentials.access_key.clone(),
        credentials.secret_key.clone(),
        credentials.session_token.clone(),
        None,
        "s3core",
    )
    .into()
}

/// S3's own variant of the algorithm: keys are encoded once and never normalized ("a//b" and "a/../b" are keys).
fn settings() -> SigningSettings {
    let mut settings = SigningSettings::default();
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings
}

fn body(hash: PayloadHash) -> SignableBody<'static> {
    match hash {
        PayloadHash::Unsigned => SignableBody::UnsignedPayload,
        PayloadHash::Empty => SignableBody::Bytes(&[]),
        PayloadHash::Sha256(digest) => {
            let mut hex = String::with_capacity(64);
            encoding::push_hex(&mut hex, &digest);
            SignableBody::Precomputed(hex)
        }
    }
}

#[cfg(test)]
mod tests;
