//! What issues keys, as data: settings that can be compared and copied.

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use futures::future::{BoxFuture, FutureExt};

use crate::Result;
use crate::environment::{CorrectedClock, Environment};
use crate::http::{Endpoint, Limits};

use super::key_names::KeyNames;
use super::{Credentials, container, instance, process, sts};

/// Where keys come from: the first provider that has any, and from then on always that one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderChain {
    pub(super) providers: Vec<Provider>,
}

impl ProviderChain {
    /// Unsigned requests.
    pub fn anonymous() -> Self {
        Self { providers: vec![Provider::Anonymous] }
    }

    /// The keys, where they are known and stay the same.
    pub fn lasting(&self) -> Option<&Credentials> {
        match self.providers.first() {
            Some(Provider::Lasting(known)) => Some(&known.credentials),
            _ => None,
        }
    }

    /// Whether requests are sent unsigned.
    pub fn is_anonymous(&self) -> bool {
        self.providers.first() == Some(&Provider::Anonymous)
    }

    /// Asks the providers from number `first` on; the answer is the number of the one that has keys, and these. `None`
    /// where none has.
    ///
    /// # Errors
    /// The first provider's that should have keys and cannot give them: those after it are of somebody else.
    pub(super) fn issue<'a>(
        &'a self,
        first: usize,
        world: &'a World,
    ) -> BoxFuture<'a, Result<Option<(usize, Issued)>>> {
        async move {
            for (number, provider) in self.providers.iter().enumerate().skip(first) {
                if let Some(issued) = provider.issue(world).await? {
                    return Ok(Some((number, issued)));
                }
            }
            Ok(None)
        }
        .boxed()
    }

    /// Whether TLS is spoken on the way to keys.
    pub fn speaks_tls(&self) -> bool {
        self.providers.iter().any(|provider| match provider {
            Provider::Anonymous | Provider::Lasting(_) | Provider::Process(_) => false,
            Provider::AssumedRole(AssumedRole { sts, base, .. }) => sts.endpoint.tls || base.speaks_tls(),
            Provider::WebIdentity(WebIdentity { sts, .. }) => sts.endpoint.tls,
            Provider::Container(Container { endpoint, .. }) | Provider::Instance(Instance { endpoint, .. }) => {
                endpoint.tls
            }
        })
    }

    /// What the keys of provider number `number` are called.
    pub(super) fn key_names(&self, number: usize) -> KeyNames {
        match self.providers.get(number) {
            Some(Provider::Lasting(known)) => known.names.clone(),
            Some(provider) => KeyNames::of_one_place(&provider.to_string()),
            None => KeyNames::default(),
        }
    }

    /// The providers by name, for messages.
    pub(super) fn names(&self) -> String {
        self.providers.iter().map(Provider::to_string).collect::<Vec<_>>().join(", ")
    }
}

impl From<Credentials> for ProviderChain {
    fn from(credentials: Credentials) -> Self {
        Known { credentials, names: KeyNames::default() }.into()
    }
}

impl From<Known> for ProviderChain {
    fn from(known: Known) -> Self {
        Self { providers: vec![Provider::Lasting(known)] }
    }
}

/// Keys that are known and stay the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) credentials: Credentials,
    pub(super) names: KeyNames,
}

/// Keys as a provider has issued them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Issued {
    /// `None` sends unsigned requests.
    pub(super) credentials: Option<Credentials>,
    /// `None` for keys that last.
    pub(super) expires: Option<SystemTime>,
}

/// What providers are asked with.
#[derive(Clone)]
pub(super) struct World {
    pub(super) environment: Environment,
    /// The clock of the environment, put right by the gateway.
    pub(super) clock: Arc<CorrectedClock>,
    /// The gateway.
    pub(super) gateway: Endpoint,
    /// Clocks put right by other services.
    pub(super) clocks: Arc<Mutex<HashMap<Endpoint, Arc<CorrectedClock>>>>,
    /// Whether the instance metadata service has given keys once.
    pub(super) is_instance: Arc<AtomicBool>,
    /// Deadlines of requests to STS.
    pub(super) limits: Limits,
}

