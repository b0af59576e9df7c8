//! How a profile gets its keys: they stand in it, a role is taken on with another profile's, or a program prints them.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Error, ErrorKind, Result};

use super::Credentials;
use super::key_names::KeyNames;
use super::profile::{Profile, ProfileFiles};
use super::provider::{AssumedRole, CommandLine, Known, Provider, ProviderChain, Role, Secret, Sts, WebIdentity};

/// What a profile may refer to.
pub(super) struct Around<'a> {
    pub(super) files: &'a ProfileFiles<'a>,
    pub(super) sts: &'a Sts,
    pub(super) session_name: &'a str,
    /// The providers of a `credential_source`.
    pub(super) source: &'a dyn Fn(&str) -> Result<Option<Vec<Provider>>>,
}

/// Where the keys of `profile` come from; `None` where it says nothing.
///
/// # Errors
/// `InvalidOption` for half a pair of keys, a role without a way to it, and profiles that refer to each other in a ring.
pub(super) fn provider(profile: &Profile, around: &Around<'_>) -> Result<Option<Provider>> {
    follow(profile, around, &mut Vec::new())
}

fn follow(profile: &Profile, around: &Around<'_>, passed: &mut Vec<String>) -> Result<Option<Provider>> {
    let text = |key: &str| profile.get(key).map(|found| found.text.clone()).filter(|text| !text.is_empty());
    if passed.iter().any(|name| name == profile.name()) {
        return Err(invalid(profile, &format!("it is its own source: {} names it", passed.join(" names "))));
    }
    passed.push(profile.name().to_owned());
    let Some(arn) = text("role_arn") else {
        let keys = keys(profile)?.map(Provider::Lasting);
        return Ok(keys.or_else(|| text("credential_process").map(|line| Provider::Process(CommandLine(line)))));
    };
    let role = Role {
        arn,
        session_name: text("role_session_name").unwrap_or_else(|| around.session_name.to_owned()),
        duration: duration(profile, text("duration_seconds"))?,
        policy: None,
        external_id: text("external_id").map(Secret),
    };
    let sts = around.sts.clone();
    if let Some(file) = text("web_identity_token_file") {
        return Ok(Some(Provider::WebIdentity(WebIdentity { role, sts, token_file: PathBuf::from(file) })));
    }
    if text("mfa_serial").is_some() {
        return Err(invalid(profile, "mfa_serial asks a person for a code, which cannot be done here; remove it"));
    }
    let providers = match (text("source_profile"), text("credential_source")) {
        (Some(name), None) => vec![source(profile, &name, around, passed)?],
        (None, Some(name)) => (around.source)(&name)?.ok_or_else(|| {
            let known = "Environment, Ec2InstanceMetadata and EcsContainer";
            invalid(profile, &format!("credential_source \"{name}\" has no keys here; there are {known}"))
        })?,
        (Some(_), Some(_)) => {
            return Err(invalid(profile, "source_profile and credential_source exclude each other; remove one"));
        }
        (None, None) => {
            let ways = "source_profile, credential_source or web_identity_token_file";
            return Err(invalid(profile, &format!("role_arn needs a way to the role: add {ways}")));
        }
    };
    Ok(Some(Provider::AssumedRole(AssumedRole { role, sts, base: ProviderChain { providers } })))
}

/// The provider of `source_profile`. A profile that names itself has the keys beside the role.
fn source(profile: &Profile, name: &str, around: &Around<'_>, passed: &mut Vec<String>) -> Result<Provider> {
    let found = if name == profile.name() {
        keys(profile)?.map(Provider::Lasting)
    } else {
        follow(&around.files.named(name, &format!("source_profile of {profile}"))?, around, passed)?
    };
    found.ok_or_else(|| invalid(profile, &format!("its source_profile \"{name}\" has no keys")))
}

/// The keys that stand in the profile.
fn keys(profile: &Profile) -> Result<Option<Known>> {
    let text = |key: &str| profile.get(key).map(|found| found.text.clone()).filter(|text| !text.is_empty());
    match (text("aws_access_key_id"), text("aws_secret_access_key")) {
        (Some(access_key), Some(secret_key)) => {
            let credentials = Credentials { access_key, secret_key, session_token: text("aws_session_token") };
            Ok(Some(Known { credentials, names: KeyNames::of_one_place(&profile.to_string()) }))
        }
        (None, None) => Ok(None),
        (Some(_), None) => Err(invalid(profile, "aws_secret_access_key is missing: set aws_secret_access_key too")),
        (None, Some(_)) => Err(invalid(profile, "aws_access_key_id is missing: set aws_access_key_id too")),
    }
}

fn duration(profile: &Profile, text: Option<String>) -> Result<Option<Duration>> {
    let Some(text) = text else {
        return Ok(None);
    };
    let seconds = text.parse().map_err(|_| invalid(profile, "duration_seconds is no whole number of seconds"))?;
    Ok(Some(Duration::from_secs(seconds)))
}

fn invalid(profile: &Profile, reason: &str) -> Error {
    Error::new(ErrorKind::InvalidOption, format!("{profile}: {reason}"))
}
