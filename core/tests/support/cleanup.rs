//! Removes what a test leaves behind: the Ceph of a test run keeps its objects in memory, and counts those of all buckets of a user
//! where s3life asks what the user's quota leaves.

#![allow(unreachable_pub, reason = "it is a part of several test programs")]

use s3core::environment::Environment;
use s3core::gateway::{Gateway, GatewaySettings};

use super::admin::remove_bucket;

/// Removes a bucket with everything in it, from wherever it is called: in a runtime of its own, with the connections of
/// `environment`, which nobody else may use. What cannot be removed stays; the test has its verdict already.
pub fn remove(settings: GatewaySettings, environment: Environment, bucket: &str) {
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let gateway = Gateway::new(settings, environment);
            runtime.map(|runtime| runtime.block_on(remove_bucket(&gateway, bucket)))
        });
    });
}
