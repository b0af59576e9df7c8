//! `s3life status POLICY|s3a://BUCKET`

mod report;

use clap::Args;
use jiff::Timestamp;
use s3core::ops::ListObjectsV2;
use serde::Serialize;

use self::report::{Holding, Report, Skipped, UnderWay, Unreleased};
use super::history::Run;
use super::kept::AllKept;
use super::output::{self, Failure};
use super::{BucketOrPolicy, Common, Form};
use crate::page::KeptRow;
use crate::plan::line::Amount;
use crate::plan::make::Past;
use crate::policy::{Hold, Policy};
use crate::run::lease::{Lease, LeaseView, Standing};
use crate::run::record::{RunRecord, RunState};
use crate::run::store::Store;
use crate::run::{Bucket, StateError, holds, keys};
use crate::serve::{ServeStore, ServedPolicy};

#[derive(Debug, Args)]
pub(super) struct Status {
    #[command(flatten)]
    bucket: BucketOrPolicy,
}

impl Status {
    pub(super) fn run(&self, common: &Common) -> Result<(), Failure> {
        let found = self.found(common)?;
        match common.output {
            Form::Json => output::json(&found.report()),
            Form::Text => found.report().lines().iter().try_for_each(|line| output::line(line)),
        }
    }

    /// What the bucket says.
    pub(super) fn found(&self, common: &Common) -> Result<Found, Failure> {
        let policy = self.bucket.policy()?;
        let connection = self.bucket.connect(common)?;
        let bucket = connection.bucket();
        Ok(connection.wait(async {
            let mut found = Found::read(&bucket).await?;
            if let Some(policy) = &policy {
                found.held_back = held_back(&bucket, &found, policy).await?;
            }
            Ok::<_, StateError>(found)
        })?)
    }
}

/// What the bucket says.
pub(super) struct Found {
    bucket: String,
    pub(super) time: Timestamp,
    lease: Option<LeaseView>,
    pub(super) records: Vec<RunRecord>,
    pub(super) trash: Vec<Trash>,
    pub(super) kept: AllKept,
    held_back: Vec<HeldRow>,
    served: Vec<ServedPolicy>,
}

impl Found {
    pub(super) async fn read(bucket: &Bucket) -> Result<Self, StateError> {
        let store = Store::new(bucket.clone());
        let (time, lease) = (bucket.time().await?, Lease::look(bucket).await?);
        let records = store.records().await?;
        let mut trash = Vec::new();
        for run in store.trashed().await? {
            let until = records.iter().find(|record| record.run == run).and_then(|record| record.trash_until);
            trash.push(Trash::of(bucket, run, until).await?);
        }
        let kept = AllKept::read(bucket, &records).await?;
        let served = served(&ServeStore::new(bucket.clone())).await?;
        let of_record = |record: &'_ RunRecord| -> Vec<HeldRow> {
            let run = record.run.clone();
            let row = |(hold, units): (&String, &u64)| HeldRow { run: run.clone(), hold: hold.clone(), units: *units };
            record.held_for.iter().map(row).collect()
        };
        // Without a policy, what was held when the trash was emptied.
        let held_back = records.iter().flat_map(of_record).collect();
        Ok(Self { bucket: bucket.name().to_owned(), time, lease, records, trash, kept, held_back, served })
    }

    pub(super) fn report(&self) -> Report<'_> {
        let lease = self.lease.as_ref().filter(|lease| lease.standing != Standing::Closed);
        let works_on = |record: &RunRecord| {
            let held = lease.filter(|lease| lease.standing == Standing::Held);
            // One that has just begun has no name in the lease, and the lease's number.
            held.is_some_and(|lease| match &lease.purpose.run {
                Some(run) => *run == record.run,
                None => lease.number == record.lease,
            })
        };
        let is_under_way =
            |record: &&RunRecord| !matches!(record.state, RunState::Done | RunState::Undone | RunState::Purged);
        let under_way: Vec<_> = self.records.iter().filter(is_under_way).collect();
        // What was skipped long ago has been planned again since.
        let newest = self.records.first().filter(|newest| !under_way.iter().any(|record| record.run == newest.run));
        let skipped = newest.into_iter().chain(under_way.iter().copied()).flat_map(|record| {
            record.skipped.iter().map(|skipped| Skipped {
                run: &record.run,
                unit: &skipped.unit,
                key: skipped.key.as_deref(),
                reason: &skipped.reason,
            })
        });
        Report {
            bucket: &self.bucket,
            time: self.time,
            lease: lease.map(Holding::of),
            skipped: skipped.collect(),
            runs: under_way
                .into_iter()
                .map(|record| UnderWay { is_active: works_on(record), run: Run::of(record) })
                .collect(),
            trash: &self.trash,
            hidden: &self.kept.hidden,
            held: &self.kept.held,
            held_back: &self.held_back,
            unreleased: self.records.iter().filter_map(Unreleased::of).collect(),
            served: &self.served,
            records: &self.records,
        }
    }
}

