//! The services that issue keys, as the options name them: STS, the platform of a container, that of an instance.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::endpoint;
use crate::config::row::Row;
use crate::config::sources::{Level, Resolver};
use crate::config::table::{
    ASSUMED_ROLE_ARN, ASSUMED_ROLE_EXTERNAL_ID, ASSUMED_ROLE_POLICY, ASSUMED_ROLE_SESSION_DURATION,
    ASSUMED_ROLE_SESSION_NAME, CONTAINER_AUTHORIZATION_TOKEN, CONTAINER_AUTHORIZATION_TOKEN_FILE,
    CONTAINER_CREDENTIALS_URI, INSTANCE_METADATA_DISABLED, INSTANCE_METADATA_ENDPOINT, STS_ENDPOINT, STS_REGION,
    WEB_IDENTITY_ROLE_ARN, WEB_IDENTITY_SESSION_NAME, WEB_IDENTITY_TOKEN_FILE,
};
use crate::http::Endpoint;
use crate::{Error, ErrorKind, Result};

use super::provider::{AssumedRole, Container, Instance, ProviderChain, Role, Secret, Sts, WebIdentity};

/// Address of the service that gives containers on ECS their keys.
const ECS: &str = "http://169.254.170.2";
/// Addresses of the services of ECS and of EKS Pod Identity, which keys may come from without TLS.
const PLATFORMS: [&str; 4] = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost"];
/// Address of the instance metadata service.
const EC2: &str = "http://169.254.169.254";
const EC2_V6: &str = "http://[fd00:ec2::254]";

/// Reads the options of providers.
pub(super) struct Services {
    sts: Sts,
    session_name: String,
}

impl Services {
    /// Services for the user of the S3 service at `endpoint`, whose signatures name `region`.
    ///
    /// # Errors
    /// `InvalidOption` for an address that is none.
    pub(super) fn new(resolver: &Resolver<'_>, endpoint: &Endpoint, region: &str) -> Result<Self> {
        let region = resolver.text(&STS_REGION)?.unwrap_or_else(|| region.to_owned());
        let endpoint = match address(resolver, &STS_ENDPOINT)? {
            Some(given) => given,
            None if endpoint::is_amazon(endpoint) => endpoint::sts_of_amazon(&region),
            None => endpoint.clone(),
        };
        let session_name = match resolver.text(&ASSUMED_ROLE_SESSION_NAME)? {
            Some(name) => name,
            None => {
                let user = ["HADOOP_USER_NAME", "USER"].into_iter().find_map(|name| resolver.variable(name));
                format!("s3core-{}", user.as_deref().unwrap_or("user"))
            }
        };
        Ok(Self { sts: Sts { endpoint, region }, session_name: sanitized(&session_name) })
    }

    pub(super) fn sts(&self) -> &Sts {
        &self.sts
    }

    pub(super) fn session_name(&self) -> &str {
        &self.session_name
    }

    /// The role of `assumed.role.arn`, taken on with the keys of `base`.
    ///
    /// # Errors
    /// `InvalidOption` where no role is named.
    pub(super) fn assumed_role(&self, resolver: &Resolver<'_>, base: ProviderChain) -> Result<AssumedRole> {
        let Some(arn) = resolver.text(&ASSUMED_ROLE_ARN)? else {
            let message = "fs.s3a.assumed.role.arn is not set, and the credential provider of assumed roles needs it";
            return Err(Error::new(ErrorKind::InvalidOption, message));
        };
        let role = Role {
            arn,
            session_name: self.session_name.clone(),
            duration: resolver.time(&ASSUMED_ROLE_SESSION_DURATION)?,
            policy: resolver.text(&ASSUMED_ROLE_POLICY)?,
            external_id: resolver.text(&ASSUMED_ROLE_EXTERNAL_ID)?.map(Secret),
        };
        Ok(AssumedRole { role, sts: self.sts.clone(), base })
    }

    /// Whether somebody means the STS of this service to see the token, rather than the platform that lays one into every
    /// container: by naming the STS, or the token in other places than the environment.
    pub(super) fn web_identity_is_meant(&self, resolver: &Resolver<'_>) -> bool {
        let rows = [&WEB_IDENTITY_TOKEN_FILE, &WEB_IDENTITY_ROLE_ARN, &WEB_IDENTITY_SESSION_NAME];
        let by_hand = [Level::Explicit, Level::Bucket, Level::Plain];
        resolver.find(&STS_ENDPOINT).is_some()
            || rows.iter().any(|row| by_hand.iter().any(|level| resolver.at(row, *level).is_some()))
    }

