//! The metrics by name.

use std::sync::atomic::AtomicU64;
use std::sync::{PoisonError, RwLock};

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::{Registry, Unit};

/// Labels with their values.
pub(super) type Labels = Vec<(&'static str, String)>;
pub(super) type Gauge = Family<Labels, prometheus_client::metrics::gauge::Gauge<f64, AtomicU64>>;
pub(super) type Counts = Family<Labels, Counter>;

/// The metrics. Each is called `s3life_` and its name here, with the unit behind it where it has one.
pub(super) struct Families {
    /// Whoever writes several values holds it for writing, so that nobody reads half of them.
    registry: RwLock<Registry>,
    pub(super) due_units: Gauge,
    pub(super) due_bytes: Gauge,
    pub(super) overdue_units: Gauge,
    pub(super) overdue_bytes: Gauge,
    pub(super) oldest_overdue: Gauge,
    pub(super) announced_units: Gauge,
    pub(super) announced_bytes: Gauge,
    pub(super) approval_waiting: Gauge,
    pub(super) guard_share: Gauge,
    pub(super) guard_limit: Gauge,
    pub(super) guard_stopped: Gauge,
    pub(super) action_units: Counts,
    pub(super) action_objects: Counts,
    pub(super) action_bytes: Counts,
    pub(super) skipped_units: Counts,
    pub(super) errors: Counts,
    pub(super) rounds: Counts,
    pub(super) trash_objects: Gauge,
    pub(super) trash_bytes: Gauge,
    pub(super) native_lag: Gauge,
    pub(super) last_success: Gauge,
    pub(super) round_begun: Gauge,
    pub(super) interval: Gauge,
    pub(super) lease_holder: Gauge,
}

impl Families {
    pub(super) fn new() -> Self {
        let mut all = Registry::with_prefix("s3life");
        let bytes = || Some(Unit::Bytes);
        let seconds = || Some(Unit::Seconds);
        let ratio = || Some(Unit::Other("ratio".to_owned()));
        Self {
            due_units: gauge(&mut all, "due_units", "Units that a rule is due for", None),
            due_bytes: gauge(&mut all, "due", "Bytes of the units that a rule is due for", bytes()),
            overdue_units: gauge(&mut all, "overdue_units", "Units that could have gone two rounds ago", None),
            overdue_bytes: gauge(
                &mut all,
                "overdue",
                "Bytes of the units that could have gone two rounds ago",
                bytes(),
            ),
            oldest_overdue: gauge(&mut all, "oldest_overdue", "Time since the oldest overdue unit could go", seconds()),
            announced_units: gauge(&mut all, "announced_units", "Units that were announced and wait", None),
            announced_bytes: gauge(&mut all, "announced", "Bytes of the units that were announced and wait", bytes()),
            approval_waiting: gauge(&mut all, "approval_waiting", "Rules that wait for `s3life approve`", None),
            guard_share: gauge(
                &mut all,
                "guard_share",
                "Share of a dataset that goes by the last plan and runs before it",
                ratio(),
            ),
            guard_limit: gauge(
                &mut all,
                "guard_limit",
                "Share of a dataset that may go within the guard's time",
                ratio(),
            ),
            guard_stopped: gauge(&mut all, "guard_stopped", "Whether the guard has stopped the last plan", None),
            action_units: counts(&mut all, "action_units", "Units that something was done with"),
            action_objects: counts(&mut all, "action_objects", "Objects that something was done with"),
            action_bytes: counts(&mut all, "action_bytes", "Bytes that something was done with"),
            skipped_units: counts(&mut all, "skipped_units", "Units that were left since they had changed"),
            errors: counts(&mut all, "errors", "Rounds that failed, by what failed"),
            rounds: counts(&mut all, "rounds", "Rounds, by how they ended"),
            trash_objects: gauge(&mut all, "trash_objects", "Objects in the trash, by the records of runs", None),
            trash_bytes: gauge(&mut all, "trash", "Bytes in the trash, by the records of runs", bytes()),
            native_lag: gauge(
                &mut all,
                "native_lag",
                "Longest time that a run waits since the gateway's lifecycle has moved a unit of it",
                seconds(),
            ),
            last_success: gauge(
                &mut all,
                "last_success_timestamp",
                "When the last round ended that did not fail; before the first one, when the process began",
                seconds(),
            ),
            round_begun: gauge(
                &mut all,
                "round_begun_timestamp",
                "When the round began that is under way; 0 where none is",
                seconds(),
            ),
            interval: gauge(&mut all, "round_interval", "Time between the beginnings of two rounds", seconds()),
            lease_holder: gauge(
                &mut all,
                "lease_holder_info",
                "Who held the bucket's lease when the round began",
                None,
            ),
            registry: RwLock::new(all),
        }
    }

    pub(super) fn set(&self, gauge: &Gauge, labels: Labels, value: f64) {
        gauge.get_or_create(&labels).set(value);
    }

    pub(super) fn count(&self, counts: &Counts, labels: Labels, more: u64) {
        counts.get_or_create(&labels).inc_by(more);
    }

    /// Lets gauges have exactly these values.
    pub(super) fn replace<const N: usize>(&self, gauges: [(&Gauge, Vec<(Labels, f64)>); N]) {
        let _turn = self.registry.write().unwrap_or_else(PoisonError::into_inner);
        for (gauge, values) in gauges {
            gauge.clear();
            for (labels, value) in values {
                self.set(gauge, labels, value);
            }
        }
    }

    pub(super) fn text(&self) -> String {
        let registry = self.registry.read().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &registry);
        text
    }
}

fn gauge(registry: &mut Registry, name: &str, help: &str, unit: Option<Unit>) -> Gauge {
    let gauge = Gauge::default();
    match unit {
        Some(unit) => registry.register_with_unit(name, help, unit, gauge.clone()),
        None => registry.register(name, help, gauge.clone()),
    }
    gauge
}

fn counts(registry: &mut Registry, name: &str, help: &str) -> Counts {
    let counts = Counts::default();
    registry.register(name, help, counts.clone());
    counts
}
