//! Finds out where keys come from: both from one source, or none.

use crate::config::endpoint;
use crate::config::row::Row;
use crate::config::sources::{DEFAULT, Given, Level, Resolver};
use crate::config::table::{
    ACCESS_KEY, ANONYMOUS, ASSUMED_ROLE_ARN, ASSUMED_ROLE_CREDENTIALS_PROVIDER, CREDENTIALS_PROVIDER, KEYS_ORIGIN,
    SECRET_KEY, SESSION_TOKEN, WEB_IDENTITY_TOKEN_FILE,
};
use crate::http::Endpoint;
use crate::{Error, ErrorKind, Result};

use super::Credentials;
use super::key_names::KeyNames;
use super::names::{self, Place};
use super::profile_keys::{self, Around};
use super::provider::{Known, Provider, ProviderChain};
use super::services::Services;

/// The providers, and where keys came from that are known already.
pub(crate) struct Chosen {
    pub(crate) chain: ProviderChain,
    origins: [String; 3],
}

impl Chosen {
    fn anonymous() -> Self {
        Self {
            chain: ProviderChain::anonymous(),
            origins: std::array::from_fn(|_| "none: unsigned requests".to_owned()),
        }
    }

    /// Value and origin of the three options, secrets masked.
    pub(crate) fn explained(&self) -> impl Iterator<Item = (&'static Row, String, String)> {
        let keys = self.chain.lasting();
        let values = [
            keys.map(|keys| keys.access_key.clone()),
            keys.map(|_| "***".to_owned()),
            keys.and_then(|keys| keys.session_token.as_ref()).map(|_| "***".to_owned()),
        ];
        let rows: [&'static Row; 3] = [&ACCESS_KEY, &SECRET_KEY, &SESSION_TOKEN];
        rows.into_iter()
            .zip(values)
            .zip(self.origins.clone())
            .map(|((row, value), origin)| (row, value.unwrap_or_default(), origin))
    }
}

/// Where the keys for `endpoint` come from, whose signatures name `region`. Arguments come first whatever the list of
/// providers says.
///
/// # Errors
/// `InvalidOption` for half a pair, for keys beside a wish for unsigned requests, and for a provider that is not known or
/// lacks what it needs; `NoCredentials` with the places that were looked at, where nothing could have keys.
pub(crate) fn choose(resolver: &Resolver<'_>, endpoint: &Endpoint, region: &str) -> Result<Chosen> {
    let explicit = keys(resolver, Level::Explicit)?;
    if resolver.flag(&ANONYMOUS)? {
        return match explicit {
            None => Ok(Chosen::anonymous()),
            Some(_) => Err(Error::new(
                ErrorKind::InvalidOption,
                "arguments access_key and anonymous=true contradict each other; leave one out",
            )),
        };
    }
    let search = Search { resolver, services: Services::new(resolver, endpoint, region)? };
    let places = search.places(&CREDENTIALS_PROVIDER, endpoint)?;
    match explicit {
        Some((known, origins)) => Ok(Chosen { chain: known.into(), origins }),
        None => search.chain(&places)?.ok_or_else(|| search.nothing_found(&places)),
    }
}

struct Search<'a> {
    resolver: &'a Resolver<'a>,
    services: Services,
}

