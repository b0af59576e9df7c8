//! Many operations at a time, of which none may be left unattended.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};

use crate::{Error, ErrorKind, Result};

/// Operations that are made when their turn comes.
pub type Operations<'a, T> = Box<dyn Iterator<Item = BoxFuture<'a, Result<T>>> + Send + 'a>;

/// Runs operations, up to `at_once` at a time, and returns what those that succeeded brought, with the first failure.
/// After a failure no further one is taken; all that were begun are waited for, so that what is done after this call is
/// done after them.
pub async fn run_all<T>(mut waiting: Operations<'_, T>, at_once: usize) -> (Vec<T>, Result<()>) {
    let mut running = FuturesUnordered::new();
    let (mut done, mut outcome) = (Vec::new(), Ok(()));
    loop {
        while outcome.is_ok()
            && running.len() < at_once
            && let Some(operation) = waiting.next()
        {
            running.push(operation);
        }
        match running.next().await {
            Some(Ok(brought)) => done.push(brought),
            Some(Err(failure)) => outcome = outcome.and(Err(failure)),
            None => return (done, outcome),
        }
    }
}

/// Asks work that must not be dropped in its middle to come to an end. Clones ask the same work.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    is_asked: Arc<AtomicBool>,
}

impl Stop {
    /// Asks: nothing further is begun.
    pub fn ask(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// `Interrupted` once the work was asked to stop.
    pub(crate) fn check(&self) -> Result<()> {
        if self.is_asked.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::Interrupted, "it was asked to stop before it was done"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn nothing_is_begun_after_a_failure_and_what_was_begun_ends() {
        let begun = AtomicUsize::new(0);
        let operation = |number| {
            let begun = &begun;
            async move {
                begun.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
                if number == 3 { Err(Error::new(ErrorKind::Internal, "x")) } else { Ok(number) }
            }
            .boxed()
        };
        let (done, outcome) = run_all(Box::new((0..100).map(operation)), 4).await;
        assert!(outcome.is_err());
        assert!(done.contains(&0) && done.contains(&2));
        assert_eq!(done.len() + 1, begun.load(Ordering::Relaxed));
        assert!(begun.load(Ordering::Relaxed) < 10);
    }
}
