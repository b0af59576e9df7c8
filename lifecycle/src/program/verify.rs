//! `s3life verify RUN POLICY|s3a://BUCKET`

use clap::Args;
use serde_json::{Value, json};

use super::output::{self, Failure};
use super::{BucketOrPolicy, Common, Form};
use crate::plan::line::Amount;
use crate::verify::{Change, Proof, Wrong, verify};

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// The run, as `s3life history` names it.
    run: String,
    #[command(flatten)]
    bucket: BucketOrPolicy,
}

/// Objects that are named for people, of each kind.
const MOST_NAMED: usize = 20;

impl Verify {
    /// Returns 1 where something is not as it should be.
    pub(super) fn run(&self, common: &Common) -> Result<u8, Failure> {
        let proof = self.proof(common)?;
        match common.output {
            Form::Json => output::line(&self.json(&proof).to_string())?,
            Form::Text => self.print(&proof)?,
        }
        Ok(u8::from(!proof.is_proven()))
    }

    /// What is found.
    pub(super) fn proof(&self, common: &Common) -> Result<Proof, Failure> {
        let connection = self.bucket.connect(common)?;
        Ok(connection.wait(verify(&connection.bucket(), &self.run))?)
    }

    /// The same for programs.
    pub(super) fn json(&self, proof: &Proof) -> Value {
        let Proof { state, removed, moved, back, held, left, not_back, waiting, wrong, changed, .. } = proof;
        let Proof { aborted, uploads_left, aborts_unwritten, .. } = proof;
        json!({
            "run": self.run, "proven": proof.is_proven(), "state": state, "removed": removed, "moved": moved, "back": back,
            "held": held, "left": left, "not_back": not_back, "waiting": waiting, "aborted": aborted,
            "uploads_left": uploads_left, "aborts_unwritten": aborts_unwritten, "wrong": wrong.first, "wrong_count": wrong.count,
            "changed": changed.first, "changed_count": changed.count,
        })
    }

    fn print(&self, proof: &Proof) -> Result<(), Failure> {
        output::line(&format!("run {} ({}):", self.run, proof.state.words()))?;
        let amounts = [
            (proof.removed, "gone as planned"),
            (proof.moved, "in the storage class that was planned"),
            (proof.back, "back as before"),
            (proof.held, "in place, because they cannot be copied"),
        ];
        for (Amount { units, objects, bytes }, what) in
            amounts.into_iter().filter(|(amount, _)| amount.units + amount.objects > 0)
        {
            output::line(&format!("  {what}: {objects} objects with {bytes} bytes (units: {units})"))?;
        }
        let counts = [
            (proof.left, "left by the run (units)"),
            (proof.not_back, "gone at least in part, and not brought back (units)"),
            (proof.waiting, "waiting for the gateway (units)"),
            (proof.aborted, "uploads aborted as planned"),
            (proof.uploads_left, "uploads left by the run"),
            (proof.aborts_unwritten, "uploads that are gone, as planned, and in no journal of the run"),
        ];
        for (count, what) in counts {
            if count > 0 {
                output::line(&format!("  {what}: {count}"))?;
            }
        }
        let changed = &proof.changed;
        for Change { key, change } in changed.first.iter().take(MOST_NAMED) {
            output::line(&format!("  changed by others: {key}: {change}"))?;
        }
        more(changed.first.len(), changed.count)?;
        let wrong = &proof.wrong;
        for Wrong { key, expected, found } in wrong.first.iter().take(MOST_NAMED) {
            output::line(&format!("  wrong: {key}: expected {expected}; found {found}"))?;
        }
        more(wrong.first.len(), wrong.count)?;
        output::line(match (proof.is_proven(), proof.aborts_unwritten) {
            (true, 0) => {
                "proven: the run wrote nothing that is not in its plan, and all of the plan is as the run left it"
            }
            (true, _) => {
                "proven but for uploads: of some that are gone it was not written down that the run has aborted them; all else of its \
                 plan is as the run left it, and it wrote nothing beside"
            }
            (false, _) => "not proven",
        })
    }
}

fn more(known: usize, count: u64) -> Result<(), Failure> {
    let named = known.min(MOST_NAMED) as u64;
    if count > named { output::line(&format!("  and {} more", count - named)) } else { Ok(()) }
}