impl Search<'_> {
    /// The places that the option `row` names. A profile that was asked for by name goes before the environment. By
    /// default nobody who talks to another service than Amazon's asks for an instance of EC2, or shows that service the
    /// token of a platform: it is meant for Amazon's, and is good for whoever has it.
    fn places(&self, row: &Row, endpoint: &Endpoint) -> Result<Vec<Place>> {
        let mut places = names::read(&self.resolver.list(row)?, row)?;
        let at = |wanted: Place| places.iter().position(|place| *place == wanted);
        if let (Some(environment), Some(profile)) = (at(Place::Environment), at(Place::Profile))
            && self.resolver.profile_first()
            && environment < profile
        {
            places.swap(environment, profile);
        }
        let is_default = self.resolver.find(row).is_none();
        if is_default && !endpoint::is_amazon(endpoint) {
            places.retain(|place| match place {
                Place::Instance => self.services.instance_is_named(self.resolver),
                Place::WebIdentity => self.services.web_identity_is_meant(self.resolver),
                _ => true,
            });
        }
        Ok(places)
    }

    /// The providers of `places`, up to the first whose keys are known.
    fn chain(&self, places: &[Place]) -> Result<Option<Chosen>> {
        let mut providers = Vec::new();
        let mut origins = None;
        // Whoever names nothing else runs on an instance.
        let is_sure = places.iter().all(|place| matches!(place, Place::Container | Place::Instance));
        for place in places {
            let (found, origin) = self.at(*place, is_sure)?;
            origins = origin;
            let is_last = matches!(found.last(), Some(Provider::Lasting(_) | Provider::Anonymous));
            providers.extend(found);
            if is_last {
                break;
            }
        }
        let chain = ProviderChain { providers };
        Ok(match origins {
            _ if chain.providers.is_empty() => None,
            _ if chain.is_anonymous() => Some(Chosen::anonymous()),
            Some(origins) if chain.lasting().is_some() => Some(Chosen { chain, origins }),
            _ => {
                let origin = format!("asked for when they are needed: {}", chain.names());
                Some(Chosen { chain, origins: std::array::from_fn(|_| origin.clone()) })
            }
        })
    }

    fn at(&self, place: Place, is_sure: bool) -> Result<(Vec<Provider>, Option<[String; 3]>)> {
        let levels: &[Level] = match place {
            Place::Static => &[Level::Bucket, Level::Plain],
            Place::Environment => &[Level::Environment],
            Place::Profile if self.resolver.profile().get("role_arn").is_none() => &[Level::Profile],
            _ => &[],
        };
        for level in levels {
            if let Some((known, origins)) = keys(self.resolver, *level)? {
                return Ok((vec![Provider::Lasting(known)], Some(origins)));
            }
        }
        let provider = match place {
            Place::Static | Place::Environment => None,
            Place::Profile => self.of_profile()?,
            Place::WebIdentity => self.services.web_identity(self.resolver)?.map(Provider::WebIdentity),
            Place::Container => self.services.container(self.resolver)?.map(Provider::Container),
            Place::Instance => self.services.instance(self.resolver, is_sure)?.map(Provider::Instance),
            Place::AssumedRole => {
                let base = self.base()?;
                Some(Provider::AssumedRole(self.services.assumed_role(self.resolver, base)?))
            }
            Place::Anonymous => Some(Provider::Anonymous),
        };
        Ok((provider.into_iter().collect(), None))
    }

    /// What the keys are that a role is taken on with.
    fn base(&self) -> Result<ProviderChain> {
        let row = &ASSUMED_ROLE_CREDENTIALS_PROVIDER;
        let places = names::read(&self.resolver.list(row)?, row)?;
        if places.contains(&Place::AssumedRole) {
            let message = format!("option {}: the role cannot be taken on with its own keys", row.key());
            return Err(Error::new(ErrorKind::InvalidOption, message));
        }
        match self.chain(&places)? {
            Some(chosen) if !chosen.chain.is_anonymous() => Ok(chosen.chain),
            _ => Err(self.nothing_found(&places)),
        }
    }

    fn of_profile(&self) -> Result<Option<Provider>> {
        let source = |name: &str| {
            let place = match name {
                "Environment" => Place::Environment,
                "Ec2InstanceMetadata" => Place::Instance,
                "EcsContainer" => Place::Container,
                _ => return Ok(None),
            };
            self.at(place, true).map(|(providers, _)| Some(providers).filter(|providers| !providers.is_empty()))
        };
        let around = Around {
            files: self.resolver.profile_files(),
            sts: self.services.sts(),
            session_name: self.services.session_name(),
            source: &source,
        };
        profile_keys::provider(self.resolver.profile(), &around)
    }

    fn nothing_found(&self, places: &[Place]) -> Error {
        let resolver = self.resolver;
        let mut looked_at = vec![resolver.name_at(&ACCESS_KEY, Level::Explicit)];
        for place in places {
            match place {
                Place::Static => {
                    looked_at.extend([Level::Bucket, Level::Plain].map(|level| resolver.name_at(&ACCESS_KEY, level)));
                }
                Place::Environment => looked_at.push(resolver.name_at(&ACCESS_KEY, Level::Environment)),
                Place::WebIdentity => looked_at.push("AWS_WEB_IDENTITY_TOKEN_FILE".to_owned()),
                Place::Profile => looked_at.push(resolver.profile().looked_at()),
                Place::Container => looked_at.push("AWS_CONTAINER_CREDENTIALS_FULL_URI".to_owned()),
                Place::Instance => looked_at.push("instance metadata (AWS_EC2_METADATA_DISABLED is true)".to_owned()),
                Place::AssumedRole => looked_at.push(resolver.name_at(&ASSUMED_ROLE_ARN, Level::Plain)),
                Place::Anonymous => {}
            }
        }
        let hidden = match resolver.find(&WEB_IDENTITY_TOKEN_FILE) {
            Some(token) if !places.contains(&Place::WebIdentity) => format!(
                ". The token of {} is shown to Amazon only: to show it to another service, name that in \
                 fs.s3a.assumed.role.sts.endpoint",
                token.origin
            ),
            _ => String::new(),
        };
        Error::new(
            ErrorKind::NoCredentials,
            format!(
                "no access key and secret key for bucket {}. Looked at {}. Set fs.s3a.access.key and \
                 fs.s3a.secret.key (Python: access_key, secret_key), or fs.s3core.anonymous=true for a public \
                 bucket{hidden}",
                resolver.bucket(),
                looked_at.join(", ")
            ),
        )
    }
}

