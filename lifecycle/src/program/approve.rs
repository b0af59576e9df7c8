//! `s3life approve DIGEST POLICY|s3a://BUCKET`

use clap::Args;

use super::output::{self, Failure};
use super::{BucketOrPolicy, Common, Form};
use crate::run::lease::Holder;
use crate::serve::{Approval, ServeStore};

#[derive(Debug, Args)]
pub(super) struct Approve {
    /// The digest of the rule, or its first eight digits or more, as `s3life status` prints it.
    #[arg(value_name = "DIGEST")]
    digest: String,
    #[command(flatten)]
    bucket: BucketOrPolicy,
    /// Who approves it. Without it: the user and the machine.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl Approve {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let connection = self.bucket.connect(common)?;
        let by = self.by.clone().unwrap_or_else(this_user);
        let store = ServeStore::new(connection.bucket());
        let approval = connection.block_on(store.approve(&self.digest, &by))?;
        match common.output {
            Form::Json => output::json(&approval),
            Form::Text => {
                let Approval { digest, dataset, rule, action, by, at } = &approval;
                output::line(&format!(
                    "the rule {rule} of {dataset} ({action}) is approved by {by} since {at}; digest {digest}"
                ))
            }
        }
    }
}

fn this_user() -> String {
    let user = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok().filter(|name| !name.is_empty()));
    format!("{}@{}", user.as_deref().unwrap_or("unknown"), Holder::this_process().host)
}
