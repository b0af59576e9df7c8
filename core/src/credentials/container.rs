//! Keys that a container's platform offers over HTTP: ECS, EKS Pod Identity ("Container credential provider" in the AWS
//! SDKs and Tools reference guide).

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};

use crate::{Error, ErrorKind, Result};

use super::metadata;
use super::provider::{Container, Issued, Secret, World};

/// Seconds that the service may take for each of connecting and answering.
const LIMIT: u64 = 5;

/// # Errors
/// `NoCredentials` where the service gives none, `InvalidOption` for a token that cannot be read, and the transport's.
pub(super) async fn issue(container: &Container, world: &World) -> Result<Issued> {
    let source = format!("the container credentials service {}{}", container.endpoint, container.path_and_query);
    let mut headers = HeaderMap::new();
    if let Some(Secret(token)) = token(container).await? {
        let mut token = HeaderValue::try_from(token).map_err(|_| {
            Error::new(ErrorKind::InvalidOption, format!("the authorization token for {source} holds a line break"))
        })?;
        token.set_sensitive(true);
        headers.insert(AUTHORIZATION, token);
    }
    let limits = metadata::limits(LIMIT);
    let asked = metadata::ask(world, &container.endpoint, Method::GET, &container.path_and_query, headers, limits);
    let (status, document) = asked.await?;
    match status.as_u16() {
        200 => metadata::keys(&document, &source),
        429 | 500..=599 => Err(Error::new(ErrorKind::Unavailable, format!("{source} answered {status}"))),
        _ => Err(Error::new(ErrorKind::NoCredentials, format!("{source} gave no keys: it answered {status}"))),
    }
}

/// Read anew each time: the platform renews the file.
async fn token(container: &Container) -> Result<Option<Secret>> {
    let Some(file) = &container.token_file else {
        return Ok(container.token.clone());
    };
    let text = metadata::read_file(file).await.map_err(|cause| {
        let message =
            format!("the file {} of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read: {cause}", file.display());
        Error::new(ErrorKind::InvalidOption, message).caused_by(cause)
    })?;
    Ok(Some(Secret(text.trim().to_owned())))
}