/// The keys of one level, and their origins.
fn keys(resolver: &Resolver<'_>, level: Level) -> Result<Option<(Known, [String; 3])>> {
    let [access, secret, token] = [&ACCESS_KEY, &SECRET_KEY, &SESSION_TOKEN].map(|row| resolver.at(row, level));
    match (access, secret) {
        (Some(access), Some(secret)) => {
            let origin_of_token = token.as_ref().map(|token| token.origin.clone());
            let name_of_token = origin_of_token.clone().unwrap_or_else(|| resolver.name_at(&SESSION_TOKEN, level));
            let credentials = Credentials {
                access_key: access.one_line(&ACCESS_KEY)?,
                secret_key: secret.one_line(&SECRET_KEY)?,
                session_token: token.map(|token| token.one_line(&SESSION_TOKEN)).transpose()?,
            };
            let names = match (level, resolver.text(&KEYS_ORIGIN)?) {
                (Level::Bucket | Level::Plain, Some(place)) => KeyNames::of_one_place(&place),
                _ => KeyNames::new([access.origin.clone(), secret.origin.clone(), name_of_token]),
            };
            let origin_of_token = origin_of_token.unwrap_or_else(|| DEFAULT.to_owned());
            Ok(Some((Known { credentials, names }, [access.origin, secret.origin, origin_of_token])))
        }
        (Some(access), None) => Err(half(resolver, level, &access, "secret key", &SECRET_KEY)),
        (None, Some(secret)) => Err(half(resolver, level, &secret, "access key", &ACCESS_KEY)),
        (None, None) => match token {
            // Elsewhere a token without keys is left over from another tool; here somebody means it.
            Some(token) if matches!(level, Level::Explicit | Level::Bucket | Level::Plain) => {
                Err(half(resolver, level, &token, "access key", &ACCESS_KEY))
            }
            _ => Ok(None),
        },
    }
}

fn half(resolver: &Resolver<'_>, level: Level, given: &Given, missing: &str, row: &Row) -> Error {
    Error::new(
        ErrorKind::InvalidOption,
        format!(
            "{} is set but the {missing} that belongs to it is missing: set {} too (both come from the same source, so \
             that keys of two users are never mixed)",
            given.origin,
            resolver.name_at(row, level)
        ),
    )
}
