//! One process at a time has a bucket's lease.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::join_all;
use rstest::rstest;
use s3core::gateway::capabilities::Capability;
use s3core_gateway::{Fault, Quirks};
use s3life::run::lease::{Lease, LeaseError, Lost, LostReason, Standing};
use s3life::run::{StateError, keys};
use tokio::time::sleep;

use crate::support::{Busy, Lake, MINUTE, MovedClock, Service, environment, holder, in_some_term, refuse, take};

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::versions(Service::Versions)]
#[case::pacific(Service::Embedded(Quirks::Pacific))]
#[case::reef(Service::Embedded(Quirks::Reef))]
#[case::tentacle(Service::Embedded(Quirks::Tentacle))]
#[case::aws(Service::Embedded(Quirks::Aws))]
#[tokio::test(flavor = "multi_thread")]
async fn of_sixteen_that_want_it_one_gets_it(#[case] service: Service) {
    let lake = Lake::at(service).await;
    let clients = lake.clients(16);
    for round in 1..=5 {
        let outcomes = join_all((0..16).zip(&clients).map(|(number, client)| take(client, number, MINUTE))).await;
        let winners: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
        let [winner] = winners.as_slice() else { panic!("{} have it", winners.len()) };
        for refused in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
            match refused {
                LeaseError::Held { by, .. } => assert_eq!(*by, winner.holder()),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(winner.number(), round);
        winner.check().unwrap();
        winner.release().await.unwrap();
        assert_eq!(winner.check().unwrap_err().reason, LostReason::Released);
        // Older ones are gone.
        assert_eq!(lake.bucket.keys(&keys::leases()).await.unwrap().len(), 1);
    }
}

#[rstest]
#[case::ceph(Service::Ceph)]
#[case::versions(Service::Versions)]
#[case::embedded(Service::Embedded(Quirks::Pacific))]
#[tokio::test(flavor = "multi_thread")]
async fn renewal_keeps_it_and_silence_loses_it(#[case] service: Service) {
    in_some_term(async |term| {
        let lake = Lake::at(service).await;
        let lease = take(&lake.bucket, 1, term).await?;
        let other = lake.client();
        for _ in 0..5 {
            sleep(term / 2).await;
            lease.check()?;
            refuse(&other, 2, term, &lease).await?;
        }
        drop(lease);
        let dropped = Instant::now();
        match take(&other, 2, term).await {
            Err(LeaseError::Held { .. }) => {}
            Err(failure) => return Err(failure.into()),
            Ok(_) => {
                assert!(dropped.elapsed() >= term / 2, "it was to be had at once");
                return Err(Busy("it had ended when it was asked for".to_owned()));
            }
        }
        sleep(term + Duration::from_secs(2)).await;
        assert_eq!(Lease::look(&other).await?.unwrap().standing, Standing::Expired);
        assert_eq!(take(&other, 2, term).await?.number(), 2);
        assert_eq!(Lease::look(&lake.bucket).await?.unwrap().holder, holder(2));
        Ok(())
    })
    .await;
}

/// Whoever takes a lease knows when each of the holders before may have been at work, also of leases that are gone.
#[rstest]
#[case::versions(Service::Versions)]
#[case::embedded(Service::Embedded(Quirks::Pacific))]
#[tokio::test(flavor = "multi_thread")]
async fn the_times_of_earlier_leases_are_known(#[case] service: Service) {
    in_some_term(async |term| {
        let lake = Lake::at(service).await;
        let began = lake.bucket.time().await?;
        let mut second = Instant::now();
        for client in 1..=3 {
            let lease = take(&lake.bucket, client, term).await?;
            lease.release().await?;
            if client == 1 {
                sleep(3 * term).await;
                second = Instant::now();
            }
        }
        let fourth = take(&lake.bucket, 4, term).await?;
        let now = lake.bucket.time().await?;
        if second.elapsed() > term / 2 {
            return Err(Busy("the second lease had ended long ago when the last was had".to_owned()));
        }
        let known =
            [(&[1][..], began), (&[1], now), (&[2], began), (&[2], now), (&[1, 3], now), (&[], now), (&[4], now)];
        let known = known.map(|(leases, at)| fourth.may_have_worked(leases, at));
        assert_eq!(known, [true, false, false, true, true, false, true]);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_it_is_named_with_what_to_do() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let purpose = s3life::run::lease::Purpose::of_run("apply", "20261125T214500Z-a1b2c3");
    let lease = Lease::take(&lake.bucket, &holder(4711), &purpose).await.unwrap();
    let message = Lease::take(&lake.client(), &holder(2), &"undo".into()).await.unwrap_err().to_string();
    let until = Lease::look(&lake.bucket).await.unwrap().unwrap().until.to_string();
    for part in ["process 4711 on test", "apply of the run 20261125T214500Z-a1b2c3", &until, "run the command again"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    lease.release().await.unwrap();
    lease.release().await.unwrap();
    assert_eq!(Lease::look(&lake.bucket).await.unwrap().unwrap().standing, Standing::Closed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_whose_clock_has_gone_on_stops_by_itself() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let clock = Arc::new(MovedClock::default());
    let bucket = lake.client_in(s3core::environment::Environment { clock: clock.clone(), ..environment() });
    let lease = take(&bucket, 1, MINUTE).await.unwrap();
    clock.put_ahead(Duration::from_secs(45));
    lease.check().unwrap();
    clock.put_ahead(Duration::from_secs(6));
    assert_eq!(lease.check().unwrap_err().reason, LostReason::NotRenewed { failure: None });
    // For ever, also where the clock is put right.
    clock.hold_back(Duration::from_secs(51));
    assert!(lease.check().is_err());
    assert!(matches!(lease.release().await, Err(StateError::Lost(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_fails_is_tried_again_until_the_term_is_over() {
    in_some_term(async |term| {
        let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
        let lease = take(&lake.bucket, 1, term).await?;
        let faults = lake.embedded().faults();
        let refusal = || Fault::error(400, "InvalidRequest").method("PUT").key_prefix(&keys::leases());
        let refusals = faults.add(refusal().times(3));
        while faults.injected_by(refusals) < 3 {
            lease.check()?;
            sleep(Duration::from_millis(20)).await;
        }
        sleep(term).await;
        lease.check()?;
        faults.add(refusal());
        sleep(term).await;
        match lease.check().unwrap_err() {
            Lost { reason: LostReason::NotRenewed { failure: Some(_) }, .. } => Ok(()),
            other => Err(other.into()),
        }
    })
    .await;
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn lost_replies_make_no_second_holder(
    #[values(Quirks::Pacific, Quirks::Tentacle)] quirks: Quirks,
    #[values(1, 2, 3)] seed: u64,
) {
    in_some_term(async |term| {
        let lake = Lake::at(Service::Embedded(quirks)).await;
        let faults = lake.embedded().faults();
        let lost = faults.add(Fault::lose_reply().method("PUT").key_prefix(&keys::leases()).fraction(0.5, seed));
        let clients = lake.clients(16);
        let outcomes = join_all((0..16).zip(&clients).map(|(number, client)| take(client, number, term))).await;
        let (mut leases, mut failures) = (Vec::new(), Vec::new());
        for outcome in outcomes {
            match outcome {
                Ok(lease) => leases.push(lease),
                Err(LeaseError::Held { .. }) => {}
                Err(failure) => failures.push(Busy::from(failure)),
            }
        }
        assert!(leases.iter().filter(|lease| lease.check().is_ok()).count() < 2, "two have it");
        if let Some(failure) = failures.pop() {
            return Err(failure);
        }
        for lease in &leases {
            lease.check()?;
        }
        assert_eq!(leases.len(), 1);
        for _ in 0..4 {
            sleep(term / 2).await;
            leases[0].check()?;
            refuse(&clients[0], 0, term, &leases[0]).await?;
        }
        assert!(faults.injected_by(lost) > 1);
        leases[0].release().await?;
        assert_eq!(take(&clients[0], 0, term).await?.number(), 2);
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_own_renewal_of_which_nothing_was_heard_is_recognised() {
    in_some_term(async |term| {
        let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
        let lease = take(&lake.bucket, 1, term).await?;
        let faults = lake.embedded().faults();
        let on_leases = |fault: Fault, method: &str| fault.method(method).key_prefix(&keys::leases()).times(1);
        let lost = faults.add(on_leases(Fault::lose_reply(), "PUT"));
        let unseen = faults.add(on_leases(Fault::error(403, "AccessDenied"), "HEAD"));
        while (faults.injected_by(lost), faults.injected_by(unseen)) != (1, 1) {
            lease.check()?;
            sleep(Duration::from_millis(20)).await;
        }
        sleep(term).await;
        lease.check()?;
        lease.release().await?;
        Ok(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_renews_keeps_it_whatever_the_gateways_clock_says() {
    in_some_term(async |term| {
        let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
        lake.embedded().set_backdating(Duration::from_secs(3600));
        let lease = take(&lake.bucket, 1, term).await?;
        assert_eq!(Lease::look(&lake.bucket).await?.unwrap().standing, Standing::Expired);
        refuse(&lake.client(), 2, term, &lease).await?;
        lease.check()?;
        Ok(())
    })
    .await;
}

/// It has read that the first lease was given back, and creates the second after the second and third were taken and the
/// second was removed.
#[tokio::test(flavor = "multi_thread")]
async fn who_is_late_with_an_old_number_does_not_get_it() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let second = format!("{}00000002", keys::leases());
    take(&lake.bucket, 1, MINUTE).await.unwrap().release().await.unwrap();
    let stall = Fault::stall(Duration::from_secs(3)).method("PUT").key_prefix(&second).times(1);
    let stalled = lake.embedded().faults().add(stall);
    let late = lake.client();
    let late = tokio::spawn(async move { take(&late, 9, MINUTE).await });
    while lake.embedded().requests().iter().all(|request| request.key != second) {
        sleep(Duration::from_millis(10)).await;
    }
    take(&lake.bucket, 2, MINUTE).await.unwrap().release().await.unwrap();
    let third = take(&lake.bucket, 3, MINUTE).await.unwrap();
    assert_eq!(third.number(), 3);
    assert!(!lake.bucket.keys(&keys::leases()).await.unwrap().contains(&second));
    match late.await.unwrap() {
        Err(LeaseError::Held { by, .. }) => assert_eq!(by, holder(3)),
        other => panic!("{other:?}"),
    }
    assert_eq!(lake.embedded().faults().injected_by(stalled), 1);
    assert!(!lake.bucket.keys(&keys::leases()).await.unwrap().contains(&second));
    third.check().unwrap();
}

#[rstest]
#[case(Capability::ExclusivePut, "If-None-Match: *")]
#[case(Capability::ConditionalPut, "If-Match")]
#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_ignores_conditions_is_refused(#[case] missing: Capability, #[case] condition: &str) {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    lake.bucket.gateway().capabilities().found(missing, false);
    let message = take(&lake.bucket, 1, MINUTE).await.unwrap_err().to_string();
    assert!(message.contains(&format!("ignores {condition} on PutObject")), "{message}");
    assert!(lake.bucket.keys(&keys::leases()).await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_lease_is_named() {
    let lake = Lake::at(Service::Embedded(Quirks::Pacific)).await;
    let key = format!("{}00000001", keys::leases());
    lake.put(&key, "{}").await;
    let message = take(&lake.bucket, 1, MINUTE).await.unwrap_err().to_string();
    assert!(message.contains(&key), "{message}");
}
