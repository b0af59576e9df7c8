//! `s3life validate POLICY`

use clap::Args;
use serde_json::json;

use super::output::{self, Failure};
use super::{Common, Form, PolicyFile};

#[derive(Debug, Args)]
pub(super) struct Validate {
    #[command(flatten)]
    policy: PolicyFile,
}

impl Validate {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let policy = output::policy(&self.policy.path)?;
        let rules: usize = policy.datasets.iter().map(|dataset| dataset.rules.len()).sum();
        match common.output {
            Form::Json => {
                let datasets: Vec<_> = policy.datasets.iter().map(|dataset| &dataset.name).collect();
                let summary =
                    json!({"bucket": policy.bucket, "zone": policy.zone_name, "datasets": datasets, "rules": rules});
                output::line(&summary.to_string())
            }
            Form::Text => output::line(&format!(
                "{}: {} datasets with {rules} rules in s3a://{}, ages counted in {}",
                self.policy.path.display(),
                policy.datasets.len(),
                policy.bucket,
                policy.zone_name
            )),
        }
    }
}
