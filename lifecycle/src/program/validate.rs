//! `s3life validate POLICY`

use clap::Args;
use serde_json::json;

use super::output::{self, Failure};
use super::{Common, Form, PolicyFile};
use crate::words::counted;

#[derive(Debug, Args)]
pub(super) struct Validate {
    #[command(flatten)]
    policy: PolicyFile,
}

impl Validate {
    /// Returns the exit status: programs find what is wrong where they find what is right.
    pub(super) fn run(&self, common: &Common) -> Result<u8, Failure> {
        let policy = match output::policy(&self.policy.path) {
            Err(Failure::Policy(wrong)) if common.output == Form::Json => {
                output::line(&wrong.json().to_string())?;
                return Ok(output::FAILED);
            }
            read => read?,
        };
        let rules: usize = policy.datasets.iter().map(|dataset| dataset.rules.len()).sum();
        match common.output {
            Form::Json => {
                let datasets: Vec<_> = policy.datasets.iter().map(|dataset| &dataset.name).collect();
                let summary = json!({"bucket": policy.bucket, "zone": policy.zone_name, "datasets": datasets, "rules": rules, "findings": []});
                output::line(&summary.to_string())?;
            }
            Form::Text => output::line(&format!(
                "{}: {} with {} in s3a://{}, ages counted in {}",
                self.policy.path.display(),
                counted(policy.datasets.len() as u64, "dataset"),
                counted(rules as u64, "rule"),
                policy.bucket,
                policy.zone_name
            ))?,
        }
        Ok(0)
    }
}
