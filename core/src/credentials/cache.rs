//! Holds keys while they are good: one renewal at a time, in advance, and for every request that waits.

use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures::FutureExt;
use futures::future::{BoxFuture, Shared};

use crate::environment::{Clock, CorrectedClock, Environment};
use crate::http::{Endpoint, Limits};
use crate::sign::Identity;
use crate::{Error, ErrorKind, Result};

use super::key_names::KeyNames;
use super::provider::{Issued, ProviderChain, World};
use super::refresh::{Age, Decision};

/// Where no keys are found, nobody looks again for so long: a service that does not answer would hold up every request.
const NOTHING_FOUND: Duration = Duration::from_secs(60);
/// An answer without a reason may be due to keys that are no longer good, unless they are as new as this.
const FRESH: Duration = Duration::from_secs(300);
/// What a refused request without keys means.
const UNSIGNED: &str = "access denied: requests are sent unsigned (fs.s3core.anonymous or the provider anonymous), and \
                        not everybody may do this; set fs.s3a.access.key and fs.s3a.secret.key";

/// Keys that one attempt is signed with.
#[derive(Debug)]
pub(crate) struct Keys {
    identity: Option<Identity>,
    expires: Option<SystemTime>,
    names: KeyNames,
}

impl Keys {
    fn new(issued: &Issued, names: KeyNames) -> Self {
        Self { identity: issued.credentials.as_ref().map(Identity::from), expires: issued.expires, names }
    }

    #[cfg(test)]
    pub(crate) fn that_expire(at: SystemTime) -> Self {
        Self { identity: None, expires: Some(at), names: KeyNames::default() }
    }

    /// `None` where requests are sent unsigned.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The same refusal, which names the place that these keys come from where it speaks of keys.
    pub(crate) fn blame(&self, refusal: Error) -> Error {
        let named = self.names.put_into(refusal.message());
        let message = match &self.identity {
            None if refusal.message().contains("fs.s3a.access.key") => UNSIGNED,
            _ if named != refusal.message() => named.as_str(),
            _ => return refusal,
        };
        let kind = refusal.kind();
        refusal.restated(kind, message)
    }

    /// Whether they have expired at `time`.
    pub(crate) fn have_expired(&self, time: SystemTime) -> bool {
        self.expires.is_some_and(|expires| expires <= time)
    }
}

/// The keys of one gateway. Cheap to clone; clones share everything.
#[derive(Clone)]
pub(crate) struct CredentialCache {
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Lasting(Arc<Keys>),
    Changing(Arc<Changing>),
}

struct Changing {
    chain: ProviderChain,
    world: World,
    state: Mutex<State>,
}

type Renewal = Shared<BoxFuture<'static, Result<Arc<Keys>>>>;

#[derive(Default)]
struct State {
    held: Option<(Arc<Keys>, Age)>,
    renewal: Option<Renewal>,
    /// Number of the provider that had keys last.
    provider: usize,
    /// When no provider had any, and what was said then.
    nothing: Option<(SystemTime, Error)>,
}

impl CredentialCache {
    /// Asks nobody yet.
    pub(crate) fn new(
        chain: &ProviderChain,
        environment: &Environment,
        gateway: &Endpoint,
        clock: &Arc<CorrectedClock>,
        limits: Limits,
    ) -> Self {
        let lasting = match chain.lasting() {
            None if !chain.is_anonymous() => {
                let world = World::new(environment, gateway, clock, limits);
                let changing = Changing { chain: chain.clone(), world, state: Mutex::default() };
                return Self { kind: Kind::Changing(Arc::new(changing)) };
            }
            lasting => lasting.cloned(),
        };
        let issued = Issued { credentials: lasting, expires: None };
        Self { kind: Kind::Lasting(Arc::new(Keys::new(&issued, chain.key_names(0)))) }
    }

    /// Keys for an attempt that is sent now.
    ///
    /// # Errors
    /// `NoCredentials` where no provider has any, and what a provider fails with.
    pub(crate) async fn current(&self) -> Result<Arc<Keys>> {
        match &self.kind {
            Kind::Lasting(keys) => Ok(Arc::clone(keys)),
            Kind::Changing(changing) => changing.current().await,
        }
    }

