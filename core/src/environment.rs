//! What core takes from the world: clock, randomness and transport. Only bindings, programs and tests build the
//! real ones, so that a simulation runs the same code.

mod corrected_clock;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures::future::BoxFuture;

use crate::http::Transport;

pub(crate) use corrected_clock::CorrectedClock;
#[cfg(test)]
pub(crate) use corrected_clock::tests::Fixed;

/// Where time, chance and bytes come from. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    /// Wall clock for signatures, monotonic clock and timers for deadlines.
    pub clock: Arc<dyn Clock>,
    /// Jitter and write ids.
    pub random: Arc<dyn Random>,
    /// Carries requests to an endpoint.
    pub transport: Arc<dyn Transport>,
}

/// Time.
pub trait Clock: Send + Sync {
    /// Wall clock, for signatures.
    fn wall(&self) -> SystemTime;
    /// Monotonic clock, for deadlines.
    fn monotonic(&self) -> Instant;
    /// Ends after `pause`.
    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()>;
}

/// Chance.
pub trait Random: Send + Sync {
    /// A number from 0 (inclusive) to 1 (exclusive).
    fn unit(&self) -> f64;
    /// 128 random bits, for write ids.
    fn bits(&self) -> u128;
}

/// The system's clock and tokio's timers; needs a tokio runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn monotonic(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }

    fn sleep(&self, pause: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(pause))
    }
}

/// The system's randomness.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn unit(&self) -> f64 {
        rand::random()
    }

    fn bits(&self) -> u128 {
        rand::random()
    }
}

/// Memory limit of this process's container in bytes, where there is one: the least of its cgroup and those above it.
///
/// A YARN NodeManager watches its containers without cgroups and tells them no limit: there it is what Spark asks for by
/// default, a heap of `heap` bytes and `spark.executor.memoryOverhead` beside it (10 %, at least 384 MiB).
pub fn container_memory_limit(heap: u64) -> Option<u64> {
    let read = |file: &str| std::fs::read_to_string(file).ok();
    let on_yarn = std::env::var_os("CONTAINER_ID").is_some_and(|id| id.to_string_lossy().starts_with("container_"));
    cgroup_memory_limit(&read("/proc/self/cgroup").unwrap_or_default(), read)
        .or_else(|| on_yarn.then(|| heap.saturating_add((heap / 10).max(384 << 20))))
}

/// `memberships`: the lines of `/proc/self/cgroup`, each hierarchy, controllers and path (`man 7 cgroups`). `read` gives
/// a file's text.
fn cgroup_memory_limit(memberships: &str, read: impl Fn(&str) -> Option<String>) -> Option<u64> {
    /// cgroup v1 writes "no limit" as a number near 2^63, v2 as "max".
    const NO_LIMIT: u64 = 1 << 60;
    let groups = memberships.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        match rest.split_once(':')? {
            ("", path) => Some(("/sys/fs/cgroup", path, "memory.max")),
            (names, path) if names.split(',').any(|name| name == "memory") => {
                Some(("/sys/fs/cgroup/memory", path, "memory.limit_in_bytes"))
            }
            _ => None,
        }
    });
    let files = groups.flat_map(|(root, path, file)| {
        // Inside a container the root is the container's own group, whatever the path says.
        let above = std::iter::successors(Some(path.trim_end_matches('/')), |path| Some(path.rsplit_once('/')?.0));
        above.map(move |path| format!("{root}{path}/{file}"))
    });
    files.filter_map(|file| read(&file)?.trim().parse().ok()).filter(|limit| *limit < NO_LIMIT).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_a_group_and_those_above_counts() {
        let limit = |memberships: &str, files: &[(&str, &str)]| {
            cgroup_memory_limit(memberships, |wanted| {
                files.iter().find(|(name, _)| *name == wanted).map(|(_, text)| (*text).to_owned())
            })
        };
        let container = [("/sys/fs/cgroup/memory.max", "1000\n")];
        assert_eq!(limit("0::/\n", &container), Some(1000));
        assert_eq!(limit("0::/kubepods/pod1\n", &container), Some(1000));
        let service = [
            ("/sys/fs/cgroup/system.slice/spark.service/memory.max", "max\n"),
            ("/sys/fs/cgroup/system.slice/memory.max", "7000\n"),
            ("/sys/fs/cgroup/memory.max", "9000\n"),
        ];
        assert_eq!(limit("0::/system.slice/spark.service\n", &service), Some(7000));
        let first = [
            ("/sys/fs/cgroup/memory/yarn/c1/memory.limit_in_bytes", "500\n"),
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"),
        ];
        assert_eq!(limit("5:cpu,cpuacct:/yarn/c1\n4:memory:/yarn/c1\n", &first), Some(500));
        assert_eq!(limit("4:memory:/\n", &first), None);
        assert_eq!(limit("", &[]), None);
    }
}
