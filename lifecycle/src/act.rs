//! What a run does: it removes units, puts them back, and empties its trash. Every step can be done twice, so that a run
//! that was killed goes on where it stopped.

pub mod apply;
mod attempts;
mod held;
mod lists;
mod markers;
pub mod means;
pub mod objects;
pub mod purge;
pub mod remove;
pub mod restore;
pub mod spared;
pub(crate) mod stack;
pub mod survey;
pub mod tier;
pub mod undo;
pub mod uploads;

use crate::catalog::CatalogError;
use crate::plan::document::PlanError;
use crate::run::journal::{BatchId, Journal, Marker, Outcome, UnitOutcome};
use crate::run::lease::Lease;
use crate::run::{Bucket, StateError};

use objects::Objects;

/// Why a run has not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The gateway has failed, or the lease is lost.
    #[error(transparent)]
    Gateway(#[from] s3core::Error),
    /// The state in the bucket is not as it should be.
    #[error(transparent)]
    State(#[from] StateError),
    /// The plan cannot be read.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The process was asked to end.
    #[error("stopped between two units: the next run goes on from there")]
    Stopped,
    /// The catalog of a dataset has failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Writes down what came of units that were announced together, by their prefixes.
async fn conclude<'u>(
    objects: &Objects<'_>,
    bucket: &Bucket,
    journal: &Journal,
    batch: BatchId,
    outcomes: impl Iterator<Item = (&'u str, &'u Outcome, &'u [Marker])>,
) -> Result<(), Failure> {
    let at = bucket.time().await?;
    let outcome = |(prefix, outcome, markers): (&str, &Outcome, &[Marker])| UnitOutcome {
        prefix: prefix.to_owned(),
        outcome: outcome.clone(),
        at,
        markers: markers.to_vec(),
    };
    let outcomes: Vec<_> = outcomes.map(outcome).collect();
    objects.permit.check()?;
    Ok(journal.conclude(batch, &outcomes).await?)
}

impl objects::Permit for Lease {
    fn number(&self) -> u64 {
        Self::number(self)
    }

    fn check(&self) -> s3core::Result<()> {
        Ok(Self::check(self)?)
    }

    fn may_have_worked(&self, leases: &[u64], at: jiff::Timestamp) -> bool {
        Self::may_have_worked(self, leases, at)
    }
}
