//! A holder that stood still while its lease ended. Each process is a runtime of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use rstest::rstest;
use s3core::environment::Environment;
use s3core_gateway::Quirks;
use s3life::run::lease::{Lease, LeaseError, LostReason};
use s3life::run::record::RunRecord;
use s3life::run::store::Store;
use s3life::run::{Bucket, StateError};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::support::{Busy, Lake, MovedClock, Service, environment, holder, in_some_term, record, take};

const RUN: &str = "20261125T214500Z-a1b2c3";

/// Stands still while nobody waits for it.
fn suspendable() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Takes the lease as the second process, once it is to be had.
async fn take_over(bucket: &Bucket, term: Duration) -> Result<Lease, Busy> {
    loop {
        match take(bucket, 2, term).await {
            Ok(lease) => return Ok(lease),
            Err(LeaseError::Held { .. }) => sleep(Duration::from_millis(200)).await,
            Err(failure) => return Err(failure.into()),
        }
    }
}

/// A process that was stopped knows by its clock. A machine that was suspended has a clock that stood still, too: it
/// knows by its next renewal, and changes no record before that.
#[rstest]
#[case::process_on_ceph(Service::Ceph, false)]
#[case::machine_on_ceph(Service::Ceph, true)]
#[case::process(Service::Embedded(Quirks::Tentacle), false)]
#[case::machine(Service::Embedded(Quirks::Tentacle), true)]
fn it_finds_its_lease_lost_and_disturbs_nobody(#[case] service: Service, #[case] clock_stands_still: bool) {
    let test = async |term| stopped_for_a_while(service, clock_stands_still, term);
    // In no runtime, for those of the processes cannot be in another: it waits by blocking only.
    in_some_term(test).now_or_never().unwrap();
}

fn stopped_for_a_while(service: Service, clock_stands_still: bool, term: Duration) -> Result<(), Busy> {
    let (first, second) = (suspendable(), Runtime::new().unwrap());
    let clock = Arc::new(MovedClock::default());
    let lake = second.block_on(Lake::at(service));
    let (bucket, lease, store) = first.block_on(async {
        let bucket = lake.client_in(Environment { clock: clock.clone(), ..environment() });
        let lease = take(&bucket, 1, term).await?;
        let store = Store::new(bucket.clone());
        store.begin(&lease, &record(RUN), std::path::Path::new("/dev/null")).await?;
        Ok::<_, Busy>((bucket, lease, store))
    })?;

    let stopped = Instant::now();
    let later = second.block_on(async {
        let later = take_over(&lake.bucket, term).await?;
        assert_eq!(later.number(), 2);
        let claim = |record: &mut RunRecord| {
            record.skipped_count = 7;
            Ok(())
        };
        Store::new(lake.bucket.clone()).update(&later, RUN, claim).await?;
        Ok::<_, Busy>(later)
    })?;
    if clock_stands_still {
        clock.hold_back(stopped.elapsed());
    }

    first.block_on(async {
        match clock_stands_still {
            true => lease.check()?,
            false => assert!(lease.check().is_err()),
        }
        let change = |record: &mut RunRecord| {
            record.skipped_count = 1;
            Ok(())
        };
        let refused = store.update(&lease, RUN, change).await.unwrap_err();
        assert!(matches!(refused, StateError::TakenOver { lease: 2, .. }), "{refused:?}");
        sleep(term).await;
        let lost = lease.check().unwrap_err();
        match (clock_stands_still, &lost.reason) {
            (true, LostReason::TakenOver { by }) => assert_eq!(*by, Some(holder(2))),
            (false, LostReason::NotRenewed { failure: None }) => {}
            _ => return Err(lost.into()),
        }
        assert!(matches!(lease.release().await, Err(StateError::Lost(_))));
        drop(bucket);
        Ok::<_, Busy>(())
    })?;
    second.block_on(async {
        sleep(term).await;
        later.check()?;
        let record = Store::new(lake.bucket.clone()).record(RUN).await?;
        assert_eq!((record.skipped_count, record.lease), (7, 2));
        assert_eq!(record.holder, holder(2).to_string());
        later.release().await?;
        Ok(())
    })
}
