//! The signature itself: AWS Signature Version 4 in its header form.

use std::time::SystemTime;

use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity as SmithyIdentity;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use http::{HeaderMap, Method};

use super::{PayloadHash, encoding};
use crate::credentials::Credentials;
use crate::http::Endpoint;
use crate::{Error, ErrorKind, Result};

/// Keys in the form that signing takes.
#[derive(Debug, Clone)]
pub struct Identity(SmithyIdentity);

impl From<&Credentials> for Identity {
    fn from(credentials: &Credentials) -> Self {
        let keys = aws_credential_types::Credentials::new(
            credentials.access_key.clone(),
            credentials.secret_key.clone(),
            credentials.session_token.clone(),
            None,
            "s3core",
        );
        Self(keys.into())
    }
}

/// What a signature is valid for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'a> {
    /// `s3` or `sts`.
    pub(crate) service: &'a str,
    /// Region of the service.
    pub(crate) region: &'a str,
}

/// The parts of a request that a signature covers.
#[derive(Debug)]
pub(crate) struct Signable<'a> {
    pub(crate) method: &'a Method,
    pub(crate) endpoint: &'a Endpoint,
    /// Percent-encoded, once.
    pub(crate) path_and_query: &'a str,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) payload_hash: PayloadHash,
}

impl Signable<'_> {
    /// The headers that sign the request.
    ///
    /// # Errors
    /// `InvalidOption` for headers that are not text, `Internal` where the signature cannot be made.
    pub(crate) fn sign(
        &self,
        identity: &Identity,
        scope: Scope<'_>,
        time: SystemTime,
    ) -> Result<Vec<(HeaderName, HeaderValue)>> {
        let authority = self.endpoint.authority();
        let uri = format!("http://{authority}{}", self.path_and_query);
        let mut signable = Vec::with_capacity(self.headers.len() + 1);
        signable.push(("host", authority.as_str()));
        for (name, value) in self.headers {
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
            .identity(&identity.0)
            .region(scope.region)
            .name(scope.service)
            .time(time)
            .settings(settings())
            .build()
            .map_err(|cause| defect(cause.into()))?
            .into();
        let request = SignableRequest::new(self.method.as_str(), uri, signable.into_iter(), body(self.payload_hash))
            .map_err(|cause| defect(cause.into()))?;
        let (instructions, _) = sign(request, &parameters).map_err(|cause| defect(cause.into()))?.into_parts();
        instructions
            .headers()
            .map(|(name, value)| {
                let name = HeaderName::try_from(name).map_err(|cause| defect(cause.into()))?;
                let mut value = HeaderValue::try_from(value).map_err(|cause| defect(cause.into()))?;
                value.set_sensitive(name == AUTHORIZATION || name == "x-amz-security-token");
                Ok((name, value))
            })
            .collect()
    }
}

/// S3's own variant of the algorithm: keys are encoded once and never normalized ("a//b" and "a/../b" are keys). To STS
/// it makes no difference: its path is "/".
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
