//! A holder that stood still while its lease ended. Each process is a runtime of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rstest::rstest;
use s3core::environment::Environment;
use s3core_gateway::Quirks;
use s3life::run::lease::{Lease, LeaseError, LostReason};
use s3life::run::record::RunRecord;
use s3life::run::store::Store;
use s3life::run::{Bucket, StateError};
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use crate::support::{Lake, MovedClock, Service, environment, holder, record, take};

const TERM: Duration = Duration::from_secs(3);
const RUN: &str = "20261125T214500Z-a1b2c3";

/// Stands still while nobody waits for it.
fn suspendable() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Takes the lease as the second process, once it is to be had.
async fn take_over(bucket: &Bucket) -> Lease {
    loop {
        match take(bucket, 2, TERM).await {
            Ok(lease) => return lease,
            Err(LeaseError::Held { .. }) => sleep(Duration::from_millis(200)).await,
            Err(other) => panic!("{other:?}"),
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
    let (first, second) = (suspendable(), Runtime::new().unwrap());
    let clock = Arc::new(MovedClock::default());
    let lake = second.block_on(Lake::at(service));
    let (bucket, lease, store) = first.block_on(async {
        let bucket = lake.client_in(Environment { clock: clock.clone(), ..environment() });
        let lease = take(&bucket, 1, TERM).await.unwrap();
        let store = Store::new(bucket.clone());
        store.begin(&lease, &record(RUN), std::path::Path::new("/dev/null")).await.unwrap();
        (bucket, lease, store)
    });

    let stopped = Instant::now();
    let later = second.block_on(async {
        let later = take_over(&lake.bucket).await;
        assert_eq!(later.number(), 2);
        let claim = |record: &mut RunRecord| {
            record.skipped_count = 7;
            Ok(())
        };
        Store::new(lake.bucket.clone()).update(&later, RUN, claim).await.unwrap();
        later
    });
    if clock_stands_still {
        clock.hold_back(stopped.elapsed());
    }

    first.block_on(async {
        assert_eq!(lease.check().is_ok(), clock_stands_still);
        let change = |record: &mut RunRecord| {
            record.skipped_count = 1;
            Ok(())
        };
        let refused = store.update(&lease, RUN, change).await.unwrap_err();
        assert!(matches!(refused, StateError::TakenOver { lease: 2, .. }), "{refused:?}");
        sleep(TERM).await;
        let reason = lease.check().unwrap_err().reason;
        match clock_stands_still {
            true => assert_eq!(reason, LostReason::TakenOver { by: Some(holder(2)) }),
            false => assert_eq!(reason, LostReason::NotRenewed { failure: None }),
        }
        assert!(matches!(lease.release().await, Err(StateError::Lost(_))));
        drop(bucket);
    });
    second.block_on(async {
        sleep(TERM).await;
        later.check().unwrap();
        let record = Store::new(lake.bucket.clone()).record(RUN).await.unwrap();
        assert_eq!((record.skipped_count, record.lease), (7, 2));
        assert_eq!(record.holder, holder(2).to_string());
        later.release().await.unwrap();
    });
}
