//! Units that a run leaves though its plan names them: what was allowed when it was planned may be so no more.

use s3core::Result;

use crate::places::Places;
use crate::policy::Policy;
use crate::run::journal::{IntendedUnit, Outcome};

use super::means::{self, Removal};
use super::objects::Objects;
use super::restore::put_back;
use super::survey::survey;

/// What no run may touch by now.
#[derive(Debug, Clone)]
pub struct Spared<'a> {
    /// The policy with the holds that count; None where somebody has asked for the units by name, and nothing of them goes.
    pub policy: Option<&'a Policy>,
    /// Units that were brought back and that nobody has released, with their runs.
    pub undone: Places<String>,
    /// Units that come back.
    pub coming_back: Places<&'static str>,
}

impl Spared<'_> {
    /// Why a unit is left, where it is.
    pub fn reason(&self, prefix: &str) -> Option<String> {
        if self.policy.is_some_and(|policy| policy.hold_of(prefix).is_some()) {
            return Some("the policy holds it by now".to_owned());
        }
        if self.coming_back.meeting(prefix).is_some() {
            return Some("what another run did there is being brought back".to_owned());
        }
        let run = self.undone.meeting(prefix)?;
        Some(format!(
            "what the run {run} did there was brought back: no rule works there until `s3life release {run} POLICY`"
        ))
    }
}

/// Leaves a unit whole whose intent is in the journal: `whole` is what comes of it. Of one that was begun before, under these
/// leases, what went is put back.
///
/// # Errors
/// The permit's and the gateway's.
pub(super) async fn spare(
    objects: &Objects<'_>,
    unit: &IntendedUnit,
    begun_under: &[u64],
    whole: Outcome,
) -> Result<Removal> {
    if begun_under.is_empty() {
        return Ok(Removal { outcome: whole, markers: Vec::new() });
    }
    let found = survey(objects, unit, None).await?;
    if unit.objects.iter().all(|object| found.present.contains(object.planned.key.as_str())) {
        return Ok(Removal { outcome: whole, markers: Vec::new() });
    }
    // Also beside what has come since: as when a removal is given up.
    match put_back(objects, unit, true, None, begun_under).await?.outcome {
        Outcome::Restored => Ok(Removal { outcome: whole, markers: Vec::new() }),
        outcome => Ok(Removal { outcome, markers: means::markers_over(objects, unit, begun_under).await? }),
    }
}