impl World {
    pub(super) fn new(
        environment: &Environment,
        gateway: &Endpoint,
        clock: &Arc<CorrectedClock>,
        limits: Limits,
    ) -> Self {
        Self {
            environment: environment.clone(),
            clock: Arc::clone(clock),
            gateway: gateway.clone(),
            clocks: Arc::default(),
            is_instance: Arc::default(),
            limits,
        }
    }

    /// The clock that requests to `endpoint` are signed by: two services may well differ.
    pub(super) fn clock_of(&self, endpoint: &Endpoint) -> Arc<CorrectedClock> {
        if *endpoint == self.gateway {
            return Arc::clone(&self.clock);
        }
        let mut clocks = self.clocks.lock().unwrap_or_else(PoisonError::into_inner);
        let clock = clocks.entry(endpoint.clone()).or_insert_with(|| Arc::new(self.clock.of_the_machine()));
        Arc::clone(clock)
    }
}

/// One source of keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Provider {
    /// None: unsigned requests.
    Anonymous,
    /// Keys that are known.
    Lasting(Known),
    /// A program that prints them (`credential_process`).
    Process(CommandLine),
    /// STS AssumeRole.
    AssumedRole(AssumedRole),
    /// STS AssumeRoleWithWebIdentity.
    WebIdentity(WebIdentity),
    /// What a container's platform offers: ECS, EKS Pod Identity.
    Container(Container),
    /// The instance metadata service of EC2.
    Instance(Instance),
}

impl Provider {
    async fn issue(&self, world: &World) -> Result<Option<Issued>> {
        match self {
            Self::Anonymous => Ok(Some(Issued { credentials: None, expires: None })),
            Self::Lasting(known) => Ok(Some(Issued { credentials: Some(known.credentials.clone()), expires: None })),
            Self::Process(command) => process::issue(command).await.map(Some),
            Self::AssumedRole(role) => sts::assume_role(role, world).await.map(Some),
            Self::WebIdentity(identity) => sts::assume_role_with_web_identity(identity, world).await.map(Some),
            Self::Container(container) => container::issue(container, world).await.map(Some),
            Self::Instance(instance) => instance::issue(instance, world).await,
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Anonymous => f.write_str("none: unsigned requests"),
            Self::Lasting(_) => f.write_str("keys"),
            Self::Process(_) => f.write_str("credential_process"),
            Self::AssumedRole(AssumedRole { role, sts, .. }) => write!(f, "role {} of {}", role.arn, sts.endpoint),
            Self::WebIdentity(WebIdentity { role, sts, .. }) => {
                write!(f, "web identity for role {} of {}", role.arn, sts.endpoint)
            }
            Self::Container(container) => write!(f, "container credentials at {}", container.endpoint),
            Self::Instance(instance) => write!(f, "instance metadata at {}", instance.endpoint),
        }
    }
}

/// A command line; it may hold secrets.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct CommandLine(pub(super) String);

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CommandLine(***)")
    }
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A service that issues keys for roles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sts {
    pub(super) endpoint: Endpoint,
    /// Region that signatures name.
    pub(super) region: String,
}

/// A role, and for how long and in which bounds it is taken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: String,
    pub(super) duration: Option<Duration>,
    /// A policy in JSON that narrows the role's own one.
    pub(super) policy: Option<String>,
    pub(super) external_id: Option<Secret>,
}

/// A role that is taken on with the keys of `base`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AssumedRole {
    pub(super) role: Role,
    pub(super) sts: Sts,
    pub(super) base: ProviderChain,
}

/// A role that is taken on with a token out of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebIdentity {
    pub(super) role: Role,
    pub(super) sts: Sts,
    pub(super) token_file: PathBuf,
}

/// Where a container's platform offers keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Container {
    pub(super) endpoint: Endpoint,
    pub(super) path_and_query: String,
    /// Value of the header `Authorization`.
    pub(super) token: Option<Secret>,
    /// File with that value; it goes before `token`, since it is renewed.
    pub(super) token_file: Option<PathBuf>,
}

/// Where an instance is told its keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Instance {
    pub(super) endpoint: Endpoint,
    /// Nobody else is asked for keys: silence is a failure of the service's, and not another machine.
    pub(super) is_sure: bool,
}