    /// Waits for the renewal that is under way, where one is.
    pub(crate) async fn renewed(&self) {
        if let Kind::Changing(changing) = &self.kind {
            let renewal = changing.lock().renewal.clone();
            if let Some(renewal) = renewal
                && let Err(failure) = renewal.await
            {
                tracing::debug!(%failure, "no other keys are to be had now");
            }
        }
    }

    /// The gateway did not take `keys`, and said why or did not. Whether others can be had in their place. Keys that nobody
    /// has complained of by name stay in use until there are others: a refusal may have been due to a policy.
    pub(crate) fn refuse(&self, keys: &Arc<Keys>, reason_is_known: bool) -> bool {
        match &self.kind {
            Kind::Lasting(_) => false,
            Kind::Changing(changing) => changing.refuse(keys, reason_is_known),
        }
    }
}

impl Changing {
    async fn current(self: &Arc<Self>) -> Result<Arc<Keys>> {
        let renewal = {
            let now = self.now();
            let mut state = self.lock();
            let decision = state.held.as_ref().map_or(Decision::Renew, |(_, age)| age.decide(now));
            match (&state.held, decision) {
                (Some((keys, _)), Decision::Use) => return Ok(Arc::clone(keys)),
                (Some((keys, _)), Decision::UseAndRenew) => {
                    let keys = Arc::clone(keys);
                    // Nobody waits for it.
                    drop(self.renewal(&mut state));
                    return Ok(keys);
                }
                _ => {}
            }
            if let Some((when, failure)) = &state.nothing
                && now.duration_since(*when).is_ok_and(|passed| passed < NOTHING_FOUND)
            {
                return Err(failure.clone());
            }
            self.renewal(&mut state)
        };
        renewal.await
    }

    /// The renewal that is under way, begun where there is none. It ends whether anybody waits for it or not.
    fn renewal(self: &Arc<Self>, state: &mut State) -> Renewal {
        if let Some(running) = &state.renewal {
            return running.clone();
        }
        let changing = Arc::clone(self);
        let provider = state.provider;
        let task = tokio::spawn(async move {
            let issued = AssertUnwindSafe(changing.chain.issue(provider, &changing.world)).catch_unwind().await;
            // The next request asks anew, whatever became of this renewal.
            changing.settle(issued.unwrap_or_else(|_| {
                Err(Error::new(ErrorKind::Internal, "the search for keys failed inside s3core: its log says where"))
            }))
        });
        let renewal = async move {
            task.await.unwrap_or_else(|stopped| {
                Err(Error::new(ErrorKind::Closed, "the search for keys was stopped with the process")
                    .caused_by(stopped))
            })
        };
        state.renewal.insert(renewal.boxed().shared()).clone()
    }

    fn settle(&self, outcome: Result<Option<(usize, Issued)>>) -> Result<Arc<Keys>> {
        let now = self.now();
        let mut state = self.lock();
        state.renewal = None;
        let failure = match outcome {
            Ok(Some((provider, issued))) => {
                let keys = Arc::new(Keys::new(&issued, self.chain.key_names(provider)));
                state.held = Some((Arc::clone(&keys), Age::new(now, issued.expires)));
                (state.provider, state.nothing) = (provider, None);
                return Ok(keys);
            }
            Ok(None) => {
                let message = format!(
                    "no keys were found: {} had none. Set fs.s3a.access.key and fs.s3a.secret.key, or \
                     fs.s3core.anonymous=true for a public bucket",
                    self.chain.names()
                );
                let failure = Error::new(ErrorKind::NoCredentials, message);
                state.nothing = Some((now, failure.clone()));
                failure
            }
            Err(failure) => failure,
        };
        if let Some((_, age)) = &mut state.held {
            age.renewal_failed(now);
            if age.decide(now) != Decision::Renew {
                tracing::warn!(%failure, "keys could not be renewed; the old ones are used until they expire");
            }
        }
        Err(failure)
    }

    fn refuse(self: &Arc<Self>, keys: &Arc<Keys>, reason_is_known: bool) -> bool {
        let now = self.now();
        let mut state = self.lock();
        match &mut state.held {
            Some((held, age)) if Arc::ptr_eq(held, keys) => {
                if reason_is_known {
                    age.refused();
                    return true;
                }
                let is_promising = age.since(now) > FRESH && age.doubt(now);
                if is_promising {
                    drop(self.renewal(&mut state));
                }
                is_promising
            }
            // Others have been issued since the attempt began.
            _ => true,
        }
    }

    fn now(&self) -> SystemTime {
        self.world.clock.wall()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
