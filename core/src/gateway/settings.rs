//! How a gateway is reached, in whose name, and for how long.

use crate::credentials::ProviderChain;
use crate::http::{Endpoint, Limits};

use super::RequestSettings;
use super::retry::RetryPolicy;

/// How a gateway is reached and in whose name. The settings of [`Gateway::new`].
#[derive(Clone)]
pub struct GatewaySettings {
    /// Scheme, host and port.
    pub endpoint: Endpoint,
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