    /// The web identity, where one is given.
    ///
    /// # Errors
    /// `InvalidOption` for a token without a role.
    pub(super) fn web_identity(&self, resolver: &Resolver<'_>) -> Result<Option<WebIdentity>> {
        let Some(token_file) = resolver.text(&WEB_IDENTITY_TOKEN_FILE)? else {
            return Ok(None);
        };
        let Some(arn) = resolver.text(&WEB_IDENTITY_ROLE_ARN)? else {
            let message = "AWS_WEB_IDENTITY_TOKEN_FILE is set but AWS_ROLE_ARN, the role that it is for, is not";
            return Err(Error::new(ErrorKind::InvalidOption, message));
        };
        let session_name = resolver.text(&WEB_IDENTITY_SESSION_NAME)?.map(|name| sanitized(&name));
        let role = Role {
            arn,
            session_name: session_name.unwrap_or_else(|| self.session_name.clone()),
            duration: None,
            policy: None,
            external_id: None,
        };
        Ok(Some(WebIdentity { role, sts: self.sts.clone(), token_file: PathBuf::from(token_file) }))
    }

    /// The platform of this container, where one is named.
    ///
    /// # Errors
    /// `InvalidOption` for a URL that is none, or one that would send keys over the network unencrypted.
    pub(super) fn container(&self, resolver: &Resolver<'_>) -> Result<Option<Container>> {
        let row = &CONTAINER_CREDENTIALS_URI;
        let Some(given) = resolver.find(row) else {
            return Ok(None);
        };
        let text = given.one_line(row)?;
        let url = if text.starts_with('/') { format!("{ECS}{text}") } else { text };
        let after_scheme = url.find("://").map_or(0, |at| at + 3);
        let path_at = url.get(after_scheme..).and_then(|rest| rest.find(['/', '?'])).map(|at| at + after_scheme);
        let (address, path) = url.split_at(path_at.unwrap_or(url.len()));
        let endpoint = endpoint::parse(address, false).map_err(|complaint| given.invalid(row, &complaint))?;
        let is_near = PLATFORMS.contains(&endpoint.host.as_str())
            || endpoint.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if !endpoint.tls && !is_near {
            let complaint = "keys would cross the network unencrypted; write https://, or an address of this machine";
            return Err(given.invalid(row, complaint));
        }
        let path_and_query = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Some(Container {
            endpoint,
            path_and_query,
            token: resolver.text(&CONTAINER_AUTHORIZATION_TOKEN)?.map(Secret),
            token_file: resolver.text(&CONTAINER_AUTHORIZATION_TOKEN_FILE)?.map(PathBuf::from),
        }))
    }

    /// Whether somebody says where the instance metadata service is.
    pub(super) fn instance_is_named(&self, resolver: &Resolver<'_>) -> bool {
        resolver.find(&INSTANCE_METADATA_ENDPOINT).is_some()
    }

    /// The instance metadata service, unless it is not to be asked. `is_sure`: see [`Instance`].
    ///
    /// # Errors
    /// `InvalidOption` for an address that is none.
    pub(super) fn instance(&self, resolver: &Resolver<'_>, is_sure: bool) -> Result<Option<Instance>> {
        if resolver.flag(&INSTANCE_METADATA_DISABLED)? {
            return Ok(None);
        }
        let is_v6 = resolver
            .variable("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
            .is_some_and(|mode| mode.trim().eq_ignore_ascii_case("ipv6"));
        let usual = if is_v6 { EC2_V6 } else { EC2 };
        let endpoint = match address(resolver, &INSTANCE_METADATA_ENDPOINT)? {
            Some(given) => Ok(given),
            None => endpoint::parse(usual, false),
        };
        let endpoint = endpoint.map_err(|complaint| Error::new(ErrorKind::Internal, complaint))?;
        Ok(Some(Instance { endpoint, is_sure }))
    }
}

fn address(resolver: &Resolver<'_>, row: &Row) -> Result<Option<Endpoint>> {
    let Some(given) = resolver.find(row) else {
        return Ok(None);
    };
    // Without a scheme STS is spoken to over TLS, and the service of the own machine is not.
    let tls = row.name == STS_ENDPOINT.name;
    endpoint::parse(given.text.trim(), tls).map(Some).map_err(|complaint| given.invalid(row, &complaint))
}

/// The name with what STS does not take in it replaced, 2 to 64 characters.
fn sanitized(name: &str) -> String {
    let mut name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "_+=,.@-".contains(c) { c } else { '-' })
        .take(64)
        .collect();
    while name.len() < 2 {
        name.push('-');
    }
    name
}
