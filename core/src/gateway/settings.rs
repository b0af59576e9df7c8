//! How a gateway is reached, in whose name, and for how long.

use crate::credentials::ProviderChain;
use crate::http::{Endpoint, Limits};
use crate::{Error, ErrorKind};

use super::RequestSettings;
use super::retry::RetryPolicy;

/// How a gateway is reached and in whose name. The settings of [`Gateway::new`].
#[derive(Clone)]
pub struct GatewaySettings {
    /// Scheme, host and port.
    pub endpoint: Endpoint,
    /// Nobody has named it: it is Amazon's because that is the default.
    pub endpoint_is_assumed: bool,
    /// `endpoint/bucket/key` rather than `bucket.endpoint/key`.
    pub path_style: bool,
    /// Region that signatures name; Radosgw takes any.
    pub region: String,
    /// In whose name.
    pub credentials: ProviderChain,
    /// Deadlines of one attempt.
    pub limits: Limits,
    /// When to give up.
    pub retry: RetryPolicy,
    /// First words of the User-Agent header.
    pub user_agent: String,
    /// What requests say besides their own operation.
    pub requests: RequestSettings,
}

impl GatewaySettings {
    /// Says that nobody has named the endpoint, where that may well be the reason for a failure.
    pub(super) fn doubt_endpoint(&self, failure: Error) -> Error {
        let may_be_due = matches!(
            failure.kind(),
            ErrorKind::AccessDenied
                | ErrorKind::BadCredentials
                | ErrorKind::NoCredentials
                | ErrorKind::NoSuchBucket
                | ErrorKind::Unreachable
                | ErrorKind::UnknownHost
                | ErrorKind::TimedOut
                | ErrorKind::UntrustedCertificate
        );
        if !self.endpoint_is_assumed || !may_be_due {
            return failure;
        }
        let message =
            format!("{}; no fs.s3a.endpoint was set, so Amazon S3 was assumed ({})", failure.message(), self.endpoint);
        let kind = failure.kind();
        failure.restated(kind, message)
    }
}
