//! `s3life report POLICY --html FILE`

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use serde_json::json;

use super::kept::Kept;
use super::output::{self, Failure, ReadPolicy};
use super::progress::Listed;
use super::status::Found;
use super::{Common, Form, PolicyFile};
use crate::connection::Connection;
use crate::listing::Pace;
use crate::page::{DatasetSums, Facts, KeptRow};
use crate::plan::holds::MetHold;
use crate::plan::make::{Past, Request, guard_verdict};

#[derive(Debug, Args)]
pub(super) struct Report {
    #[command(flatten)]
    policy: PolicyFile,
    /// Where the page goes: one file that loads nothing.
    #[arg(long, value_name = "FILE")]
    html: PathBuf,
    /// Count ages to this time, as in 2026-11-25T12:00:00Z. Without it: the gateway's.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    #[command(flatten)]
    pace: Pace,
}

impl Report {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let read = output::read_policy(&self.policy.path)?;
        let connection = common.connect(&read.policy.bucket)?;
        let page = connection.wait(self.page(&connection, &read))?;
        let file = self.html.display();
        std::fs::write(&self.html, page)
            .map_err(|failure| Failure::Usage(format!("the page cannot be written to {file}: {failure}")))?;
        output::line(&match common.output {
            Form::Json => json!({"file": file.to_string(), "bucket": read.policy.bucket}).to_string(),
            Form::Text => format!("{file}: open it in a browser"),
        })
    }

    async fn page(
        &self,
        connection: &Connection,
        ReadPolicy { policy, source }: &ReadPolicy,
    ) -> Result<String, Failure> {
        let bucket = connection.bucket();
        let found = Found::read(&bucket).await?;
        let now = self.now.unwrap_or(found.time);
        let zoned = now.to_zoned_datetime(policy.zone.clone());
        let lister = connection.lister(self.pace);
        let _listed = Listed::of(connection, &lister);
        let mut past = Past::read(&bucket).await?;
        past.look_for_holds(&bucket, policy, now).await?;
        let request = Request {
            policy,
            source: source.clone(),
            now,
            created: found.time,
            expires: found.time,
            allowed: BTreeMap::new(),
            confirmed: Vec::new(),
            past: &past,
            served: None,
        };
        let (mut datasets, mut guards) = (Vec::new(), Vec::new());
        for dataset in &policy.datasets {
            let sums = DatasetSums::read(&lister, policy, dataset, &zoned).await?;
            guards.push(guard_verdict(&request, dataset, sums.in_units, sums.guarded));
            datasets.push(sums);
        }
        let kept = |place: &'static str, kept: &[Kept]| -> Vec<_> {
            kept.iter().map(|kept| KeptRow::of(&kept.run, place, kept.amount, kept.until)).collect()
        };
        let mut trash: Vec<_> = found.trash.iter().map(super::status::Trash::row).collect();
        trash.extend(kept("under delete markers", &found.kept.hidden));
        trash.extend(kept("in place: cannot be copied", &found.kept.held));
        let holds = MetHold::all(connection.gateway(), policy, BTreeMap::new(), &past).await?;
        let facts = Facts {
            policy,
            path: &source.path,
            now,
            datasets: &datasets,
            guards: &guards,
            runs: &found.records,
            trash: &trash,
            holds: &holds,
        };
        facts.page().map_err(|failure| Failure::Output(std::io::Error::other(failure)))
    }
}