/// Units that a hold keeps of the trash of a run.
#[derive(Serialize)]
struct HeldRow {
    run: String,
    hold: String,
    units: u64,
}

/// What a policy holds of trash whose time is over.
async fn held_back(bucket: &Bucket, found: &Found, policy: &Policy) -> Result<Vec<HeldRow>, StateError> {
    let mut past = Past { records: found.records.clone(), ..Past::default() };
    past.look_for_holds(bucket, policy, found.time).await?;
    let of_run = |held: &holds::HeldBack| {
        let run = held.run.clone();
        let row = |(hold, amount): &(Hold, Amount)| HeldRow {
            run: run.clone(),
            hold: hold.prefix.clone(),
            units: amount.units,
        };
        held.holds.iter().map(row).collect::<Vec<_>>()
    };
    Ok(past.held_back.values().flat_map(of_run).collect())
}

/// What `serve` has said of policies, and which of their rules are approved by now.
async fn served(store: &ServeStore) -> Result<Vec<ServedPolicy>, StateError> {
    let (mut all, approved) = (store.all().await?, store.approved().await?);
    for rule in all.iter_mut().flat_map(|served| &mut served.rules) {
        rule.approved = approved.contains(&rule.digest);
    }
    Ok(all)
}

/// What a run has in the trash.
#[derive(Serialize)]
pub(super) struct Trash {
    run: String,
    objects: u64,
    bytes: u64,
    /// From when on it may be emptied; none where the run has no record.
    until: Option<Timestamp>,
}

impl Trash {
    /// For a page.
    pub(super) fn row(&self) -> KeptRow {
        let amount = Amount { units: 0, objects: self.objects, bytes: self.bytes };
        KeptRow::of(&self.run, "in the trash", amount, self.until)
    }

    async fn of(bucket: &Bucket, run: String, until: Option<Timestamp>) -> Result<Self, StateError> {
        let mut trash = Self { objects: 0, bytes: 0, until, run };
        let mut list = ListObjectsV2::new(bucket.name(), &keys::trash(&trash.run));
        loop {
            let page = bucket.gateway().run(list.clone()).await?;
            trash.objects += page.objects.len() as u64;
            trash.bytes += page.objects.iter().map(|object| object.length).sum::<u64>();
            match page.next {
                Some(token) => list.continuation_token = Some(token),
                None => return Ok(trash),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::lease::{Holder, Purpose};

    fn record(run: &str, state: &str, lease: u64, skipped: u64) -> RunRecord {
        serde_json::from_value(json!({
            "run": run, "policy": {"path": "p.yaml", "sha256": ""}, "digest": "", "started": "2026-01-01T00:00:00Z",
            "finished": null, "state": state, "holder": "", "lease": lease, "skipped": [], "skipped_count": skipped,
            "trash_until": if state == "running" { None } else { Some("2026-02-01T00:00:00Z") }, "released": false,
            "undone": state == "undone", "datasets": {},
        }))
        .unwrap()
    }

    fn found(run: Option<&str>) -> Found {
        let time: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let purpose = run.map_or_else(|| Purpose::from("apply"), |run| Purpose::of_run("apply", run));
        let lease = LeaseView {
            number: 3,
            holder: Holder { host: "edge1".to_owned(), process: 4711 },
            purpose,
            taken: time,
            until: time,
            standing: Standing::Held,
        };
        let trash = |run: &str, until| Trash { run: run.to_owned(), objects: 1, bytes: 1, until };
        let records =
            vec![record("new", "running", 3, 0), record("killed", "running", 2, 0), record("back", "undone", 1, 1)];
        Found {
            bucket: "lake".to_owned(),
            time,
            lease: Some(lease),
            trash: vec![trash("new", None), trash("back", records[2].trash_until), trash("lost", None)],
            records,
            kept: AllKept::default(),
            held_back: Vec::new(),
            served: Vec::new(),
        }
    }

    #[test]
    fn a_process_is_at_work_on_the_run_that_it_has_begun() {
        let lines = found(None).report().lines().join("\n");
        for line in [
            "run    new  running: nothing yet  (p.yaml); a process is at work on it",
            "run    killed  running: nothing yet  (p.yaml); nobody is at work on it",
            "trash  new  1 object, 1 B, kept until the run has ended",
            "trash  back  1 object, 1 B, did not come back, and is kept until `s3life purge back s3a://lake`",
            "trash  lost  1 object, 1 B, of a run without record",
        ] {
            assert!(lines.contains(line), "{line}: {lines}");
        }
        let found = found(Some("killed"));
        let active: Vec<_> = found.report().runs.iter().map(|run| run.is_active).collect();
        assert_eq!(active, [false, true]);
    }
}
