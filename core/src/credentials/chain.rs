//! Finds keys: both from one source, or none.

use crate::config::row::Row;
use crate::config::sources::{DEFAULT, Given, Level, Resolver};
use crate::config::table::{ACCESS_KEY, SECRET_KEY, SESSION_TOKEN};
use crate::{Error, ErrorKind, Result};

use super::Credentials;
use super::providers::{self, Provider};

/// Keys and where they came from.
pub(crate) struct Chosen {
    /// `None` sends unsigned requests.
    pub(crate) credentials: Option<Credentials>,
    origins: [String; 3],
}

impl Chosen {
    fn anonymous() -> Self {
        Self { credentials: None, origins: std::array::from_fn(|_| "none: unsigned requests".to_owned()) }
    }

    /// Value and origin of the three options, secrets masked.
    pub(crate) fn explained(&self) -> impl Iterator<Item = (&'static Row, String, String)> {
        let keys = self.credentials.as_ref();
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

/// The keys of the strongest source that has any. Arguments come first whatever `names` (the providers) say.
///
/// # Errors
/// `InvalidOption` for half a pair, or for keys beside a wish for unsigned requests; `NoCredentials` with the places
/// that were looked at.
pub(crate) fn choose(resolver: &Resolver<'_>, names: &[String], anonymous: bool) -> Result<Chosen> {
    let places = providers::read(names)?;
    let explicit = keys(resolver, Level::Explicit)?;
    if anonymous {
        return match explicit {
            None => Ok(Chosen::anonymous()),
            Some(_) => Err(Error::new(
                ErrorKind::InvalidOption,
                "arguments access_key and anonymous=true contradict each other; leave one out",
            )),
        };
    }
    if let Some(chosen) = explicit {
        return Ok(chosen);
    }
    for level in levels(resolver, &places) {
        match level {
            None => return Ok(Chosen::anonymous()),
            Some(level) => {
                if let Some(chosen) = keys(resolver, level)? {
                    return Ok(chosen);
                }
            }
        }
    }
    Err(nothing_found(resolver, names, &places))
}

/// Levels in the order of `places`; `None` stands for unsigned requests. A profile that was asked for by name goes
/// before the environment.
fn levels(resolver: &Resolver<'_>, places: &[Provider]) -> Vec<Option<Level>> {
    let mut levels: Vec<_> = places
        .iter()
        .flat_map(|place| match place {
            Provider::Static => vec![Some(Level::Bucket), Some(Level::Plain)],
            Provider::Environment => vec![Some(Level::Environment)],
            Provider::Profile => vec![Some(Level::Profile)],
            Provider::Anonymous => vec![None],
        })
        .collect();
    let at = |wanted: Level| levels.iter().position(|level| *level == Some(wanted));
    if let (Some(environment), Some(profile)) = (at(Level::Environment), at(Level::Profile))
        && resolver.profile_first()
        && environment < profile
    {
        levels.swap(environment, profile);
    }
    levels
}

/// The keys of one level.
fn keys(resolver: &Resolver<'_>, level: Level) -> Result<Option<Chosen>> {
    let [access, secret, token] = [&ACCESS_KEY, &SECRET_KEY, &SESSION_TOKEN].map(|row| resolver.at(row, level));
    match (access, secret) {
        (Some(access), Some(secret)) => {
            let origin_of_token = token.as_ref().map_or_else(|| DEFAULT.to_owned(), |token| token.origin.clone());
            Ok(Some(Chosen {
                origins: [access.origin.clone(), secret.origin.clone(), origin_of_token],
                credentials: Some(Credentials {
                    access_key: access.one_line(&ACCESS_KEY)?,
                    secret_key: secret.one_line(&SECRET_KEY)?,
                    session_token: token.map(|token| token.one_line(&SESSION_TOKEN)).transpose()?,
                }),
            }))
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

fn nothing_found(resolver: &Resolver<'_>, names: &[String], places: &[Provider]) -> Error {
    let mut looked_at = vec![resolver.name_at(&ACCESS_KEY, Level::Explicit)];
    for level in levels(resolver, places).into_iter().flatten() {
        looked_at.push(match level {
            Level::Profile => resolver.profile().looked_at(),
            level => resolver.name_at(&ACCESS_KEY, level),
        });
    }
    let passed_over = providers::passed_over(names);
    let passed_over = if passed_over.is_empty() {
        String::new()
    } else {
        format!(" These are not asked for keys here: {}.", passed_over.join(", "))
    };
    Error::new(
        ErrorKind::NoCredentials,
        format!(
            "no access key and secret key for bucket {}. Looked at {}.{passed_over} Set fs.s3a.access.key and \
             fs.s3a.secret.key (Python: access_key, secret_key), or fs.s3core.anonymous=true for a public bucket",
            resolver.bucket(),
            looked_at.join(", ")
        ),
    )
}
