//! How a Java thread waits for the core.
//!
//! The future runs on the calling thread, so that cancelling it is dropping it: when the call returns, nothing of it
//! runs any more and nobody writes into the caller's buffer. Only what core itself put on runtime threads (read-ahead,
//! parts under way) goes on, and that owns its buffers.

use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

use jni::{Env, jni_sig, jni_str};
use s3core::{ErrorKind, Stop};
use tokio::time::timeout;

use crate::errors::Failure;
use crate::{native_class, runtime};

/// A waiting thread looks this often whether it was interrupted or its stream closed.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// Waits for `future`; between slices the thread's interrupt flag and `stop` are read, and either ends the wait.
///
/// The flag stays set, as HDFS leaves it: what the thread does next shall see it too. It is read only once the first
/// slice is over, so that what ends at once (the clean-up of an interrupted task) works in an interrupted thread.
pub(crate) fn wait<T>(
    env: &mut Env<'_>,
    stop: impl Fn() -> Option<Failure>,
    future: impl Future<Output = s3core::Result<T>>,
) -> Result<T, Failure> {
    wait_in_slices(env, future, |env| {
        if let Some(failure) = stop() {
            return Err(failure);
        }
        if is_interrupted(env)? { Err(was_interrupted()) } else { Ok(()) }
    })
}

/// How long what cleans up may go on in an interrupted thread.
const CLEANING: Duration = Duration::from_secs(30);

/// Waits for a `future` that must not be dropped in its middle, since what it has begun goes on at the gateway: an
/// interrupt asks it to `stop`, and it ends by itself. The flag stays set.
pub(crate) fn wait_until_stopped<T>(
    env: &mut Env<'_>,
    stop: &Stop,
    future: impl Future<Output = s3core::Result<T>>,
) -> Result<T, Failure> {
    wait_in_slices(env, future, |env| {
        if is_interrupted(env)? {
            stop.ask();
        }
        Ok(())
    })
}

/// Waits for a `future` that cleans up, as the owner of a task does after it has interrupted it: in an interrupted thread
/// for half a minute, otherwise as long as it takes.
pub(crate) fn wait_for_cleaning<T>(
    env: &mut Env<'_>,
    future: impl Future<Output = s3core::Result<T>>,
) -> Result<T, Failure> {
    let mut interrupted: Option<Instant> = None;
    wait_in_slices(env, future, |env| {
        if interrupted.is_none() && is_interrupted(env)? {
            interrupted = Some(Instant::now());
        }
        if interrupted.is_some_and(|since| since.elapsed() > CLEANING) { Err(was_interrupted()) } else { Ok(()) }
    })
}

/// Waits for `future`; `between` is called after each slice, and its failure ends the wait.
fn wait_in_slices<'local, T>(
    env: &mut Env<'local>,
    future: impl Future<Output = s3core::Result<T>>,
    mut between: impl FnMut(&mut Env<'local>) -> Result<(), Failure>,
) -> Result<T, Failure> {
    let runtime = runtime::runtime()?;
    let mut future = pin!(future);
    loop {
        if let Ok(result) = runtime.block_on(async { timeout(SLICE, future.as_mut()).await }) {
            return Ok(result?);
        }
        between(env)?;
    }
}

fn was_interrupted() -> Failure {
    Failure::new(ErrorKind::Interrupted, "the thread was interrupted while it waited for the gateway")
}

/// Nothing but an interrupt ends the wait.
pub(crate) fn never() -> Option<Failure> {
    None
}

/// Whether the calling Java thread is interrupted; leaves the flag as it is.
pub(crate) fn is_interrupted(env: &mut Env<'_>) -> Result<bool, Failure> {
    Ok(env.call_static_method(native_class()?, jni_str!("isInterrupted"), jni_sig!("()Z"), &[])?.z()?)
}
