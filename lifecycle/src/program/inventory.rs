//! `s3life inventory POLICY --out FILE`

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::output::{self, Failure};
use super::progress::Listed;
use super::{Common, Form, PolicyFile};
use crate::export::export;
use crate::listing::Pace;
use crate::plan::line::Amount;
use crate::words::{counted, size};

#[derive(Debug, Args)]
pub(super) struct Inventory {
    #[command(flatten)]
    policy: PolicyFile,
    /// Where the table goes, in the format Parquet.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Count ages to this time, as in 2026-11-25T12:00:00Z. Without it: the gateway's.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    #[command(flatten)]
    pace: Pace,
}

impl Inventory {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let read = output::read_policy(&self.policy.path)?;
        let connection = common.connect(&read.policy.bucket)?;
        let lister = connection.lister(self.pace);
        let _listed = Listed::of(&connection, &lister);
        let (now, exported) = connection.wait(async {
            let now = match self.now {
                Some(now) => now,
                None => connection.bucket().time().await?,
            };
            let exported = export(&lister, &read.policy, &read.source, now, &self.out).await?;
            Ok::<_, Failure>((now, exported))
        })?;
        let total = exported.datasets.values().fold(Amount::default(), |mut total, amount| {
            total.add(*amount);
            total
        });
        let file = self.out.display();
        output::line(&match common.output {
            Form::Json => json!({
                "file": file.to_string(), "bucket": read.policy.bucket, "now": now, "datasets": exported.datasets,
                "objects": total.objects, "bytes": total.bytes,
            })
            .to_string(),
            Form::Text => format!(
                "{file}: {} of {}, {}, by what is due at {now}",
                counted(total.objects, "object"),
                counted(exported.datasets.len() as u64, "dataset"),
                size(total.bytes)
            ),
        })
    }
}
