//! Announcements and approvals in the bucket.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::plan::document::hexadecimal;
use crate::plan::line::PolicySource;
use crate::policy::Policy;
use crate::run::lease::Lease;
use crate::run::{Bucket, StateError, keys};

use super::document::{ServedPolicy, ServedRule, places};

/// A rule was approved.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Its digest.
    pub digest: String,
    /// Name of its dataset.
    pub dataset: String,
    /// Its name.
    pub rule: String,
    /// What it does.
    pub action: String,
    /// Who has approved it.
    pub by: String,
    /// When, by the gateway's clock.
    pub at: Timestamp,
}

/// Why a rule is not approved.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// It names too little.
    #[error("`{digest}` is too short for a digest: give its first {LEAST_DIGITS} digits or more; {known}")]
    TooShort {
        /// As it was asked for.
        digest: String,
        /// Those that there are.
        known: String,
    },
    /// No rule has such a digest.
    #[error("no rule that `s3life serve` knows in s3a://{bucket} has the digest {digest}: {known}")]
    Unknown {
        /// The bucket.
        bucket: String,
        /// As it was asked for.
        digest: String,
        /// Those that have one.
        known: String,
    },
    /// Several have.
    #[error("the digests of several rules begin with {digest}: {known}; write more of it")]
    Ambiguous {
        /// As it was asked for.
        digest: String,
        /// Those that have one.
        known: String,
    },
    /// The state in the bucket could not be read or written.
    #[error(transparent)]
    State(#[from] StateError),
}

/// How long it is remembered what was said of a policy that nobody serves any more.
const REMEMBERED: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Fewest digits by which a digest is named.
const LEAST_DIGITS: usize = 8;

/// Announcements and approvals in a bucket. Cheap to clone.
#[derive(Clone)]
pub struct ServeStore {
    bucket: Bucket,
}

impl ServeStore {
    /// Of this bucket.
    pub fn new(bucket: Bucket) -> Self {
        Self { bucket }
    }

    /// What was said of a policy that was read there, and the ETag of it.
    ///
    /// # Errors
    /// `Malformed`, and the gateway's.
    pub async fn read(
        &self,
        source: &PolicySource,
        policy: &Policy,
    ) -> Result<Option<(ServedPolicy, String)>, StateError> {
        self.bucket.get_json(&key(source, &places(policy))).await
    }

    /// Writes what is said of a policy in place of what has this ETag, as the holder of the bucket's lease.
    ///
    /// # Errors
    /// `Replaced` and `AlreadyExists` where another process was faster; `Lost`, and the gateway's.
    pub async fn write(&self, lease: &Lease, said: &ServedPolicy, before: Option<&str>) -> Result<(), StateError> {
        lease.check()?;
        let key = key(&said.policy, &said.places());
        match before {
            Some(etag) => self.bucket.replace_json(&key, said, etag).await.map(|_| ()),
            None => self.bucket.create_json(&key, said).await.map(|_| ()),
        }
    }

    /// Forgets, as the holder of the bucket's lease, what was said of policies that nobody has served for 30 days before
    /// `now`.
    ///
    /// # Errors
    /// `Lost`, `Malformed`, and the gateway's.
    pub async fn tidy(&self, lease: &Lease, now: Timestamp) -> Result<(), StateError> {
        for key in self.bucket.keys(&keys::served()).await? {
            let found = self.bucket.get_json::<ServedPolicy>(&key).await?;
            if found.is_some_and(|(said, _)| now.duration_since(said.round) > REMEMBERED) {
                lease.check()?;
                self.bucket.remove(&key).await?;
            }
        }
        Ok(())
    }

    /// What was said of all policies of the bucket.
    ///
    /// # Errors
    /// `Malformed`, and the gateway's.
    pub async fn all(&self) -> Result<Vec<ServedPolicy>, StateError> {
        let mut all = Vec::new();
        for key in self.bucket.keys(&keys::served()).await? {
            all.extend(self.bucket.get_json(&key).await?.map(|(said, _)| said));
        }
        Ok(all)
    }

    /// The digests of the rules that were approved.
    ///
    /// # Errors
    /// The gateway's.
    pub async fn approved(&self) -> Result<BTreeSet<String>, StateError> {
        let prefix = keys::approvals();
        let keys = self.bucket.keys(&prefix).await?;
        Ok(keys.iter().filter_map(|key| key.strip_prefix(&prefix)).map(str::to_owned).collect())
    }

    /// Approves the rule that has this digest, or the only one whose digest begins with it. Returns the approval, an earlier
    /// one where there is.
    ///
    /// # Errors
    /// [`ServeError`].
    pub async fn approve(&self, digest: &str, by: &str) -> Result<Approval, ServeError> {
        let all = self.all().await?;
        let mut rules: Vec<&ServedRule> = all.iter().flat_map(|said| &said.rules).collect();
        rules.sort_by(|one, other| one.digest.cmp(&other.digest));
        rules.dedup_by(|one, other| one.digest == other.digest);
        let is_meant = |rule: &&&ServedRule| {
            rule.digest == digest || digest.len() >= LEAST_DIGITS && rule.digest.starts_with(digest)
        };
        let meant: Vec<&ServedRule> = rules.iter().filter(is_meant).copied().collect();
        let rule = match meant.as_slice() {
            [rule] => *rule,
            [] if digest.len() < LEAST_DIGITS => {
                return Err(ServeError::TooShort { digest: digest.to_owned(), known: named(&rules) });
            }
            [] => {
                let (bucket, known) = (self.bucket.name().to_owned(), named(&rules));
                return Err(ServeError::Unknown { bucket, digest: digest.to_owned(), known });
            }
            several => return Err(ServeError::Ambiguous { digest: digest.to_owned(), known: named(several) }),
        };
        let approval = Approval {
            digest: rule.digest.clone(),
            dataset: rule.dataset.clone(),
            rule: rule.rule.clone(),
            action: rule.action.clone(),
            by: by.to_owned(),
            at: self.bucket.time().await?,
        };
        let key = format!("{}{}", keys::approvals(), rule.digest);
        match self.bucket.create_json(&key, &approval).await {
            Ok(_) => Ok(approval),
            Err(StateError::AlreadyExists { .. }) => {
                Ok(self.bucket.get_json(&key).await?.map_or(approval, |(earlier, _)| earlier))
            }
            Err(failure) => Err(failure.into()),
        }
    }
}

/// Rules by their digests, for people.
fn named(rules: &[&ServedRule]) -> String {
    let named: Vec<_> = rules
        .iter()
        .map(|rule| {
            let approved = if rule.approved { ", approved" } else { "" };
            format!("{} ({} of {}: {}{approved})", rule.digest, rule.rule, rule.dataset, rule.action)
        })
        .collect();
    if named.is_empty() {
        "none was announced yet, which `s3life serve` does in its first round".to_owned()
    } else {
        format!("known are {}", named.join(", "))
    }
}

/// Machines have policies of their own at one path.
fn key(source: &PolicySource, places: &BTreeSet<&str>) -> String {
    let name = hexadecimal(&Sha256::digest(json!([source.path, places]).to_string()));
    format!("{}{}.json", keys::served(), name.get(..16).unwrap_or_default())
}
